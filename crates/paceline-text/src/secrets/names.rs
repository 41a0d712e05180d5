//! Names of variables that say that their values are secret.

/// Ends of names whose values refer to a secret or describe it.
const ABOUT: &[&str] = &[
    "_ARN",
    "_NAME",
    "_ID",
    "_PATH",
    "_FILE",
    "_URL",
    "_URI",
    "_PARAM",
    "_PARAMETER",
    "_REGION",
    "_TTL",
    "_LENGTH",
    "_VERSION",
    "_BUCKET",
    "_ENDPOINT",
    "_HOST",
    "_USER",
    "_USERNAME",
    "_PREFIX",
    "_ALIAS",
    "_ENABLED",
    "_EXPIRY",
    "_TYPE",
    "_KMS_KEY",
    "_DIR",
    "_POLICY",
    "_ISSUER",
    "_AUDIENCE",
    "_COUNT",
    "_LIMIT",
    "_BUDGET",
];

/// Whether the name of a variable suggests that its value is secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    if ABOUT.iter().any(|end| name.ends_with(end)) || name.starts_with("PUBLIC_") {
        return false;
    }
    let words: Vec<&str> = name.split('_').collect();
    let has = |word: &str| words.contains(&word);
    let pair = |one: &str, other: &str| words.windows(2).any(|pair| pair == [one, other]);
    ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "PWD", "APIKEY", "CREDENTIALS"]
        .into_iter()
        .any(has)
        && name != "PWD"
        && name != "OLDPWD"
        || pair("API", "KEY")
        || pair("ACCESS", "KEY")
        || pair("PRIVATE", "KEY")
        || pair("SIGNING", "KEY")
        || pair("ENCRYPTION", "KEY")
}
