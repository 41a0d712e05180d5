//! What expressions may refer to, and how they are evaluated from outside.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::Template;
use serde_json::Value;

use super::evaluate::Evaluation;
use crate::world::{AccountRegion, BoundParameter, Desired, Known, Resource, StackKey, World};

/// What an expression may refer to.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) world: &'a World,
    pub(crate) place: &'a AccountRegion,
    pub(crate) stack_name: &'a str,
    pub(crate) stack_id: &'a str,
    pub(crate) notification_arns: &'a [String],
    pub(crate) template: &'a Template,
    pub(crate) parameters: &'a [BoundParameter],
    /// What the template's conditions come to.
    pub(crate) conditions: &'a BTreeMap<String, bool>,
    pub(crate) resources: &'a BTreeMap<String, Resource>,
    /// Whether resources that do not exist yet are to be passed over, as change sets do.
    pub(crate) lenient: bool,
}

impl Desired {
    /// What the expressions of the template may refer to.
    pub(crate) fn scope<'a>(
        &'a self,
        world: &'a World,
        key: &'a StackKey,
        name: &'a str,
        resources: &'a BTreeMap<String, Resource>,
    ) -> Scope<'a> {
        Scope {
            world,
            place: &key.place,
            stack_name: name,
            stack_id: &key.arn,
            notification_arns: &self.notification_arns,
            template: &self.template,
            parameters: &self.parameters,
            conditions: &self.conditions,
            resources,
            lenient: false,
        }
    }
}

impl Scope<'_> {
    /// Evaluates an expression that stands at a place in the template; one that comes to nothing is null.
    pub(crate) fn value(&self, place: &str, expression: &Value) -> Result<Value, String> {
        self.known(place, expression).map(|known| known.value)
    }

    /// The same, and whether any part of it is made up.
    pub(crate) fn known(&self, place: &str, expression: &Value) -> Result<Known, String> {
        Evaluation::new(self).at(place, |evaluation| evaluation.watched(|it| it.value(expression)))
    }

    /// Evaluates the properties of a resource, and tells which of them have a part that is made up.
    pub(crate) fn properties(
        &self,
        place: &str,
        expression: &Value,
    ) -> Result<(Value, BTreeSet<String>), String> {
        Evaluation::new(self).at(place, |evaluation| evaluation.properties(expression))
    }

    /// Evaluates an expression to text.
    pub(crate) fn text(&self, place: &str, expression: &Value) -> Result<String, String> {
        Evaluation::new(self).at(place, |evaluation| evaluation.text(expression))
    }

    /// Evaluates a condition.
    pub(crate) fn holds(&self, place: &str, condition: &Value) -> Result<bool, String> {
        Evaluation::new(self).at(place, |evaluation| evaluation.holds(condition))
    }

    /// Whether there may be resources that only a macro knows.
    pub(super) fn is_partly_unseen(&self) -> bool {
        !self.template.unseen().is_empty()
    }

    /// Whether a declared condition holds. One that is not declared does not.
    pub(crate) fn condition_holds(&self, name: &str) -> bool {
        self.conditions.get(name).copied().unwrap_or(false)
    }
}
