//! Accounts and roles, and the time until a role can be used.

use std::time::Duration;

use paceline_sim::{Bootstrap, Durations, Faults, Operation, Sessions, SimOptions};
use serde_json::json;

use crate::support::{Aws, REGION, field, signed};

fn role(name: &str) -> serde_json::Value {
    json!({"Type": "AWS::IAM::Role", "Properties": {
        "RoleName": name, "AssumeRolePolicyDocument": {"Statement": []}, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/P"]}})
}

#[test]
fn a_new_role_becomes_visible_after_a_while() {
    // This is longer than the creation of the stack takes.
    let lag = Duration::from_secs(20)..=Duration::from_secs(20);
    let aws = Aws::new(SimOptions { iam_lag: lag, throttling: false, ..SimOptions::default() });
    aws.create("S", &json!({"Resources": {"R": role("r")}}));
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE");
    let read = || aws.query_in(REGION, "iam", "GetRole", &[("RoleName", "r")]);
    assert_eq!((read().0, field(&read().1, "Code").as_str()), (404, "NoSuchEntity"));
    aws.pass(Duration::from_secs(20));
    assert_eq!(field(&read().1, "Arn"), "arn:aws:iam::111111111111:role/r");
    let attached = aws.query_in(REGION, "iam", "ListAttachedRolePolicies", &[("RoleName", "r")]).1;
    assert_eq!(field(&attached, "PolicyArn"), "arn:aws:iam::aws:policy/P");
    aws.sim.set_faults(Faults { iam_flaps: 1.0, ..Faults::default() });
    assert_eq!((read().0, read().0), (404, 200), "with flaps on, it is gone once more");
}

#[test]
fn role_names_are_unique_in_an_account() {
    let aws = Aws::calm();
    let template = json!({"Resources": {"R": role("same")}}).to_string();
    let request = [
        ("StackName", "S"),
        ("TemplateBody", template.as_str()),
        ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
    ];
    aws.cfn("CreateStack", &request);
    aws.settle("S");
    assert_eq!(aws.query_in("eu-west-1", "cloudformation", "CreateStack", &request).0, 200);
    aws.settle("S");
    let mut statuses: Vec<String> =
        aws.sim.stacks().into_iter().map(|stack| stack.region + " " + &stack.status).collect();
    statuses.sort();
    assert_eq!(statuses, ["eu-west-1 ROLLBACK_COMPLETE", "us-east-1 CREATE_COMPLETE"]);
    aws.pass(Duration::from_secs(10));
    assert_eq!(
        aws.query_in(REGION, "iam", "GetRole", &[("RoleName", "same")]).0,
        200,
        "the first one is untouched"
    );
}

#[test]
fn a_resource_fails_if_the_role_of_another_stack_is_too_new() {
    let function = |role: &str| {
        json!({"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {
        "Role": format!("arn:aws:iam::111111111111:role/{role}"), "Code": {"ZipFile": "x"}}}}})
    };
    let options = SimOptions {
        iam_lag: Duration::from_mins(1)..=Duration::from_mins(1),
        throttling: false,
        durations: Durations::typical().with("AWS::IAM::Role", Operation::Create, Duration::from_secs(1)),
        faults: Faults { unpropagated_roles_fail: true, ..Faults::default() },
        ..SimOptions::default()
    };
    let aws = Aws::new(options);
    aws.create("Roles", &json!({"Resources": {"R": role("r")}}));
    aws.settle("Roles");
    aws.create("Early", &function("r"));
    assert_eq!(aws.settle("Early"), "ROLLBACK_COMPLETE");
    let events = aws.events("Early");
    assert!(
        events
            .iter()
            .any(|event| event.contains("The role defined for the function cannot be assumed by Lambda."))
    );
    aws.pass(Duration::from_mins(1));
    aws.create("Late", &function("r"));
    assert_eq!(aws.settle("Late"), "CREATE_COMPLETE");
}

#[test]
fn an_assumed_role_acts_in_its_account_for_an_hour() {
    let mut options = SimOptions { throttling: false, sessions: Sessions::Ending, ..SimOptions::default() };
    options.environments.insert(("333333333333".into(), REGION.into()), Bootstrap::Missing);
    let aws = Aws::new(options);
    let assume = |account: &str| {
        let arn = format!("arn:aws:iam::{account}:role/cdk-hnb659fds-deploy-role-{account}-us-east-1");
        aws.query_in(REGION, "sts", "AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "session")])
    };
    let (status, body) = assume("333333333333");
    assert_eq!((status, field(&body, "Code").as_str()), (403, "AccessDenied"));
    assert!(
        field(&body, "Message")
            .contains("is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::333333333333")
    );
    let session = assume("222222222222").1;
    let (key, token) = (field(&session, "AccessKeyId"), field(&session, "SessionToken"));
    assert_eq!(key.len(), 20);
    let identity = || {
        let request =
            signed("sts", REGION, &key).header("x-amz-security-token", &token).method("POST").uri("/");
        let response = aws.send(request.body("Action=GetCallerIdentity".into()).unwrap());
        String::from_utf8_lossy(response.body()).into_owned()
    };
    assert_eq!(field(&identity(), "Account"), "222222222222");
    aws.pass(Duration::from_mins(59));
    assert_eq!(field(&identity(), "Account"), "222222222222");
    aws.pass(Duration::from_mins(1));
    assert_eq!(field(&identity(), "Code"), "ExpiredToken");
}
