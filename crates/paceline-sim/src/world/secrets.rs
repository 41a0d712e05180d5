//! The part of Secrets Manager that dynamic references need.

use super::{AccountRegion, World};

/// The number of characters that AWS appends to the name of a secret in its ARN: a hyphen and six more.
const SUFFIX: usize = 7;

/// Resolves a dynamic reference. `reference` is its text after the name of the service.
///
/// A secret exists once a stack has created it. Of the other secrets, all exist but those in
/// [`SimOptions::missing_secrets`](crate::SimOptions::missing_secrets).
pub(crate) fn read(world: &World, place: &AccountRegion, reference: &str) -> Result<String, String> {
    let (id, what) = parts(reference);
    let owner = match id.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, "secretsmanager", region, account, ..] => AccountRegion::new(account, region),
        _ => place.clone(),
    };
    let names = names(id);
    let made =
        world.region(&owner).is_some_and(|region| names.iter().any(|name| region.secrets.contains(*name)));
    let is_missing = names.iter().any(|name| world.options.missing_secrets.contains(*name));
    if is_missing && !made {
        let request = world.draws(&["secret", &owner.account, &owner.region, id]).uuid();
        return Err(format!(
            "Secrets Manager can't find the specified secret. (Service: AWSSecretsManager; Status Code: 400; Error Code: ResourceNotFoundException; Request ID: {request})"
        ));
    }
    let name = names.last().copied().unwrap_or(id);
    Ok(world.draws(&["secret value", &owner.account, name, what]).mixed(32))
}

/// The name or the ARN of the secret, and the rest of the reference, which selects a part of the secret.
fn parts(reference: &str) -> (&str, &str) {
    let colons = reference.match_indices(':').map(|(at, _)| at);
    // In an ARN, the name comes after the sixth colon.
    let end = if reference.starts_with("arn:") { colons.clone().nth(6) } else { colons.clone().next() };
    end.map_or((reference, ""), |end| (&reference[..end], &reference[end..]))
}

/// The names that an id may stand for: an ARN may or may not have the suffix that AWS appends.
pub(crate) fn names(id: &str) -> Vec<&str> {
    let Some(name) = id.split(':').nth(6).filter(|_| id.starts_with("arn:")) else { return vec![id] };
    let without = name.len().checked_sub(SUFFIX).and_then(|end| name.split_at_checked(end));
    let without = without.filter(|(_, suffix)| suffix.starts_with('-')).map(|(name, _)| name);
    [Some(name), without].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_can_name_its_secret_in_three_ways() {
        let arn = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/db";
        for (reference, expected) in [
            ("shop/db:SecretString:password::", vec!["shop/db"]),
            ("shop/db", vec!["shop/db"]),
            (&format!("{arn}:SecretString:password::"), vec!["shop/db"]),
            (&format!("{arn}-AbCdEf:SecretString"), vec!["shop/db-AbCdEf", "shop/db"]),
        ] {
            assert_eq!(names(parts(reference).0), expected, "{reference}");
        }
        assert_eq!(parts("shop/db:SecretString:password::").1, ":SecretString:password::");
    }
}
