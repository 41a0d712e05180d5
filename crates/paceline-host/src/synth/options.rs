//! Adds options to the calls of `cdk synth` in a script.

/// Adds options to each call of `cdk synth` in a script, also to calls through a script of `package.json`. If
/// the script calls the CDK in another way, the options go to the end of the script. A script that does not
/// call it stays unchanged.
///
/// `package_script` returns the text of a script of `package.json`.
pub(super) fn with_options(
    script: &str,
    options: &str,
    package_script: impl Fn(&str) -> Option<String>,
) -> String {
    if options.is_empty() {
        return script.to_owned();
    }
    let calls_synth = |name: &str| package_script(name).is_some_and(|text| ends_with_synth(&text));
    let (mut out, mut rest, mut before, mut calls_cdk) = (String::new(), script, Before::Other, false);
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        let end = rest[start..].find(char::is_whitespace).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        let bare = word.trim_end_matches([')', ';']);
        let (mut at, mut given) = (end, String::new());
        match before {
            Before::Cdk if is_synth(bare) => (at, given) = (start + bare.len(), options.to_owned()),
            Before::Manager(manager) if calls_synth(bare) => {
                at = start + bare.len();
                // npm takes options for itself, unless they come after `--`.
                given = match rest[end..].strip_prefix(" --").filter(|rest| rest.starts_with(' ')) {
                    Some(_) if manager == "npm" => {
                        at = end + " --".len();
                        options.to_owned()
                    }
                    None if manager == "npm" => format!(" --{options}"),
                    _ => options.to_owned(),
                };
            }
            _ => {}
        }
        out.push_str(&rest[..at]);
        out.push_str(&given);
        before = before.then(word, at > end);
        calls_cdk |= before == Before::Cdk;
        out.push_str(rest.get(at..end).unwrap_or_default());
        rest = &rest[at.max(end)..];
    }
    out.push_str(rest);
    let was_given = out.len() > script.len();
    if calls_cdk && !was_given { format!("{}{options}", script.trim_end()) } else { out }
}

/// The program that the previous words call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The CDK's command line.
    Cdk,
    /// A package manager that runs the script which comes next.
    Manager(&'static str),
    Other,
}

impl Before {
    /// The program that is called when this word is added.
    fn then(self, word: &str, is_over: bool) -> Self {
        let name = name(word);
        match self {
            _ if is_over => Self::Other,
            _ if is_cdk(name) => Self::Cdk,
            // This word is between the manager and the script.
            Self::Manager(_) if word == "run" || word == "run-script" || word.starts_with('-') => self,
            _ => {
                ["npm", "pnpm", "yarn"].into_iter().find(|it| *it == name).map_or(Self::Other, Self::Manager)
            }
        }
    }
}

/// Returns whether the last command of a script is `cdk synth`. Package managers give options to the last
/// command.
fn ends_with_synth(script: &str) -> bool {
    let last = script.rsplit(['&', '|', ';']).next().unwrap_or_default();
    let mut words = last.split_whitespace().skip_while(|word| !is_cdk(name(word)));
    words.next().is_some() && words.next().is_some_and(is_synth)
}

fn name(word: &str) -> &str {
    word.trim_start_matches('(').rsplit('/').next().unwrap_or_default()
}

fn is_cdk(name: &str) -> bool {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    name == "cdk" || name == "aws-cdk"
}

fn is_synth(word: &str) -> bool {
    matches!(word, "synth" | "synthesize")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, with: &str) {
        let package_script = |name: &str| match name {
            "synth" => Some("tsc && npx cdk synth --quiet".to_owned()),
            "other" => Some("cdk synth && echo done".to_owned()),
            _ => None,
        };
        assert_eq!(with_options(script, " --context a=b", package_script), with);
    }

    #[test]
    fn context_is_given_to_each_call_of_the_cdk() {
        check("npx cdk synth --quiet", "npx cdk synth --context a=b --quiet");
        check("(cd app && npx --yes cdk@2 synth)", "(cd app && npx --yes cdk@2 synth --context a=b)");
        check("npx --yes aws-cdk@2 synth", "npx --yes aws-cdk@2 synth --context a=b");
        check("(npm ci\n  cdk synthesize;\n)\n", "(npm ci\n  cdk synthesize --context a=b;\n)\n");
        check("cdk synth && cdk synth -q", "cdk synth --context a=b && cdk synth --context a=b -q");
        check("node_modules/.bin/cdk ls", "node_modules/.bin/cdk ls --context a=b");
        check("sh synth.sh", "sh synth.sh");
    }

    #[test]
    fn a_package_manager_passes_the_context_on() {
        check("npm run synth", "npm run synth -- --context a=b");
        check("(cd app && npm run synth)", "(cd app && npm run synth -- --context a=b)");
        check("npm run --silent synth -- --quiet", "npm run --silent synth -- --context a=b --quiet");
        check("yarn synth && echo", "yarn synth --context a=b && echo");
        check("pnpm run synth", "pnpm run synth --context a=b");
        check("npm run other", "npm run other");
        check("npm run build", "npm run build");
    }
}
