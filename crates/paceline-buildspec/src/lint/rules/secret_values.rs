//! Recognises secrets by the names of their variables, and by their own form.

pub(super) use paceline_text::secrets::is_secret_name;

/// Whether a name is that of an AWS key. The values of such keys have no recognisable form.
pub(super) fn is_aws_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    ["SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Whether a value is literal, and neither empty nor a reference.
pub(super) fn is_literal(value: &str) -> bool {
    let value = value.trim();
    !value.is_empty() && !value.contains(['$', '<', '{']) && !value.starts_with("arn:")
}

/// Whether a value can be a secret: it is not empty, a reference, a path, a number or a word of
/// configuration.
pub(super) fn may_be_secret(value: &str) -> bool {
    let value = value.trim();
    let placeholder =
        ["<", "{{", "[", "$", "/", "./", "arn:", "https://", "http://", "s3://", "file:", "ssm:"];
    let lower = value.to_ascii_lowercase();
    value.len() >= 4
        && !value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !placeholder.iter().any(|start| value.starts_with(start))
        && !value.contains(['/', '$', ' '])
        && ![
            "true",
            "false",
            "none",
            "null",
            "yes",
            "dummy",
            "test",
            "unused",
            "disabled",
            "enabled",
            "plaintext",
        ]
        .contains(&lower.as_str())
        && ![
            "changeme",
            "change-me",
            "change_me",
            "replace",
            "example",
            "your-",
            "your_",
            "placeholder",
            "xxxx",
            "****",
            "todo",
            "fake",
        ]
        .iter()
        .any(|word| lower.contains(word))
}

/// The place and the kind of a secret that is recognisable by its form.
pub(super) fn secret_by_form(text: &str) -> Option<(std::ops::Range<usize>, &'static str)> {
    for (start, word) in words(text) {
        let span = start..start + word.len();
        if let Some(what) = form(word) {
            return Some((span, what));
        }
    }
    let at = text.find("-----BEGIN ")?;
    let line = text[at..].split('\n').next().unwrap_or_default();
    line.contains("PRIVATE KEY").then(|| (at..at + line.trim_end().len(), "a private key"))
}

/// Sequences of the characters that keys consist of.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_part)?;
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
        at = end;
        Some((start, &text[start..end]))
    })
}

fn form(word: &str) -> Option<&'static str> {
    let rest = |prefix: &str| word.strip_prefix(prefix);
    let all = |text: &str, is_it: fn(u8) -> bool| text.bytes().all(is_it);
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let alphanumeric = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    // Many keys in the documentation of AWS end like this.
    if word.to_ascii_uppercase().ends_with("EXAMPLE") {
        return None;
    }
    if let Some(id) = rest("AKIA").or_else(|| rest("ASIA"))
        && id.len() == 16
        && all(id, upper)
    {
        return Some("an AWS access key id");
    }
    for (prefix, length, what) in [
        ("ghp_", 36, "a GitHub token"),
        ("gho_", 36, "a GitHub token"),
        ("ghs_", 36, "a GitHub token"),
        ("github_pat_", 40, "a GitHub token"),
        ("glpat-", 20, "a GitLab token"),
        ("npm_", 36, "an npm token"),
        ("sk_live_", 20, "a Stripe key"),
        ("xoxb-", 20, "a Slack token"),
        ("xoxp-", 20, "a Slack token"),
        ("AIza", 35, "a Google API key"),
    ] {
        if let Some(id) = rest(prefix)
            && id.len() >= length
            && id.bytes().all(|byte| alphanumeric(byte) || byte == b'-')
            && id.bytes().any(|byte| byte.is_ascii_digit())
        {
            return Some(what);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_recognised_but_not_names_about_secrets() {
        for name in [
            "DB_PASSWORD",
            "API_KEY",
            "npm-token",
            "STRIPE_SECRET",
            "AWS_SECRET_ACCESS_KEY",
            "RDS_PWD",
            "JWT_SIGNING_KEY",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "SECRET_ARN",
            "TOKEN_URL",
            "PASSWORD_LENGTH",
            "KEY",
            "CACHE_KEY",
            "PWD",
            "TOKENIZER",
            "KMS_KEY_ID",
            "API_KEY_NAME",
            "AWS_ACCESS_KEY_ID",
            "SECRETS",
            "PUBLIC_API_KEY",
            "TOKEN_TTL",
            "COMPASS",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn references_and_placeholders_are_not_secrets() {
        for value in ["hunter2!", "Tr0ub4dor&3", "aGVsbG8gd29ybGQ"] {
            assert!(may_be_secret(value), "{value}");
        }
        for value in [
            "",
            "true",
            "1234567",
            "/prod/db/password",
            "$OTHER",
            "<token>",
            "changeme",
            "arn:aws:x",
            "your-key",
            "{{resolve}}",
        ] {
            assert!(!may_be_secret(value), "{value}");
        }
    }

    #[test]
    fn keys_are_recognised_by_their_form() {
        let found = |text: &str| secret_by_form(text).map(|(span, what)| (text[span].to_owned(), what));
        let key = format!("AKIA{}", "Q3EGRZ7LMN4PX2VT");
        assert_eq!(found(&format!("export K={key};")), Some((key, "an AWS access key id")));
        let token = format!("ghp_{}", "a1B2".repeat(9));
        assert_eq!(found(&format!("https://x:{token}@github.com")), Some((token, "a GitHub token")));
        assert_eq!(
            found("x -----BEGIN RSA PRIVATE KEY-----\nabc"),
            Some(("-----BEGIN RSA PRIVATE KEY-----".into(), "a private key"))
        );
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "AKIA",
            "ghp_short",
            "npm_config_registry",
            "-----BEGIN CERTIFICATE-----",
            "xoxb-",
            "",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
