//! Inspects each stack's templates once, for everything that a plan needs to know about them.
//!
//! Templates are parsed for that look and let go again, on every core: the parsed templates of a large app
//! would take most of the memory, and parsing them one after another most of the time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_assembly::{Assembly, Stack, Template, Unseen};
use rayon::prelude::*;

use super::assets::Catalogue;
use super::context::ContextLookup;
use super::scan::borrowed::BorrowedOffer;
use super::scan::scanner::scan;
use super::scan::uses::Uses;
use super::settings;
use crate::model::{ApiLoads, Edge, PlannedStack, StepOperation};
use crate::outlook::api_load::loads;
use crate::outlook::expect::{Expect, Expected};
use crate::outlook::history::short;

/// What a plan needs to know about a stack's templates.
#[derive(Debug)]
pub(crate) struct Inspection<'a> {
    /// The stack's id.
    pub(crate) stack: &'a str,
    /// What it provides to others and reads from them.
    pub(crate) uses: Uses,
    /// Parts of its templates that could not be seen.
    pub(crate) unseen: Vec<Unseen>,
    /// How many resources it has, nested templates included.
    pub(crate) resources: usize,
    /// How long its next operation is expected to take.
    pub(crate) expected: Expected,
    /// How long its creation occupies the APIs of services whose rates are low.
    pub(crate) create_loads: ApiLoads,
    /// The same of its deletion.
    pub(crate) delete_loads: ApiLoads,
    /// When each resource that others can wait for is complete, from the start of the next operation.
    pub(crate) complete: BTreeMap<String, Duration>,
    /// Changes with the stack's own template.
    pub(crate) fingerprint: String,
    /// Changes with its other input to `CloudFormation`: parameters, tags, roles and the like.
    pub(crate) settings: String,
    /// The assets that it uses and only other stacks register.
    pub(crate) borrowed: Vec<BorrowedOffer<'a>>,
    /// The parameters whose values nobody may see.
    pub(crate) secret: BTreeSet<String>,
}

/// Inspects each stack, in the assembly's order.
pub(crate) fn inspect<'a>(
    assembly: &'a Assembly,
    context: &[ContextLookup],
    expect: Expect<'_>,
) -> Vec<Inspection<'a>> {
    let catalogue = Catalogue::new(assembly);
    assembly.stacks.par_iter().map(|stack| Inspection::of(stack, context, &catalogue, expect)).collect()
}

impl<'a> Inspection<'a> {
    /// The inspected stack in a plan, without a phase. `depends_on` is why it waits for others.
    pub(crate) fn planned(
        &self,
        stack: &Stack,
        expected: Expected,
        level: usize,
        depends_on: Vec<Edge>,
    ) -> PlannedStack {
        PlannedStack {
            id: stack.id.clone(),
            name: stack.name.clone(),
            account: stack.environment.account.clone(),
            region: stack.environment.region.clone(),
            phase: None,
            level,
            resources: self.resources,
            expected: expected.time,
            expected_from: expected.basis,
            operation: expected.operation,
            api_loads: match expected.operation {
                StepOperation::Create => self.create_loads.clone(),
                StepOperation::Delete => self.delete_loads.clone(),
                _ => ApiLoads::new(),
            },
            template: self.fingerprint.clone(),
            settings: self.settings.clone(),
            depends_on,
        }
    }

    fn of(
        stack: &'a Stack,
        context: &[ContextLookup],
        catalogue: &Catalogue<'a>,
        expect: Expect<'_>,
    ) -> Self {
        let opened = stack.opened();
        let fingerprint = opened.template.fingerprint();
        let nested = opened.nested.iter().map(|nested| nested.template.resource_count());
        let templates = opened.nested_that_may_be_made().map(|nested| &nested.template);
        let unseen = std::iter::once(&opened.template).chain(templates).flat_map(Template::unseen);
        let own: Vec<&ContextLookup> = context.iter().filter(|it| it.is_for(stack)).collect();
        let uses = scan(&opened, &own, catalogue);
        Self {
            stack: &stack.id,
            complete: expect.complete(&opened, uses.provided_by_resources()),
            borrowed: BorrowedOffer::of(&uses, catalogue),
            uses,
            unseen: unseen.cloned().collect(),
            resources: opened.template.resource_count() + nested.sum::<usize>(),
            expected: expect.stack(&opened, &short(&fingerprint)),
            create_loads: loads(&opened, StepOperation::Create),
            delete_loads: loads(&opened, StepOperation::Delete),
            settings: settings::settings(&opened),
            secret: settings::secret_parameters(&opened).into_iter().map(str::to_owned).collect(),
            fingerprint,
        }
    }
}
