//! Credentials that end before the build does.

use crate::grammar::Document;
use crate::lint::rule::{Checker, rule};
use crate::shell::Call;
use crate::shell::programs::cdk;

rule!(SHORT, "PL412", Warning, "credentials that end before the build", short);

/// The longest session of a role that a role has assumed (IAM User Guide, "Roles terms and concepts", role chaining). A
/// build has the credentials of a role.
const LONGEST_SECONDS: u64 = 3600;

const PROFILE: &str = "write a profile with `role_arn` and `credential_source = EcsContainer`, and deploy with `--profile`: its \
                       credentials are renewed";

fn short(document: &Document<'_>, checker: &mut Checker<'_>) {
    let timeout = checker.project().and_then(|project| project.timeout_minutes);
    let is_long = timeout.is_some_and(|minutes| minutes.saturating_mul(60) > LONGEST_SECONDS);
    let calls: Vec<_> = document.calls().collect();
    let last_deployment = calls.iter().rposition(|(_, call)| deploys(call));
    for (at, (item, call)) in calls.iter().enumerate() {
        let is_before_deployment = last_deployment.is_some_and(|last| last > at);
        if let Some(seconds) = asked_seconds(call).filter(|seconds| *seconds > LONGEST_SECONDS) {
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding.message(format!(
                "AWS refuses this: a role that another role assumes is for {LONGEST_SECONDS} seconds at most, and \
                 {seconds} are asked for"
            ));
            finding.hint(if is_assume_role(call) {
                PROFILE.to_owned()
            } else {
                "remove `duration_seconds`: the credentials of a profile are renewed".to_owned()
            });
        } else if is_long && is_before_deployment && is_assume_role(call) {
            let minutes = timeout.unwrap_or_default();
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding.message(format!(
                "these credentials are for one hour at most, and the build may take {minutes} minutes"
            ));
            finding.hint(format!("{PROFILE}; or deploy without it, with the roles of the CDK's bootstrap"));
        }
    }
}

/// The seconds that a call asks for when it assumes a role, or when it sets the length of the session in a profile.
fn asked_seconds(call: &Call<'_>) -> Option<u64> {
    let words: Vec<&str> = call.arguments().iter().map(String::as_str).collect();
    if is_assume_role(call) {
        let joined = words.iter().find_map(|word| word.strip_prefix("--duration-seconds="));
        let after = || words.windows(2).find(|pair| pair[0] == "--duration-seconds").map(|pair| pair[1]);
        return joined.or_else(after)?.parse().ok();
    }
    let set =
        words.windows(2).find(|pair| pair[0].ends_with(".duration_seconds") || pair[0] == "duration_seconds");
    let is_set = call.program() == "aws" && words.contains(&"configure") && words.contains(&"set");
    set.filter(|_| is_set)?[1].parse().ok()
}

fn is_assume_role(call: &Call<'_>) -> bool {
    let words = call.arguments();
    call.program() == "aws" && words.windows(2).any(|pair| pair[0] == "sts" && pair[1] == "assume-role")
}

fn deploys(call: &Call<'_>) -> bool {
    let changes = ["deploy", "destroy"];
    let of_cdk = cdk::read(call.texts()).is_some_and(|cdk| changes.contains(&cdk.command.as_str()));
    let of_paceline =
        call.program() == "paceline" && call.arguments().iter().any(|it| changes.contains(&it.as_str()));
    of_cdk || of_paceline
}
