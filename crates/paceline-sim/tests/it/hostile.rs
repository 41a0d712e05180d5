//! Requests that no client would send.

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;

use crate::support::{Aws, REGION, signed};

const ACTIONS: [&str; 14] = [
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "DescribeStacks",
    "DescribeStackEvents",
    "CreateChangeSet",
    "ExecuteChangeSet",
    "DescribeChangeSet",
    "ValidateTemplate",
    "GetTemplate",
    "RollbackStack",
    "AssumeRole",
    "GetRole",
    "ListImports",
];

/// JSON that looks more or less like a template.
fn template() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("A".to_owned()),
        Just("B".to_owned()),
        Just("Ref".to_owned()),
        Just("Fn::Sub".to_owned()),
        Just("Fn::GetAtt".to_owned()),
        Just("Fn::Select".to_owned()),
        Just("Fn::Join".to_owned()),
        Just("Fn::If".to_owned()),
        Just("Condition".to_owned()),
        Just("Fn::Cidr".to_owned()),
        Just("Type".to_owned()),
        Just("Properties".to_owned()),
        Just("DependsOn".to_owned()),
        Just("${A}${".to_owned()),
        Just("10.0.0.0/16".to_owned()),
        Just("{{resolve:ssm:x}}".to_owned()),
        ".{0,4}",
    ];
    let leaf = prop_oneof![
        word.clone().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null)
    ];
    let value = leaf.prop_recursive(4, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..3)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    });
    let types = prop::sample::select(vec![
        "AWS::IAM::Role",
        "AWS::SSM::Parameter",
        "Custom::AWS",
        "AWS::CloudFormation::Stack",
        "AWS::S3::Bucket",
        "AWS::EKS::Nodegroup",
    ]);
    (types, value.clone(), value.clone(), value).prop_map(|(kind, one, two, output)| {
        serde_json::json!({
            "Conditions": {"A": one},
            "Resources": {"A": {"Type": kind, "Properties": one}, "B": {"Type": "AWS::SNS::Topic", "Properties": two, "Condition": "A"}},
            "Outputs": {"O": {"Value": output}},
        })
        .to_string()
    })
}

proptest! {
    #[test]
    fn no_bytes_crash_the_simulator(
        service in prop::sample::select(vec!["cloudformation", "sts", "iam", "ssm", "ecr", "s3", "codebuild", ""]),
        method in prop::sample::select(vec!["GET", "PUT", "POST", "HEAD", "DELETE", "PATCH"]),
        path in "/[a-z%?&=/.-]{0,20}",
        target in prop::option::of("[A-Za-z.]{0,20}"),
        action in prop::sample::select(ACTIONS.to_vec()),
        body in prop::collection::vec(any::<u8>(), 0..80),
        streaming in any::<bool>(),
    ) {
        let aws = Aws::calm();
        let mut request = signed(service, REGION, "AKID").method(method).uri(path);
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        if streaming {
            request = request.header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        }
        let mut whole = format!("Action={action}&StackName=").into_bytes();
        whole.extend(&body);
        for body in [whole, body] {
            let Ok(request) = request_of(&request, body) else { continue };
            let status = aws.send(request).status().as_u16();
            prop_assert!((200..=599).contains(&status));
        }
    }

    #[test]
    fn no_template_crashes_the_simulator(first in template(), second in template()) {
        let aws = Aws::calm();
        for (action, template) in [("CreateStack", &first), ("UpdateStack", &second), ("UpdateStack", &first)] {
            let parameters =
                [("StackName", "S"), ("TemplateBody", template.as_str()), ("Capabilities.member.1", "CAPABILITY_NAMED_IAM")];
            aws.query_in(REGION, "cloudformation", action, &parameters);
            let status = aws.settle("S");
            prop_assert!(!status.ends_with("IN_PROGRESS"), "{status}");
        }
        aws.query_in(REGION, "cloudformation", "DeleteStack", &[("StackName", "S")]);
        let status = aws.settle("S");
        prop_assert!(status.is_empty() || status == "DELETE_COMPLETE", "{status}");
    }
}

fn request_of(builder: &http::request::Builder, body: Vec<u8>) -> Result<Request<Bytes>, http::Error> {
    let mut request = Request::builder();
    if let Some(method) = builder.method_ref() {
        request = request.method(method);
    }
    if let Some(uri) = builder.uri_ref() {
        request = request.uri(uri.clone());
    }
    for (name, value) in builder.headers_ref().into_iter().flatten() {
        request = request.header(name, value);
    }
    request.body(body.into())
}

#[test]
fn the_error_for_an_operation_that_is_not_simulated_names_it() {
    let aws = Aws::calm();
    let (status, body) = aws.query_in(REGION, "cloudformation", "DetectStackDrift", &[]);
    assert_eq!(status, 400);
    assert!(body.contains("<Code>InvalidAction</Code>") && body.contains("DetectStackDrift"));
    let (status, body) = aws.json("AmazonSSM.SendCommand", &serde_json::json!({}));
    assert_eq!((status, body["__type"].as_str()), (400, Some("UnknownOperationException")));
    let unsigned = Request::builder().uri("/").body(Bytes::new()).unwrap();
    assert_eq!(aws.send(unsigned).status(), 403);
}
