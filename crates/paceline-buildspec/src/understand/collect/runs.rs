//! The deployments, and the scripts that run between and after them.

use std::collections::BTreeSet;

use super::relocate::{relocated, uses};
use super::state::Collector;
use crate::shell::programs::cdk::CdkCall;
use crate::understand::interpret::{Action, ActionKind};
use crate::understand::{Deployment, Line, Script, Signal};

impl Collector<'_> {
    /// Makes each action a build step, a deployment or a script.
    pub(super) fn place_actions(&mut self) {
        for (at, action) in self.actions.iter().enumerate() {
            match &action.kind {
                ActionKind::Cdk(call) if call.command == "deploy" => self.deployment(at, action, call),
                ActionKind::Cdk(_) | ActionKind::InstallCdk(_) => {}
                ActionKind::InstallPackages => self.build_step(at, action, true),
                // If all apps near a build command are deployed already, the command tests or reports
                // something.
                ActionKind::Build if self.is_after_deployments(action) => self.script(at, action),
                ActionKind::Build => self.build_step(at, action, false),
                ActionKind::Setup(names) => self.setup(action, names),
                ActionKind::Bootstrap => {
                    let text = relocated(&action.at.text, &action.dir, "");
                    self.result.bootstraps.push(Line { text, ..action.at.clone() });
                }
                ActionKind::Signal(variable) => {
                    self.result.signals.push(Signal { line: action.at.line, variable: variable.clone() });
                }
                ActionKind::Script => self.script(at, action),
            }
        }
    }

    fn deployment(&mut self, at: usize, action: &Action, call: &CdkCall) {
        let app = self.app_of[&at];
        let stacks = if call.all { Vec::new() } else { call.names.clone() };
        if let Some(unknown) = stacks.iter().find(|name| name.contains('$')) {
            let why = format!("the stack `{unknown}` is only known in the build: write its name");
            return self.leave_out(action, &why);
        }
        // A retry, or the other branch of a condition, deploys the same stacks.
        let same = self.result.deployments.iter_mut().find(|it| it.app == app && it.stacks == stacks);
        if let Some(same) = same {
            if same.when != action.when {
                same.when = None;
            }
            return;
        }
        self.result.deployments.push(Deployment {
            line: action.at.line,
            app,
            stacks,
            when: action.when.clone(),
            parameters: call.parameters.clone(),
            outputs: call.outputs_file.clone().filter(|file| !file.contains('$')),
            may_fail: action.may_fail,
            background: action.background,
        });
    }

    /// Adds a script. A script before the first deployment of its app is a build step of the app.
    fn script(&mut self, at: usize, action: &Action) {
        let deployed: BTreeSet<usize> = self.result.deployments.iter().map(|it| it.app).collect();
        let own_app = self.result.apps.iter().position(|app| app.dir == action.dir && !action.dir.is_empty());
        let is_before_own = own_app.is_some_and(|app| {
            !deployed.contains(&app) && self.app_of.range(at..).any(|(_, next)| *next == app)
        });
        if deployed.is_empty() || is_before_own {
            let app = if is_before_own { own_app } else { self.next_app(at) };
            if let Some(app) = app {
                self.add_step(app, action, false);
            }
            return;
        }
        // These are the earlier setup commands that the script depends on.
        let is_python = ["python", "pip", "pytest"].iter().any(|word| action.at.text.contains(word));
        let is_needed = |names: &[String], dir: &str| match names {
            [] => is_python && dir == action.dir,
            names => names.iter().any(|name| uses(&action.at.text, name)),
        };
        let setup = self.actions[..at].iter().filter_map(|before| match &before.kind {
            ActionKind::Setup(names) if is_needed(names, &before.dir) => Some(before.at.text.as_str()),
            _ => None,
        });
        let own = action.at.text.as_str();
        let text: Vec<&str> = setup.filter(|text| *text != own).chain([own]).collect();
        self.result.scripts.push(Script {
            line: action.at.line,
            dir: action.dir.clone(),
            text: text.join("\n"),
            after: self.result.deployments.len(),
            when: action.when.clone(),
            always: action.always,
            env: action.named.clone(),
        });
    }

    /// Whether every app in the folder of an action, or below it, is deployed before the action.
    fn is_after_deployments(&self, action: &Action) -> bool {
        let is_deployed = |app: &usize| self.result.deployments.iter().any(|it| it.app == *app);
        let near = self.synthesized_apps(|app| app.dir.starts_with(&action.dir));
        !near.is_empty() && near.iter().all(is_deployed)
    }
}
