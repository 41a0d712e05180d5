//! The creation, reading and deletion of stacks.

use std::time::Duration;

use paceline_sim::{Durations, Images, Operation, SimOptions, StaleReads};
use serde_json::json;

use crate::support::{ACCOUNT, Aws, REGION, field, members, parameter, with_template};

fn timed(rows: &[(&str, u64)]) -> SimOptions {
    let durations = rows.iter().fold(Durations::typical(), |durations, (kind, seconds)| {
        durations.with(kind, Operation::Create, Duration::from_secs(*seconds))
    });
    SimOptions {
        durations,
        throttling: false,
        stack_overhead: Duration::from_secs(1),
        ..SimOptions::default()
    }
}

#[test]
fn a_stack_reports_its_events() {
    let aws = Aws::calm();
    let template = json!({
        "Resources": {"P": parameter("/p", "v")},
        "Outputs": {"Name": {"Value": {"Ref": "P"}, "Export": {"Name": "E"}}},
    });
    aws.create("S", &template);
    assert_eq!(aws.parameter("/p"), None, "a parameter is not there before its resource is complete");
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE");
    assert_eq!(
        aws.events("S"),
        [
            "S CREATE_IN_PROGRESS User Initiated",
            "P CREATE_IN_PROGRESS",
            "P CREATE_IN_PROGRESS Resource creation Initiated",
            "P CREATE_COMPLETE",
            "S CREATE_COMPLETE",
        ]
    );
    assert_eq!(aws.parameter("/p").as_deref(), Some("v"));
    let described = aws.cfn("DescribeStacks", &[("StackName", "S")]);
    assert_eq!(field(&described, "OutputValue"), "/p");
    assert_eq!(field(&described, "ExportName"), "E");
}

#[test]
fn independent_resources_overlap_and_dependents_wait() {
    let aws = Aws::new(timed(&[("T::A::A", 100), ("T::B::B", 60), ("T::C::C", 10)]));
    let template = json!({"Resources": {
        "A": {"Type": "T::A::A"},
        "B": {"Type": "T::B::B"},
        "C": {"Type": "T::C::C", "DependsOn": ["A", "B"]},
    }});
    let start = aws.now();
    aws.create("S", &template);
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE");
    assert_eq!(aws.now().duration_since(start).as_secs(), 1 + 100 + 10 + 1);
}

#[test]
fn conditions_select_resources_and_outputs() {
    let aws = Aws::calm();
    let template = json!({
        "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
        "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}, "Dev": {"Fn::Not": [{"Condition": "Prod"}]}},
        "Resources": {
            "Always": parameter("/always", "x"),
            "Never": {"Type": "AWS::SNS::Topic", "Condition": "Prod"},
            "Maybe": {"Type": "AWS::SSM::Parameter", "Condition": "Dev", "Properties": {
                "Type": "String", "Name": "/maybe",
                "Value": {"Fn::If": ["Prod", {"Ref": "Never"}, {"Fn::Sub": "${Stage}-${AWS::Region}"}]},
                "Description": {"Fn::If": ["Prod", "x", {"Ref": "AWS::NoValue"}]},
            }},
        },
        "Outputs": {"Topic": {"Condition": "Prod", "Value": {"Ref": "Never"}}},
    });
    aws.create("S", &template);
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE", "{:?}", aws.events("S"));
    assert_eq!(aws.parameter("/maybe").as_deref(), Some("dev-us-east-1"));
    assert_eq!(field(&aws.cfn("DescribeStacks", &[("StackName", "S")]), "OutputKey"), "");
}

#[test]
fn an_ssm_parameter_type_is_looked_up_when_the_operation_starts() {
    let aws = Aws::calm();
    let template = json!({
        "Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/in"}},
        "Resources": {"Out": parameter("/out", "x")},
    })
    .to_string();
    let refused = aws.refused("CreateStack", &with_template("S", &template));
    assert_eq!(
        refused,
        "ValidationError: Unable to fetch parameters [/in] from parameter store for this account."
    );
    aws.sim.put_parameter(ACCOUNT, "eu-west-1", "/in", "elsewhere");
    aws.refused("CreateStack", &with_template("S", &template));
    aws.sim.put_parameter(ACCOUNT, REGION, "/in", "here");
    let body = aws.cfn("CreateStack", &with_template("S", &template));
    assert!(field(&body, "StackId").starts_with("arn:aws:cloudformation:us-east-1:111111111111:stack/S/"));
    aws.settle("S");
    assert_eq!(field(&aws.cfn("DescribeStacks", &[("StackName", "S")]), "ResolvedValue"), "here");
    // Only the value of the parameter store's parameter has changed, and that counts as a change.
    let again = with_template("S", &template);
    assert_eq!(aws.refused("UpdateStack", &again), "ValidationError: No updates are to be performed.");
    aws.sim.put_parameter(ACCOUNT, REGION, "/in", "changed");
    aws.cfn("UpdateStack", &again);
}

#[test]
fn exports_are_unique_and_cannot_be_removed_while_imported() {
    let aws = Aws::calm();
    let exporter = |value: &str| {
        json!({
            "Resources": {"P": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {"O": {"Value": value, "Export": {"Name": "X"}}},
        })
    };
    let importer = json!({"Resources": {"I": {"Type": "AWS::SSM::Parameter", "Properties": {
        "Type": "String", "Value": {"Fn::ImportValue": "X"}}}}});
    aws.create("Early", &importer);
    assert_eq!(aws.settle("Early"), "ROLLBACK_COMPLETE");
    assert!(aws.events("Early").iter().any(|event| event.contains("No export named X found.")));
    aws.create("Exporter", &exporter("1"));
    aws.settle("Exporter");
    aws.create("Second", &exporter("2"));
    assert_eq!(aws.settle("Second"), "ROLLBACK_COMPLETE");
    assert!(
        aws.events("Second")
            .iter()
            .any(|event| event.contains("Export with name X is already exported by stack Exporter"))
    );
    aws.create("Importer", &importer);
    assert_eq!(aws.settle("Importer"), "CREATE_COMPLETE");
    aws.update("Exporter", &exporter("3"));
    assert_eq!(aws.settle("Exporter"), "UPDATE_ROLLBACK_COMPLETE");
    assert!(
        aws.events("Exporter")
            .iter()
            .any(|event| event.contains("Export X cannot be updated as it is in use by Importer"))
    );
    aws.cfn("DeleteStack", &[("StackName", "Exporter")]);
    assert_eq!(aws.settle("Exporter"), "UPDATE_ROLLBACK_COMPLETE", "the deletion is called off");
    aws.cfn("DeleteStack", &[("StackName", "Importer")]);
    aws.settle("Importer");
    aws.cfn("DeleteStack", &[("StackName", "Exporter")]);
    assert_eq!(aws.settle("Exporter"), "DELETE_COMPLETE");
    assert_eq!(members(&aws.cfn("ListExports", &[]), "Exports").len(), 0);
}

#[test]
fn a_token_makes_a_request_repeatable() {
    let aws = Aws::calm();
    let template = json!({"Resources": {"P": parameter("/p", "1")}}).to_string();
    let mut request = with_template("S", &template);
    request.push(("ClientRequestToken", "t1"));
    let first = field(&aws.cfn("CreateStack", &request), "StackId");
    assert_eq!(field(&aws.cfn("CreateStack", &request), "StackId"), first);
    aws.settle("S");
    assert_eq!(
        field(&aws.cfn("CreateStack", &request), "StackId"),
        first,
        "the creation it asks for was done"
    );
    assert_eq!(aws.events("S").len(), 5, "nothing was done twice");

    let template = json!({"Resources": {"P": parameter("/p", "2")}}).to_string();
    let mut request = with_template("S", &template);
    request.push(("ClientRequestToken", "t2"));
    aws.cfn("UpdateStack", &request);
    aws.cfn("UpdateStack", &request);
    aws.settle("S");
    assert!(aws.refused("UpdateStack", &request).starts_with("TokenAlreadyExistsException"));
    let other = &[("StackName", "S"), ("ClientRequestToken", "t2")];
    assert!(aws.refused("DeleteStack", other).starts_with("TokenAlreadyExistsException"));
}

#[test]
fn operations_are_refused_in_states_that_do_not_allow_them() {
    let aws = Aws::calm();
    let template = json!({"Resources": {"P": parameter("/p", "1")}}).to_string();
    let request = with_template("S", &template);
    assert_eq!(aws.refused("UpdateStack", &request), "ValidationError: Stack [S] does not exist");
    aws.cfn("DeleteStack", &[("StackName", "S")]);
    aws.cfn("CreateStack", &request);
    assert!(
        aws.refused("UpdateStack", &request)
            .ends_with("is in CREATE_IN_PROGRESS state and can not be updated.")
    );
    assert_eq!(aws.refused("CreateStack", &request), "AlreadyExistsException: Stack [S] already exists");
    aws.settle("S");
    aws.cfn("UpdateTerminationProtection", &[("StackName", "S"), ("EnableTerminationProtection", "true")]);
    let refused = aws.refused("DeleteStack", &[("StackName", "S")]);
    assert_eq!(
        refused,
        "ValidationError: Stack [S] cannot be deleted while TerminationProtection is enabled"
    );
    assert_eq!(
        aws.refused("DescribeStacks", &[("StackName", "Q")]),
        "ValidationError: Stack with id Q does not exist"
    );
}

#[test]
fn a_deletion_starts_with_dependents_and_keeps_retained_resources() {
    let aws = Aws::calm();
    let mut kept = parameter("/kept", "x");
    kept["DeletionPolicy"] = json!("Retain");
    let template = json!({"Resources": {
        "Base": parameter("/base", "x"),
        "User": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Base"}}},
        "Kept": kept,
    }});
    aws.create("S", &template);
    aws.settle("S");
    let id = aws.sim.stacks()[0].id.clone();
    aws.cfn("DeleteStack", &[("StackName", "S")]);
    assert_eq!(aws.settle("S"), "DELETE_COMPLETE");
    let deletions: Vec<String> =
        aws.events(&id).into_iter().filter(|event| event.contains(" DELETE_")).collect();
    let at = |event: &str| deletions.iter().position(|line| line == event).unwrap();
    assert!(at("User DELETE_COMPLETE") < at("Base DELETE_IN_PROGRESS"));
    assert!(deletions.contains(&"Kept DELETE_SKIPPED".to_owned()));
    assert_eq!((aws.parameter("/kept").is_some(), aws.parameter("/base")), (true, None));
    // The name is free again, and a stack of that name is a new one.
    let template = json!({"Resources": {"Base": parameter("/base", "x")}});
    aws.create("S", &template);
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE");
    assert_eq!(field(&aws.cfn("DescribeStacks", &[("StackName", &id)]), "StackStatus"), "DELETE_COMPLETE");
}

#[test]
fn lists_are_split_into_pages() {
    let aws = Aws::new(SimOptions { page_size: 2, throttling: false, ..SimOptions::default() });
    let template = json!({"Resources": {"P": {"Type": "AWS::SNS::Topic"}}});
    for name in ["A", "B", "C"] {
        aws.create(name, &template);
    }
    aws.settle("C");
    let first = aws.cfn("DescribeStacks", &[]);
    let second = aws.cfn("DescribeStacks", &[("NextToken", &field(&first, "NextToken"))]);
    assert_eq!(first.matches("<StackName>").count(), 2);
    assert_eq!(second.matches("<StackName>").count(), 1);
    assert_eq!(field(&second, "NextToken"), "");
    assert!(aws.refused("DescribeStacks", &[("NextToken", "?")]).starts_with("ValidationError"));
}

#[test]
fn rates_are_limited_by_operation_and_region() {
    let aws = Aws::new(SimOptions::default());
    let template = json!({"Resources": {"P": {"Type": "AWS::SNS::Topic"}}}).to_string();
    aws.cfn("CreateStack", &with_template("A", &template));
    aws.cfn("CreateStack", &with_template("B", &template));
    assert_eq!(aws.refused("CreateStack", &with_template("C", &template)), "Throttling: Rate exceeded");
    assert_eq!(
        aws.query_in("us-west-2", "cloudformation", "CreateStack", &with_template("C", &template)).0,
        200
    );
    aws.cfn("DescribeStacks", &[]);
    aws.pass(Duration::from_millis(500));
    aws.cfn("CreateStack", &with_template("C", &template));
}

#[test]
fn a_stale_read_shows_an_earlier_state() {
    let aws = Aws::calm();
    let stale = StaleReads { probability: 1.0, up_to: Duration::from_secs(30) };
    aws.sim.set_faults(paceline_sim::Faults { stale_reads: Some(stale), ..paceline_sim::Faults::default() });
    aws.create("S", &json!({"Resources": {"P": parameter("/p", "1")}}));
    aws.settle("S");
    aws.pass(Duration::from_secs(8));
    let shown: Vec<String> = (0..40)
        .map(|_| {
            field(
                &aws.query_in(REGION, "cloudformation", "DescribeStacks", &[("StackName", "S")]).1,
                "StackStatus",
            )
        })
        .collect();
    for status in ["", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"] {
        assert!(shown.iter().any(|seen| seen == status), "{status:?} was never seen");
    }
}

#[test]
fn functions_need_their_code_and_services_their_images() {
    let options = SimOptions { images: Images::Absent, throttling: false, ..SimOptions::default() };
    let aws = Aws::new(options);
    let repository = "cdk-hnb659fds-container-assets-111111111111-us-east-1";
    let image = format!("111111111111.dkr.ecr.us-east-1.amazonaws.com/{repository}:abc");
    let function = json!({"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {
        "Code": {"S3Bucket": "cdk-hnb659fds-assets-111111111111-us-east-1", "S3Key": "code.zip"}, "Role": "r"}}}});
    let service = json!({"Resources": {
        "T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Name": "c", "Image": image}]}},
        "S": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": {"Ref": "T"}}},
    }});
    aws.create("Function", &function);
    aws.create("Service", &service);
    assert_eq!(aws.settle("Function"), "ROLLBACK_COMPLETE");
    assert_eq!(aws.status("Service"), "ROLLBACK_COMPLETE");
    assert!(
        aws.events("Function")
            .iter()
            .any(|event| event.starts_with("F CREATE_FAILED") && event.contains("NoSuchKey"))
    );
    aws.sim.put_image(ACCOUNT, REGION, repository, "abc");
    aws.create("Service2", &service);
    assert_eq!(aws.settle("Service2"), "CREATE_COMPLETE");
}

#[test]
fn a_template_that_aws_would_refuse_is_refused() {
    let aws = Aws::calm();
    let refused = |template: &str| aws.refused("CreateStack", &with_template("S", template));
    let many: serde_json::Map<_, _> = (0..501).map(|n| (format!("R{n}"), json!({"Type": "T"}))).collect();
    let cases = [
        (json!({"Resources": {}}), "Template format error: At least one Resources member must be defined."),
        (
            json!({"Resources": many}),
            "Template format error: Number of resources, 501, is greater than maximum allowed, 500",
        ),
        (json!({"Resources": {"A": {}}}), "Every Resources object must contain a Type member."),
        (
            json!({"Resources": {"A": {"Type": "T", "DependsOn": "Z"}}}),
            "Unresolved resource dependencies [Z] in the Resources block of the template",
        ),
        (
            json!({"Resources": {"A": {"Type": "T"}}, "Outputs": {"O": {"Value": {"Ref": "Z"}}}}),
            "Unresolved resource dependencies [Z] in the Outputs block of the template",
        ),
        (
            json!({"Resources": {"A": {"Type": "T", "Properties": {"x": {"Fn::Sub": "${B.Arn}"}}}}}),
            "references undefined resource B",
        ),
        (
            json!({"Resources": {"A": {"Type": "T", "DependsOn": "B"}, "B": {"Type": "T", "Properties": {"x": {"Ref": "A"}}}}}),
            "Circular dependency between resources: [A, B]",
        ),
        (
            json!({"Resources": {"A": {"Type": "T"}}, "Conditions": {"C": {"Condition": "C"}}}),
            "circular dependency between conditions",
        ),
        (
            json!({"Resources": {"A": {"Type": "T"}}, "Parameters": {"P": {"Type": "String"}}}),
            "Parameters: [P] must have values",
        ),
        (
            json!({"Resources": {"A": {"Type": "T"}}, "What": {}}),
            "Invalid template property or properties [What]",
        ),
    ];
    for (template, expected) in cases {
        let refused = refused(&template.to_string());
        assert!(refused.contains(expected), "{refused:?} does not say {expected:?}");
    }
    assert!(refused(&"x".repeat(51_201)).contains("Member must have length less than or equal to 51200"));
    assert!(refused("{\"Resources\": ").contains("Template format error"));
    let role =
        json!({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}}}).to_string();
    let weak =
        [("StackName", "S"), ("TemplateBody", role.as_str()), ("Capabilities.member.1", "CAPABILITY_IAM")];
    assert_eq!(
        aws.refused("CreateStack", &weak),
        "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]"
    );
}

#[test]
fn the_same_seed_and_requests_give_the_same_answers() {
    let run = |seed| {
        let faults =
            paceline_sim::Faults { throttle: 0.2, server_errors: 0.1, ..paceline_sim::Faults::default() };
        let aws = Aws::new(SimOptions { seed, jitter: 0.3, faults, ..SimOptions::default() });
        let template =
            json!({"Resources": {"A": {"Type": "AWS::SNS::Topic"}, "B": {"Type": "AWS::SQS::Queue"}}})
                .to_string();
        let mut answers = Vec::new();
        for step in 0..60 {
            let name = format!("S{}", step % 7);
            answers.push(aws.query_in(
                REGION,
                "cloudformation",
                "CreateStack",
                &with_template(&name, &template),
            ));
            answers.push(aws.query_in(REGION, "cloudformation", "DescribeStacks", &[]));
            aws.pass(Duration::from_secs(1));
        }
        answers
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
