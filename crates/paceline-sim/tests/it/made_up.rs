//! Made-up values have forms that templates can take apart. Only values from the template make a function
//! fail.

use paceline_sim::{Bootstrap, SimOptions};
use serde_json::{Value, json};

use crate::nested::upload;
use crate::support::{Aws, REGION, field, parameter};

fn split(separator: &str, index: u32, of: Value) -> Value {
    json!({"Fn::Select": [index, {"Fn::Split": [separator, of]}]})
}

fn attribute(name: &str) -> Value {
    json!({"Fn::GetAtt": ["It", name]})
}

/// Evaluates a value in a stack with this resource. The error is the reason why the stack was not created.
fn evaluated(kind: &str, properties: Value, value: Value) -> Result<String, String> {
    let aws = Aws::new(SimOptions {
        throttling: false,
        foreign_parameters: [("/platform/topic-arn".to_owned(), None), ("/plain".to_owned(), None)].into(),
        ..SimOptions::default()
    });
    let template = json!({
        "Parameters": {
            "Arn": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/platform/topic-arn"},
            "Plain": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/plain"},
            "Given": {"Type": "String", "Default": "a:b"},
        },
        "Mappings": {"Map": {"first": {"key": "mapped"}}},
        "Resources": {
            "It": {"Type": kind, "Properties": properties},
            "P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/out", "Value": value}},
        },
    });
    aws.create("S", &template);
    match aws.settle("S").as_str() {
        "CREATE_COMPLETE" => Ok(aws.parameter("/out").unwrap()),
        _ => Err(aws.events("S").join("\n")),
    }
}

#[track_caller]
fn succeeds(kind: &str, properties: Value, value: Value) -> String {
    evaluated(kind, properties, value.clone()).unwrap_or_else(|error| panic!("{kind}, {value}: {error}"))
}

#[test]
fn values_of_resource_types_have_the_forms_of_aws() {
    let url = json!({"Url": "https://oidc.eks.us-east-1.amazonaws.com/id/ABC"});
    let target = json!({"TargetFunctionArn": "arn:aws:lambda:us-east-1:111111111111:function:f"});
    let reference = json!({"Ref": "It"});
    for (kind, properties, value, part) in [
        ("AWS::IAM::OIDCProvider", url.clone(), split(":oidc-provider/", 1, reference.clone()), "oidc.eks."),
        (
            "Custom::AWSCDKOpenIdConnectProvider",
            url,
            split(":oidc-provider/", 1, reference.clone()),
            "oidc.eks.",
        ),
        ("AWS::Lambda::Url", target, split("/", 2, attribute("FunctionUrl")), ".lambda-url."),
        ("AWS::EC2::VPC", json!({}), json!({"Fn::Select": [0, attribute("Ipv6CidrBlocks")]}), "::/56"),
        (
            "AWS::EC2::VPC",
            json!({}),
            json!({"Fn::Select": [255, {"Fn::Cidr": [{"Fn::Select": [0, attribute("Ipv6CidrBlocks")]}, 256, "64"]}]}),
            "::/64",
        ),
        (
            "AWS::EC2::VPCEndpoint",
            json!({}),
            split(":", 1, json!({"Fn::Select": [0, attribute("DnsEntries")]})),
            ".vpce.",
        ),
        (
            "AWS::Connect::ContactFlow",
            json!({"InstanceArn": "arn:aws:connect:us-east-1:111111111111:instance/i"}),
            split("/", 2, reference.clone()),
            "contact-flow",
        ),
        (
            "Custom::CDKBucketDeployment",
            json!({"SourceObjectKeys": ["a.zip", "b.zip"]}),
            json!({"Fn::Select": [1, attribute("SourceObjectKeys")]}),
            "b.zip",
        ),
        (
            "Custom::CDKBucketDeployment",
            json!({"DestinationBucketName": "site"}),
            split(":", 5, attribute("DestinationBucketArn")),
            "site",
        ),
        ("AWS::AppSync::GraphQLApi", json!({}), split("/", 2, attribute("GraphQLUrl")), ".appsync."),
        ("AWS::AppSync::GraphQLApi", json!({}), split(":apis/", 0, reference.clone()), "appsync"),
        (
            "AWS::OSIS::Pipeline",
            json!({}),
            json!({"Fn::Select": [0, attribute("IngestEndpointUrls")]}),
            ".osis.",
        ),
        ("AWS::Cognito::UserPool", json!({}), split("_", 0, reference.clone()), "us-east-1"),
        ("AWS::Batch::JobQueue", json!({}), split(":", 5, reference.clone()), "job-queue/"),
        (
            "AWS::AmazonMQ::Broker",
            json!({}),
            split("://", 1, json!({"Fn::Select": [0, attribute("AmqpEndpoints")]})),
            ".mq.",
        ),
        (
            "AWS::Route53::HostedZone",
            json!({}),
            json!({"Fn::Select": [3, attribute("NameServers")]}),
            "awsdns",
        ),
        (
            "AWS::ElasticLoadBalancingV2::Listener",
            json!({"LoadBalancerArn": "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/lb/1"}),
            split("/", 3, reference.clone()),
            "1",
        ),
        ("AWS::Lambda::Version", json!({"FunctionName": "f"}), split(":", 7, reference), "1"),
    ] {
        let found = succeeds(kind, properties, value.clone());
        assert!(found.contains(part), "{kind}, {value}: {found}");
    }
}

#[test]
fn no_function_fails_because_of_a_made_up_form() {
    let any = attribute("Anything");
    for value in [
        split(":", 9, any.clone()),
        split("/", 3, json!({"Ref": "It"})),
        json!({"Fn::Select": [4, any.clone()]}),
        json!({"Fn::Join": ["", any.clone()]}),
        json!({"Fn::Join": ["", {"Fn::Cidr": [any.clone(), 3, "8"]}]}),
        json!({"Fn::Select": [2, {"Fn::Cidr": [{"Ref": "Plain"}, 3, "8"]}]}),
        json!({"Fn::FindInMap": ["Map", any.clone(), "key"]}),
        json!({"Fn::FindInMap": ["Map", {"Ref": "Plain"}, {"Ref": "Plain"}]}),
        json!({"Fn::Select": [5, {"Fn::GetAZs": ""}]}),
        split(":", 7, json!({"Ref": "Plain"})),
        split("/", 1, split(":", 9, any)),
    ] {
        for kind in ["AWS::Some::Thing", "Custom::Thing"] {
            assert!(!succeeds(kind, json!({}), value.clone()).is_empty(), "{value}");
        }
    }
    assert_eq!(succeeds("AWS::SNS::Topic", json!({}), split(":", 3, json!({"Ref": "Arn"}))), REGION);
}

#[test]
fn a_function_fails_if_the_template_itself_is_wrong() {
    let properties = json!({"Type": "String", "Name": "/n", "Value": "v"});
    for (value, why) in [
        (split(":", 2, json!({"Ref": "Given"})), "cannot select nonexistent value at index 2"),
        (split("/", 1, json!({"Ref": "AWS::Region"})), "cannot select nonexistent value"),
        // The template gives this resource its name, so the physical id is not made up.
        (split(":", 1, json!({"Ref": "It"})), "cannot select nonexistent value"),
        (json!({"Fn::Join": ["", {"Ref": "Given"}]}), "every Fn::Join object"),
        (json!({"Fn::Select": [0, {"Fn::Cidr": ["none", 1, "8"]}]}), "every Fn::Cidr object"),
        (
            json!({"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "key"]}),
            "Unable to get mapping for Map::us-east-1",
        ),
    ] {
        let error = evaluated("AWS::SSM::Parameter", properties.clone(), value.clone()).unwrap_err();
        assert!(error.contains(why), "{value}: {error}");
    }
}

#[test]
fn a_value_stays_made_up_wherever_it_is_passed() {
    let aws = Aws::calm();
    let made_up = json!({"Fn::GetAtt": ["T", "Anything"]});
    let producer = json!({
        "Resources": {
            "T": {"Type": "AWS::Some::Thing"},
            "P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/p", "Value": made_up}},
            "L": parameter("/literal", "a:b"),
        },
        "Outputs": {
            "Made": {"Value": made_up, "Export": {"Name": "Made"}},
            "Said": {"Value": "a:b", "Export": {"Name": "Said"}},
        },
    });
    aws.create("Producer", &producer);
    assert_eq!(aws.settle("Producer"), "CREATE_COMPLETE");
    let child = json!({
        "Parameters": {"V": {"Type": "String"}},
        "Resources": {"C": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": split(":", 4, json!({"Ref": "V"}))}}},
        "Outputs": {"Out": {"Value": {"Ref": "V"}}},
    });
    let url = upload(&aws, "made-up-child.json", &child);
    let nested = |value: Value| json!({"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": {"V": value}}});
    let call = json!({"service": "SSM", "action": "getParameter", "parameters": {"Name": "/p"}}).to_string();
    let imported = |name: &str| json!({"Fn::ImportValue": name});
    for (name, resource, value, status) in [
        ("Export", parameter("/x", "x"), imported("Made"), "CREATE_COMPLETE"),
        ("Dynamic", parameter("/x", "x"), json!("{{resolve:ssm:/p}}"), "CREATE_COMPLETE"),
        ("Nested", nested(imported("Made")), json!({"Fn::GetAtt": ["R", "Outputs.Out"]}), "CREATE_COMPLETE"),
        (
            "Called",
            json!({"Type": "Custom::AWS", "Properties": {"Create": call}}),
            json!({"Fn::GetAtt": ["R", "Parameter.Value"]}),
            "CREATE_COMPLETE",
        ),
        (
            "Output",
            parameter("/x", "x"),
            json!({"Fn::GetStackOutput": {"StackName": "Producer", "OutputName": "Made"}}),
            "CREATE_COMPLETE",
        ),
        ("SaidExport", parameter("/x", "x"), imported("Said"), "ROLLBACK_COMPLETE"),
        ("SaidDynamic", parameter("/x", "x"), json!("{{resolve:ssm:/literal}}"), "ROLLBACK_COMPLETE"),
        ("SaidNested", nested(json!("a:b")), json!("x"), "ROLLBACK_COMPLETE"),
    ] {
        let template = json!({"Resources": {
            "R": resource,
            "T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": split(":", 5, value)}},
        }});
        aws.create(name, &template);
        assert_eq!(aws.settle(name), status, "{name}: {:?}", aws.events(name));
        aws.cfn("DeleteStack", &[("StackName", name)]);
        aws.settle(name);
    }
}

fn reads(secret: &str) -> Value {
    json!({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {
        "DisplayName": format!("{{{{resolve:secretsmanager:{secret}:SecretString:password::}}}}")}}}})
}

#[test]
fn a_secret_exists_if_a_stack_has_created_it_or_no_stack_will() {
    let aws = Aws::new(SimOptions {
        throttling: false,
        missing_secrets: ["shop/db".to_owned()].into(),
        ..SimOptions::default()
    });
    let arn = "arn:aws:secretsmanager:us-east-1:111111111111:secret:shop/db";
    for secret in ["shop/db", arn] {
        aws.create("Early", &reads(secret));
        assert_eq!(aws.settle("Early"), "ROLLBACK_COMPLETE");
        let events = aws.events("Early").join("\n");
        assert!(events.contains("Secrets Manager can't find the specified secret"), "{events}");
        aws.cfn("DeleteStack", &[("StackName", "Early")]);
        aws.settle("Early");
    }
    aws.create("Foreign", &reads("somebody/elses"));
    assert_eq!(aws.settle("Foreign"), "CREATE_COMPLETE");
    let secret = json!({"Resources": {"S": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "shop/db"}}}});
    aws.create("Secret", &secret);
    assert_eq!(aws.settle("Secret"), "CREATE_COMPLETE");
    for (name, secret) in [("ByName", "shop/db"), ("ByArn", arn), ("ByWholeArn", &format!("{arn}-AbCdEf"))] {
        aws.create(name, &reads(secret));
        assert_eq!(aws.settle(name), "CREATE_COMPLETE", "{:?}", aws.events(name));
    }
    aws.cfn("DeleteStack", &[("StackName", "Secret")]);
    aws.settle("Secret");
    aws.create("Late", &reads("shop/db"));
    assert_eq!(aws.settle("Late"), "ROLLBACK_COMPLETE");
}

#[test]
fn a_bootstrapped_environment_has_the_bootstrap_stack() {
    let asked = [("StackName", "CDKToolkit")];
    let found = Aws::calm().cfn("DescribeStacks", &asked);
    assert_eq!(field(&found, "OutputValue"), "cdk-hnb659fds-assets-111111111111-us-east-1");
    let none = Aws::new(SimOptions { bootstrap: Bootstrap::Missing, ..SimOptions::default() });
    assert!(none.refused("DescribeStacks", &asked).contains("CDKToolkit does not exist"));
}
