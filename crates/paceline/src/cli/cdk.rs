//! Accepts the flags of the CDK CLI, so that its command lines work here, too.
//!
//! One table has the flags that Paceline does not have itself. Some change nothing here and are dropped. For some,
//! Paceline has another way: they are dropped with a note. Some ask for work that Paceline does not do: they are refused,
//! and the hint says what to do instead.

use std::ffi::OsString;

use paceline_app::Failure;

/// The commands that the CDK CLI has, too, with these flags.
const COMMANDS: [&str; 2] = ["deploy", "destroy"];

/// The effect of a flag.
#[derive(Debug, Clone, Copy)]
enum Effect {
    /// None: Paceline does so anyway.
    Nothing,
    /// The same as this flag of Paceline.
    Ours(&'static str),
    /// None, but this sentence is shown: it names another way.
    Told(&'static str),
    /// An error with this hint.
    Refused(&'static str),
}

use Effect::{Nothing, Ours, Refused, Told};

/// A flag of `cdk deploy` or `cdk destroy`.
struct Flag {
    name: &'static str,
    short: Option<char>,
    /// Whether a value follows. A switch may have `true` or `false`, and `--no-` before its name.
    takes_value: bool,
    /// The effect of the flag, or of a switch that is on.
    on: Effect,
    /// The effect of a switch that is off.
    off: Effect,
}

const fn value(name: &'static str, short: Option<char>, on: Effect) -> Flag {
    Flag { name, short, takes_value: true, on, off: Nothing }
}

const fn switch(name: &'static str, short: Option<char>, on: Effect, off: Effect) -> Flag {
    Flag { name, short, takes_value: false, on, off }
}

const ASSETS: Effect =
    Told("assets are published in parallel: `concurrency.assets` in paceline.yaml says how many at once");
const IMAGES: Effect =
    Told("images are built in parallel: `concurrency.images` in paceline.yaml says how many at once");
const HOTSWAP: Effect = Refused("Paceline deploys only with CloudFormation: use `cdk deploy` for that");
const NO_MODE: Effect = Refused("Paceline has no such mode: use `cdk deploy` for that");
const IN_APP: Effect = Refused("set it in the app: Paceline deploys what the assembly says");
const SYNTH: Effect = Refused("give it to `cdk synth`, in `synth:` of paceline.yaml");

const FLAGS: [Flag; 54] = [
    switch(
        "asset-parallelism",
        None,
        ASSETS,
        Told("`concurrency: { assets: 1 }` in paceline.yaml publishes one asset at a time"),
    ),
    value("asset-build-concurrency", None, IMAGES),
    switch(
        "asset-prebuild",
        None,
        Told("assets are built and published in parallel, and each stack waits only for its own"),
        Nothing,
    ),
    switch("ci", None, Ours("--no-color"), Nothing),
    switch("color", None, Nothing, Ours("--no-color")),
    switch("verbose", Some('v'), Ours("--verbose"), Nothing),
    switch("debug", None, Ours("--verbose"), Nothing),
    switch("notices", None, Nothing, Nothing),
    switch("version-reporting", None, Nothing, Nothing),
    switch("path-metadata", None, Nothing, Nothing),
    switch("asset-metadata", None, Nothing, Nothing),
    switch("telemetry", None, Nothing, Nothing),
    value("telemetry-file", None, Nothing),
    switch("unstable", None, Nothing, Nothing),
    switch("json", Some('j'), Nothing, Nothing),
    switch("staging", None, Nothing, Nothing),
    switch("lookups", None, Nothing, SYNTH),
    switch("execute", None, Nothing, Refused("`--dry-run` shows what would be done")),
    switch(
        "previous-parameters",
        None,
        Nothing,
        Refused("parameters keep their values: give new ones with --parameters"),
    ),
    switch("rollback", None, Nothing, Refused("write `on-failure: { rollback: none }` into paceline.yaml")),
    switch("ignore-no-stacks", None, Told("an assembly without stacks is an error"), Nothing),
    switch("hotswap", None, HOTSWAP, Nothing),
    switch("hotswap-fallback", None, HOTSWAP, Nothing),
    value("hotswap-ecs-minimum-healthy-percent", None, HOTSWAP),
    value("hotswap-ecs-maximum-healthy-percent", None, HOTSWAP),
    value("hotswap-ecs-stabilization-timeout-seconds", None, HOTSWAP),
    switch("watch", None, HOTSWAP, Nothing),
    switch("logs", None, HOTSWAP, Nothing),
    switch("express", None, NO_MODE, Nothing),
    switch("revert-drift", None, NO_MODE, Nothing),
    switch("import-existing-resources", None, NO_MODE, Nothing),
    value("rollback-trigger-alarm-arns", None, IN_APP),
    value("monitoring-time-minutes", None, IN_APP),
    value("role-arn", Some('r'), IN_APP),
    value("tags", Some('t'), IN_APP),
    value("notification-arns", None, IN_APP),
    value("toolkit-stack-name", None, Told("Paceline finds the bootstrap by the qualifier of the app")),
    value("build-exclude", Some('E'), IN_APP),
    value(
        "change-set-name",
        None,
        Refused("the name of a change set comes from its contents: leave the flag out"),
    ),
    value("region", None, Refused("set AWS_REGION to it; the assembly has the region of each stack")),
    value("proxy", None, Refused("set HTTPS_PROXY to it")),
    value("ca-bundle-path", None, Refused("set AWS_CA_BUNDLE to it")),
    switch(
        "ec2creds",
        Some('i'),
        Told("Paceline uses the credentials of the instance if it finds no others"),
        Nothing,
    ),
    value("plugin", Some('p'), Refused("credentials come from the usual chain of AWS")),
    value("output", Some('o'), Refused("`--app` names the folder of the assembly")),
    value("build", None, SYNTH),
    switch("strict", None, SYNTH, Nothing),
    switch("ignore-errors", None, SYNTH, Nothing),
    switch("trace", None, SYNTH, Nothing),
    switch("debug-app", None, SYNTH, Nothing),
    value(
        "require-approval",
        None,
        Refused("Paceline asks nobody: give `--require-approval never`, and read `paceline plan` first"),
    ),
    value("progress", None, Nothing),
    switch("force", Some('f'), Told("Paceline skips a stack without changes, also with this flag"), Nothing),
    switch("yes", Some('y'), Nothing, Nothing),
];

/// A command line without flags of the CDK CLI, and the sentences to show about them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Translated {
    pub(crate) arguments: Vec<OsString>,
    /// Each `--flag: sentence`.
    pub(crate) told: Vec<String>,
}

/// Replaces the flags of the CDK CLI.
pub(crate) fn translate(arguments: Vec<OsString>) -> Result<Translated, Failure> {
    let command = arguments.get(1).and_then(|it| it.to_str()).filter(|it| COMMANDS.contains(it));
    let Some(command) = command.map(str::to_owned) else {
        return Ok(Translated { arguments, told: Vec::new() });
    };
    let mut translated = Translated::default();
    let mut rest = arguments.into_iter().peekable();
    translated.arguments.extend(rest.by_ref().take(2));
    while let Some(argument) = rest.next() {
        let Some(given) = argument.to_str().and_then(Given::of).filter(|it| !it.is_ours(&command)) else {
            let is_end = argument == "--";
            translated.arguments.push(argument);
            if is_end {
                translated.arguments.extend(rest);
                break;
            }
            continue;
        };
        let Given { flag, shown, mut value, off } = given;
        let next = |it: &OsString| flag.takes_value || it == "true" || it == "false";
        if value.is_none() && !off && rest.peek().is_some_and(next) {
            value = rest.next().map(|it| it.to_string_lossy().into_owned());
        }
        let off = off || (!flag.takes_value && value.as_deref() == Some("false"));
        let effect = match (flag.name, value.as_deref()) {
            ("require-approval", Some("never")) => Nothing,
            ("progress", Some("errors-only")) => Ours("--quiet"),
            ("progress", Some("events")) => Ours("--verbose"),
            _ if off => flag.off,
            _ => flag.on,
        };
        match effect {
            Nothing => {}
            // A flag must not be given twice.
            Ours(ours) if translated.arguments.iter().any(|it| it == ours) => {}
            Ours(ours) => translated.arguments.push(ours.into()),
            Told(sentence) => translated.told.push(format!("{shown}: {sentence}")),
            Refused(hint) => {
                let shown =
                    value.filter(|_| flag.takes_value).map_or(shown.clone(), |it| format!("{shown} {it}"));
                return Err(Failure::usage(
                    format!("`{shown}` is a flag of the CDK CLI that Paceline does not have"),
                    hint,
                ));
            }
        }
    }
    Ok(translated)
}

/// A flag of the CDK CLI on the command line.
struct Given {
    flag: &'static Flag,
    /// As written, without a value.
    shown: String,
    value: Option<String>,
    off: bool,
}

impl Given {
    fn of(argument: &str) -> Option<Self> {
        if let Some(long) = argument.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let named = |name: &str| FLAGS.iter().find(|flag| flag.name == name);
            let off = name.strip_prefix("no-").and_then(named).filter(|flag| !flag.takes_value);
            let (flag, off) = off.map(|flag| (flag, true)).or_else(|| Some((named(name)?, false)))?;
            return Some(Self { flag, shown: format!("--{name}"), value, off });
        }
        if argument == "-R" {
            let flag = FLAGS.iter().find(|flag| flag.name == "rollback")?;
            return Some(Self { flag, shown: argument.to_owned(), value: None, off: true });
        }
        let letters = argument.strip_prefix('-')?;
        let first = letters.chars().next()?;
        let flag = FLAGS.iter().find(|flag| flag.short == Some(first))?;
        // `-vvv` is `-v`, and `-rARN` is `-r ARN`.
        let after = &letters[first.len_utf8()..];
        let repeated = after.chars().all(|c| c == first);
        if !(flag.takes_value || repeated) {
            return None;
        }
        let value = (flag.takes_value && !after.is_empty()).then(|| after.trim_start_matches('=').to_owned());
        Some(Self { flag, shown: format!("-{first}"), value, off: false })
    }

    /// Whether the command of Paceline has this flag itself.
    fn is_ours(&self, command: &str) -> bool {
        let is_asked = command == "destroy" && matches!(self.flag.name, "yes" | "force");
        is_asked || (self.flag.name == "color" && self.shown == "--no-color")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(line: &str) -> (String, Vec<String>) {
        let arguments = line.split(' ').map(OsString::from).collect();
        let Translated { arguments, told } = translate(arguments).unwrap_or_else(|error| panic!("{error}"));
        let arguments: Vec<String> = arguments.into_iter().map(|it| it.into_string().unwrap()).collect();
        (arguments.join(" "), told)
    }

    #[track_caller]
    fn check(line: &str, ours: &str, told: &[&str]) {
        let (arguments, sentences) = translated(line);
        assert_eq!(arguments, ours);
        assert_eq!(sentences.len(), told.len(), "{sentences:?}");
        for (sentence, told) in sentences.iter().zip(told) {
            assert!(sentence.contains(told), "{sentence}");
        }
    }

    #[test]
    fn what_changes_nothing_is_left_out_with_its_value() {
        check("p deploy --require-approval never --no-notices A", "p deploy A", &[]);
        check("p deploy --require-approval=never --ci=true --progress bar", "p deploy --no-color", &[]);
        check("p deploy --progress errors-only --execute true A", "p deploy --quiet A", &[]);
        check("p deploy --rollback -y", "p deploy", &[]);
        check("p deploy --progress events A -vvv --debug", "p deploy --verbose A", &[]);
        check("p deploy --verbose=false A", "p deploy A", &[]);
    }

    #[test]
    fn another_way_is_told() {
        check("p deploy --asset-parallelism A", "p deploy A", &["--asset-parallelism: "]);
        check("p deploy --asset-build-concurrency 4 A", "p deploy A", &["concurrency.images"]);
        check("p deploy --no-asset-parallelism", "p deploy", &["assets: 1"]);
        check("p deploy --asset-parallelism=false A", "p deploy A", &["assets: 1"]);
    }

    #[test]
    fn what_paceline_does_not_do_is_refused_with_what_to_do() {
        for (line, says) in [
            ("p deploy --hotswap", "`--hotswap`"),
            ("p deploy --no-rollback", "rollback: none"),
            ("p deploy -R", "rollback: none"),
            ("p deploy --region eu-west-1 A", "AWS_REGION"),
            ("p deploy -rarn:aws:iam::1:role/x", "`-r arn:aws:iam::1:role/x`"),
            ("p deploy --require-approval broadening", "--require-approval never"),
            ("p deploy --require-approval", "--require-approval never"),
        ] {
            let error = translate(line.split(' ').map(OsString::from).collect()).unwrap_err().to_string();
            assert!(error.contains(says), "{line}: {error}");
            assert_eq!(error.lines().count(), 2, "{error}");
        }
    }

    #[test]
    fn other_commands_and_what_follows_two_dashes_are_as_they_were() {
        for line in
            ["p bootstrap -- --force --tags a", "p plan --force", "p deploy -- --force", "p destroy -f", "p"]
        {
            check(line, line, &[]);
        }
        check("p deploy --parameters A:K=--force -e", "p deploy --parameters A:K=--force -e", &[]);
    }

    #[test]
    fn every_flag_is_in_the_guide() {
        let guide = include_str!("../../../../docs/from-cdk.md");
        for flag in &FLAGS {
            let shown = format!("`--{}", flag.name);
            assert!(guide.contains(&format!("{shown}`")) || guide.contains(&format!("{shown} ")), "{shown}");
            assert!(!flag.takes_value || matches!(flag.off, Nothing));
        }
    }
}
