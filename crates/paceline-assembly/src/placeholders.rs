//! The placeholders that the CDK writes for an account or a region that is not known before the deployment.

/// Replaces every `${AWS::Partition}`, `${AWS::AccountId}` and `${AWS::Region}` in `text`.
///
/// There is one pass: inserted text is not searched again. Any other text that looks like a placeholder
/// stays.
pub fn placeholders(text: &str, partition: &str, account: &str, region: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${AWS::") {
        resolved.push_str(&rest[..start]);
        rest = &rest[start..];
        let known =
            [("${AWS::Partition}", partition), ("${AWS::AccountId}", account), ("${AWS::Region}", region)]
                .into_iter()
                .find_map(|(name, value)| Some((rest.strip_prefix(name)?, value)));
        if let Some((after, value)) = known {
            resolved.push_str(value);
            rest = after;
        } else {
            resolved.push_str("${AWS::");
            rest = &rest["${AWS::".len()..];
        }
    }
    resolved.push_str(rest);
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(placeholders(text, "aws-cn", "123456789012", "cn-north-1"), expect);
    }

    #[test]
    fn every_placeholder_is_replaced_anywhere_in_the_text() {
        check("", "");
        check("plain", "plain");
        check("${AWS::AccountId}", "123456789012");
        check("${AWS::AccountId}-${AWS::Region}", "123456789012-cn-north-1");
        check("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/r", "arn:aws-cn:iam::123456789012:role/r");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        check("${AWS::StackName}/${AWS::Region", "${AWS::StackName}/${AWS::Region");
        check("${AWS::${AWS::Region}}", "${AWS::cn-north-1}");
        check("$${Other}", "$${Other}");
    }
}
