//! Finds the profile in which the SDK looked for credentials. The SDK's own error does not name it.

use std::path::{Path, PathBuf};

/// The longest chain of profiles that is followed.
const LONGEST: usize = 8;

/// The message that there are no credentials, with the profile and with the reason of the SDK.
pub(crate) fn not_found(why: Option<&str>) -> String {
    let because = why.map(|why| format!(" ({why})")).unwrap_or_default();
    match in_use() {
        // The SDK's reason is about the last place in which it looked, which is not the profile.
        Some(InUse { missing: true, text }) => format!("no AWS credentials were found {text}"),
        Some(InUse { text, .. }) => format!("no AWS credentials were found {text}{because}"),
        None => format!("no AWS credentials were found{because}"),
    }
}

/// The profile in use, as part of a message.
#[derive(Debug, PartialEq, Eq)]
struct InUse {
    /// True if the profile, or a profile that it refers to, is in none of the files.
    missing: bool,
    text: String,
}

/// The profile that `AWS_PROFILE` names. `None` if the variable is not set.
fn in_use() -> Option<InUse> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let profile = set("AWS_PROFILE")?;
    let home = set("HOME").or_else(|| set("USERPROFILE")).map(PathBuf::from);
    let file = |variable: &str, usual: &str| {
        let given = set(variable).map(PathBuf::from);
        given.or_else(|| Some(home.as_ref()?.join(".aws").join(usual)))
    };
    let files = [file("AWS_CONFIG_FILE", "config"), file("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
    let files: Vec<PathBuf> = files.into_iter().flatten().collect();
    let texts: Vec<String> = files.iter().map(|path| read(path)).collect();
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    Some(about(&profile, &names.join(" and "), &texts))
}

fn read(path: &Path) -> String {
    fs_err::read_to_string(path).unwrap_or_default()
}

fn about(profile: &str, files: &str, texts: &[String]) -> InUse {
    let mut of = format!("profile `{profile}` (AWS_PROFILE)");
    let mut name = profile.to_owned();
    for _ in 0..LONGEST {
        let Some(source) = source_of(&name, texts) else {
            return InUse { missing: true, text: format!("for {of}: there is no such profile in {files}") };
        };
        if source.is_empty() || source == name {
            break;
        }
        of = format!("profile `{source}`, which is the source_profile of `{name}`");
        name = source;
    }
    InUse { missing: false, text: format!("for profile `{profile}` (AWS_PROFILE)") }
}

/// The name of the profile that this one takes its credentials from, or an empty text if it has its own.
/// `None` if no file has the profile.
fn source_of(profile: &str, texts: &[String]) -> Option<String> {
    let mut found: Option<String> = None;
    for text in texts {
        let mut is_in = false;
        for line in text.lines().map(str::trim) {
            if let Some(section) = line.strip_prefix('[') {
                let section = section.split(']').next().unwrap_or_default().trim();
                let name = section.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t']));
                is_in = name.unwrap_or(section).trim() == profile;
                if is_in {
                    found.get_or_insert_default();
                }
            } else if is_in
                && let Some((key, value)) = line.split_once('=')
                && key.trim() == "source_profile"
            {
                found = Some(value.trim().to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_profile_is_reported_with_the_searched_files() {
        let config =
            "[default]\nregion = eu-west-1\n[profile admin]\nsource_profile = sso\n[profile own]\nx = y\n";
        let about = |name| about(name, "the files", &[config.to_owned(), "[keys]\na = b".to_owned()]).text;
        assert_eq!(about("nope"), "for profile `nope` (AWS_PROFILE): there is no such profile in the files");
        assert_eq!(
            about("admin"),
            "for profile `sso`, which is the source_profile of `admin`: there is no such profile in the files"
        );
        assert_eq!(about("own"), "for profile `own` (AWS_PROFILE)");
        assert_eq!(about("keys"), "for profile `keys` (AWS_PROFILE)");
        assert_eq!(about("default"), "for profile `default` (AWS_PROFILE)");
    }

    #[test]
    fn profiles_that_refer_to_each_other_end_the_search() {
        let text = "[profile a]\nsource_profile = b\n[profile b]\nsource_profile = a\n".to_owned();
        assert_eq!(about("a", "it", &[text]).text, "for profile `a` (AWS_PROFILE)");
    }
}
