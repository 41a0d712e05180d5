//! Single calls: assignments, builtins of the shell, and programs.

use super::classify::{Relevance, deploys, inline_script, without_timeout};
use super::effects::{argument_names, is_setter};
use super::state::{ActionKind, Interpreter, MAX_DEPTH, REGIONS, Source, UnknownRegion};
use super::variables::ROOT;
use crate::shell::programs::cdk;
use crate::shell::programs::purpose::{Purpose, purpose};
use crate::shell::{Script, SimpleCommand, Span, program};
use crate::understand::names::joined;

impl Interpreter<'_> {
    pub(super) fn simple(&mut self, simple: &SimpleCommand, span: &Span, source: Source<'_>) {
        self.calls += 1;
        if self.is_over_limit(span, source) {
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
        // `env A=b program` means the same as `A=b program`.
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
        let kept = (!local.is_empty()).then(|| (self.variables.clone(), self.unknown_regions.clone()));
        for (name, value, written) in local {
            if value.known {
                self.unknown_regions.retain(|region| region.name != name);
                self.variables.set(&name, value.text, line);
            } else {
                if REGIONS.contains(&name.as_str()) {
                    let is_kept = value.is_kept && self.loops_followed_once == 0;
                    let setting = is_kept.then(|| format!("export {name}={written}"));
                    self.unknown_regions.push(UnknownRegion { name: name.clone(), written, setting });
                }
                self.variables.forget(&name, false);
            }
            self.variables.export(&name);
        }
        self.call(without_timeout(&words), simple, line, span, source);
        if let Some(kept) = kept {
            (self.variables, self.unknown_regions) = kept;
        }
    }

    /// Follows assignments without a program.
    fn assign(&mut self, simple: &SimpleCommand, line: usize, text: &str, source: Source<'_>) {
        let is_kept = self.may_keep(text) && self.when.as_ref().is_none_or(|when| when.shell.is_some());
        let mut names = Vec::new();
        for assignment in &simple.assignments {
            let value = self.variables.expand(&assignment.value, source.text);
            let name = &assignment.name;
            // A value that is set under a condition is unknown after the condition.
            if !value.known || self.when.is_some() {
                names.push(name.clone());
            }
            if value.known {
                self.variables.set(name, value.text, line);
            } else {
                self.variables.forget(name, is_kept);
            }
        }
        if !names.is_empty() && is_kept {
            self.record(line, text, ActionKind::Setup(names));
        }
    }

    /// Follows builtins that set variables by their arguments.
    fn setter(
        &mut self,
        words: &[String],
        simple: &SimpleCommand,
        line: usize,
        text: &str,
        source: Source<'_>,
    ) {
        let effects = self.effects_of_simple(simple, source.text);
        self.keep_known_values(&effects);
        let changes_arguments = matches!(words.first().map(String::as_str), Some("set" | "shift"));
        let is_kept = self.may_keep(text) && !changes_arguments;
        if effects.any {
            let why = "the variables that it sets are only known in the build; if one is a region, set AWS_REGION for the \
                       build, or give each region an app with `env: { AWS_REGION: … }`";
            self.leave_out(line, text, why);
        }
        if is_kept && effects.sets() {
            let names = effects.names.iter().cloned().collect();
            self.record(line, text, ActionKind::Setup(if effects.any { Vec::new() } else { names }));
        }
        self.forget(&effects, is_kept);
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
            "cd" | "pushd" | "popd" => {
                return self.change_dir(first, words.get(1).map(String::as_str), line, text);
            }
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                return self.declare(simple, line, text, source);
            }
            _ if is_setter(words) => return self.setter(words, simple, line, text, source),
            _ => {}
        }
        if let Some(body) = self.functions.get(first).cloned() {
            return self.function(&body, words, line);
        }
        if let Some(inner) = inline_script(words) {
            return self.inline(inner, line, text);
        }
        if let Some(call) = cdk::read(words) {
            self.report_overwritten(line);
            let what = match call.command.as_str() {
                "bootstrap" => ActionKind::Bootstrap,
                "deploy" | "synth" => ActionKind::Cdk(Box::new(call)),
                "destroy" => {
                    return self.leave_out(line, text, "it deletes stacks: use `paceline destroy`");
                }
                "watch" | "import" | "rollback" | "refactor" | "migrate" | "init" => {
                    return self.leave_out(line, text, "a build that deploys cannot use it");
                }
                _ => {
                    return self.leave_out(
                        line,
                        text,
                        "it only shows something: `paceline plan` shows what a deployment will do",
                    );
                }
            };
            return self.record(line, text, what);
        }
        match purpose(words) {
            Purpose::Show => {}
            Purpose::InstallPackages => self.record(line, text, ActionKind::InstallPackages),
            Purpose::Build => self.record(line, text, ActionKind::Build),
            Purpose::EnterEnvironment => self.record(line, text, ActionKind::Setup(Vec::new())),
            Purpose::InstallCdk(version) => self.record(line, text, ActionKind::InstallCdk(version)),
            Purpose::PackageScript(name) => self.package_script(&name, line, text),
            Purpose::Bootstrap => self.record(line, text, ActionKind::Bootstrap),
            Purpose::Signal(variable) => self.record(line, text, ActionKind::Signal(variable)),
            Purpose::Docker => self.leave_out(line, text, "a privileged build has a Docker daemon already"),
            Purpose::Runtime => self.leave_out(line, text, "the build image has the runtime"),
            Purpose::DeployItself => {
                self.leave_out_deployment(
                    line,
                    text,
                    "it deploys with its own tool, which is not read here: write its commands out at this place",
                );
            }
            Purpose::InstallTool | Purpose::Other => self.record(line, text, ActionKind::Script),
        }
    }

    /// Reports the variables that the CDK CLI overwrites.
    fn report_overwritten(&mut self, line: usize) {
        for (name, instead) in
            [("CDK_DEFAULT_REGION", "AWS_REGION"), ("CDK_DEFAULT_ACCOUNT", "the credentials")]
        {
            if !self.variables.is_exported(name) {
                continue;
            }
            let value = match self.variables.get(name) {
                Some(value) => value.to_owned(),
                None if self.variables.is_unknown(name) => "…".to_owned(),
                None => continue,
            };
            let why = format!("the CDK CLI overwrites it, from {instead}");
            self.leave_out(line, &format!("{name}={value}"), &why);
        }
    }

    fn change_dir(&mut self, how: &str, to: Option<&str>, line: usize, text: &str) {
        let target = match (how, to) {
            ("popd", _) => self.pushed.pop().unwrap_or_default(),
            (_, Some("-")) => self.dir_before.clone(),
            // Without an argument, `cd` goes to the home folder. `ROOT` stands for the folder of the source.
            (_, None) => "~".to_owned(),
            (_, Some(to)) => match to.strip_prefix(ROOT) {
                Some(inside) => joined("", inside.trim_start_matches('/')),
                None => self.resolve_dir(to, line, text),
            },
        };
        if how == "pushd" {
            self.pushed.push(self.dir.clone());
        }
        if target.contains(['$', '~']) && how != "popd" {
            self.leave_out(
                line,
                text,
                "the folder is only known in the build: check the folders of the later commands",
            );
        }
        self.dir_before = std::mem::replace(&mut self.dir, target);
    }

    /// The folder that `cd` goes to. If that folder does not exist, `cd` would fail in the build. The result
    /// is then the folder that the author probably meant.
    fn resolve_dir(&mut self, to: &str, line: usize, text: &str) -> String {
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
            "the build is in {} already, because CodeBuild keeps the folder from item to item: this looks for {target}, \
             and {meant} is used instead",
            self.dir
        );
        self.leave_out(line, text, &why);
        meant
    }

    fn declare(&mut self, simple: &SimpleCommand, line: usize, text: &str, source: Source<'_>) {
        let effects = self.effects_of_simple(simple, source.text);
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
                    self.variables.forget(&name, is_kept);
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
            self.variables.forget(&name, false);
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

    /// Follows the script of `sh -c` in a new shell.
    fn inline(&mut self, script: &str, line: usize, text: &str) {
        let parsed = Script::parse(script);
        let relevance = parsed.body.0.iter().map(|statement| self.relevance(statement)).max();
        if relevance != Some(Relevance::Followed) || self.depth >= MAX_DEPTH {
            return self.record(line, text, ActionKind::Script);
        }
        let shell = self.shell_state();
        self.depth += 1;
        self.list(&parsed.body, Source { text: script, item: None, line });
        self.depth -= 1;
        self.restore(shell);
    }

    /// Follows a script of `package.json` if it deploys. Any other counts as a build step.
    fn package_script(&mut self, name: &str, line: usize, text: &str) {
        let script = self.source_tree.package_script(&self.dir, name).filter(|_| self.depth < MAX_DEPTH);
        let parsed = script.as_deref().map(Script::parse);
        if let (Some(script), Some(parsed)) = (&script, &parsed)
            && deploys(&parsed.body)
        {
            self.depth += 1;
            let kept = self.dir.clone();
            self.list(&parsed.body, Source { text: script, item: None, line });
            self.dir = kept;
            self.depth -= 1;
        } else if script.is_none() && name.contains("deploy") {
            let why = "the script is not known: write its commands out at this place";
            self.leave_out_deployment(line, text, why);
        } else {
            self.record(line, text, ActionKind::Build);
        }
    }
}
