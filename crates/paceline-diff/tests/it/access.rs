//! What policies and security groups newly allow, in sentences.

use paceline_diff::{Shown, json as json_of};
use serde_json::{Value, json};

use crate::app::{assembly, diff, resources};

/// Each sentence, with `!` before those that are broad.
fn sentences(before: Value, after: Value) -> Vec<String> {
    let of = |value| assembly(&[("S", resources(value))]);
    let diff = diff(&of(before), &of(after));
    let document: Value = serde_json::from_str(&json_of(&Shown { diff: &diff, base: "the base" })).unwrap();
    let widenings = document["stacks"][0]["widenings"].as_array().unwrap().clone();
    let sentence = |it: &Value| {
        let sign = if it["broad"] == true { "! " } else { "" };
        format!("{sign}{}", it["sentence"].as_str().unwrap())
    };
    widenings.iter().map(sentence).collect()
}

fn policy(statements: Value) -> Value {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    json!({ "P": { "Type": "AWS::IAM::Policy", "Properties": { "Roles": [{ "Ref": "Role" }], "PolicyDocument": document } } })
}

fn allow(actions: Value, on: Value) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": on })
}

#[test]
fn a_new_statement_is_told_with_who_has_it() {
    let before = policy(json!([allow(json!("s3:GetObject"), json!("arn:aws:s3:::a/*"))]));
    let on = json!({ "Fn::Join": ["", [{ "Fn::GetAtt": ["Files", "Arn"] }, "/*"]] });
    let after = policy(json!([
        allow(json!("s3:GetObject"), json!("arn:aws:s3:::a/*")),
        allow(json!(["s3:PutObject", "s3:DeleteObject"]), on),
    ]));
    assert_eq!(
        sentences(before, after),
        ["${Role} (`P`) may do s3:PutObject and s3:DeleteObject on ${Files.Arn}/*"]
    );
}

#[test]
fn wildcards_are_told_in_words() {
    let before = policy(json!([allow(json!("s3:GetObject"), json!("arn:a"))]));
    let after = policy(json!([allow(json!(["s3:GetObject", "s3:*", "*"]), json!("*"))]));
    assert_eq!(
        sentences(before, after),
        [
            "! ${Role} (`P`) may do s3:GetObject, every action of s3 (s3:*) and every action (*) on every resource (*)"
        ]
    );
}

#[test]
fn a_narrower_policy_is_not_told() {
    let before = policy(json!([allow(json!("s3:*"), json!("*"))]));
    let after = policy(json!([allow(json!(["s3:GetObject"]), json!("arn:aws:s3:::a"))]));
    assert_eq!(sentences(before, after), [""; 0]);
}

#[test]
fn everything_but_some_actions_is_broad() {
    let after = policy(json!([{ "Effect": "Allow", "NotAction": ["iam:*"], "Resource": "arn:a" }]));
    assert_eq!(sentences(json!({}), after), ["! ${Role} (`P`) may do everything but iam:* on arn:a"]);
}

#[test]
fn a_lost_denial_is_told() {
    let deny = json!([{ "Effect": "Deny", "Action": "s3:*", "Resource": "*" }]);
    assert_eq!(
        sentences(policy(deny), policy(json!([]))),
        ["! `P` no longer denies every action of s3 (s3:*) as it did"]
    );
}

#[test]
fn a_role_that_newly_has_a_policy_gains_it() {
    let of = |roles: Value| {
        let mut policy = policy(json!([allow(json!("a:b"), json!("arn:a"))]));
        policy["P"]["Properties"]["Roles"] = roles;
        policy
    };
    let after = of(json!([{ "Ref": "Role" }, { "Ref": "Other" }]));
    assert_eq!(sentences(of(json!([{ "Ref": "Role" }])), after), ["${Other} (`P`) may do a:b on arn:a"]);
}

#[test]
fn roles_tell_who_may_assume_them_and_which_policies_they_have() {
    let role = |principals: Value, policies: Value| {
        let trust = json!({ "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principals }] });
        json!({ "Role": { "Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": trust, "ManagedPolicyArns": policies } } })
    };
    let lambda = "lambda.amazonaws.com";
    let before = role(json!({ "Service": lambda }), json!(["arn:aws:iam::aws:policy/ReadOnlyAccess"]));
    let after = role(
        json!({ "Service": lambda, "AWS": ["arn:aws:iam::222222222222:root", "*"] }),
        json!(["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AdministratorAccess"]),
    );
    assert_eq!(
        sentences(before, after),
        [
            "! `Role` may be assumed by arn:aws:iam::222222222222:root and everyone (*)",
            "! `Role` has the managed policy AdministratorAccess",
        ]
    );
}

#[test]
fn policies_of_buckets_and_permissions_of_functions_name_their_principals() {
    let bucket = json!({ "B": { "Type": "AWS::S3::BucketPolicy", "Properties": { "Bucket": "a", "PolicyDocument": {
        "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "Principal": "*", "Resource": "arn:aws:s3:::a/*" }] } } } });
    assert_eq!(
        sentences(json!({}), bucket),
        ["! everyone (*) (`B`) may do s3:GetObject on arn:aws:s3:::a/*"]
    );
    let permission = json!({ "P": { "Type": "AWS::Lambda::Permission", "Properties": {
        "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com", "FunctionName": { "Ref": "F" },
        "SourceArn": { "Ref": "T" } } } });
    assert_eq!(
        sentences(json!({}), permission),
        ["sns.amazonaws.com (`P`) may do lambda:InvokeFunction on ${F}, under a condition"]
    );
}

#[test]
fn what_a_statement_leaves_out_is_told_as_such() {
    let after = policy(json!([{ "Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:a" }]));
    assert_eq!(
        sentences(json!({}), after),
        ["! ${Role} (`P`) may do s3:GetObject on every resource but arn:a"]
    );
    let statement =
        json!({ "Effect": "Allow", "Action": "sqs:SendMessage", "NotPrincipal": { "AWS": "arn:b" } });
    let queue = json!({ "Q": { "Type": "AWS::SQS::QueuePolicy", "Properties": {
        "PolicyDocument": { "Statement": [statement] } } } });
    assert_eq!(sentences(json!({}), queue), ["! everyone but arn:b (`Q`) may do sqs:SendMessage"]);
    let trust = json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": { "AWS": "arn:b" } });
    let role = json!({ "R": { "Type": "AWS::IAM::Role", "Properties": {
        "AssumeRolePolicyDocument": { "Statement": [trust] } } } });
    assert_eq!(sentences(json!({}), role), ["! `R` may be assumed by everyone but arn:b"]);
}

#[test]
fn a_boundary_that_is_gone_is_told() {
    let user = |boundary: Value| json!({ "U": { "Type": "AWS::IAM::User", "Properties": boundary } });
    let found = sentences(user(json!({ "PermissionsBoundary": "arn:b" })), user(json!({})));
    assert_eq!(found, ["! `U` has no permissions boundary any more"]);
}

fn group(rules: Value) -> Value {
    json!({ "G": { "Type": "AWS::EC2::SecurityGroup", "Properties": { "SecurityGroupIngress": rules } } })
}

fn rule(first: u16, last: u16, from: &str) -> Value {
    json!({ "IpProtocol": "tcp", "FromPort": first, "ToPort": last, "CidrIp": from })
}

#[test]
fn new_ports_and_sources_are_told() {
    let before = group(json!([rule(443, 443, "10.0.0.0/8")]));
    let after = group(json!([
        rule(443, 443, "10.1.0.0/16"),
        rule(443, 443, "0.0.0.0/0"),
        rule(8000, 8080, "10.0.0.0/8"),
        { "IpProtocol": "-1", "CidrIpv6": "::/0" },
        { "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "SourceSecurityGroupId": { "Ref": "Other" } },
    ]));
    assert_eq!(
        sentences(before, after),
        [
            "! `G` opens port 443 (tcp) to everyone (0.0.0.0/0)",
            "`G` opens ports 8000 to 8080 (tcp) to 10.0.0.0/8",
            "! `G` opens every port to everyone (::/0)",
            "`G` opens port 22 (tcp) to ${Other}",
        ]
    );
}

#[test]
fn a_rule_that_is_a_resource_names_its_group() {
    let of = |first: u16| {
        let mut rule = rule(first, 443, "10.0.0.0/8");
        rule["GroupId"] = json!({ "Fn::GetAtt": ["G", "GroupId"] });
        json!({ "R": { "Type": "AWS::EC2::SecurityGroupIngress", "Properties": rule } })
    };
    assert_eq!(sentences(of(443), of(80)), ["${G.GroupId} (`R`) opens ports 80 to 443 (tcp) to 10.0.0.0/8"]);
    assert_eq!(sentences(of(80), of(443)), [""; 0]);
}
