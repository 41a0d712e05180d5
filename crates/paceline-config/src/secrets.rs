//! Finds secrets that somebody has written into the configuration: it is committed, and builds print it.

use paceline_yaml::{At, Kind, Node};

/// Parts of the name of a variable whose value is a secret.
const NAMES: [&str; 7] = ["password", "passwd", "secret", "token", "apikey", "privatekey", "credential"];
/// The beginnings of secrets that their issuers document, and the kind of each.
const BEGINNINGS: [(&str, &str); 8] = [
    ("AKIA", "an access key of AWS"),
    ("ASIA", "an access key of AWS"),
    ("ghp_", "a token of GitHub"),
    ("github_pat_", "a token of GitHub"),
    ("glpat-", "a token of GitLab"),
    ("xoxb-", "a token of Slack"),
    ("xoxp-", "a token of Slack"),
    ("-----BEGIN ", "a private key"),
];
/// The fewest characters after such a beginning.
const SHORTEST: usize = 16;

/// A secret in the configuration. Its value is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenSecret {
    /// Where it stands.
    pub at: At,
    /// What it is: `a token of GitHub`, or `the value of DB_PASSWORD`.
    pub what: String,
}

/// The secrets in a text that is a configuration. There are none in a text that is no YAML.
pub fn written_secrets(text: &str) -> Vec<WrittenSecret> {
    let mut found = Vec::new();
    if let Ok(root) = paceline_yaml::parse(text) {
        collect(&root, None, &mut found);
    }
    found
}

fn collect(node: &Node, key: Option<&str>, found: &mut Vec<WrittenSecret>) {
    match &node.kind {
        Kind::Map(entries) => entries.iter().for_each(|(key, value)| collect(value, Some(&key.text), found)),
        Kind::List(items) => items.iter().for_each(|item| collect(item, key, found)),
        Kind::Scalar { text, .. } => {
            let what = known(text).map(str::to_owned).or_else(|| {
                let key = key.filter(|key| names_secret(key) && is_literal(text))?;
                Some(format!("the value of {key}"))
            });
            found.extend(what.map(|what| WrittenSecret { at: node.at, what }));
        }
    }
}

/// The kind of a secret that shows what it is.
fn known(text: &str) -> Option<&'static str> {
    let is_it = |beginning: &str| {
        text.match_indices(beginning).any(|(at, _)| {
            // Not in the middle of a longer word.
            let before = text[..at].chars().next_back();
            let rest = &text[at + beginning.len()..];
            let length = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "_- ".contains(*c)).count();
            before.is_none_or(|c| !c.is_ascii_alphanumeric()) && length >= SHORTEST
        })
    };
    BEGINNINGS.iter().find(|(beginning, _)| is_it(beginning)).map(|(_, what)| *what)
}

fn names_secret(key: &str) -> bool {
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    // The address of a secret is none: DB_SECRET_ARN, TOKEN_NAME.
    let is_address = ["arn", "name", "id", "path", "parameter", "url"].iter().any(|end| plain.ends_with(end));
    !is_address && NAMES.iter().any(|name| plain.contains(name))
}

/// Whether a value is the secret itself: no variable, no reference, no path of a parameter, no switch.
fn is_literal(text: &str) -> bool {
    let is_reference = ["$", "{{", "arn:", "/", "ssm:"].iter().any(|start| text.starts_with(start));
    !is_reference && !matches!(text, "" | "true" | "false" | "yes" | "no" | "null" | "~")
}
