//! What single calls do.

use super::look::{Concern, each_simple, inner_script, without_timeout};
use super::{MAX_DEPTH, Source, Walk, What};
use crate::shell::{Script, Simple, Span, Statement, Word, program};
use crate::understand::cdk;
use crate::understand::names::joined;
use crate::understand::programs::{Role, role};
use crate::understand::variables::ROOT;

impl Walk<'_> {
    pub(super) fn simple(&mut self, simple: &Simple, span: &Span, source: Source<'_>) {
        self.calls += 1;
        if self.is_spent(span, source) {
            return;
        }
        let line = source.line(span);
        let mut local = Vec::new();
        for assignment in &simple.assignments {
            let value = self.variables.expand(&assignment.value, source.text);
            local.push((assignment.name.clone(), value.known.then_some(value.text)));
        }
        if simple.words.is_empty() {
            let unknown: Vec<String> =
                local.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.clone()).collect();
            for (name, value) in local {
                self.variables.set(&name, value);
            }
            if !unknown.is_empty() {
                self.act(line, source.text(span), What::Setup(unknown));
            }
            return;
        }
        // `env A=b program` says the same as `A=b program`.
        let rest = program(&simple.words);
        for word in &simple.words[..simple.words.len() - rest.len()] {
            let expanded = self.variables.expand(word, source.text);
            if let Some((name, value)) = expanded.text.split_once('=') {
                local.push((name.to_owned(), expanded.known.then(|| value.to_owned())));
            }
        }
        let words: Vec<String> =
            rest.iter().flat_map(|word| self.words(word, source)).map(|(text, _)| text).collect();
        let kept = (!local.is_empty()).then(|| self.variables.clone());
        for (name, value) in local {
            self.variables.set(&name, value);
            self.variables.export(&name);
        }
        self.call(without_timeout(&words), simple, line, span, source);
        if let Some(kept) = kept {
            self.variables = kept;
        }
    }

    fn call(&mut self, words: &[String], simple: &Simple, line: usize, span: &Span, source: Source<'_>) {
        let text = source.text(span);
        let Some(first) = words.first() else { return };
        match first.as_str() {
            "cd" | "pushd" | "popd" => return self.go(first, words.get(1).map(String::as_str), line, text),
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                return self.declare(simple, line, text, source);
            }
            "unset" => {
                for name in &words[1..] {
                    self.variables.set(name, None);
                }
                return;
            }
            _ => {}
        }
        if let Some(body) = self.functions.get(first).cloned() {
            return self.function(&body, words, line);
        }
        if let Some(inner) = inner_script(words) {
            return self.inner(inner, line, text);
        }
        if let Some(call) = cdk::call(words) {
            let what = match call.command.as_str() {
                "bootstrap" => What::Bootstrap,
                "deploy" | "synth" => What::Cdk(Box::new(call)),
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
            return self.act(line, text, what);
        }
        match role(words) {
            Role::Says => {}
            Role::Install => self.act(line, text, What::Install),
            Role::Build => self.act(line, text, What::Build),
            Role::Environment => self.act(line, text, What::Setup(Vec::new())),
            Role::Cli(version) => self.act(line, text, What::Cli(version)),
            Role::PackageScript(name) => self.package_script(&name, line, text),
            Role::Bootstrap => self.act(line, text, What::Bootstrap),
            Role::Signal(variable) => self.act(line, text, What::Signal(variable)),
            Role::Daemon => self.leave_out(line, text, "a privileged build has a Docker daemon already"),
            Role::Runtime => self.leave_out(line, text, "the build image has the runtime"),
            Role::Opaque => {
                self.leave_out(
                    line,
                    text,
                    "it deploys by means of its own, which are not read here: put its commands in its place",
                );
            }
            Role::Tool | Role::Other => self.act(line, text, What::Script),
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
                None => joined(&self.dir, to),
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

    fn declare(&mut self, simple: &Simple, line: usize, text: &str, source: Source<'_>) {
        let mut unknown = Vec::new();
        for word in &simple.words[1..] {
            let expanded = self.variables.expand(word, source.text);
            let (name, value) = match expanded.text.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None if expanded.text.starts_with('-') => continue,
                None => (expanded.text, None),
            };
            if let Some(value) = value {
                if !expanded.known {
                    unknown.push(name.clone());
                }
                self.variables.set(&name, expanded.known.then_some(value));
            }
            if !simple.words[0].is("local") {
                self.variables.export(&name);
            }
        }
        if !unknown.is_empty() {
            self.act(line, text, What::Setup(unknown));
        }
    }

    fn function(&mut self, body: &str, words: &[String], line: usize) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        let script = Script::parse(body);
        let kept = self.variables.clone();
        for (number, word) in words.iter().enumerate().skip(1) {
            let is_known = !word.contains('$');
            self.variables.set(&number.to_string(), is_known.then(|| word.clone()));
        }
        self.variables.set("@", Some(words[1..].join(" ")));
        self.variables.set("*", Some(words[1..].join(" ")));
        self.depth += 1;
        self.list(&script.body, Source { text: body, item: None, line });
        self.depth -= 1;
        for name in (1..words.len()).map(|n| n.to_string()).chain(["@".to_owned(), "*".to_owned()]) {
            self.variables.set(&name, kept.get(&name).map(str::to_owned));
        }
    }

    /// The script of `sh -c`, in a shell of its own.
    fn inner(&mut self, script: &str, line: usize, text: &str) {
        let parsed = Script::parse(script);
        let concern = parsed.body.0.iter().map(|statement| self.concern(statement)).max();
        if concern != Some(Concern::Followed) || self.depth >= MAX_DEPTH {
            return self.act(line, text, What::Script);
        }
        let kept = (self.dir.clone(), self.variables.clone());
        self.depth += 1;
        self.list(&parsed.body, Source { text: script, item: None, line });
        self.depth -= 1;
        (self.dir, self.variables) = kept;
    }

    /// A script of `package.json` is followed if it deploys, and built with otherwise.
    fn package_script(&mut self, name: &str, line: usize, text: &str) {
        let script = self.surroundings.package_script(&self.dir, name).filter(|_| self.depth < MAX_DEPTH);
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
            self.leave_out(line, text, why);
        } else {
            self.act(line, text, What::Build);
        }
    }
}

/// Whether a script of `package.json` deploys something, or calls one that does.
fn deploys(statement: &Statement) -> bool {
    let mut found = false;
    statement.pipelines().flat_map(|pipeline| &pipeline.commands).for_each(|command| {
        each_simple(command, &mut |simple| {
            let words: Vec<String> = program(&simple.words).iter().map(Word::shown).collect();
            found |= cdk::call(&words).is_some()
                || matches!(role(&words), Role::PackageScript(name) if name.contains("deploy"));
        });
    });
    found
}
