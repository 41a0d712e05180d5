//! `--profile NAME`, as the CDK CLI and the AWS CLI have it: for every command, the same as `AWS_PROFILE=NAME`.

use std::ffi::OsString;
use std::io;

use paceline_app::Failure;

const FLAG: &str = "--profile";
/// Variables with credentials, which would come before those of a profile.
#[cfg(unix)]
const CREDENTIALS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// The name of the profile, and the arguments without it. None if there is no such flag.
pub(crate) fn profile(arguments: &[OsString]) -> Option<Result<(OsString, Vec<OsString>), Failure>> {
    let end = arguments.iter().position(|it| it == "--").unwrap_or(arguments.len());
    let at = arguments[..end].iter().position(|it| {
        it.to_str().is_some_and(|it| {
            it.strip_prefix(FLAG).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    })?;
    let joined = arguments[at].to_str().and_then(|it| it.strip_prefix(FLAG)?.strip_prefix('='));
    let (name, after) = match joined {
        Some(name) => (Some(OsString::from(name)), at + 1),
        None => (arguments[..end].get(at + 1).cloned(), at + 2),
    };
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        let hint = "write it like --profile prod, or set AWS_PROFILE";
        return Some(Err(Failure::usage("--profile has no name behind it", hint)));
    };
    Some(Ok((name, [&arguments[..at], &arguments[after..]].concat())))
}

/// Becomes this program again, with the profile in its environment: also the programs that it starts use the profile.
/// Returns only the error.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "nothing is started: this process becomes that program")]
pub(crate) fn again(profile: &OsString, arguments: &[OsString]) -> io::Error {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut again = Command::new(program);
    again.args(&arguments[1..]).env("AWS_PROFILE", profile);
    for name in CREDENTIALS {
        again.env_remove(name);
    }
    again.exec()
}

#[cfg(not(unix))]
pub(crate) fn again(_: &OsString, _: &[OsString]) -> io::Error {
    io::ErrorKind::Unsupported.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Result<(String, String), String>> {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let shown = |it: &[OsString]| it.iter().map(|it| it.to_str().unwrap()).collect::<Vec<_>>().join(" ");
        let found = profile(&arguments)?;
        Some(found.map(|(name, rest)| (shown(&[name]), shown(&rest))).map_err(|error| error.to_string()))
    }

    #[test]
    fn the_profile_is_taken_out_wherever_it_is() {
        let found = |rest: &str| Some(Ok(("prod".to_owned(), rest.to_owned())));
        assert_eq!(of("p deploy --profile prod A"), found("p deploy A"));
        assert_eq!(of("p --profile=prod plan"), found("p plan"));
        assert_eq!(of("p deploy A"), None);
        assert_eq!(of("p deploy --profiles"), None);
        assert_eq!(of("p bootstrap -- --profile prod"), None);
        for line in ["p deploy --profile", "p deploy --profile=", "p deploy --profile -- prod"] {
            assert!(of(line).unwrap().unwrap_err().contains("--profile has no name"), "{line}");
        }
    }
}
