//! The rights of a role that the configuration names for the builds, compared with those that the builds need.
//!
//! Without such a role, the generated template makes one that has exactly these rights.

use paceline_assembly::placeholders;
use paceline_aws::{AskedRights, AwsError, not_allowed};
use paceline_buildspec::generate::needed_rights;
use paceline_buildspec::project::role::{Resource, Statement};
use paceline_text::{Problem, list};

use super::finding::{Check, Finding, Severity};
use crate::app::App;
use crate::generation::{Extras, generation};
use crate::terminal;

/// The role of the builds, and what it has to allow.
pub(super) struct BuildRole {
    pub(super) arn: String,
    region: String,
    needed: Vec<(Statement, AskedRights)>,
}

impl BuildRole {
    /// `None` if the configuration names no role, or if nothing can be generated from it, which is a finding of its own.
    pub(super) fn of(app: &App) -> Option<Self> {
        let arn = app.config.codebuild.service_role.clone()?;
        let plan = app.plan(&app.options_for_all_regions()).ok()?;
        let generation = generation(app, &plan, "buildspecs".into(), None, Extras::default()).ok()?;
        let region = generation.regions.first().map_or("us-east-1", String::as_str).to_owned();
        let [partition, account] = [1, 4].map(|at| arn.split(':').nth(at).unwrap_or_default());
        let arn_of = |resource: &Resource| match resource {
            Resource::Any => Some("*".to_owned()),
            // The generated template decides their names.
            Resource::LogGroup | Resource::WakeRole => None,
            Resource::Sub(arn) => Some(placeholders(arn, partition, account, &region)),
        };
        let asked = |statement: &Statement| AskedRights {
            // An action with `*` means several, and IAM takes one at a time.
            actions: statement
                .actions
                .iter()
                .filter(|it| !it.contains('*'))
                .map(|it| (*it).to_owned())
                .collect(),
            resources: statement.resources.iter().filter_map(arn_of).collect(),
            condition: statement.condition.map(|(key, value)| (key.to_owned(), value.to_owned())),
        };
        let needed = needed_rights(&generation).into_iter().map(|statement| {
            let asked = asked(&statement);
            (statement, asked)
        });
        let needed = needed.filter(|(_, asked)| !asked.actions.is_empty() && !asked.resources.is_empty());
        Some(Self { needed: needed.collect(), region, arn })
    }

    /// The rights that the role lacks.
    pub(super) async fn lacking(&self) -> Result<Vec<Finding>, AwsError> {
        let asked: Vec<AskedRights> = self.needed.iter().map(|(_, asked)| asked.clone()).collect();
        let wire = terminal::wire();
        let lacking = Box::pin(not_allowed(&wire, &self.region, &self.arn, &asked)).await?;
        let lacking = self.needed.iter().zip(lacking).filter(|(_, actions)| !actions.is_empty());
        Ok(lacking.map(|((statement, asked), actions)| self.finding(statement, asked, &actions)).collect())
    }

    fn finding(&self, statement: &Statement, asked: &AskedRights, actions: &[String]) -> Finding {
        let message = format!(
            "its policies do not allow {} on {}, which builds need: {}",
            list(actions),
            list(&asked.resources),
            statement.why
        );
        let hint = format!(
            "give it the rights of the statement {}, which the generated template has without codebuild.service-role",
            statement.sid
        );
        let problem = Problem { place: Some(self.arn.clone()), message, hint: Some(hint) };
        Finding::new(Severity::Warning, Check::Build, problem)
    }
}
