//! From what a build does, one action after the other, to apps, deployments and what is left between them.

use std::collections::{BTreeMap, BTreeSet};

use super::cdk::Cdk;
use super::interpret::{Action, ActionKind, Interpreter, REGIONS, UnknownRegion, shortened};
use super::names::{distinct, joined, of_app};
use super::read::Document;
use super::{App, Deployment, LeftOut, Line, Script, Setup, Signal, Understanding, When};
use crate::generate::shell_word;

/// The CDK CLI sets these itself: they say nothing of where an app is deployed to.
const OVERWRITTEN: [&str; 2] = ["CDK_DEFAULT_REGION", "CDK_DEFAULT_ACCOUNT"];

pub(super) fn fold(interpreter: Interpreter<'_>, document: &Document) -> Understanding {
    let mut fold = Fold {
        asked: interpreter
            .actions
            .iter()
            .filter_map(|action| action.when.as_ref()?.variable.clone())
            .collect(),
        actions: &interpreter.actions,
        made: Understanding {
            runtimes: document.runtimes.clone(),
            left_out: document.left_out.iter().cloned().chain(interpreter.left_out).collect(),
            problems: document.problems.clone(),
            commands: interpreter.calls,
            ..Understanding::default()
        },
        app_of: BTreeMap::new(),
        names: BTreeSet::new(),
        steps: Vec::new(),
        open: Vec::new(),
    };
    fold.apps();
    fold.command_line();
    fold.rest();
    fold.in_order();
    let mut made = fold.made;
    made.left_out.sort();
    made.left_out.dedup();
    made
}

struct Fold<'a> {
    actions: &'a [Action],
    /// Variables that conditions ask for: they are given from outside, and are not to be pinned.
    asked: BTreeSet<String>,
    made: Understanding,
    /// The app of each action that calls the CDK, by the position of the action.
    app_of: BTreeMap<usize, usize>,
    names: BTreeSet<String>,
    /// What each app is made with, in its order, and whether that installs something.
    steps: Vec<Vec<(bool, Line)>>,
    /// The regions of each app that only the run knows.
    open: Vec<Vec<UnknownRegion>>,
}

impl Fold<'_> {
    fn apps(&mut self) {
        for (at, action) in self.actions.iter().enumerate() {
            if let ActionKind::Cdk(call) = &action.kind {
                let app = self.app(action, call);
                self.app_of.insert(at, app);
            }
        }
    }

    /// The app that a call is for.
    fn app(&mut self, action: &Action, call: &Cdk) -> usize {
        let made_elsewhere = call.app.as_deref().filter(|app| is_folder(app));
        let assembly = made_elsewhere.or(call.output.as_deref());
        let mut env = action.env.clone();
        env.retain(|name, _| !self.asked.contains(name) && !OVERWRITTEN.contains(&name.as_str()));
        let mut open = action.open.clone();
        if let Some(region) = &call.region {
            open.retain(|open| open.name != "AWS_REGION");
            if region.contains('$') {
                env.remove("AWS_REGION");
                open.push(UnknownRegion {
                    name: "AWS_REGION".to_owned(),
                    written: region.clone(),
                    setting: None,
                });
            } else {
                env.insert("AWS_REGION".to_owned(), region.clone());
            }
        }
        for open in &open {
            self.say_open(action, open);
        }
        let context: Vec<(&str, &str)> =
            call.context.iter().map(|pair| pair.split_once('=').unwrap_or((pair, "true"))).collect();
        if call.profile.is_some() {
            self.leave_out(action, "the profile: the run uses the credentials that it is started with");
        }
        if call.hotswap {
            self.leave_out(action, "`--hotswap`: a run brings every stack to its template");
        }
        let same_open = |app: usize| {
            let written = |all: &[UnknownRegion]| {
                all.iter().map(|it| (it.name.clone(), it.written.clone())).collect::<Vec<_>>()
            };
            written(&self.open[app]) == written(&open)
        };
        let is_it = |(at, app): (usize, &App)| {
            let same_region = REGIONS.iter().all(|name| match (app.env.get(*name), env.get(*name)) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            });
            let same_program = made_elsewhere.is_some() || app.program == call.app;
            let folder = |assembly: &str| joined(&app.dir, assembly);
            let same_assembly = match made_elsewhere {
                Some(to) => folder(&app.assembly) == joined(&action.dir, to),
                None => true,
            };
            let agrees =
                |(key, value): &(&str, &str)| app.context.get(*key).is_none_or(|line| line.text == *value);
            (app.dir == action.dir || made_elsewhere.is_some())
                && same_open(at)
                && same_region
                && same_program
                && same_assembly
                && context.iter().all(agrees)
        };
        let found = self.made.apps.iter().enumerate().position(is_it);
        let at = found.unwrap_or_else(|| {
            let siblings = self.made.apps.iter().filter(|app| app.dir == action.dir).count();
            // What tells it from another app of the same folder.
            let differs = REGIONS.iter().find_map(|name| env.get(*name)).cloned();
            let differs = differs.or_else(|| context.first().map(|(_, value)| (*value).to_owned()));
            let base = of_app(&action.dir);
            let name = match differs.filter(|_| siblings > 0) {
                Some(differs) => of_app(&format!("{base}-{}", differs.replace('/', "-"))),
                None => base,
            };
            let name = distinct(&name, &mut self.names);
            let own = if siblings == 0 { "cdk.out".to_owned() } else { format!("cdk.out.{name}") };
            self.made.apps.push(App {
                name,
                line: action.at.line,
                dir: action.dir.clone(),
                install: Vec::new(),
                build: Vec::new(),
                setup: Vec::new(),
                cli: call.cli.clone(),
                program: call.app.clone().filter(|_| made_elsewhere.is_none()),
                assembly: assembly.map_or(own, |folder| joined("", folder)),
                is_synthesized: made_elsewhere.is_none(),
                context: BTreeMap::new(),
                env: BTreeMap::new(),
            });
            self.steps.push(Vec::new());
            let settings = open.iter().filter_map(|it| Some((it.name.clone(), it.setting.clone()?)));
            let order = action.at.order;
            let setup =
                settings.map(|(name, text)| Setup { line: action.at.line, order, text, sets: vec![name] });
            self.made.apps[self.steps.len() - 1].setup.extend(setup);
            self.open.push(open);
            self.made.apps.len() - 1
        });
        let app = &mut self.made.apps[at];
        for (key, value) in context {
            let line = Line { line: action.at.line, order: action.at.order, text: value.to_owned() };
            app.context.entry(key.to_owned()).or_insert(line);
        }
        for (name, value) in env {
            app.env.entry(name).or_insert(value);
        }
        at
    }

    /// How the CDK CLI is called where it was installed for the whole machine.
    fn command_line(&mut self) {
        let installed = self.actions.iter().find_map(|action| match &action.kind {
            ActionKind::Cli(version) => Some((action, version.clone())),
            _ => None,
        });
        let cli = match &installed {
            Some((_, Some(version))) => format!("npx --yes aws-cdk@{version}"),
            _ => "npx --yes aws-cdk@2".to_owned(),
        };
        if let Some((action, version)) = installed {
            let why = match version {
                Some(_) => "`npx` fetches that version where it synthesizes",
                None => {
                    "it installs the newest CDK CLI, whatever that is on the day: pin `aws-cdk` in package.json"
                }
            };
            self.leave_out(action, why);
        }
        for app in self.made.apps.iter_mut().filter(|app| app.cli == "cdk") {
            app.cli.clone_from(&cli);
        }
    }

    fn rest(&mut self) {
        for (at, action) in self.actions.iter().enumerate() {
            match &action.kind {
                ActionKind::Cdk(call) if call.command == "deploy" => self.deployment(at, action, call),
                ActionKind::Cdk(_) | ActionKind::Cli(_) => {}
                ActionKind::Install => self.making(at, action, true),
                // What is run when everything in its folder has been deployed tests that, or tells somebody.
                ActionKind::Build if self.is_done(action) => self.script(at, action),
                ActionKind::Build => self.making(at, action, false),
                ActionKind::Setup(names) => self.setup(action, names),
                ActionKind::Bootstrap => self
                    .made
                    .bootstraps
                    .push(Line { text: from("", &action.dir, &action.at.text), ..action.at.clone() }),
                ActionKind::Signal(variable) => {
                    self.made.signals.push(Signal { line: action.at.line, variable: variable.clone() });
                }
                ActionKind::Script => self.script(at, action),
            }
        }
    }

    fn deployment(&mut self, at: usize, action: &Action, call: &Cdk) {
        let app = self.app_of[&at];
        let stacks = if call.all { Vec::new() } else { call.names.clone() };
        if let Some(unknown) = stacks.iter().find(|name| name.contains('$')) {
            let why = format!("which stack `{unknown}` is, is only known when it runs: name it yourself");
            return self.leave_out(action, &why);
        }
        // A second attempt, or the other branch of a condition.
        let before = self.made.deployments.iter_mut().find(|it| it.app == app && it.stacks == stacks);
        if let Some(before) = before {
            if before.when != action.when {
                before.when = None;
            }
            return;
        }
        self.made.deployments.push(Deployment {
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

    /// Adds what installs or builds to the apps of its folder, or below it.
    fn making(&mut self, at: usize, action: &Action, installs: bool) {
        let is_below = |app: &App| action.dir.is_empty() || app.dir.starts_with(&format!("{}/", action.dir));
        let own: Vec<usize> = self.with(|app| app.dir == action.dir);
        let below = if own.is_empty() { self.with(is_below) } else { own };
        let apps = match (below.is_empty(), self.next_app(at)) {
            (true, Some(next)) => vec![next],
            (true, None) => return,
            _ => below,
        };
        for app in apps {
            self.step(app, action, installs);
        }
    }

    /// Adds something to the making of an app, under the condition that it is under.
    fn step(&mut self, app: usize, action: &Action, installs: bool) {
        let text = self.under_condition(action);
        let text = from(&self.made.apps[app].dir, &action.dir, &text);
        if !self.steps[app].iter().any(|(_, it)| it.text == text) {
            self.steps[app].push((installs, Line { text, ..action.at.clone() }));
        }
    }

    /// The text of what is only run under a condition, with the condition.
    fn under_condition(&mut self, action: &Action) -> String {
        // What it names and no program sees is set for it alone.
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
                let why = format!("it ran only when {}; it always is run now", shortened(&when.text));
                self.leave_out(action, &why);
                text
            }
        }
    }

    /// What comes before the last installation belongs to it: another order may not work.
    fn in_order(&mut self) {
        for (app, mut steps) in self.made.apps.iter_mut().zip(std::mem::take(&mut self.steps)) {
            steps.sort_by_key(|(_, line)| line.order);
            let installs = steps.iter().rposition(|(installs, _)| *installs).map_or(0, |at| at + 1);
            let mut lines = steps.into_iter().map(|(_, line)| line);
            app.install = lines.by_ref().take(installs).collect();
            app.build = lines.collect();
            app.setup.sort_by_key(|setup| setup.order);
            needed(app);
        }
    }

    /// Says that only the run knows the region of a call. That of the build itself needs no words.
    fn say_open(&mut self, action: &Action, open: &UnknownRegion) {
        let value = open.written.trim_matches('"').trim_start_matches("${").trim_start_matches('$');
        let value = value.trim_end_matches('}');
        if value != open.name && REGIONS.contains(&value) {
            return;
        }
        let what = if open.written == format!("${}", open.name) {
            open.name.clone()
        } else {
            format!("{}={}", open.name, open.written)
        };
        let why = "the region is only known when it runs: set AWS_REGION for the build, or give each region an app \
                   with `env: { AWS_REGION: … }`";
        self.made.left_out.push(LeftOut {
            line: action.at.line,
            what: shortened(&what),
            why: why.to_owned(),
            may_deploy: false,
        });
    }

    /// Whether every app of its folder or below it is being deployed already.
    fn is_done(&self, action: &Action) -> bool {
        let deployed = |app: &usize| self.made.deployments.iter().any(|it| it.app == *app);
        let near = self.with(|app| app.dir.starts_with(&action.dir));
        !near.is_empty() && near.iter().all(deployed)
    }

    fn with(&self, is_it: impl Fn(&App) -> bool) -> Vec<usize> {
        let apps = self.made.apps.iter().enumerate();
        apps.filter(|(_, app)| app.is_synthesized && is_it(app)).map(|(at, _)| at).collect()
    }

    /// The app that is used next, or the last one.
    fn next_app(&self, at: usize) -> Option<usize> {
        self.app_of.range(at..).next().or(self.app_of.iter().next_back()).map(|(_, app)| *app)
    }

    fn setup(&mut self, action: &Action, names: &[String]) {
        let is_environment = names.is_empty();
        let text = self.under_condition(action);
        for app in &mut self.made.apps {
            let is_near = action.dir == app.dir || app.dir.starts_with(&action.dir) || action.dir.is_empty();
            if is_environment && !is_near {
                continue;
            }
            let text = if is_environment && action.when.is_none() {
                entered(&app.dir, action)
            } else {
                text.clone()
            };
            let (line, order) = (action.at.line, action.at.order);
            app.setup.push(Setup { line, order, text, sets: names.to_vec() });
        }
    }

    /// A script belongs to the making of an app before anything of it is deployed, and to the run after that.
    fn script(&mut self, at: usize, action: &Action) {
        let deployed: BTreeSet<usize> = self.made.deployments.iter().map(|it| it.app).collect();
        let of_dir = self.made.apps.iter().position(|app| app.dir == action.dir && !action.dir.is_empty());
        let is_before = of_dir.is_some_and(|app| {
            !deployed.contains(&app) && self.app_of.range(at..).any(|(_, next)| *next == app)
        });
        if deployed.is_empty() || is_before {
            let next = if is_before { of_dir } else { self.next_app(at) };
            if let Some(app) = next {
                self.step(app, action, false);
            }
            return;
        }
        // What it needs to know was found out before.
        let is_python = ["python", "pip", "pytest"].iter().any(|word| action.at.text.contains(word));
        let is_needed = |names: &[String], dir: &str| match names {
            [] => is_python && dir == action.dir,
            names => names.iter().any(|name| uses(&action.at.text, name)),
        };
        let found_out = self.actions[..at].iter().filter_map(|before| match &before.kind {
            ActionKind::Setup(names) if is_needed(names, &before.dir) => Some(before.at.text.as_str()),
            _ => None,
        });
        let own = action.at.text.as_str();
        let text: Vec<&str> = found_out.filter(|text| *text != own).chain([own]).collect();
        self.made.scripts.push(Script {
            line: action.at.line,
            dir: action.dir.clone(),
            text: text.join("\n"),
            after: self.made.deployments.len(),
            when: action.when.clone(),
            always: action.always,
            env: action.named.clone(),
        });
    }

    fn leave_out(&mut self, action: &Action, why: &str) {
        let what = shortened(&action.at.text);
        let why = why.to_owned();
        self.made.left_out.push(LeftOut { line: action.at.line, what, why, may_deploy: false });
    }
}

/// Leaves out of the setup of an app what sets variables that nothing of the app uses.
fn needed(app: &mut App) {
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

/// Whether `--app` names an assembly and not a program.
fn is_folder(app: &str) -> bool {
    !app.contains(' ') && (app.contains("cdk.out") || !app.contains('.')) && app != "-"
}

fn uses(text: &str, name: &str) -> bool {
    let rest =
        |prefix: &str| text.split(&format!("{prefix}{name}")).skip(1).map(str::to_owned).collect::<Vec<_>>();
    let ends = |rest: &String| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    rest("$").iter().any(ends) || rest("${").iter().any(ends)
}

/// A command of one folder as it is given in another.
fn from(here: &str, there: &str, text: &str) -> String {
    if here == there {
        return text.to_owned();
    }
    let to = relative(here, there);
    let simple = !text.contains('\n');
    if simple { format!("(cd {to} && {text})") } else { format!("(\ncd {to}\n{text}\n)") }
}

/// The way from one folder to another, both relative to the root.
fn relative(from: &str, to: &str) -> String {
    if to.starts_with(['/', '$', '~']) {
        return to.to_owned();
    }
    let parts =
        |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common);
    let path: Vec<String> = up.chain(to[common..].iter().cloned()).collect();
    if path.is_empty() { ".".to_owned() } else { path.join("/") }
}

/// How an environment is entered from the folder of an app.
fn entered(dir: &str, action: &Action) -> String {
    if dir == action.dir {
        return action.at.text.clone();
    }
    let to = relative(dir, &action.dir);
    // What sets variables does so in the shell that runs it.
    if !["source ", ". "].iter().any(|how| action.at.text.starts_with(how)) {
        return action.at.text.clone();
    }
    match action.at.text.split_once(' ') {
        Some((how @ ("." | "source"), file)) => format!("{how} {to}/{}", file.trim()),
        _ => format!("(cd {to} && {})", action.at.text),
    }
}
