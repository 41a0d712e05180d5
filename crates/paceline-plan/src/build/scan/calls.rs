//! Calls of `AwsCustomResource` that read or write Parameter Store, or read secrets.

use paceline_assembly::Text;
use serde_json::Value;

use super::uses::At;
use crate::model::Reason;

/// A secret, a parameter, or all parameters below a path, that a call reads or writes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub(super) reason: Reason,
    pub(super) name: Text,
    pub(super) at: At,
    pub(super) below: bool,
    pub(super) writes: bool,
}

/// What the call with this JSON reads or writes; nothing if it is another kind of call, or no JSON.
///
/// The service is named as in version 2 of the SDK for JavaScript (`SSM`) or as in version 3
/// (`@aws-sdk/client-ssm`), and so is the action (`getParameter`, `GetParameterCommand`).
pub(super) fn of(text: &Text) -> Vec<Call> {
    let Ok(call) = serde_json::from_str::<Value>(text.raw()) else { return Vec::new() };
    let word = |key: &str| call[key].as_str().unwrap_or_default().to_ascii_lowercase();
    let service = word("service");
    let reason = match service.trim_start_matches("@aws-sdk/").trim_start_matches("client-") {
        "ssm" => Reason::Ssm,
        "secretsmanager" | "secrets-manager" => Reason::Secret,
        _ => return Vec::new(),
    };
    let at = At {
        // A role of another account reads that account's parameters.
        account: call["assumedRoleArn"].as_str().map(|arn| account_of(&Text::from_raw(arn))),
        region: call["region"].as_str().map(Text::from_raw),
    };
    let parameters = &call["parameters"];
    let action = word("action");
    let (name, below, writes) = match (reason, action.trim_end_matches("command")) {
        (Reason::Ssm, "getparameter") => ("Name", false, false),
        (Reason::Ssm, "getparameters") => ("Names", false, false),
        (Reason::Ssm, "getparametersbypath") => ("Path", true, false),
        (Reason::Ssm, "putparameter") => ("Name", false, true),
        (Reason::Secret, "getsecretvalue" | "describesecret") => ("SecretId", false, false),
        _ => return Vec::new(),
    };
    let names = match &parameters[name] {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let names = names.into_iter().map(Text::from_raw);
    names.map(|name| Call { reason, name, at: at.clone(), below, writes }).collect()
}

/// The account that an ARN names.
pub(super) fn account_of(arn: &Text) -> Text {
    arn.raw().split(':').nth(4).map_or_else(Text::unknown, Text::from_raw)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(call: &Value, expected: &[&str]) {
        let shown: Vec<String> = of(&Text::from_raw(&call.to_string()))
            .iter()
            .map(|call| {
                let at = [&call.at.account, &call.at.region].map(|at| at.as_ref().map_or("own", Text::raw));
                let what = if call.writes { "writes" } else { "reads" };
                let below = if call.below { "/*" } else { "" };
                format!("{what} {}{below} at {}/{}", call.name.shown(), at[0], at[1])
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn both_versions_of_the_sdk_are_understood() {
        for (service, action) in
            [("SSM", "getParameter"), ("@aws-sdk/client-ssm", "GetParameterCommand"), ("ssm", "GetParameter")]
        {
            let call = json!({ "service": service, "action": action, "parameters": { "Name": "/a" }, "region": "us-west-2" });
            check(&call, &["reads /a at own/us-west-2"]);
        }
    }

    #[test]
    fn several_parameters_and_paths_are_read() {
        let call = json!({ "service": "SSM", "action": "getParameters", "parameters": { "Names": ["/a", 1, "/b"] } });
        check(&call, &["reads /a at own/own", "reads /b at own/own"]);
        let call =
            json!({ "service": "SSM", "action": "getParametersByPath", "parameters": { "Path": "/a" } });
        check(&call, &["reads /a/* at own/own"]);
    }

    #[test]
    fn a_role_of_another_account_reads_there() {
        let role = "arn:aws:iam::222222222222:role/reader";
        let call = json!({ "service": "SSM", "action": "getParameter", "parameters": { "Name": "/a" }, "assumedRoleArn": role });
        check(&call, &["reads /a at 222222222222/own"]);
    }

    #[test]
    fn a_secret_is_read_by_either_version() {
        for (service, action) in [
            ("SecretsManager", "getSecretValue"),
            ("@aws-sdk/client-secrets-manager", "GetSecretValueCommand"),
        ] {
            let call =
                json!({ "service": service, "action": action, "parameters": { "SecretId": "shop/db" } });
            check(&call, &["reads shop/db at own/own"]);
        }
        check(
            &json!({ "service": "SSM", "action": "getSecretValue", "parameters": { "SecretId": "x" } }),
            &[],
        );
    }

    #[test]
    fn other_calls_and_texts_are_passed_over() {
        check(&json!({ "service": "EC2", "action": "getParameter", "parameters": { "Name": "/a" } }), &[]);
        check(&json!({ "service": "SSM", "action": "deleteParameter", "parameters": { "Name": "/a" } }), &[]);
        check(&json!({ "service": "SSM", "action": "getParameter" }), &[]);
        check(&json!("text"), &[]);
        assert_eq!(of(&Text::from_raw("{")), []);
    }
}
