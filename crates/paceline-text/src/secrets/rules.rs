//! Secrets that are recognised by what stands around them: logins and parameters of URLs, and values after a name.

use std::ops::Range;

use super::{HIDDEN, is_literal, is_secret_name};

/// A secret in a text.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) secret: Range<usize>,
    /// The secret with what it is recognised by.
    pub(super) whole: Range<usize>,
}

/// The step of a search: what it finds, and where the search goes on.
struct Step {
    found: Option<Found>,
    next: usize,
}

/// Every secret that a rule finds.
pub(super) fn all(text: &str) -> Vec<Found> {
    let mut all = Vec::new();
    for find in [login, in_query, assigned] {
        let mut at = 0;
        while let Some(Step { found, next }) = find(text, at) {
            all.extend(found);
            at = next;
        }
    }
    all
}

/// The login of a URL: `https://user:secret@host`, `https://token@host`.
fn login(text: &str, from: usize) -> Option<Step> {
    let start = from + text.get(from..)?.find("://")? + 3;
    let rest = &text[start..];
    let end = rest.find(|c: char| c.is_whitespace() || "/?#\"'`<>\\".contains(c)).unwrap_or(rest.len());
    let login = rest[..end].rfind('@');
    Some(match login.map(|at| &rest[..at]) {
        // The name of a user is no secret, but a token may stand alone.
        Some(login) => {
            let secret = login.find(':').map_or(0, |colon| colon + 1);
            let is_user = secret == 0 && matches!(login, "git" | "ssh" | "user" | "AWS");
            let range = start + secret..start + login.len();
            let is_secret = !is_user && !range.is_empty() && text[range.clone()] != *HIDDEN;
            let whole = start - 3..start + end;
            Step { found: is_secret.then_some(Found { secret: range, whole }), next: start + end }
        }
        None => Step { found: None, next: start },
    })
}

/// The value of a secret parameter in a URL: `?X-Amz-Signature=…`, `&access_token=…`.
fn in_query(text: &str, from: usize) -> Option<Step> {
    let start = from + text.get(from..)?.find(['?', '&'])? + 1;
    let rest = &text[start..];
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
    let name = rest[..end].to_ascii_lowercase();
    let is_secret = is_secret_name(&name)
        || ["x-amz-signature", "x-amz-security-token", "x-amz-credential", "signature", "sig", "code"]
            .contains(&name.as_str());
    if !is_secret || !rest[end..].starts_with('=') {
        return Some(Step { found: None, next: start });
    }
    let value = start + end + 1;
    let is_end = |c: char| c.is_whitespace() || "&#\"'`<>)\\".contains(c);
    let length = text[value..].find(is_end).unwrap_or(text.len() - value);
    let range = value..value + length;
    let is_secret = length > 0 && text[range.clone()] != *HIDDEN;
    let whole = start - 1..range.end;
    Some(Step { found: is_secret.then_some(Found { secret: range, whole }), next: value + length })
}

/// The value after a name in capitals that says it is secret: `API_TOKEN=…`, `"AWS_SECRET_ACCESS_KEY": "…"`.
fn assigned(text: &str, from: usize) -> Option<Step> {
    let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let start = from + text.get(from..)?.find(|c: char| c.is_ascii_uppercase())?;
    let length = text[start..].find(|c: char| !is_upper(c)).unwrap_or(text.len() - start);
    let end = start + length;
    let nothing = Some(Step { found: None, next: end });
    if !is_secret_name(&text[start..end]) {
        return nothing;
    }
    let rest = text[end..].trim_start_matches(['"', '\'', '\\', ' ']);
    let Some(rest) = rest.strip_prefix(['=', ':']) else { return nothing };
    let rest = rest.trim_start_matches(['"', '\'', '\\', ' ']);
    let value = text.len() - rest.len();
    let is_end = |c: char| c.is_whitespace() || "\"'`,;)}\\".contains(c);
    let length = rest.find(is_end).unwrap_or(rest.len());
    let secret = value..value + length;
    let whole = start..secret.end;
    let found = is_literal(&rest[..length]).then_some(Found { secret, whole });
    Some(Step { found, next: value + length })
}
