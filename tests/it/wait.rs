//! `paceline wait`.

use crate::deploy::tiny_manifest;
use crate::fake_aws::{self, FakeAws};
use crate::harness::{Place, Sim};

const ROLE: &str = r#"{"Resources":{
    "R":{"Type":"AWS::IAM::Role","Properties":{"RoleName":"workshop-operator","AssumeRolePolicyDocument":
        {"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}}},
    "P":{"Type":"AWS::IAM::InstanceProfile","Properties":{"InstanceProfileName":"workshop-machines",
        "Roles":[{"Ref":"R"}]}}}}"#;

#[test]
fn roles_and_instance_profiles_of_a_deployed_stack_become_usable() {
    let (place, sim) = (Place::new(), Sim::start(2000));
    place.write("cdk.out/manifest.json", &tiny_manifest(&["Roles"]));
    place.write("cdk.out/Roles.template.json", ROLE);
    place.paceline(["deploy"]).aws_at(&sim.address).run().expect(0);
    let call =
        place.paceline(["wait", "iam-role", "workshop-operator", "--instance-profile", "workshop-machines"]);
    let ran = call.aws_at(&sim.address).run().expect(0);
    assert!(ran.stderr.contains("usable"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn an_old_role_is_usable_at_once() {
    let aws = FakeAws::start(|call| match call {
        "GetCallerIdentity" => fake_aws::caller(),
        "GetRole" => fake_aws::result(
            "GetRole",
            "<Role><Path>/</Path><RoleName>old</RoleName><RoleId>AROA</RoleId>\
             <Arn>arn:aws:iam::111111111111:role/old</Arn><CreateDate>2020-01-01T00:00:00Z</CreateDate></Role>",
        ),
        _ => fake_aws::error(400, "InvalidAction", call),
    });
    let place = Place::new();
    let ran = place.paceline(["wait", "iam-role", "old"]).aws_at(&aws.address).run().expect(0);
    assert!(ran.stderr.contains("after 0 s"), "{}", ran.stderr);
}

#[test]
fn without_credentials_waiting_is_refused() {
    let ran =
        Place::new().paceline(["wait", "iam-role", "any"]).env("AWS_REGION", "us-east-1").run().expect(3);
    assert!(ran.stderr.contains("no AWS credentials were found"), "{}", ran.stderr);
    assert!(ran.stderr.contains(" hint: "), "{}", ran.stderr);
}
