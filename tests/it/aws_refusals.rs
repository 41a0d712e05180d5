//! What AWS refuses before anything was touched: one line of what happened, one of what to do, exit code 3.

use crate::deploy::tiny_manifest;
use crate::fake_aws::{self, Answer, FakeAws};
use crate::harness::{Call, Place, Ran};
use crate::workshop;

fn deploy(place: &Place) -> Call<'_> {
    place.paceline(["deploy", "--only", "Services"]).args(workshop::app())
}

/// Everything is said in an `error:` line and a `hint:` line.
#[track_caller]
fn refused(ran: &Ran, error: &str, hint: &str) {
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.stderr);
    assert!(lines[0].starts_with("error: ") && lines[0].contains(error), "no {error:?} in {}", lines[0]);
    assert!(lines[1].starts_with(" hint: ") && lines[1].contains(hint), "no {hint:?} in {}", lines[1]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
}

#[test]
fn no_credentials() {
    let place = Place::new();
    let ran = deploy(&place).env("AWS_REGION", "us-east-1").run();
    refused(&ran, "no AWS credentials were found", "get credentials");
    assert_eq!(place.runs(), [""; 0], "a run that did not start leaves no journal");
}

#[test]
fn expired_credentials() {
    let place = Place::new();
    for code in ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch"] {
        let message = "The security token included in the request is expired";
        let aws = FakeAws::start(move |_| fake_aws::error(403, code, message));
        refused(&deploy(&place).aws_at(&aws.address).run(), code, "get credentials");
    }
}

#[test]
fn a_bootstrap_role_that_may_not_be_assumed() {
    let place = Place::new();
    let aws = FakeAws::start(|call| match call {
        "GetCallerIdentity" => fake_aws::caller(),
        _ => fake_aws::error(403, "AccessDenied", "not authorized to perform: sts:AssumeRole"),
    });
    let ran = deploy(&place).aws_at(&aws.address).run();
    let role = "arn:aws:iam::111111111111:role/cdk-hnb659fds-deploy-role-111111111111-us-east-1";
    refused(&ran, role, "PACELINE_ALLOW_BASE_CREDENTIALS=true");
    assert!(ran.stderr.contains("cdk bootstrap"), "{}", ran.stderr);
}

/// A role is assumed, and there is no bootstrap stack but what `GetParameter` says.
fn bootstrapped(parameter: fn() -> Answer) -> FakeAws {
    FakeAws::start(move |call| match call {
        "GetCallerIdentity" => fake_aws::caller(),
        "AssumeRole" => fake_aws::assumed(),
        "GetParameter" => parameter(),
        "DescribeStacks" => {
            fake_aws::error(400, "ValidationError", "Stack with id CDKToolkit does not exist")
        }
        _ => fake_aws::error(400, "InvalidAction", call),
    })
}

#[test]
fn an_environment_that_is_not_bootstrapped() {
    let aws = bootstrapped(|| (400, r#"{"__type":"ParameterNotFound","message":""}"#.to_owned()));
    let place = Place::new();
    let ran = deploy(&place).aws_at(&aws.address).run();
    refused(&ran, "is not bootstrapped", "cdk bootstrap aws://111111111111/us-east-1");
}

#[test]
fn an_environment_with_an_old_bootstrap() {
    let aws = bootstrapped(|| (200, r#"{"Parameter":{"Name":"n","Value":"3"}}"#.to_owned()));
    let place = Place::new();
    let ran = deploy(&place).aws_at(&aws.address).run();
    refused(&ran, "is bootstrapped with version 3", "cdk bootstrap aws://111111111111/us-east-1");
}

#[test]
fn base_credentials_are_used_where_the_environment_says_so() {
    let place = Place::new();
    let aws = FakeAws::start(|call| match call {
        "GetCallerIdentity" => fake_aws::caller(),
        "GetParameter" => (400, r#"{"__type":"ParameterNotFound","message":""}"#.to_owned()),
        "DescribeStacks" => {
            fake_aws::error(400, "ValidationError", "Stack with id CDKToolkit does not exist")
        }
        _ => fake_aws::error(403, "AccessDenied", "no"),
    });
    let call = deploy(&place).env("PACELINE_ALLOW_BASE_CREDENTIALS", "true");
    // It got past the role, to the next thing that is wrong.
    refused(&call.aws_at(&aws.address).run(), "is not bootstrapped", "cdk bootstrap");
}

#[test]
fn a_stack_that_may_not_be_created() {
    let place = Place::new();
    place.write("cdk.out/manifest.json", &tiny_manifest(&["One"]));
    place.write("cdk.out/One.template.json", r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#);
    let aws = FakeAws::start(|call| match call {
        "GetCallerIdentity" => fake_aws::caller(),
        "DescribeStacks" => fake_aws::result(call, "<Stacks/>"),
        _ => fake_aws::error(403, "AccessDenied", "not authorized to perform: cloudformation:CreateStack"),
    });
    let call = place.paceline(["deploy"]).aws_at(&aws.address);
    // A new permission would be waited for, in real time.
    let ran = call.env("PACELINE_PATIENCE", "0").run().expect(3);
    assert!(
        ran.stderr.contains("AccessDenied: not authorized to perform: cloudformation:CreateStack"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("hint: give the role in use this permission"), "{}", ran.stderr);
}

#[test]
fn an_aws_that_cannot_be_reached() {
    let place = Place::new();
    // The port is free: nobody listens on what was just closed.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let call = deploy(&place).aws_at(&format!("http://{closed}")).env("PACELINE_PATIENCE", "0");
    let ran = call.run();
    refused(&ran, "cannot be reached", "AWS_ENDPOINT_URL");
}
