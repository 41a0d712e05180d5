//! What a change set changes, read from CloudFormation.

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{Change, ChangeAction, PolicyAction, Replacement, ResourceChange};
use paceline_assembly::STACK_TYPE;
use paceline_engine::{ChangeEffect, PreparedChange};

use super::{ChangeSets, ReadyChangeSet};
use crate::error::AwsError;

impl ChangeSets<'_> {
    /// Returns whether the change set replaces a resource, or may replace one.
    pub(super) async fn may_replace(&self, set: &ReadyChangeSet) -> Result<bool, AwsError> {
        let may_replace = |page: &DescribeChangeSetOutput| {
            let mut changes = page.changes().iter().filter_map(Change::resource_change);
            changes.any(|change| {
                let modifies = change.action() == Some(&ChangeAction::Modify);
                modifies && change.replacement() != Some(&Replacement::False)
            })
        };
        let mut found = may_replace(&set.first);
        let mut next = set.first.next_token().map(str::to_owned);
        while !found && next.is_some() {
            let page = self.next_page(&set.id, next).await?;
            found = may_replace(&page);
            next = page.next_token().map(str::to_owned);
        }
        Ok(found)
    }

    /// Reads all changes, those of nested stacks too.
    pub(in crate::stack) async fn changes(
        &self,
        set: &ReadyChangeSet,
    ) -> Result<Vec<PreparedChange>, AwsError> {
        let mut all = Vec::new();
        Box::pin(self.read(&set.id, set.first.clone(), &[], &mut all)).await?;
        Ok(all)
    }

    async fn read(
        &self,
        id: &str,
        first: DescribeChangeSetOutput,
        nested: &[String],
        all: &mut Vec<PreparedChange>,
    ) -> Result<(), AwsError> {
        let mut page = first;
        loop {
            for change in page.changes().iter().filter_map(Change::resource_change) {
                let logical_id = change.logical_resource_id().unwrap_or_default().to_owned();
                let below = change.change_set_id().filter(|_| change.resource_type() == Some(STACK_TYPE));
                all.push(PreparedChange {
                    nested: nested.to_vec(),
                    logical_id: logical_id.clone(),
                    resource_type: change.resource_type().unwrap_or_default().to_owned(),
                    effect: effect(change),
                });
                if let Some(below) = below {
                    let path: Vec<String> = nested.iter().cloned().chain([logical_id]).collect();
                    let first = self.describe(None, below).await?;
                    Box::pin(self.read(below, first, &path, all)).await?;
                }
            }
            let next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(());
            }
            page = self.next_page(id, next).await?;
        }
    }

    async fn next_page(&self, id: &str, next: Option<String>) -> Result<DescribeChangeSetOutput, AwsError> {
        let send = || {
            let call = self.environment.client.describe_change_set().change_set_name(id);
            call.set_next_token(next.clone()).send()
        };
        self.environment.call(Some(self.context), "DescribeChangeSet", send).await
    }
}

fn effect(change: &ResourceChange) -> ChangeEffect {
    match (change.action(), change.replacement()) {
        (Some(ChangeAction::Add), _) => ChangeEffect::Added,
        (Some(ChangeAction::Import), _) => ChangeEffect::Imported,
        (Some(ChangeAction::Remove), _) if change.policy_action() == Some(&PolicyAction::Retain) => {
            ChangeEffect::Released
        }
        (Some(ChangeAction::Remove), _) => ChangeEffect::Deleted,
        (Some(ChangeAction::Modify), Some(Replacement::True)) => ChangeEffect::Replaced,
        (Some(ChangeAction::Modify), Some(Replacement::False)) => ChangeEffect::Changed,
        // Also what only a newer version of the API knows.
        _ => ChangeEffect::MayBeReplaced,
    }
}
