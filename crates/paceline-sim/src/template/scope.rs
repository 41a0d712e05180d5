//! The scope of expressions, and the entry points of their evaluation.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::Template;
use serde_json::Value;

use super::evaluate::Evaluation;
use crate::world::{AccountRegion, BoundParameter, Desired, Known, Resource, StackKey, World};

/// The things that an expression may refer to.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) world: &'a World,
    pub(crate) place: &'a AccountRegion,
    pub(crate) stack_name: &'a str,
    pub(crate) stack_id: &'a str,
    pub(crate) notification_arns: &'a [String],
    pub(crate) template: &'a Template,
    pub(crate) parameters: &'a [BoundParameter],
    /// The values of the template's conditions.
    pub(crate) conditions: &'a BTreeMap<String, bool>,
    pub(crate) resources: &'a BTreeMap<String, Resource>,
    /// Whether references to resources that do not exist yet are tolerated, as in change sets.
    pub(crate) lenient: bool,
}

impl Desired {
    /// The scope of the template's expressions.
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
    /// Evaluates the expression at a place in the template. `AWS::NoValue` becomes null.
    pub(crate) fn value(&self, place: &str, expression: &Value) -> Result<Value, String> {
        self.known(place, expression).map(|known| known.value)
    }

    /// Evaluates like `value`, and reports whether any part is made up.
    pub(crate) fn known(&self, place: &str, expression: &Value) -> Result<Known, String> {
        Evaluation::new(self).at(place, |evaluation| evaluation.watched(|it| it.value(expression)))
    }

    /// Evaluates the properties of a resource, and names those that are made up in any part.
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

    /// Whether a condition holds. A condition that is not declared does not hold.
    pub(crate) fn condition_holds(&self, name: &str) -> bool {
        self.conditions.get(name).copied().unwrap_or(false)
    }
}
