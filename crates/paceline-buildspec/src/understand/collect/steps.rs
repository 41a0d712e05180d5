//! The commands that build an app before it is synthesized.

use camino::Utf8Path;

use super::relocate::{relocated, relocated_environment, uses};
use super::state::{BuildStep, Collector};
use crate::shell::shell_word;
use crate::understand::interpret::{Action, shortened};
use crate::understand::{App, Line, Setup, When};

impl Collector<'_> {
    /// Adds a command to the apps of its folder, or of the folders below it.
    pub(super) fn build_step(&mut self, at: usize, action: &Action, installs_packages: bool) {
        let is_below = |app: &App| action.dir.is_empty() || app.dir.starts_with(&format!("{}/", action.dir));
        let own = self.synthesized_apps(|app| app.dir == action.dir);
        let near = if own.is_empty() { self.synthesized_apps(is_below) } else { own };
        let apps = if near.is_empty() { self.next_app(at).into_iter().collect() } else { near };
        for app in apps {
            self.add_step(app, action, installs_packages);
        }
    }

    pub(super) fn add_step(&mut self, app: usize, action: &Action, installs_packages: bool) {
        let text = self.with_condition(action);
        let text = relocated(&text, &action.dir, &self.result.apps[app].dir);
        if !self.steps[app].iter().any(|step| step.line.text == text) {
            let line = Line { text, ..action.at.clone() };
            self.steps[app].push(BuildStep { installs_packages, line });
        }
    }

    /// Adds a command that prepares the shell to every app that needs it.
    pub(super) fn setup(&mut self, action: &Action, names: &[String]) {
        let is_environment = names.is_empty();
        let text = self.with_condition(action);
        for app in &mut self.result.apps {
            let is_near = Utf8Path::new(&app.dir).starts_with(&action.dir);
            if is_environment && !is_near {
                continue;
            }
            let text = if is_environment && action.when.is_none() {
                relocated_environment(action, &app.dir)
            } else {
                text.clone()
            };
            let (line, order) = (action.at.line, action.at.order);
            app.setup.push(Setup { line, order, text, sets: names.to_vec() });
        }
    }

    /// The text of a command, wrapped in its condition.
    fn with_condition(&mut self, action: &Action) -> String {
        // The script's environment lacks plain shell variables, so they are set before the command.
        let own = action.named.iter().filter(|(name, _)| !action.env.contains_key(*name));
        let set: Vec<String> = own.map(|(name, value)| format!("{name}={}\n", shell_word(value))).collect();
        let text = format!("{}{}", set.concat(), action.at.text);
        match &action.when {
            None => text,
            Some(When { shell: Some(shell), .. }) if text.contains('\n') => {
                format!("if {shell}; then\n{text}\nfi")
            }
            Some(When { shell: Some(shell), .. }) => format!("if {shell}; then {text}; fi"),
            Some(when) => {
                let why = format!("it ran only if {}; now it always runs", shortened(&when.text));
                self.leave_out(action, &why);
                text
            }
        }
    }

    /// Divides the steps of each app into installation and build. All steps before the last installation
    /// count as installation, because another order may not work.
    pub(super) fn sort_steps(&mut self) {
        for (app, mut steps) in self.result.apps.iter_mut().zip(std::mem::take(&mut self.steps)) {
            steps.sort_by_key(|step| step.line.order);
            let installs = steps.iter().rposition(|step| step.installs_packages).map_or(0, |at| at + 1);
            let mut lines = steps.into_iter().map(|step| step.line);
            app.install = lines.by_ref().take(installs).collect();
            app.build = lines.collect();
            app.setup.sort_by_key(|setup| setup.order);
            remove_unused_setup(app);
        }
    }
}

/// Removes setup commands that only set variables which the app does not use.
fn remove_unused_setup(app: &mut App) {
    let lines = app.install.iter().chain(&app.build).chain(app.context.values());
    let mut texts: Vec<String> = lines.map(|line| line.text.clone()).chain(app.program.clone()).collect();
    let mut kept = Vec::new();
    for setup in std::mem::take(&mut app.setup).into_iter().rev() {
        let is_used = |name: &String| texts.iter().any(|text| uses(text, name));
        if setup.sets.is_empty() || setup.text.contains("export ") || setup.sets.iter().any(is_used) {
            texts.push(setup.text.clone());
            kept.push(setup);
        }
    }
    kept.reverse();
    app.setup = kept;
}
