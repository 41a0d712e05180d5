//! Names for apps and folders.

/// Names of folders that many apps use, and that do not identify an app.
const GENERIC: &[&str] =
    &["cdk", "infra", "infrastructure", "iac", "deploy", "deployment", "src", "app", "packages"];

/// The name of an app in a folder: the innermost part of the path that identifies the app.
pub(super) fn of_app(dir: &str) -> String {
    let parts: Vec<&str> =
        dir.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..").collect();
    let own = parts.iter().rev().find(|part| !GENERIC.contains(&part.to_ascii_lowercase().as_str()));
    let name = own.or(parts.last()).map_or("app", |part| part);
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(keep).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "app".to_owned() } else { name.to_owned() }
}

/// The folder after `cd`, relative to the root as far as that is known. An absolute path stays absolute.
pub(super) fn joined(dir: &str, to: &str) -> String {
    if to.starts_with('/') || to.starts_with('~') || to.starts_with('$') {
        return to.to_owned();
    }
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    let is_absolute = dir.starts_with('/');
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != ".." && !last.starts_with(['$', '~'])) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if is_absolute { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_named_after_the_folder_that_identifies_it() {
        for (dir, name) in [
            ("supporting-services/vscode-server", "vscode-server"),
            ("PetAdoptions/cdk/pet_stack", "pet_stack"),
            ("intro-experiment/cdk", "intro-experiment"),
            ("cdk", "cdk"),
            ("", "app"),
            ("../..", "app"),
            ("my app", "my-app"),
        ] {
            assert_eq!(of_app(dir), name);
        }
    }

    #[test]
    fn changes_of_the_folder_are_followed() {
        for (dir, to, joined_dir) in [
            ("", "a/b", "a/b"),
            ("a/b", "..", "a"),
            ("a", "../../b", "../b"),
            ("a", "/tmp", "/tmp"),
            ("/tmp", "x", "/tmp/x"),
            ("a", "./b/", "a/b"),
            ("$X/a", "..", "$X"),
            ("$X", "..", "$X/.."),
        ] {
            assert_eq!(joined(dir, to), joined_dir, "{dir} {to}");
        }
    }
}
