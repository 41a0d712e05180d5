//! From what a build does, one act after the other, to apps, deployments and what is left between them.

use std::collections::{BTreeMap, BTreeSet};

use super::cdk::Cdk;
use super::names::{distinct, joined, of_app};
use super::read::Document;
use super::walk::{Act, Walk, What, shortened};
use super::{App, Deployment, LeftOut, Line, Script, Setup, Signal, Understanding};

/// Variables that say where an app is deployed to: with another one it is another assembly.
const REGIONS: [&str; 3] = ["AWS_REGION", "AWS_DEFAULT_REGION", "CDK_DEFAULT_REGION"];

pub(super) fn fold(walk: Walk<'_>, document: &Document) -> Understanding {
    let mut fold = Fold {
        asked: walk.acts.iter().filter_map(|act| act.when.as_ref()?.variable.clone()).collect(),
        acts: &walk.acts,
        made: Understanding {
            runtimes: document.runtimes.clone(),
            left_out: document.left_out.iter().cloned().chain(walk.left_out).collect(),
            problems: document.problems.clone(),
            commands: walk.calls,
            ..Understanding::default()
        },
        app_of: BTreeMap::new(),
        names: BTreeSet::new(),
    };
    fold.apps();
    fold.command_line();
    fold.rest();
    let mut made = fold.made;
    made.left_out.sort();
    made.left_out.dedup();
    made
}

struct Fold<'a> {
    acts: &'a [Act],
    /// Variables that conditions ask for: they are given from outside, and are not to be pinned.
    asked: BTreeSet<String>,
    made: Understanding,
    /// The app of each act that calls the CDK, by the position of the act.
    app_of: BTreeMap<usize, usize>,
    names: BTreeSet<String>,
}

impl Fold<'_> {
    fn apps(&mut self) {
        for (at, act) in self.acts.iter().enumerate() {
            if let What::Cdk(call) = &act.what {
                let app = self.app(act, call);
                self.app_of.insert(at, app);
            }
        }
    }

    /// The app that a call is for.
    fn app(&mut self, act: &Act, call: &Cdk) -> usize {
        let made_elsewhere = call.app.as_deref().filter(|app| is_folder(app));
        let assembly = made_elsewhere.or(call.output.as_deref());
        let mut env = act.env.clone();
        env.retain(|name, _| !self.asked.contains(name));
        if let Some(region) = &call.region {
            env.insert("AWS_REGION".to_owned(), region.clone());
        }
        let context: Vec<(&str, &str)> =
            call.context.iter().map(|pair| pair.split_once('=').unwrap_or((pair, "true"))).collect();
        if call.profile.is_some() {
            self.leave_out(act, "the profile: the run uses the credentials that it is started with");
        }
        if call.hotswap {
            self.leave_out(act, "`--hotswap`: a run brings every stack to its template");
        }
        let is_it = |app: &App| {
            let same_region = REGIONS.iter().all(|name| match (app.env.get(*name), env.get(*name)) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            });
            let same_program = made_elsewhere.is_some() || app.program == call.app;
            let folder = |assembly: &str| joined(&app.dir, assembly);
            let same_assembly = match made_elsewhere {
                Some(to) => folder(&app.assembly) == joined(&act.dir, to),
                None => true,
            };
            let agrees =
                |(key, value): &(&str, &str)| app.context.get(*key).is_none_or(|line| line.text == *value);
            (app.dir == act.dir || made_elsewhere.is_some())
                && same_region
                && same_program
                && same_assembly
                && context.iter().all(agrees)
        };
        let at = self.made.apps.iter().position(is_it).unwrap_or_else(|| {
            let siblings = self.made.apps.iter().filter(|app| app.dir == act.dir).count();
            // What tells it from another app of the same folder.
            let differs = REGIONS.iter().find_map(|name| env.get(*name)).cloned();
            let differs = differs.or_else(|| context.first().map(|(_, value)| (*value).to_owned()));
            let base = of_app(&act.dir);
            let name = match differs.filter(|_| siblings > 0) {
                Some(differs) => of_app(&format!("{base}-{}", differs.replace('/', "-"))),
                None => base,
            };
            let name = distinct(&name, &mut self.names);
            let own = if siblings == 0 { "cdk.out".to_owned() } else { format!("cdk.out.{name}") };
            self.made.apps.push(App {
                name,
                line: act.at.line,
                dir: act.dir.clone(),
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
            self.made.apps.len() - 1
        });
        let app = &mut self.made.apps[at];
        for (key, value) in context {
            let line = Line { line: act.at.line, text: value.to_owned() };
            app.context.entry(key.to_owned()).or_insert(line);
        }
        for (name, value) in env {
            app.env.entry(name).or_insert(value);
        }
        at
    }

    /// How the CDK CLI is called where it was installed for the whole machine.
    fn command_line(&mut self) {
        let installed = self.acts.iter().find_map(|act| match &act.what {
            What::Cli(version) => Some((act, version.clone())),
            _ => None,
        });
        let cli = match &installed {
            Some((_, Some(version))) => format!("npx --yes cdk@{version}"),
            _ => "npx --yes cdk".to_owned(),
        };
        if let Some((act, version)) = installed {
            let why = match version {
                Some(_) => "`npx` fetches that version where it synthesizes",
                None => {
                    "it installs the newest CDK CLI, whatever that is on the day: pin `aws-cdk` in package.json"
                }
            };
            self.leave_out(act, why);
        }
        for app in self.made.apps.iter_mut().filter(|app| app.cli == "cdk") {
            app.cli.clone_from(&cli);
        }
    }

    fn rest(&mut self) {
        for (at, act) in self.acts.iter().enumerate() {
            match &act.what {
                What::Cdk(call) if call.command == "deploy" => self.deployment(at, act, call),
                What::Cdk(_) | What::Cli(_) => {}
                What::Install => self.making(at, act, |app| &mut app.install),
                // What is run when everything in its folder has been deployed tests that, or tells somebody.
                What::Build if self.is_done(act) => self.script(at, act),
                What::Build => self.making(at, act, |app| &mut app.build),
                What::Setup(names) => self.setup(act, names),
                What::Bootstrap => self
                    .made
                    .bootstraps
                    .push(Line { line: act.at.line, text: from("", &act.dir, &act.at.text) }),
                What::Signal(variable) => {
                    self.made.signals.push(Signal { line: act.at.line, variable: variable.clone() });
                }
                What::Script => self.script(at, act),
            }
        }
    }

    fn deployment(&mut self, at: usize, act: &Act, call: &Cdk) {
        let app = self.app_of[&at];
        let stacks = if call.all { Vec::new() } else { call.names.clone() };
        if let Some(unknown) = stacks.iter().find(|name| name.contains('$')) {
            let why = format!("which stack `{unknown}` is, is only known when it runs: name it yourself");
            return self.leave_out(act, &why);
        }
        // A second attempt, or the other branch of a condition.
        let before = self.made.deployments.iter_mut().find(|it| it.app == app && it.stacks == stacks);
        if let Some(before) = before {
            if before.when != act.when {
                before.when = None;
            }
            return;
        }
        self.made.deployments.push(Deployment {
            line: act.at.line,
            app,
            stacks,
            when: act.when.clone(),
            parameters: call.parameters.clone(),
            outputs: call.outputs_file.clone(),
            may_fail: act.may_fail,
            background: act.background,
        });
    }

    /// Adds what installs or builds to the apps of its folder, or below it.
    fn making(&mut self, at: usize, act: &Act, list: impl Fn(&mut App) -> &mut Vec<Line>) {
        let is_below = |app: &App| act.dir.is_empty() || app.dir.starts_with(&format!("{}/", act.dir));
        let own: Vec<usize> = self.with(|app| app.dir == act.dir);
        let below = if own.is_empty() { self.with(is_below) } else { own };
        let apps = match (below.is_empty(), self.next_app(at)) {
            (true, Some(next)) => vec![next],
            (true, None) => return,
            _ => below,
        };
        for app in apps {
            let app = &mut self.made.apps[app];
            let line = Line { line: act.at.line, text: from(&app.dir, &act.dir, &act.at.text) };
            let list = list(app);
            if !list.iter().any(|it| it.text == line.text) {
                list.push(line);
            }
        }
    }

    /// Whether every app of its folder or below it is being deployed already.
    fn is_done(&self, act: &Act) -> bool {
        let deployed = |app: &usize| self.made.deployments.iter().any(|it| it.app == *app);
        let near = self.with(|app| app.dir.starts_with(&act.dir));
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

    fn setup(&mut self, act: &Act, names: &[String]) {
        for app in &mut self.made.apps {
            let used = |name: &String| {
                let marked = format!("${name}");
                app.context.values().any(|line| line.text.contains(&marked))
                    || app.build.iter().chain(&app.install).any(|line| line.text.contains(&marked))
                    || app.program.as_ref().is_some_and(|program| program.contains(&marked))
            };
            let is_environment = names.is_empty();
            let is_near = act.dir == app.dir || app.dir.starts_with(&act.dir) || act.dir.is_empty();
            if (is_environment && is_near) || act.at.text.contains("export ") || names.iter().any(used) {
                let text = if is_environment { entered(&app.dir, act) } else { act.at.text.clone() };
                app.setup.push(Setup { line: act.at.line, text, sets: names.to_vec() });
            }
        }
    }

    /// A script belongs to the making of an app before anything of it is deployed, and to the run after that.
    fn script(&mut self, at: usize, act: &Act) {
        let deployed: BTreeSet<usize> = self.made.deployments.iter().map(|it| it.app).collect();
        let of_dir = self.made.apps.iter().position(|app| app.dir == act.dir && !act.dir.is_empty());
        let is_before = of_dir.is_some_and(|app| {
            !deployed.contains(&app) && self.app_of.range(at..).any(|(_, next)| *next == app)
        });
        if deployed.is_empty() || is_before {
            let next = if is_before { of_dir } else { self.next_app(at) };
            if let Some(app) = next {
                let app = &mut self.made.apps[app];
                let text = from(&app.dir, &act.dir, &act.at.text);
                app.build.push(Line { line: act.at.line, text });
            }
            return;
        }
        // What it needs to know was found out before.
        let is_python = ["python", "pip", "pytest"].iter().any(|word| act.at.text.contains(word));
        let is_needed = |names: &[String], dir: &str| match names {
            [] => is_python && dir == act.dir,
            names => names.iter().any(|name| uses(&act.at.text, name)),
        };
        let found_out = self.acts[..at].iter().filter_map(|before| match &before.what {
            What::Setup(names) if is_needed(names, &before.dir) => Some(before.at.text.as_str()),
            _ => None,
        });
        let text: Vec<&str> = found_out.chain([act.at.text.as_str()]).collect();
        self.made.scripts.push(Script {
            line: act.at.line,
            dir: act.dir.clone(),
            text: text.join("\n"),
            after: self.made.deployments.len(),
            when: act.when.clone(),
            always: act.always,
            env: act.named.clone(),
        });
    }

    fn leave_out(&mut self, act: &Act, why: &str) {
        let what = shortened(&act.at.text);
        self.made.left_out.push(LeftOut { line: act.at.line, what, why: why.to_owned() });
    }
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
fn entered(dir: &str, act: &Act) -> String {
    if dir == act.dir {
        return act.at.text.clone();
    }
    let to = relative(dir, &act.dir);
    match act.at.text.split_once(' ') {
        Some((how @ ("." | "source"), file)) => format!("{how} {to}/{}", file.trim()),
        _ => format!("(cd {to} && {})", act.at.text),
    }
}
