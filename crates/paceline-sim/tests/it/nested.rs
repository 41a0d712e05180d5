//! Nested stacks, and custom resources that reach into other regions.

use paceline_sim::{Failure, Faults};
use serde_json::{Value, json};

use crate::support::{ACCOUNT, Aws, REGION, field, signed};

const BUCKET: &str = "cdk-hnb659fds-assets-111111111111-us-east-1";

pub(crate) fn upload(aws: &Aws, key: &str, template: &Value) -> String {
    let uri = format!("/{BUCKET}/{key}");
    let request =
        signed("s3", REGION, "AKIDBASE").method("PUT").uri(uri).body(template.to_string().into()).unwrap();
    assert_eq!(aws.send(request).status(), 200);
    format!("https://s3.us-east-1.amazonaws.com/{BUCKET}/{key}")
}

fn parent(url: &str, value: &str) -> Value {
    json!({
        "Resources": {
            "Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": {"V": value}}},
            "After": {"Type": "AWS::SSM::Parameter", "Properties": {
                "Type": "String", "Name": "/after", "Value": {"Fn::GetAtt": ["Child", "Outputs.Out"]}}},
        },
    })
}

fn child() -> Value {
    json!({
        "Parameters": {"V": {"Type": "String"}},
        "Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/child", "Value": {"Ref": "V"}}}},
        "Outputs": {"Out": {"Value": {"Fn::Sub": "${V}!"}}},
    })
}

#[test]
fn a_nested_stack_is_created_and_deleted_with_its_parent() {
    let aws = Aws::calm();
    let url = upload(&aws, "child.json", &child());
    aws.create("S", &parent(&url, "1"));
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE", "{:?}", aws.events("S"));
    assert_eq!(aws.parameter("/after").as_deref(), Some("1!"));
    let nested = aws.sim.stacks().into_iter().find(|stack| stack.parent.is_some()).unwrap();
    assert!(nested.name.starts_with("S-Child-"));
    let described = aws.cfn("DescribeStacks", &[("StackName", &nested.id)]);
    assert_eq!(field(&described, "RootId"), field(&described, "ParentId"));
    aws.update("S", &parent(&url, "2"));
    assert_eq!(aws.settle("S"), "UPDATE_COMPLETE");
    assert_eq!(
        (aws.parameter("/child").as_deref(), aws.parameter("/after").as_deref()),
        (Some("2"), Some("2!"))
    );
    aws.cfn("DeleteStack", &[("StackName", "S")]);
    assert_eq!(aws.settle("S"), "DELETE_COMPLETE");
    assert_eq!(aws.status(&nested.id), "DELETE_COMPLETE");
    assert_eq!(aws.parameter("/child"), None);
}

#[test]
fn a_nested_failure_fails_the_parent_and_both_roll_back() {
    let aws = Aws::calm();
    aws.sim.put_parameter(ACCOUNT, REGION, "/child", "someone else's");
    let url = upload(&aws, "child.json", &child());
    aws.create("S", &parent(&url, "1"));
    assert_eq!(aws.settle("S"), "ROLLBACK_COMPLETE");
    let nested = aws.sim.stacks().into_iter().find(|stack| stack.parent.is_some()).unwrap();
    assert_eq!(nested.status, "DELETE_COMPLETE");
    let cause = aws.events(&nested.id).into_iter().find(|event| event.contains("CREATE_FAILED")).unwrap();
    assert!(cause.contains("with identifier '/child' already exists"), "{cause}");
    assert!(
        aws.events("S")
            .iter()
            .any(|event| event.starts_with("Child CREATE_FAILED Embedded stack") && event.contains("[P]"))
    );
    assert_eq!(aws.parameter("/child").as_deref(), Some("someone else's"), "what was there before stays");
}

#[test]
fn a_failed_update_rolls_the_nested_stack_back_too() {
    let aws = Aws::calm();
    let url = upload(&aws, "child.json", &child());
    aws.create("S", &parent(&url, "1"));
    aws.settle("S");
    let failure = Failure {
        stack: "S".into(),
        logical_id: "After".into(),
        operation: None,
        reason: "no".into(),
        times: 1,
    };
    aws.sim.set_faults(Faults { failures: vec![failure], ..Faults::default() });
    aws.update("S", &parent(&url, "2"));
    assert_eq!(aws.settle("S"), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(aws.parameter("/child").as_deref(), Some("1"));
    assert_eq!(aws.parameter("/after").as_deref(), Some("1!"));
}

#[test]
fn an_sdk_call_reads_a_parameter_of_another_region() {
    let aws = Aws::calm();
    let call = json!({"service": "SSM", "action": "getParameter", "region": "eu-west-1", "parameters": {"Name": "/there"}, "physicalResourceId": {"id": "1"}});
    let template = json!({"Resources": {
        "Read": {"Type": "Custom::AWS", "Properties": {"ServiceToken": "x", "Create": {"Fn::Join": ["", [call.to_string()]]}}},
        "Copy": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/copy", "Value": {"Fn::GetAtt": ["Read", "Parameter.Value"]}}},
    }});
    aws.create("Early", &template);
    assert_eq!(aws.settle("Early"), "ROLLBACK_COMPLETE");
    let events = aws.events("Early");
    let prefix = "Read CREATE_FAILED Received response status [FAILED] from custom resource. Message returned: ParameterNotFound";
    assert!(events.iter().any(|event| event.starts_with(prefix)), "{events:?}");
    aws.sim.put_parameter(ACCOUNT, "eu-west-1", "/there", "value");
    aws.create("Late", &template);
    assert_eq!(aws.settle("Late"), "CREATE_COMPLETE");
    assert_eq!(aws.parameter("/copy").as_deref(), Some("value"));
}

#[test]
fn the_export_writer_and_reader_carry_values_across_regions() {
    let aws = Aws::calm();
    let name = "/cdk/exports/consumer/value";
    let reader = json!({"Resources": {
        "Reader": {"Type": "Custom::CrossRegionExportReader", "Properties": {"ReaderProps": {
            "region": REGION, "imports": {name: format!("{{{{resolve:ssm:{name}}}}}")}}}},
        "Copy": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/copy", "Value": {"Fn::GetAtt": ["Reader", name]}}},
    }});
    aws.create("Early", &reader);
    assert_eq!(aws.settle("Early"), "ROLLBACK_COMPLETE");
    let writer = json!({"Resources": {
        "Writer": {"Type": "Custom::CrossRegionExportWriter", "Properties": {"WriterProps": {"region": REGION, "exports": {name: "carried"}}}},
    }});
    let body = writer.to_string();
    let there = [("StackName", "Producer"), ("TemplateBody", body.as_str())];
    assert_eq!(aws.query_in("eu-west-1", "cloudformation", "CreateStack", &there).0, 200);
    aws.settle("Producer");
    aws.create("Late", &reader);
    assert_eq!(aws.settle("Late"), "CREATE_COMPLETE", "{:?}", aws.events("Late"));
    assert_eq!(aws.parameter("/copy").as_deref(), Some("carried"));
    aws.query_in("eu-west-1", "cloudformation", "DeleteStack", &[("StackName", "Producer")]);
    aws.settle("Producer");
    assert_eq!(aws.parameter(name), None);
}

#[test]
fn the_contents_of_a_cluster_cannot_be_deleted_after_the_cluster() {
    let aws = Aws::calm();
    aws.create(
        "Cluster",
        &json!({"Resources": {"C": {"Type": "AWS::EKS::Cluster", "Properties": {"Name": "pets"}}}}),
    );
    aws.settle("Cluster");
    aws.create("Apps", &json!({"Resources": {"M": {"Type": "Custom::AWSCDK-EKS-KubernetesResource", "Properties": {"ClusterName": "pets"}}}}));
    aws.settle("Apps");
    for name in ["Cluster", "Apps"] {
        aws.cfn("DeleteStack", &[("StackName", name)]);
        aws.settle(name);
    }
    assert_eq!(
        (aws.status("Cluster"), aws.status("Apps")),
        ("DELETE_COMPLETE".into(), "DELETE_FAILED".into())
    );
}
