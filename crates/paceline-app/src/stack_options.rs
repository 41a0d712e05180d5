//! The options that decide what every stack is given and how it is deployed. They have the names of the CDK CLI.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Args;
use paceline_assembly::{Overrides, RollbackTriggers};
use paceline_config::Rollback;
use paceline_plan::{DeployOptions, PlanOptions};

use crate::app::App;
use crate::failure::Failure;

/// The most alarms of a stack (CloudFormation API Reference, `RollbackConfiguration`).
const MOST_ALARMS: usize = 5;
/// The most topics of a stack (CloudFormation API Reference, `CreateStack`).
const MOST_TOPICS: usize = 5;
/// The most tags of a stack (CloudFormation API Reference, `CreateStack`).
const MOST_TAGS: usize = 50;
/// The word that removes all alarms.
const NONE: &str = "none";

/// The options that decide what every stack is given and how it is deployed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What every stack is given, as with the CDK CLI")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct StackOptions {
    /// The role that CloudFormation assumes, in place of the assembly's
    #[arg(long, short, value_name = "ARN")]
    pub role_arn: Option<String>,
    /// A tag. These tags replace those of the assembly
    #[arg(long, short, value_name = "KEY=VALUE")]
    pub tags: Vec<String>,
    /// A topic for the events of stacks, in addition to the assembly's
    #[arg(long, value_name = "ARN")]
    pub notification_arns: Vec<String>,
    /// An alarm that CloudFormation watches: it rolls a stack back if the alarm goes off. `none` removes the alarms
    #[arg(long, value_name = "ARN")]
    pub rollback_trigger_alarm_arns: Vec<String>,
    /// How long CloudFormation watches the alarms after it has deployed everything, up to 180
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(0..=180))]
    pub monitoring_time_minutes: Option<u32>,
    /// Leave a stack that fails as it is, like `on-failure: { rollback: none }` in paceline.yaml
    #[arg(long, short = 'R')]
    pub no_rollback: bool,
    /// Roll back a stack that fails, whatever paceline.yaml says
    #[arg(long, conflicts_with = "no_rollback")]
    pub rollback: bool,
    /// Give parameters without a value their default, and not the value that the stack has
    #[arg(long)]
    pub no_previous_parameters: bool,
    /// Deploy stacks that are unchanged, too
    #[arg(long, short)]
    pub force: bool,
    /// Take resources into a stack that exist already under the names in its template. Uses change sets
    #[arg(long)]
    pub import_existing_resources: bool,
    /// Also undo what others have changed in the resources of a stack. Uses change sets
    #[arg(long)]
    pub revert_drift: bool,
    /// The name of the bootstrap stack, for apps that do not name their bucket, in place of `CDKToolkit`
    #[arg(long, value_name = "NAME")]
    pub toolkit_stack_name: Option<String>,
    /// Do nothing, and succeed, if the app has no stacks
    #[arg(long)]
    pub ignore_no_stacks: bool,
}

impl StackOptions {
    /// Gives the stacks of an app what is asked for. A plan that is made then takes it into account.
    pub fn give(&self, app: &mut App) -> Result<(), Failure> {
        app.overrides = self.overrides()?;
        if app.overrides != Overrides::default() {
            app.overrides.give_to(&mut Arc::make_mut(&mut app.assembly).stacks);
        }
        Ok(())
    }

    /// The options of a plan, with what is asked of its operations.
    #[must_use]
    pub fn of_plan(&self, options: PlanOptions) -> PlanOptions {
        let rollback = match (self.no_rollback, self.rollback) {
            (true, _) => Some(Rollback::None),
            (_, true) => Some(Rollback::Stack),
            _ => options.rollback,
        };
        let deploys = DeployOptions {
            forgets_parameters: self.no_previous_parameters,
            imports_existing: self.import_existing_resources,
            reverts_drift: self.revert_drift,
            forces: self.force,
        };
        PlanOptions { rollback, deploys, ..options }
    }

    /// The option that only change sets have, if one is given.
    pub(crate) fn needs_change_sets(&self) -> Option<&'static str> {
        if self.import_existing_resources {
            Some("--import-existing-resources")
        } else {
            self.revert_drift.then_some("--revert-drift")
        }
    }

    fn overrides(&self) -> Result<Overrides, Failure> {
        if let Some(arn) = &self.role_arn {
            check_arn("--role-arn", arn, "iam", "role/", "arn:aws:iam::111111111111:role/deploys")?;
        }
        let topic = "arn:aws:sns:eu-west-1:111111111111:deployments";
        for arn in &self.notification_arns {
            check_arn("--notification-arns", arn, "sns", "", topic)?;
        }
        at_most("--notification-arns", self.notification_arns.len(), MOST_TOPICS, "topics")?;
        Ok(Overrides {
            tags: self.tags()?,
            notification_arns: self.notification_arns.clone(),
            execution_role_arn: self.role_arn.clone(),
            rollback_triggers: self.triggers()?,
        })
    }

    fn tags(&self) -> Result<Option<BTreeMap<String, String>>, Failure> {
        let mut tags = BTreeMap::new();
        for text in &self.tags {
            let wrong = |what: &str, hint: &str| Err(Failure::usage(format!("--tags {text}: {what}"), hint));
            let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return wrong("there is no KEY=VALUE", "write it like --tags team=shop");
            };
            if key.to_ascii_lowercase().starts_with("aws:") {
                return wrong("AWS keeps tags that begin with `aws:` for itself", "choose another key");
            }
            if tags.insert(key.to_owned(), value.to_owned()).is_some() {
                return wrong("there is another tag with this key", "give each key once");
            }
        }
        at_most("--tags", tags.len(), MOST_TAGS, "tags")?;
        Ok((!tags.is_empty()).then_some(tags))
    }

    fn triggers(&self) -> Result<Option<RollbackTriggers>, Failure> {
        const FLAG: &str = "--rollback-trigger-alarm-arns";
        let given = &self.rollback_trigger_alarm_arns;
        let removes = given.iter().any(|arn| arn == NONE);
        if removes && given.len() > 1 {
            let hint = format!("give `{FLAG} {NONE}` alone to remove the alarms, or leave `{NONE}` out");
            return Err(Failure::usage(format!("{FLAG}: `{NONE}` and alarms exclude each other"), hint));
        }
        for arn in given.iter().filter(|_| !removes) {
            check_arn(
                FLAG,
                arn,
                "cloudwatch",
                "alarm:",
                "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:errors",
            )?;
        }
        at_most(FLAG, given.len(), MOST_ALARMS, "alarms")?;
        let alarms = match (given.is_empty(), removes) {
            (true, _) => None,
            (false, true) => Some(Vec::new()),
            (false, false) => Some(given.clone()),
        };
        let minutes = self.monitoring_time_minutes;
        Ok((alarms.is_some() || minutes.is_some()).then_some(RollbackTriggers { alarms, minutes }))
    }
}

/// Refuses a text that is not the ARN of a resource of this service.
fn check_arn(flag: &str, text: &str, service: &str, resource: &str, example: &str) -> Result<(), Failure> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_one = matches!(parts[..], ["arn", partition, of, _, _, rest]
        if !partition.is_empty() && of == service && rest.len() > resource.len() && rest.starts_with(resource));
    // A placeholder such as ${AWS::Partition} has colons of its own.
    if is_one || (text.contains("${AWS::") && text.contains(&format!(":{service}:"))) {
        return Ok(());
    }
    let message = format!("{flag} {text}: this is not the ARN that is meant");
    Err(Failure::usage(message, format!("write it like {flag} {example}")))
}

fn at_most(flag: &str, count: usize, most: usize, what: &str) -> Result<(), Failure> {
    if count <= most {
        return Ok(());
    }
    let message = format!("{flag}: there are {count} {what}, and a stack may have {most}");
    Err(Failure::usage(message, format!("give at most {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triggers(alarms: &[&str], minutes: Option<u32>) -> Result<Option<RollbackTriggers>, String> {
        let alarms = alarms.iter().map(|&arn| arn.to_owned()).collect();
        let options = StackOptions {
            rollback_trigger_alarm_arns: alarms,
            monitoring_time_minutes: minutes,
            ..StackOptions::default()
        };
        options.overrides().map(|overrides| overrides.rollback_triggers).map_err(|error| error.to_string())
    }

    #[test]
    fn alarms_are_given_removed_or_left_alone() {
        let arn = "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:errors";
        assert_eq!(triggers(&[], None), Ok(None));
        let kept = RollbackTriggers { alarms: None, minutes: Some(5) };
        assert_eq!(triggers(&[], Some(5)), Ok(Some(kept)));
        let given = RollbackTriggers { alarms: Some(vec![arn.to_owned()]), minutes: None };
        assert_eq!(triggers(&[arn], None), Ok(Some(given)));
        let none = RollbackTriggers { alarms: Some(Vec::new()), minutes: None };
        assert_eq!(triggers(&["none"], None), Ok(Some(none)));
        assert!(triggers(&["none", arn], None).unwrap_err().contains("exclude each other"));
        assert!(triggers(&[arn; 6], None).unwrap_err().contains("a stack may have 5"));
        assert!(triggers(&["errors"], None).unwrap_err().contains("not the ARN"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_an_example() {
        let error = |options: StackOptions| options.overrides().unwrap_err().to_string();
        let of_tags = |tags: &[&str]| {
            let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
            error(StackOptions { tags, ..StackOptions::default() })
        };
        assert!(of_tags(&["team"]).contains("--tags team=shop"));
        assert!(of_tags(&["=x"]).contains("KEY=VALUE"));
        assert!(of_tags(&["aws:x=1"]).contains("for itself"));
        assert!(of_tags(&["a=1", "a=2"]).contains("another tag"));
        let role_arn = Some("deploys".to_owned());
        assert!(error(StackOptions { role_arn, ..StackOptions::default() }).contains(":role/deploys"));
        let notification_arns = vec!["arn:aws:sqs:eu-west-1:111111111111:q".to_owned()];
        assert!(error(StackOptions { notification_arns, ..StackOptions::default() }).contains("aws:sns:"));
    }

    #[test]
    fn a_role_may_have_placeholders() {
        let role_arn = Some("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/deploys".to_owned());
        assert!(StackOptions { role_arn, ..StackOptions::default() }.overrides().is_ok());
    }
}
