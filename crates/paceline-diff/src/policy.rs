//! Holds a policy against changes, before any of them is made.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use paceline_assembly::holds_data;
use paceline_config::{Approve, Broadening, RefusedReplacement};
use paceline_text::{columns, count};

use crate::model::{Effect, Fate, ResourceDiff, StackChange, StackDiff, Widening};

/// So many violations are listed.
const LISTED: usize = 40;

/// What a policy refuses. A person may let through all of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// More resources are deleted than a run may delete.
    Deletes,
    /// A resource is replaced, or may be.
    Replacements,
    /// An IAM policy or a security group newly allows something.
    IamBroadening,
    /// Anything changes.
    AnyChange,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 4] = [Self::Deletes, Self::Replacements, Self::IamBroadening, Self::AnyChange];

    /// The word on the command line and in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deletes => "deletes",
            Self::Replacements => "replacements",
            Self::IamBroadening => "iam-broadening",
            Self::AnyChange => "any-change",
        }
    }
}

/// What may be changed without a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub struct Policy {
    /// The most resources that a run may delete. `None` for any number.
    pub deletes: Option<usize>,
    /// Whether no resource that holds data may be replaced.
    pub no_stateful_replacement: bool,
    /// Whether no resource at all may be replaced.
    pub no_replacement: bool,
    /// Whether nothing may newly be allowed.
    pub no_broadening: bool,
    /// Whether nothing may change.
    pub no_change: bool,
    /// The ids of the stacks that the policy is for. `None` for all.
    pub stacks: Option<BTreeSet<String>>,
}

/// What changes in a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackChanges {
    /// The id of the stack.
    pub id: String,
    pub resources: Vec<ChangedResource>,
    /// What is newly allowed, one sentence each.
    pub widenings: Vec<String>,
    /// Whether anything else changes, such as an output.
    pub others: bool,
}

/// A resource that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedResource {
    /// The logical id, after those of the nested stacks that lead to it: `Nested/Table`.
    pub place: String,
    pub resource_type: String,
    pub effect: Effect,
    /// Whether a resource that is removed from the stack stays in the account.
    pub stays: bool,
}

/// A change that a policy refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub rule: Rule,
    /// The id of the stack.
    pub stack: String,
    /// One sentence.
    pub what: String,
}

impl From<&ResourceDiff> for ChangedResource {
    fn from(diff: &ResourceDiff) -> Self {
        Self {
            place: diff.place.to_string(),
            resource_type: diff.resource_type.clone(),
            effect: diff.effect,
            stays: diff.data.is_some_and(|data| data.fate == Fate::Retained),
        }
    }
}

impl From<&StackDiff> for StackChanges {
    fn from(diff: &StackDiff) -> Self {
        let changes = matches!(diff.change, StackChange::Added | StackChange::Changed);
        Self {
            id: diff.id.clone(),
            resources: diff.resources.iter().map(Into::into).collect(),
            widenings: diff.widenings.iter().map(Widening::sentence).collect(),
            others: changes && (!diff.elements.is_empty() || !diff.settings.is_empty()),
        }
    }
}

impl Policy {
    /// The policy of the configuration. `stacks` are the ids that its patterns mean.
    pub fn of(approve: &Approve, stacks: Option<BTreeSet<String>>) -> Self {
        let refuses = |kind: RefusedReplacement| approve.replacements.contains(&kind);
        Self {
            deletes: approve.deletes.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            no_stateful_replacement: refuses(RefusedReplacement::Stateful),
            no_replacement: refuses(RefusedReplacement::All),
            no_broadening: approve.iam_broadening == Broadening::Refuse,
            no_change: false,
            stacks,
        }
    }

    /// Whether the policy refuses nothing.
    pub fn is_empty(&self) -> bool {
        let Self { deletes, no_stateful_replacement, no_replacement, no_broadening, no_change, stacks: _ } =
            self;
        deletes.is_none() && !(*no_stateful_replacement || *no_replacement || *no_broadening || *no_change)
    }

    /// Whether the policy is for the stack with this id.
    pub fn is_for(&self, stack: &str) -> bool {
        self.stacks.as_ref().is_none_or(|stacks| stacks.contains(stack))
    }

    /// What the policy refuses, in the order of the rules. `deleted` is the number of resources that other stacks of the run
    /// delete.
    pub fn violations(&self, stacks: &[StackChanges], deleted: usize) -> Vec<Violation> {
        let all = || {
            let stacks = stacks.iter().filter(|stack| self.is_for(&stack.id));
            stacks.flat_map(|stack| stack.resources.iter().map(move |resource| (stack, resource)))
        };
        let violation = |rule: Rule, stack: &StackChanges, what: String| Violation {
            rule,
            stack: stack.id.clone(),
            what,
        };
        let named = |it: &ChangedResource| format!("{} ({})", it.place, it.resource_type);
        let mut found = Vec::new();
        let deletes: Vec<_> = all().filter(|(_, it)| it.is_deleted()).collect();
        if self.deletes.is_some_and(|most| deletes.len() + deleted > most) {
            let lines = deletes.into_iter();
            found.extend(
                lines.map(|(stack, it)| violation(Rule::Deletes, stack, format!("{} is deleted", named(it)))),
            );
        }
        let is_refused = |it: &ChangedResource| {
            self.no_replacement || self.no_stateful_replacement && holds_data(&it.resource_type)
        };
        for (stack, it) in all().filter(|(_, it)| is_refused(it)) {
            let verb = match it.effect {
                Effect::Replace => "is replaced",
                Effect::MayReplace => "may be replaced",
                _ => continue,
            };
            found.push(violation(Rule::Replacements, stack, format!("{} {verb}", named(it))));
        }
        for stack in stacks.iter().filter(|stack| self.is_for(&stack.id)) {
            if self.no_broadening {
                let lines = stack.widenings.iter();
                found.extend(lines.map(|it| violation(Rule::IamBroadening, stack, it.clone())));
            }
            if self.no_change && (stack.others || !stack.resources.is_empty()) {
                let what = match stack.resources.len() {
                    0 => "it changes, but no resource does".to_owned(),
                    1 => "1 resource changes".to_owned(),
                    more => format!("{more} resources change"),
                };
                found.push(violation(Rule::AnyChange, stack, what));
            }
        }
        found.sort_by_key(|violation| violation.rule);
        found
    }
}

impl ChangedResource {
    /// Whether the resource is deleted.
    pub fn is_deleted(&self) -> bool {
        self.effect == Effect::Remove && !self.stays
    }
}

impl Violation {
    /// A table of violations, one line each, with a headline.
    pub fn table(violations: &[Self]) -> String {
        let width = |of: fn(&Self) -> &str| violations.iter().map(|it| columns(of(it))).max().unwrap_or(0);
        let (rules, stacks) = (width(|it| it.rule.as_str()), width(|it| &it.stack));
        let mut table = format!("the policy refuses {}:", count(violations.len(), "change"));
        for Self { rule, stack, what } in violations.iter().take(LISTED) {
            let rule = rule.as_str();
            // Writing to a string does not fail.
            let _ = write!(table, "\n  {rule:rules$}  {stack:stacks$}  {what}");
        }
        if let Some(more @ 1..) = violations.len().checked_sub(LISTED) {
            let _ = write!(table, "\n  and {more} more");
        }
        table
    }
}
