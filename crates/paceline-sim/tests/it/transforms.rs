//! The expansion and evaluation of templates before their resources are created.

use paceline_sim::SimOptions;
use serde_json::{Value, json};

use crate::support::{Aws, field, members};

const EXPANDS: (&str, &str) = ("Capabilities.member.1", "CAPABILITY_AUTO_EXPAND");

/// A template with a loop, which makes a parameter and an output for each of the elements.
fn loops(elements: Value) -> Value {
    let parameter = json!({
        "Type": "AWS::SSM::Parameter",
        "Properties": { "Name": { "Fn::Sub": "/net/${Tier}" }, "Type": "String", "Value": { "Ref": "Tier" } },
    });
    let output = json!({
        "Value": { "Ref": { "Fn::Sub": "Param${Tier}" } },
        "Export": { "Name": { "Fn::Sub": "net-${Tier}" } },
    });
    json!({
        "Transform": "AWS::LanguageExtensions",
        "Parameters": { "Tiers": { "Type": "CommaDelimitedList", "Default": "One" } },
        "Resources": { "Fn::ForEach::Params": ["Tier", elements, { "Param${Tier}": parameter }] },
        "Outputs": { "Fn::ForEach::Outs": ["Tier", elements, { "Out${Tier}": output }] },
    })
}

fn of_outputs(described: &str, name: &str) -> Vec<String> {
    members(described, "Outputs").iter().map(|output| field(output, name)).collect()
}

fn create<'a>(template: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [("StackName", "S"), ("TemplateBody", template), EXPANDS]
        .into_iter()
        .chain(more.iter().copied())
        .collect()
}

#[test]
fn a_loop_creates_its_resources_and_outputs() {
    let aws = Aws::calm();
    let template = loops(json!(["App", "Data"])).to_string();
    aws.cfn("CreateStack", &create(&template, &[]));
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE", "{:?}", aws.events("S"));
    assert_eq!(aws.parameter("/net/App").as_deref(), Some("App"));
    assert_eq!(aws.parameter("/net/Data").as_deref(), Some("Data"));
    let described = aws.cfn("DescribeStacks", &[("StackName", "S")]);
    assert_eq!(of_outputs(&described, "ExportName"), ["net-App", "net-Data"]);
    // `GetTemplate` returns the template as it was sent.
    assert!(aws.cfn("GetTemplate", &[("StackName", "S")]).contains("Fn::ForEach::Params"));
}

#[test]
fn a_loop_iterates_over_the_values_of_a_parameter() {
    let aws = Aws::calm();
    let template = loops(json!({ "Ref": "Tiers" })).to_string();
    let given =
        [("Parameters.member.1.ParameterKey", "Tiers"), ("Parameters.member.1.ParameterValue", "A, B")];
    aws.cfn("CreateStack", &create(&template, &given));
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE", "{:?}", aws.events("S"));
    assert_eq!(aws.parameter("/net/A").as_deref(), Some("A"));
    assert_eq!(aws.parameter("/net/B").as_deref(), Some("B"));
    // With other values, the same template makes other resources.
    let given = [("Parameters.member.1.ParameterKey", "Tiers"), ("Parameters.member.1.ParameterValue", "B")];
    aws.cfn("UpdateStack", &create(&template, &given));
    assert_eq!(aws.settle("S"), "UPDATE_COMPLETE", "{:?}", aws.events("S"));
    assert_eq!(aws.parameter("/net/A"), None);
}

#[test]
fn loops_need_the_transform_and_the_transform_needs_a_capability() {
    let aws = Aws::calm();
    let template = loops(json!(["App"]));
    let text = template.to_string();
    assert!(
        aws.refused("CreateStack", &[("StackName", "S"), ("TemplateBody", &text)])
            .contains("Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
    );
    let mut without = template;
    without.as_object_mut().unwrap().remove("Transform");
    let text = without.to_string();
    assert!(
        aws.refused("CreateStack", &create(&text, &[])).contains("Fn::ForEach::Params is non alphanumeric")
    );
}

#[test]
fn a_loop_that_cannot_be_expanded_is_refused() {
    let aws = Aws::calm();
    let refused = |template: Value| aws.refused("CreateStack", &create(&template.to_string(), &[]));
    let why = refused(loops(json!({ "Fn::GetAtt": ["X", "Y"] })));
    assert!(why.contains("Transform AWS::LanguageExtensions failed with: the loop at"), "{why}");
    let many: Vec<String> = (0..501).map(|it| format!("e{it}")).collect();
    let mut large = loops(json!(many));
    large.as_object_mut().unwrap().remove("Outputs");
    let why = refused(large);
    assert!(why.contains("Number of resources, 501, is greater than maximum allowed, 500"), "{why}");
    let mut twice = loops(json!(["App"]));
    twice["Resources"]["ParamApp"] = json!({ "Type": "AWS::SNS::Topic" });
    assert!(refused(twice).contains("makes `ParamApp`, which is there already"));
    assert!(
        refused(loops(json!(["not.alphanumeric"]))).contains("Resource name Paramnot.alphanumeric is non")
    );
    let none = loops(json!([]));
    assert!(refused(none).contains("At least one Resources member must be defined."));
}

#[test]
fn a_stack_can_be_created_with_values_that_only_a_macro_knows() {
    let aws = Aws::calm();
    let include = json!({ "Name": "AWS::Include", "Parameters": { "Location": "s3://bucket/key" } });
    let only = json!({ "Resources": { "Fn::Transform": include } }).to_string();
    aws.cfn("CreateStack", &create(&only, &[]));
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE", "{:?}", aws.events("S"));
    let aws = Aws::calm();
    let beside = json!({
        "Resources": {
            "Fn::Transform": include,
            "P": { "Type": "AWS::SSM::Parameter", "Properties": {
                "Name": "/p", "Type": "String", "Value": { "Fn::Join": ["-", [{ "Ref": "Hidden" }, { "Fn::GetAtt": ["Hidden", "Arn"] }]] },
            } },
        },
    })
    .to_string();
    aws.cfn("CreateStack", &create(&beside, &[]));
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE", "{:?}", aws.events("S"));
}

/// An expression whose text grows fourfold with every level.
fn growing(levels: usize) -> Value {
    (0..levels)
        .fold(json!("xxxxxxxxxx"), |inner, _| json!({ "Fn::Sub": ["${a}${a}${a}${a}", { "a": inner }] }))
}

#[test]
fn an_oversized_expression_fails_its_stack_and_names_the_place() {
    let why = |template: Value| {
        let aws = Aws::new(SimOptions { throttling: false, ..SimOptions::default() });
        aws.create("S", &template);
        assert_eq!(aws.settle("S"), "ROLLBACK_COMPLETE");
        let failed = |event: &String| event.contains("_FAILED") || event.contains("ROLLBACK_IN_PROGRESS");
        aws.events("S").into_iter().find(failed).unwrap()
    };
    let topic = |value: Value| json!({ "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": value } });
    let resource = |value: Value| json!({ "Resources": { "T": topic(json!([{ "A": value }])) } });
    let sub = why(resource(growing(30)));
    assert!(
        sub.contains("a value becomes larger than 4 MiB at Resources.T.Properties.DisplayName[0].A"),
        "{sub}"
    );
    let join =
        |inner: Value| json!({ "Fn::Join": ["", [inner.clone(), inner.clone(), inner.clone(), inner]] });
    let joined = (0..3).fold(growing(8), |inner, _| join(inner));
    assert!(why(resource(joined)).contains("larger than 4 MiB"));
    let json = (0..40).fold(json!("\""), |inner, _| json!({ "Fn::ToJsonString": [inner] }));
    assert!(why(resource(json)).contains("larger than 4 MiB"));
    let output = json!({
        "Resources": { "T": topic(json!("x")) },
        "Outputs": { "O": { "Value": growing(30) } },
    });
    assert!(why(output).contains("Outputs.O.Value"));
}

#[test]
fn an_oversized_condition_is_refused() {
    let aws = Aws::calm();
    let template = json!({
        "Conditions": { "C": { "Fn::Equals": [growing(30), "x"] } },
        "Resources": { "T": { "Type": "AWS::SNS::Topic", "Condition": "C" } },
    });
    let why = aws.refused("CreateStack", &create(&template.to_string(), &[]));
    assert!(why.contains("a value becomes larger than 4 MiB at Conditions.C"), "{why}");
}

#[test]
fn a_long_chain_of_conditions_is_evaluated_quickly() {
    let aws = Aws::calm();
    let mut conditions = serde_json::Map::new();
    conditions.insert("C0".into(), json!({ "Fn::Equals": ["a", "a"] }));
    for at in 1..1_500 {
        conditions.insert(format!("C{at}"), json!({ "Condition": format!("C{}", at - 1) }));
    }
    let template = json!({
        "Conditions": conditions,
        "Resources": { "T": { "Type": "AWS::SNS::Topic", "Condition": "C1499" } },
    });
    aws.create("S", &template);
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE");
}

#[test]
fn every_partition_has_its_own_arns_and_domains() {
    let aws = Aws::calm();
    let body = json!({
        "Resources": { "Q": { "Type": "AWS::SQS::Queue" } },
        "Outputs": {
            "Partition": { "Value": { "Fn::Sub": "${AWS::Partition} ${AWS::URLSuffix}" } },
            "Arn": { "Value": { "Fn::GetAtt": ["Q", "Arn"] } },
        },
    })
    .to_string();
    let region = "eusc-de-east-1";
    let (status, _) =
        aws.query_in(region, "cloudformation", "CreateStack", &[("StackName", "S"), ("TemplateBody", &body)]);
    assert_eq!(status, 200);
    aws.settle("S");
    let (_, described) = aws.query_in(region, "cloudformation", "DescribeStacks", &[("StackName", "S")]);
    assert_eq!(field(&described, "StackStatus"), "CREATE_COMPLETE");
    let values = of_outputs(&described, "OutputValue");
    assert!(values.contains(&"aws-eusc amazonaws.eu".to_owned()), "{values:?}");
    assert!(values.iter().any(|value| value.starts_with("arn:aws-eusc:sqs:eusc-de-east-1:")), "{values:?}");
}
