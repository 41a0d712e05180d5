//! Holds the policy of `paceline.yaml` against what a run would change, before it changes anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;
use clap::{Args, ValueEnum};
use paceline_assembly::{Assembly, Stack};
use paceline_aws::{Aws, ChangeGuard, GuardRefusal, Unreviewed, deployed};
use paceline_config::FILE_NAME;
use paceline_diff::{ChangedResource, CompareOptions, Policy, Rule, StackChanges, Violation, compare};
use paceline_engine::event::RunApproved;
use paceline_engine::{ChangeEffect, ExitCode, Preparation, PreparedChange, PreparedRun};
use paceline_plan::{Plan, stacks_of};
use paceline_text::list;

use crate::app::App;
use crate::diff_change_sets::effect_of;
use crate::failure::Failure;
use crate::terminal;

/// What a person adds to the policy of paceline.yaml, and takes from it.
#[derive(Debug, Clone, Default, Args)]
pub struct PolicyArguments {
    /// Let through what `approve:` of paceline.yaml refuses: deletes, replacements, iam-broadening or any-change. The journal
    /// keeps the reason
    #[arg(long = "approve", value_name = "KIND[=REASON]", value_parser = approval)]
    pub approved: Vec<Approval>,
    /// Refuse these changes, too, with exit code 3
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub require_approval: Option<ApprovalLevel>,
}

impl PolicyArguments {
    /// The option that was given, for a message.
    pub(super) fn flag(&self) -> Option<&'static str> {
        match (self.require_approval, self.approved.as_slice()) {
            (Some(_), _) => Some("--require-approval"),
            (None, []) => None,
            (None, _) => Some("--approve"),
        }
    }
}

/// What a person lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    rule: Rule,
    reason: Option<String>,
}

/// What needs the approval of a person, as the CDK CLI says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ApprovalLevel {
    /// Nothing but what paceline.yaml says
    Never,
    /// Every change
    AnyChange,
    /// IAM policies and security groups that newly allow something
    Broadening,
    /// Deletions and replacements
    Destructive,
}

fn approval(text: &str) -> Result<Approval, String> {
    let (rule, reason) = match text.split_once('=') {
        Some((rule, reason)) => (rule, Some(reason.to_owned()).filter(|reason| !reason.is_empty())),
        None => (text, None),
    };
    let words = list(Rule::ALL.map(Rule::as_str));
    let found = Rule::ALL.into_iter().find(|it| it.as_str() == rule);
    let rule = found.ok_or_else(|| format!("write one of {words}, and a reason behind `=`"))?;
    Ok(Approval { rule, reason })
}

/// The policy for one run.
#[derive(Debug)]
pub(super) struct RunPolicy {
    policy: Policy,
    approved: Vec<Approval>,
    /// How many resources each stack deletes, as far as that is known.
    deletes: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// A policy, and what it is held against.
#[derive(Clone, Copy)]
pub(super) struct PolicyCheck<'a> {
    pub policy: &'a RunPolicy,
    pub app: &'a App,
    /// The prepared run whose change sets are executed.
    pub executed: Option<&'a PreparedRun>,
}

impl PolicyCheck<'_> {
    /// Refuses a run that violates the policy, and names all that does. Gives what was let through.
    pub(super) async fn ensure(&self, plan: &Plan, aws: &Aws) -> Result<Vec<RunApproved>, Failure> {
        self.policy.ensure(self.app, plan, aws, self.executed).await
    }
}

impl RunPolicy {
    /// The policy of the configuration and of the command line.
    pub(super) fn of(app: &App, arguments: PolicyArguments) -> Result<Self, Failure> {
        let approve = &app.config.approve;
        let place = app.config.places.get("approve");
        let file = place.map_or_else(|| FILE_NAME.into(), |place| place.file);
        let is_for_all = approve.stacks.0.is_empty();
        let stacks = stacks_of(&app.assembly, &approve.stacks, Utf8Path::new(&file), "approve.stacks")?;
        let mut policy = Policy::of(approve, (!is_for_all).then_some(stacks));
        match arguments.require_approval {
            None | Some(ApprovalLevel::Never) => {}
            // The command line is for all stacks.
            Some(level) => {
                policy.stacks = None;
                match level {
                    ApprovalLevel::AnyChange => policy.no_change = true,
                    ApprovalLevel::Broadening => policy.no_broadening = true,
                    _ => (policy.deletes, policy.no_replacement) = (Some(0), true),
                }
            }
        }
        Ok(Self { policy, approved: arguments.approved, deletes: Arc::default() })
    }

    async fn ensure(
        &self,
        app: &App,
        plan: &Plan,
        aws: &Aws,
        executed: Option<&PreparedRun>,
    ) -> Result<Vec<RunApproved>, Failure> {
        if self.policy.is_empty() {
            return Ok(Vec::new());
        }
        let changes = self.changes(app, plan, executed).await?;
        let violations = self.policy.violations(&changes, 0);
        let (through, refused): (Vec<Violation>, Vec<Violation>) =
            violations.into_iter().partition(|it| self.approves(it.rule));
        if !refused.is_empty() {
            let message = Violation::table(&refused);
            return Err(Failure::usage(message, hint(&refused)).with_exit_code(ExitCode::Refused));
        }
        let counts = changes
            .iter()
            .map(|stack| (stack.id.clone(), stack.resources.iter().filter(|it| it.is_deleted()).count()));
        *self.deletes.lock().unwrap_or_else(PoisonError::into_inner) = counts.collect();
        if through.is_empty() {
            return Ok(Vec::new());
        }
        let by = aws.caller_arn().await;
        let approved = self.approved.iter().filter_map(|approval| {
            let what = through.iter().filter(|it| it.rule == approval.rule);
            let what: Vec<String> = what.map(|it| format!("{}: {}", it.stack, it.what)).collect();
            (!what.is_empty()).then(|| RunApproved {
                rule: approval.rule.as_str().to_owned(),
                reason: approval.reason.clone(),
                by: by.clone(),
                what,
            })
        });
        Ok(approved.collect())
    }

    /// Holds the policy against change sets that are made in the middle of the run.
    pub(super) fn guard(&self, app: &App, plan: &Plan) -> Option<ChangeGuard> {
        if self.policy.is_empty() {
            return None;
        }
        let (policy, deletes) = (self.policy.clone(), Arc::clone(&self.deletes));
        let approved: BTreeSet<Rule> = self.approved.iter().map(|approval| approval.rule).collect();
        let (app, plan) = (Arc::clone(&app.assembly), plan.clone());
        Some(ChangeGuard::new(move |unreviewed| {
            let id = &unreviewed.stack.id;
            let changes = changes_of(unreviewed, &app, &plan);
            let own = changes.resources.iter().filter(|it| it.is_deleted()).count();
            let mut deletes = deletes.lock().unwrap_or_else(PoisonError::into_inner);
            let others = deletes.iter().filter(|(other, _)| *other != id).map(|(_, count)| count).sum();
            let mut violations = policy.violations(&[changes], others);
            violations.retain(|it| !approved.contains(&it.rule));
            // A stack that is refused deletes nothing.
            deletes.insert(id.clone(), if violations.is_empty() { own } else { 0 });
            if violations.is_empty() {
                return Ok(());
            }
            let what: Vec<&str> = violations.iter().map(|it| it.what.as_str()).collect();
            let message =
                format!("the policy refuses its change set, which was made in this run: {}", list(what));
            Err(GuardRefusal { message, hint: hint(&violations) })
        }))
    }

    fn approves(&self, rule: Rule) -> bool {
        self.approved.iter().any(|approval| approval.rule == rule)
    }

    /// What the run would change: from the templates and, where it was prepared, from the change sets.
    async fn changes(
        &self,
        app: &App,
        plan: &Plan,
        executed: Option<&PreparedRun>,
    ) -> Result<Vec<StackChanges>, Failure> {
        let stacks = plan.stacks.iter().filter(|stack| self.policy.is_for(&stack.id));
        let stacks: Vec<_> = stacks.filter_map(|stack| app.assembly.stack(&stack.id)).collect();
        let read = Box::pin(deployed(&terminal::wire(), &stacks)).await?;
        read.warnings.iter().for_each(|warning| terminal::warn(warning));
        let base = Assembly { stacks: read.stacks, ..Assembly::clone(&app.assembly) };
        let only = stacks.iter().map(|stack| stack.id.clone()).collect();
        let diff = compare(&base, &app.assembly, plan, &comparison(plan, only));
        let mut changes: Vec<StackChanges> = diff.stacks.iter().map(Into::into).collect();
        for stack in &mut changes {
            let prepared = executed.and_then(|run| run.stacks.get(&stack.id));
            if let Some(Preparation::Ready(set)) = prepared.map(|prepared| &prepared.preparation) {
                stack.resources = set.changes.iter().map(resource).collect();
            }
        }
        Ok(changes)
    }
}

/// How an app is compared with what is deployed.
fn comparison(plan: &Plan, only: BTreeSet<String>) -> CompareOptions {
    CompareOptions {
        is_deployed: true,
        ignore_times: plan.ignore_times,
        strict: false,
        only: Some(only),
        without_gone: true,
    }
}

/// What a change set changes: its resources as CloudFormation says, and the rest by the templates.
fn changes_of(unreviewed: &Unreviewed<'_>, app: &Assembly, plan: &Plan) -> StackChanges {
    let Unreviewed { stack, deployed, changes } = unreviewed;
    let base = deployed.iter().map(|template| Stack { template: template.clone(), ..Stack::clone(stack) });
    let of = |stacks| Assembly { stacks, ..app.clone() };
    let only = BTreeSet::from([stack.id.clone()]);
    let (base, wanted) = (of(base.collect()), of(vec![Stack::clone(stack)]));
    let diff = compare(&base, &wanted, plan, &comparison(plan, only));
    let by_template = diff.stacks.first().map(StackChanges::from).unwrap_or_default();
    StackChanges { id: stack.id.clone(), resources: changes.iter().map(resource).collect(), ..by_template }
}

/// What a person can do about violations.
fn hint(violations: &[Violation]) -> String {
    let mut rules: Vec<Rule> = violations.iter().map(|it| it.rule).collect();
    rules.dedup();
    let rules: Vec<String> = rules.iter().map(|rule| format!("--approve {}=REASON", rule.as_str())).collect();
    format!("change the app, or let it through: {}", rules.join(" "))
}

fn resource(change: &PreparedChange) -> ChangedResource {
    ChangedResource {
        place: change.place(),
        resource_type: change.resource_type.clone(),
        effect: effect_of(change.effect),
        stays: change.effect == ChangeEffect::Released,
    }
}
