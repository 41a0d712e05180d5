//! Secrets in Secrets Manager, named in a dynamic reference by their names or their ARNs.

use paceline_assembly::Text;

use super::uses::At;

/// What Secrets Manager puts behind the name in an ARN: a hyphen and six letters or digits.
const SUFFIX: usize = 7;

/// The secrets that the dynamic references in a text name.
///
/// One of which nothing is known is left out: its ARN comes from somewhere that is itself a dependency, such as an
/// import, or is that of a secret of the stack itself.
pub(super) fn of(text: &str) -> Vec<(Text, At)> {
    let references = text.split("{{resolve:secretsmanager:").skip(1);
    let ids = references.filter_map(|reference| Some(id(reference.split_once("}}")?.0)));
    ids.filter_map(named).collect()
}

/// The secret in `ID:SecretString:KEY:STAGE:VERSION`, of which all but the first may be left out.
fn id(reference: &str) -> &str {
    if let Some((id, _)) =
        reference.split_once(":SecretString").or_else(|| reference.split_once(":SecretBinary"))
    {
        return id;
    }
    let parts = if reference.starts_with("arn:") { 7 } else { 1 };
    let end = reference.match_indices(':').nth(parts - 1).map_or(reference.len(), |(at, _)| at);
    &reference[..end]
}

/// The name of a secret, given by itself or in an ARN, and where it is.
pub(in crate::build) fn named(id: &str) -> Option<(Text, At)> {
    let (name, at) = match id.splitn(7, ':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "secretsmanager", region, account, "secret", name] => {
            let [region, account] = [region, account].map(|part| Text::from_raw(part));
            (*name, At { account: Some(account), region: Some(region) })
        }
        _ => (id, At::default()),
    };
    let says_something = name.chars().any(|c| c.is_ascii_alphanumeric());
    // A part of an ARN that is not known may be all of it.
    let is_name = says_something && !id.starts_with(paceline_assembly::UNKNOWN);
    is_name.then(|| (Text::from_raw(name), at))
}

/// The name in what may be the end of an ARN.
pub(in crate::build) fn without_suffix(name: &str) -> Option<&str> {
    let (start, suffix) = name.split_at_checked(name.len().checked_sub(SUFFIX)?)?;
    let random = suffix.strip_prefix('-')?;
    (!start.is_empty() && random.chars().all(|c| c.is_ascii_alphanumeric())).then_some(start)
}

#[cfg(test)]
mod tests {
    use paceline_assembly::UNKNOWN;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let shown = of(&text.replace('…', &UNKNOWN.to_string())).into_iter().map(|(name, at)| {
            let [account, region] =
                [at.account, at.region].map(|at| at.map_or("own".to_owned(), |it| it.shown()));
            format!("{} at {account}/{region}", name.shown())
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn a_secret_is_named_in_every_form_of_the_reference() {
        check("{{resolve:secretsmanager:shop/db}}", &["shop/db at own/own"]);
        check("a {{resolve:secretsmanager:shop/db:SecretString:password::}} b", &["shop/db at own/own"]);
        check("{{resolve:secretsmanager:shop/db:SecretString:password:AWSCURRENT}}", &["shop/db at own/own"]);
        check(
            "{{resolve:secretsmanager:a}}{{resolve:secretsmanager:b:::}}",
            &["a at own/own", "b at own/own"],
        );
        let arn = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/db";
        for end in ["", ":SecretString:password::", ":SecretString"] {
            check(
                &format!("{{{{resolve:secretsmanager:{arn}{end}}}}}"),
                &["shop/db at 111111111111/eu-west-1"],
            );
        }
        check("{{resolve:secretsmanager:arn:…:secretsmanager:…:…:secret:shop/db}}", &["shop/db at …/…"]);
        check("{{resolve:secretsmanager:shop/…:SecretString:a}}", &["shop/… at own/own"]);
    }

    #[test]
    fn what_is_known_from_elsewhere_or_cut_short_is_none() {
        check("{{resolve:secretsmanager:…:SecretString:password::}}", &[]);
        check("{{resolve:secretsmanager:…-x:SecretString:password::}}", &[]);
        check("{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:111111111111:secret:…}}", &[]);
        check("{{resolve:secretsmanager:shop/db", &[]);
        check("{{resolve:secretsmanager:}}", &[]);
        check("secretsmanager", &[]);
    }

    #[test]
    fn the_end_of_an_arn_is_told_from_a_name() {
        assert_eq!(without_suffix("shop/db-a1B2c3"), Some("shop/db"));
        for name in ["shop/db", "shop/db-a1B2c", "shop/db-a1B2c3d", "-a1B2c3", "db-é1B2c", ""] {
            assert_eq!(without_suffix(name), None, "{name}");
        }
    }
}
