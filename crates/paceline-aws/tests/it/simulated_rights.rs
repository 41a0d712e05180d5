//! What the policies of a role allow.

use paceline_aws::{AskedRights, not_allowed};
use paceline_sim::{Calls, Mishap};
use serde_json::{Value, json};

use crate::world::World;

const ROLE: &str = "arn:aws:iam::111111111111:role/Builds";

/// A role that may pass roles to CloudFormation, and read the objects of a bucket.
fn role() -> Value {
    let statements = json!([
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
         "Condition": {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}},
        {"Effect": "Allow", "Action": ["s3:Get*"], "Resource": ["arn:aws:s3:::mine/*"]},
    ]);
    let trust = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "codebuild.amazonaws.com"}}});
    let policy = json!({"PolicyName": "rights", "PolicyDocument": {"Statement": statements}});
    let properties = json!({"RoleName": "Builds", "AssumeRolePolicyDocument": trust, "Policies": [policy]});
    json!({"Resources": {"Builds": {"Type": "AWS::IAM::Role", "Properties": properties}}})
}

fn asked(actions: &[&str], resource: &str, passed_to: Option<&str>) -> AskedRights {
    let condition = passed_to.map(|service| ("iam:PassedToService".to_owned(), service.to_owned()));
    let actions = actions.iter().map(|action| (*action).to_owned()).collect();
    AskedRights { actions, resources: vec![resource.to_owned()], condition }
}

#[tokio::test(start_paused = true)]
async fn what_a_role_lacks_is_told_for_each_of_the_asked_rights() {
    let world = World::slow();
    world.create("Roles", &role()).await;
    let other = "arn:aws:iam::111111111111:role/other";
    let rights = [
        asked(&["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::mine/a", None),
        asked(&["s3:GetObject"], "arn:aws:s3:::theirs/a", None),
        asked(&["iam:PassRole"], other, Some("cloudformation.amazonaws.com")),
        asked(&["iam:PassRole"], other, Some("ec2.amazonaws.com")),
    ];
    let lacking = Box::pin(not_allowed(&world.wire, "us-east-1", ROLE, &rights)).await.unwrap();
    let expected: [&[&str]; 4] = [&["s3:PutObject"], &["s3:GetObject"], &[], &["iam:PassRole"]];
    assert_eq!(lacking, expected);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_may_not_simulate_learns_it() {
    let world = World::slow();
    world.create("Roles", &role()).await;
    world.proxy.on(Calls::of("SimulatePrincipalPolicy"), Mishap::denied());
    let rights = [asked(&["s3:GetObject"], "*", None)];
    let error = Box::pin(not_allowed(&world.wire, "us-east-1", ROLE, &rights)).await.unwrap_err();
    assert_eq!(
        (error.place.as_deref(), error.kind),
        (Some("SimulatePrincipalPolicy"), paceline_aws::ErrorKind::Denied)
    );
}
