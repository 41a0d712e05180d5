//! Options of the CDK CLI and the AWS CLI that are variables here: `--profile NAME` is `AWS_PROFILE=NAME`, and so on.

use std::ffi::OsString;
use std::io;

use paceline_app::Failure;

/// Variables with credentials, which would come before those of a profile.
#[cfg(unix)]
const CREDENTIALS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
const PROFILE: &str = "AWS_PROFILE";

/// An option that stands for a variable.
struct Flag {
    name: &'static str,
    variables: &'static [&'static str],
    what: &'static str,
    example: &'static str,
    /// Whether a command of this name has the option.
    of: fn(&str) -> bool,
}

/// The commands with this `--region`. That of `paceline watch` chooses regions.
const REGION: [&str; 9] =
    ["bootstrap", "deploy", "destroy", "diff", "doctor", "list", "ls", "plan", "publish"];

const FLAGS: [Flag; 4] = [
    Flag { name: "--profile", variables: &[PROFILE], what: "name", example: "prod", of: |_| true },
    Flag {
        name: "--region",
        variables: &["AWS_REGION"],
        what: "region",
        example: "eu-west-1",
        of: |command| REGION.contains(&command),
    },
    Flag {
        name: "--proxy",
        variables: &["HTTPS_PROXY", "HTTP_PROXY"],
        what: "address",
        example: "http://proxy.example.com:3128",
        of: |_| true,
    },
    Flag {
        name: "--ca-bundle-path",
        variables: &["AWS_CA_BUNDLE"],
        what: "file",
        example: "corporate.pem",
        of: |_| true,
    },
];

/// The options, for the test that compares them with the guide.
#[cfg(test)]
pub(super) const NAMES: [&str; 4] = [FLAGS[0].name, FLAGS[1].name, FLAGS[2].name, FLAGS[3].name];

/// The variables that a command line asks for, and the command line without them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    variables: Vec<(&'static str, OsString)>,
    arguments: Vec<OsString>,
}

/// Takes these options out of a command line. `None` if there is none.
pub(crate) fn asked(arguments: &[OsString]) -> Option<Result<Asked, Failure>> {
    // What follows two dashes is for another program.
    let end = arguments.iter().position(|it| it == "--").unwrap_or(arguments.len());
    let mut commands = arguments[..end].iter().skip(1).filter_map(|it| it.to_str());
    let command = commands.find(|it| !it.starts_with('-')).unwrap_or_default().to_owned();
    let mut asked = Asked { variables: Vec::new(), arguments: Vec::new() };
    let mut rest = arguments[..end].iter();
    while let Some(argument) = rest.next() {
        let Some((flag, joined)) = argument.to_str().and_then(|text| named(text, &command)) else {
            asked.arguments.push(argument.clone());
            continue;
        };
        let value = joined.map(OsString::from).or_else(|| rest.next().cloned());
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            let Flag { name, variables, what, example, .. } = flag;
            let hint = format!("write it like {name} {example}, or set {}", variables[0]);
            return Some(Err(Failure::usage(format!("{name} has no {what} behind it"), hint)));
        };
        asked.variables.extend(flag.variables.iter().map(|&name| (name, value.clone())));
    }
    asked.arguments.extend_from_slice(&arguments[end..]);
    (!asked.variables.is_empty()).then_some(Ok(asked))
}

/// The option that an argument is, with the value that is joined to it.
fn named<'a>(argument: &'a str, command: &str) -> Option<(&'static Flag, Option<&'a str>)> {
    let (name, value) = match argument.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (argument, None),
    };
    let flag = FLAGS.iter().find(|it| it.name == name && (it.of)(command))?;
    Some((flag, value))
}

impl Asked {
    /// Becomes this program again, with these variables in its environment: also the programs that it starts have them.
    /// Returns only the error.
    #[cfg(unix)]
    #[expect(clippy::disallowed_methods, reason = "nothing is started: this process becomes that program")]
    pub(crate) fn again(&self) -> io::Error {
        use std::os::unix::process::CommandExt as _;
        use std::process::Command;

        let program = match std::env::current_exe() {
            Ok(program) => program,
            Err(error) => return error,
        };
        let mut again = Command::new(program);
        again.args(&self.arguments[1..]);
        for (name, value) in &self.variables {
            again.env(name, value);
            if *name == PROFILE {
                for name in CREDENTIALS {
                    again.env_remove(name);
                }
            }
        }
        again.exec()
    }

    #[cfg(not(unix))]
    pub(crate) fn again(&self) -> io::Error {
        io::ErrorKind::Unsupported.into()
    }

    /// What to do where a program cannot become another.
    pub(crate) fn hint(&self) -> String {
        let names: Vec<&str> = self.variables.iter().map(|(name, _)| *name).collect();
        format!("set {} instead", names.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Result<(String, String), String>> {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let shown = |it: &[OsString]| it.iter().map(|it| it.to_str().unwrap()).collect::<Vec<_>>().join(" ");
        let found = asked(&arguments)?;
        let variables = |asked: &Asked| {
            let all =
                asked.variables.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap()));
            all.collect::<Vec<_>>().join(" ")
        };
        let found = found.map(|asked| (variables(&asked), shown(&asked.arguments)));
        Some(found.map_err(|error| error.to_string()))
    }

    #[test]
    fn an_option_is_taken_out_wherever_it_is() {
        let found = |variables: &str, rest: &str| Some(Ok((variables.to_owned(), rest.to_owned())));
        assert_eq!(of("p deploy --profile prod A"), found("AWS_PROFILE=prod", "p deploy A"));
        assert_eq!(of("p --profile=prod plan"), found("AWS_PROFILE=prod", "p plan"));
        let both = found("AWS_REGION=eu-west-1 AWS_CA_BUNDLE=ca.pem", "p deploy A -- --region x");
        assert_eq!(of("p deploy --region eu-west-1 A --ca-bundle-path=ca.pem -- --region x"), both);
        let proxy = found("HTTPS_PROXY=http://p:1 HTTP_PROXY=http://p:1", "p deploy");
        assert_eq!(of("p deploy --proxy http://p:1"), proxy);
        assert_eq!(of("p deploy A"), None);
        assert_eq!(of("p deploy --profiles"), None);
        assert_eq!(of("p bootstrap -- --profile prod"), None);
        assert_eq!(of("p watch A --region eu-west-1"), None, "it chooses regions there");
    }

    #[test]
    fn an_option_without_a_value_is_refused() {
        for line in ["p deploy --profile", "p deploy --profile=", "p deploy --profile -- prod"] {
            assert!(of(line).unwrap().unwrap_err().contains("--profile has no name"), "{line}");
        }
        assert!(of("p deploy --region=").unwrap().unwrap_err().contains("or set AWS_REGION"));
    }
}
