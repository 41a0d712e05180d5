//! What single calls do.

use super::classify::{Concern, deploys, inner_script, without_timeout};
use super::effects::{argument_names, is_setter};
use super::{ActionKind, Interpreter, MAX_DEPTH, REGIONS, Source, UnknownRegion};
use crate::shell::{Script, SimpleCommand, Span, program};
use crate::understand::cdk;
use crate::understand::names::joined;
use crate::understand::programs::{Role, role};
use crate::understand::variables::ROOT;

impl Interpreter<'_> {
    pub(super) fn simple(&mut self, simple: &SimpleCommand, span: &Span, source: Source<'_>) {
        self.calls += 1;
        if self.is_spent(span, source) {
            return;
        }
        let line = source.line(span);
        let text = source.text(span);
        if simple.words.is_empty() {
            return self.assign(simple, line, text, source);
        }
        let mut local = Vec::new();
        for assignment in &simple.assignments {
            let value = self.variables.expand(&assignment.value, source.text);
            let written = source.text.get(assignment.value.span.clone()).unwrap_or_default().to_owned();
            local.push((assignment.name.clone(), value, written));
        }
        // `env A=b program` says the same as `A=b program`.
        let rest = program(&simple.words);
        for word in &simple.words[..simple.words.len() - rest.len()] {
            let mut expanded = self.variables.expand(word, source.text);
            let written = source.text.get(word.span.clone()).unwrap_or_default();
            if let Some((name, value)) = expanded.text.clone().split_once('=') {
                value.clone_into(&mut expanded.text);
                let written = written.split_once('=').map_or("", |(_, value)| value);
                local.push((name.to_owned(), expanded, written.to_owned()));
            }
        }
        let words: Vec<String> =
            rest.iter().flat_map(|word| self.words(word, source)).map(|(text, _)| text).collect();
        let kept = (!local.is_empty()).then(|| (self.variables.clone(), self.open.clone()));
        for (name, value, written) in local {
            if value.known {
                self.open.retain(|open| open.name != name);
                self.variables.set(&name, value.text, line);
            } else {
                if REGIONS.contains(&name.as_str()) {
                    let is_kept = value.is_kept && self.fleeting == 0;
                    let setting = is_kept.then(|| format!("export {name}={written}"));
                    self.open.push(UnknownRegion { name: name.clone(), written, setting });
                }
                self.variables.lose(&name, false);
            }
            self.variables.export(&name);
        }
        self.call(without_timeout(&words), simple, line, span, source);
        if let Some(kept) = kept {
            (self.variables, self.open) = kept;
        }
    }

    /// Variables that are set on their own.
    fn assign(&mut self, simple: &SimpleCommand, line: usize, text: &str, source: Source<'_>) {
        let is_kept = self.may_keep(text) && self.when.as_ref().is_none_or(|when| when.shell.is_some());
        let mut names = Vec::new();
        for assignment in &simple.assignments {
            let value = self.variables.expand(&assignment.value, source.text);
            let name = &assignment.name;
            // What is set under a condition is not known behind it.
            if !value.known || self.when.is_some() {
                names.push(name.clone());
            }
            if value.known {
                self.variables.set(name, value.text, line);
            } else {
                self.variables.lose(name, is_kept);
            }
        }
        if !names.is_empty() && is_kept {
            self.record(line, text, ActionKind::Setup(names));
        }
    }

    /// Builtins that set variables by their arguments.
    fn setter(
        &mut self,
        words: &[String],
        simple: &SimpleCommand,
        line: usize,
        text: &str,
        source: Source<'_>,
    ) {
        let mut effects = super::effects::Effects::default();
        self.in_simple(simple, source.text, 0, &mut effects);
        self.retire(&effects);
        let changes_arguments = matches!(words.first().map(String::as_str), Some("set" | "shift"));
        let is_kept = self.may_keep(text) && !changes_arguments;
        if effects.any {
            let why = "what it sets is only known when it runs; if a region is among it, set AWS_REGION for the \
                       build, or give each region an app with `env: { AWS_REGION: … }`";
            self.leave_out(line, text, why);
        }
        if is_kept && effects.sets() {
            let names = effects.names.iter().cloned().collect();
            self.record(line, text, ActionKind::Setup(if effects.any { Vec::new() } else { names }));
        }
        self.lose(&effects, is_kept);
    }

    fn call(
        &mut self,
        words: &[String],
        simple: &SimpleCommand,
        line: usize,
        span: &Span,
        source: Source<'_>,
    ) {
        let text = source.text(span);
        let Some(first) = words.first() else { return };
        match first.as_str() {
            "cd" | "pushd" | "popd" => return self.go(first, words.get(1).map(String::as_str), line, text),
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                return self.declare(simple, line, text, source);
            }
            _ if is_setter(words) => return self.setter(words, simple, line, text, source),
            _ => {}
        }
        if let Some(body) = self.functions.get(first).cloned() {
            return self.function(&body, words, line);
        }
        if let Some(inner) = inner_script(words) {
            return self.inner(inner, line, text);
        }
        if let Some(call) = cdk::call(words) {
            self.overwritten(line);
            let what = match call.command.as_str() {
                "bootstrap" => ActionKind::Bootstrap,
                "deploy" | "synth" => ActionKind::Cdk(Box::new(call)),
                "destroy" => {
                    return self.leave_out(line, text, "it deletes stacks: `paceline destroy` is for that");
                }
                "watch" | "import" | "rollback" | "refactor" | "migrate" | "init" => {
                    return self.leave_out(line, text, "it belongs in no build that deploys");
                }
                _ => {
                    return self.leave_out(
                        line,
                        text,
                        "it only shows something: `paceline plan` shows what would be done",
                    );
                }
            };
            return self.record(line, text, what);
        }
        match role(words) {
            Role::Says => {}
            Role::Install => self.record(line, text, ActionKind::Install),
            Role::Build => self.record(line, text, ActionKind::Build),
            Role::Environment => self.record(line, text, ActionKind::Setup(Vec::new())),
            Role::Cli(version) => self.record(line, text, ActionKind::Cli(version)),
            Role::PackageScript(name) => self.package_script(&name, line, text),
            Role::Bootstrap => self.record(line, text, ActionKind::Bootstrap),
            Role::Signal(variable) => self.record(line, text, ActionKind::Signal(variable)),
            Role::Daemon => self.leave_out(line, text, "a privileged build has a Docker daemon already"),
            Role::Runtime => self.leave_out(line, text, "the build image has the runtime"),
            Role::Opaque => {
                self.leave_out_deployment(
                    line,
                    text,
                    "it deploys by means of its own, which are not read here: put its commands in its place",
                );
            }
            Role::Tool | Role::Other => self.record(line, text, ActionKind::Script),
        }
    }

    /// What the CDK CLI takes no notice of, because it sets it itself.
    fn overwritten(&mut self, line: usize) {
        for (name, instead) in
            [("CDK_DEFAULT_REGION", "AWS_REGION"), ("CDK_DEFAULT_ACCOUNT", "the credentials")]
        {
            if !self.variables.is_exported(name) {
                continue;
            }
            let value = match self.variables.get(name) {
                Some(value) => value.to_owned(),
                None if self.variables.is_lost(name) => "…".to_owned(),
                None => continue,
            };
            let why =
                format!("the CDK CLI overwrites it with what it finds itself: what counts is {instead}");
            self.leave_out(line, &format!("{name}={value}"), &why);
        }
    }

    fn go(&mut self, how: &str, to: Option<&str>, line: usize, text: &str) {
        let target = match (how, to) {
            ("popd", _) => self.pushed.pop().unwrap_or_default(),
            (_, Some("-")) => self.dir_before.clone(),
            // The root of the source is where its variable led to.
            (_, None) => "~".to_owned(),
            (_, Some(to)) => match to.strip_prefix(ROOT) {
                Some(inside) => joined("", inside.trim_start_matches('/')),
                None => self.entered(to, line, text),
            },
        };
        if how == "pushd" {
            self.pushed.push(self.dir.clone());
        }
        if target.contains(['$', '~']) && how != "popd" {
            self.leave_out(
                line,
                text,
                "where it leads is only known when it runs: check the folders of what follows",
            );
        }
        self.dir_before = std::mem::replace(&mut self.dir, target);
    }

    /// Where `cd` leads to, by the folders that are there. Into a folder that is not there it fails, and is taken to
    /// mean the one that its writer had in mind.
    fn entered(&mut self, to: &str, line: usize, text: &str) -> String {
        let target = joined(&self.dir, to);
        let is_plain = !to.starts_with(['/', '$', '~', '.']) && !self.dir.is_empty() && !target.contains('$');
        if !is_plain || self.source_tree.is_folder(&target) == Some(true) {
            return target;
        }
        let from_root = joined("", to);
        let is_in_it = self.dir == from_root || self.dir.ends_with(&format!("/{from_root}"));
        let meant = if self.source_tree.is_folder(&from_root) == Some(true) && !is_in_it {
            from_root
        } else if is_in_it {
            self.dir.clone()
        } else {
            return target;
        };
        let why = format!(
            "the build is in {} by then, since the folder is kept from item to item: this looks for {target}, and {meant} \
             is taken to be meant",
            self.dir
        );
        self.leave_out(line, text, &why);
        meant
    }

    fn declare(&mut self, simple: &SimpleCommand, line: usize, text: &str, source: Source<'_>) {
        let mut effects = super::effects::Effects::default();
        self.in_simple(simple, source.text, 0, &mut effects);
        if effects.any {
            // `export $(cat file)` may set anything.
            return self.setter(&[], simple, line, text, source);
        }
        let is_kept = self.may_keep(text) && self.when.as_ref().is_none_or(|when| when.shell.is_some());
        let mut names = Vec::new();
        for word in &simple.words[1..] {
            let expanded = self.variables.expand(word, source.text);
            let (name, value) = match expanded.text.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None if expanded.text.starts_with('-') => continue,
                None => (expanded.text, None),
            };
            if let Some(value) = value {
                if !expanded.known || self.when.is_some() {
                    names.push(name.clone());
                }
                if expanded.known {
                    self.variables.set(&name, value, line);
                } else {
                    self.variables.lose(&name, is_kept);
                }
            }
            if !simple.words[0].is("local") {
                self.variables.export(&name);
            }
        }
        if !names.is_empty() && is_kept {
            self.record(line, text, ActionKind::Setup(names));
        }
    }

    fn function(&mut self, body: &str, words: &[String], line: usize) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        let script = Script::parse(body);
        let kept = self.variables.clone();
        for name in argument_names() {
            self.variables.lose(&name, false);
        }
        for (number, word) in words.iter().enumerate().skip(1) {
            if !word.contains('$') {
                self.variables.set(&number.to_string(), word.clone(), line);
            }
        }
        if !words.iter().any(|word| word.contains('$')) {
            for name in ["@", "*"] {
                self.variables.set(name, words[1..].join(" "), line);
            }
        }
        self.depth += 1;
        self.list(&script.body, Source { text: body, item: None, line });
        self.depth -= 1;
        for name in argument_names() {
            self.variables.restore(&name, &kept);
        }
    }

    /// The script of `sh -c`, in a shell of its own.
    fn inner(&mut self, script: &str, line: usize, text: &str) {
        let parsed = Script::parse(script);
        let concern = parsed.body.0.iter().map(|statement| self.concern(statement)).max();
        if concern != Some(Concern::Followed) || self.depth >= MAX_DEPTH {
            return self.record(line, text, ActionKind::Script);
        }
        let kept = (self.dir.clone(), self.variables.clone());
        self.depth += 1;
        self.list(&parsed.body, Source { text: script, item: None, line });
        self.depth -= 1;
        (self.dir, self.variables) = kept;
    }

    /// A script of `package.json` is followed if it deploys, and built with otherwise.
    fn package_script(&mut self, name: &str, line: usize, text: &str) {
        let script = self.source_tree.package_script(&self.dir, name).filter(|_| self.depth < MAX_DEPTH);
        let parsed = script.as_deref().map(Script::parse);
        if let (Some(script), Some(parsed)) = (&script, &parsed)
            && parsed.body.0.iter().any(deploys)
        {
            self.depth += 1;
            let kept = self.dir.clone();
            self.list(&parsed.body, Source { text: script, item: None, line });
            self.dir = kept;
            self.depth -= 1;
        } else if script.is_none() && name.contains("deploy") {
            let why = "what the script does is not known: put its commands in its place";
            self.leave_out_deployment(line, text, why);
        } else {
            self.record(line, text, ActionKind::Build);
        }
    }
}
