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
const CDK_V1: Effect =
    Refused("leave it out: it is for assets in the manner of CDK v1, and all of them are published");
const SYNTH: Effect = Refused("give it to `cdk synth`, in `synth:` of paceline.yaml");

const FLAGS: [Flag; 45] = [
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
    switch("previous-parameters", None, Nothing, Ours("--no-previous-parameters")),
    switch("rollback", None, Ours("--rollback"), Ours("--no-rollback")),
    switch("ignore-no-stacks", None, Ours("--ignore-no-stacks"), Nothing),
    switch("hotswap", None, HOTSWAP, Nothing),
    switch("hotswap-fallback", None, HOTSWAP, Nothing),
    value("hotswap-ecs-minimum-healthy-percent", None, HOTSWAP),
    value("hotswap-ecs-maximum-healthy-percent", None, HOTSWAP),
    value("hotswap-ecs-stabilization-timeout-seconds", None, HOTSWAP),
    switch("watch", None, HOTSWAP, Nothing),
    switch("logs", None, HOTSWAP, Nothing),
    switch("express", None, NO_MODE, Nothing),
    switch("revert-drift", None, Ours("--revert-drift"), Nothing),
    switch("import-existing-resources", None, Ours("--import-existing-resources"), Nothing),
    value("build-exclude", Some('E'), CDK_V1),
    value(
        "change-set-name",
        None,
        Refused("the name of a change set comes from its contents: leave the flag out"),
    ),
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
    value("require-approval", None, Refused("it is for `paceline deploy`")),
    value("progress", None, Nothing),
    switch("force", Some('f'), Ours("--force"), Nothing),
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
        const OF_DEPLOYMENTS: [&str; 6] = [
            "force",
            "ignore-no-stacks",
            "import-existing-resources",
            "previous-parameters",
            "revert-drift",
            "rollback",
        ];
        let is_of_destroy = self.flag.name == "yes" || OF_DEPLOYMENTS.contains(&self.flag.name);
        let is_asked = command == "destroy" && is_of_destroy;
        let is_held = command == "deploy" && self.flag.name == "require-approval";
        is_asked || is_held || (self.flag.name == "color" && self.shown == "--no-color")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::environment::NAMES as ENVIRONMENT;

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
        check("p destroy --require-approval never --no-notices A", "p destroy A", &[]);
        check("p deploy --ci=true --progress bar", "p deploy --no-color", &[]);
        check("p deploy --progress errors-only --execute true A", "p deploy --quiet A", &[]);
        check("p deploy --previous-parameters -y", "p deploy", &[]);
        check("p deploy --progress events A -vvv --debug", "p deploy --verbose A", &[]);
        check("p deploy --verbose=false A", "p deploy A", &[]);
    }

    #[test]
    fn switches_that_paceline_has_are_spelled_in_its_way() {
        check("p deploy -R A", "p deploy --no-rollback A", &[]);
        check("p deploy --rollback=false", "p deploy --no-rollback", &[]);
        check("p deploy --no-rollback --rollback", "p deploy --no-rollback --rollback", &[]);
        check("p deploy -f --revert-drift true A", "p deploy --force --revert-drift A", &[]);
        check("p deploy --force=false --no-previous-parameters", "p deploy --no-previous-parameters", &[]);
        check("p destroy --force A", "p destroy --force A", &[]);
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
            ("p deploy --express", "cdk deploy"),
            ("p deploy -Elegacy", "`-E legacy`"),
            ("p destroy --require-approval broadening", "`paceline deploy`"),
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
        check("p deploy --require-approval broadening A", "p deploy --require-approval broadening A", &[]);
        check("p deploy --parameters A:K=--force -e", "p deploy --parameters A:K=--force -e", &[]);
    }

    /// The flags in the table of the guide: the long ones, each with what the table says about it.
    fn guide() -> BTreeMap<String, String> {
        let guide = include_str!("../../../../docs/from-cdk.md");
        let (_, table) = guide.split_once("## Every flag of `cdk deploy`").unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| `--"));
        let rows =
            rows.map(|row| row.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect::<Vec<_>>());
        let flags = rows.flat_map(|cells| {
            let names = cells[0].split(", ").map(|name| name.trim_matches('`'));
            let long = names.filter_map(|name| name.strip_prefix("--"));
            long.map(|name| (name.to_owned(), cells[1].to_owned())).collect::<Vec<_>>()
        });
        flags.collect()
    }

    #[test]
    fn the_guide_says_of_every_flag_what_the_command_does() {
        let command = crate::cli::Cli::command();
        let deploy = command.find_subcommand("deploy").unwrap();
        let own: BTreeSet<&str> = deploy
            .get_arguments()
            .flat_map(|arg| arg.get_long_and_visible_aliases().unwrap_or_default())
            .collect();
        let aliases: BTreeSet<&str> =
            deploy.get_arguments().flat_map(|arg| arg.get_all_aliases().unwrap_or_default()).collect();
        let guide = guide();
        for (name, answer) in &guide {
            let flag = FLAGS.iter().find(|flag| flag.name == name);
            let is_variable = ENVIRONMENT.contains(&format!("--{name}").as_str());
            let is_own = own.contains(name.as_str()) || aliases.contains(name.as_str());
            assert!(flag.is_some() || is_variable || is_own, "--{name} is nowhere but in the guide");
            let is_refused =
                flag.is_some_and(|flag| matches!(flag.on, Refused(_))) && name != "require-approval";
            assert_eq!(answer == "no", is_refused, "--{name}: {answer}");
        }
        for flag in &FLAGS {
            assert!(guide.contains_key(flag.name), "--{} is not in the guide", flag.name);
            assert!(!flag.takes_value || matches!(flag.off, Nothing));
        }
        for flag in ENVIRONMENT {
            assert!(guide.contains_key(flag.trim_start_matches("--")), "{flag} is not in the guide");
        }
        let stacks = deploy.get_arguments().filter(|arg| {
            arg.get_help_heading().is_some_and(|heading| heading.ends_with("as with the CDK CLI"))
        });
        for name in stacks.filter_map(|arg| arg.get_long()) {
            let name = name.strip_prefix("no-").unwrap_or(name);
            assert!(guide.contains_key(name), "--{name} is not in the guide");
        }
    }
}
