//! Every kind of edge, and what looks like one but is none.

use serde_json::{Value, json};

use crate::build::{App, empty, exports, holds, resources, warnings, writes};

fn reads_as_parameter(kind: &str, name: &str) -> Value {
    json!({
        "Parameters": { "Stored": { "Type": kind, "Default": name } },
        "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } },
    })
}

fn calls(create: &Value, update: &Value) -> Value {
    resources(json!({
        "Reader": {
            "Type": "Custom::AWS",
            "Properties": { "ServiceToken": "arn", "Create": create.to_string(), "Update": update.to_string() },
        },
    }))
}

fn get_parameter(region: Option<&str>, name: &str) -> Value {
    let mut call = json!({ "service": "SSM", "action": "getParameter", "parameters": { "Name": name } });
    if let Some(region) = region {
        call["region"] = region.into();
    }
    call
}

#[test]
fn the_manifest() {
    App::default()
        .stack("A", "us-east-1", empty())
        .after("B", &["A"])
        .check_edges(&["B -> A manifest: declared in the assembly's manifest"]);
}

#[test]
fn an_import_by_name() {
    let app = App::pair(exports(json!("net:Vpc")), holds(json!({ "Fn::ImportValue": "net:Vpc" })));
    app.check_edges(&["Consumer -> Producer import: imports net:Vpc (Consumer: R.Properties.Value)"]);
}

#[test]
fn an_import_whose_name_is_put_together_on_both_sides() {
    let exported = json!({ "Fn::Join": [":", [{ "Ref": "AWS::StackName" }, "Vpc"]] });
    let imported = json!({ "Fn::ImportValue": { "Fn::Sub": "${Network}:Vpc" } });
    let mut consumer = holds(imported);
    consumer["Parameters"] = json!({ "Network": { "Type": "String", "Default": "Producer" } });
    App::pair(exports(exported), consumer)
        .check_edges(&["Consumer -> Producer import: imports Producer:Vpc (Consumer: R.Properties.Value)"]);
}

#[test]
fn an_import_inside_an_image_uri() {
    let uri = json!({ "Fn::Join": ["", [
        { "Ref": "AWS::AccountId" }, ".dkr.ecr.", { "Ref": "AWS::Region" }, ".amazonaws.com/",
        { "Fn::ImportValue": "repository" }, ":latest",
    ]] });
    App::pair(exports(json!("repository")), holds(uri))
        .check_edges(&["Consumer -> Producer import: imports repository (Consumer: R.Properties.Value)"]);
}

#[test]
fn an_import_of_either_branch() {
    let import = json!({ "Fn::ImportValue": { "Fn::If": ["Unknown", "one", { "Ref": "AWS::NoValue" }] } });
    App::pair(exports(json!("one")), holds(import))
        .check_edges(&["Consumer -> Producer import: imports one (Consumer: R.Properties.Value)"]);
}

#[test]
fn a_name_read_in_many_places_is_one_edge() {
    let import = json!({ "Fn::ImportValue": "x" });
    App::pair(exports(json!("x")), holds(json!([import, import, import]))).check_edges(&[
        "Consumer -> Producer import: imports x (Consumer: R.Properties.Value[0] and 2 more places)",
    ]);
}

#[test]
fn a_parameter_of_the_template() {
    for kind in [
        "AWS::SSM::Parameter::Value<String>",
        "AWS::SSM::Parameter::Value<List<String>>",
        "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
        "AWS::SSM::Parameter::Name",
    ] {
        App::pair(writes(json!("/app/x")), reads_as_parameter(kind, "/app/x")).check_edges(&[
            "Consumer -> Producer ssm: reads the parameter /app/x (Consumer: Parameters.Stored.Default)",
        ]);
    }
}

#[test]
fn the_name_that_the_manifest_gives_a_parameter_counts() {
    let consumer = reads_as_parameter("AWS::SSM::Parameter::Value<String>", "/not/this");
    let fields = json!({ "properties": { "parameters": { "Stored": "/app/x" } } });
    App::default()
        .stack("Producer", "us-east-1", writes(json!("/app/x")))
        .artifact("Consumer", fields, consumer)
        .check_edges(&[
            "Consumer -> Producer ssm: reads the parameter /app/x (Consumer: Parameters.Stored.Default)",
        ]);
}

#[test]
fn a_dynamic_reference() {
    let check = |consumer: Value, shown: &str| {
        App::pair(writes(json!({ "Fn::Sub": "/app/x" })), consumer).check_edges(&[&format!(
            "Consumer -> Producer ssm: reads the parameter {shown} (Consumer: R.Properties.Value)"
        )]);
    };
    check(holds(json!("{{resolve:ssm:/app/x}}")), "/app/x");
    check(holds(json!("a {{resolve:ssm:/app/x:3}} b")), "/app/x:3");
    check(holds(json!("{{resolve:ssm-secure:/app/x:1}}")), "/app/x:1");
    let joined = json!({ "Fn::Join": ["", ["{{resolve:ssm:/", { "Ref": "Stage" }, "/x}}"]] });
    let mut consumer = holds(joined);
    consumer["Parameters"] = json!({ "Stage": { "Type": "String", "Default": "app" } });
    check(consumer, "/app/x");
}

#[test]
fn a_parameter_named_by_its_arn() {
    let arn = "arn:aws:ssm:us-east-1:111111111111:parameter/app/x";
    App::pair(writes(json!("/app/x")), holds(json!(format!("{{{{resolve:ssm:{arn}}}}}")))).check_edges(&[
        &format!("Consumer -> Producer ssm: reads the parameter {arn} (Consumer: R.Properties.Value)"),
    ]);
    let elsewhere = "{{resolve:ssm:arn:aws:ssm:us-east-1:222222222222:parameter/app/x}}";
    App::pair(writes(json!("/app/x")), holds(json!(elsewhere))).check_edges(&[]);
}

#[test]
fn a_custom_resource_that_reads_another_region() {
    let app = |region| {
        let call = get_parameter(region, "/app/x");
        App::default().stack("Producer", "us-east-1", writes(json!("/app/x"))).stack(
            "Consumer",
            "us-west-2",
            calls(&call, &call),
        )
    };
    app(Some("us-east-1")).check_edges(&[
        "Consumer -> Producer ssm: reads the parameter /app/x in us-east-1 (Consumer: Reader.Properties.Create)",
    ]);
    app(Some("eu-west-1")).check_edges(&[]);
    app(None).check_edges(&[]);
    app(None).check_external(&["Consumer ssm: /app/x (Consumer: Reader.Properties.Create)"]);
}

#[test]
fn a_custom_resource_that_reads_another_parameter_when_it_is_updated() {
    let consumer = calls(&get_parameter(None, "/app/x"), &get_parameter(None, "/app/y"));
    App::pair(writes(json!("/app/y")), consumer).check_edges(&[
        "Consumer -> Producer ssm: reads the parameter /app/y (Consumer: Reader.Properties.Update)",
    ]);
}

#[test]
fn a_custom_resource_that_reads_all_below_a_path() {
    let call = json!({
        "service": "@aws-sdk/client-ssm", "action": "GetParametersByPathCommand", "parameters": { "Path": "/app" },
    });
    App::pair(writes(json!("/app/x")), calls(&call, &call)).check_edges(&[
        "Consumer -> Producer ssm: reads the parameters /app/* in us-east-1 (Consumer: Reader.Properties.Create)",
    ]);
    App::pair(writes(json!("/application/x")), calls(&call, &call)).check_edges(&[]);
}

#[test]
fn a_custom_resource_that_writes() {
    let call = json!({ "service": "SSM", "action": "putParameter", "parameters": { "Name": "/app/x" } });
    App::pair(calls(&call, &call), holds(json!("{{resolve:ssm:/app/x}}"))).check_edges(&[
        "Consumer -> Producer ssm: reads the parameter /app/x (Consumer: R.Properties.Value)",
    ]);
}

#[test]
fn the_export_writer_and_reader() {
    let exports = json!({ "/cdk/exports/Consumer/x": "v" });
    let writer = json!({ "W": { "Type": "Custom::CrossRegionExportWriter", "Properties": {
        "WriterProps": { "region": "us-west-2", "prefix": "Consumer", "exports": exports },
    } } });
    for name in ["/cdk/exports/Consumer/x", "cdk/exports/Consumer/x"] {
        let reader = json!({ "R": { "Type": "Custom::CrossRegionExportReader", "Properties": {
            "ReaderProps": { "region": "us-west-2", "imports": { name: "{{resolve:ssm:/cdk/exports/Consumer/x}}" } },
        } } });
        let app = App::default().stack("Producer", "us-east-1", resources(writer.clone())).stack(
            "Consumer",
            "us-west-2",
            resources(reader),
        );
        app.check_edges(&[&format!(
            "Consumer -> Producer cross-region: reads {name} from us-west-2 (Consumer: R.Properties.ReaderProps.imports)"
        )]);
        app.check_external(&[]);
    }
}

#[test]
fn the_output_of_a_stack() {
    let output = |region: &str| {
        holds(
            json!({ "Fn::GetStackOutput": { "StackName": "Producer", "Region": region, "OutputName": "O" } }),
        )
    };
    let app = |region| {
        App::default().stack("Producer", "us-east-1", empty()).stack("Consumer", "us-west-2", output(region))
    };
    app("us-east-1").check_edges(&[
        "Consumer -> Producer output: reads an output of Producer (Consumer: R.Properties.Value)",
    ]);
    app("us-west-2").check_edges(&[]);
    app("us-west-2").check_external(&["Consumer output: Producer (Consumer: R.Properties.Value)"]);
}

#[test]
fn the_image_of_a_repository() {
    let producer = resources(json!({
        "Repo": { "Type": "AWS::ECR::Repository", "Properties": { "RepositoryName": "web/front" } },
    }));
    let uri = |account: &str, region: &str| {
        holds(
            json!({ "Fn::Sub": format!("{account}.dkr.ecr.{region}.${{AWS::URLSuffix}}/web/front:latest") }),
        )
    };
    let expected = "Consumer -> Producer image: runs an image of the repository web/front (Consumer: R.Properties.Value)";
    App::pair(producer.clone(), uri("${AWS::AccountId}", "${AWS::Region}")).check_edges(&[expected]);
    App::pair(producer.clone(), uri("111111111111", "us-east-1")).check_edges(&[expected]);
    App::pair(producer.clone(), uri("111111111111", "eu-west-1")).check_edges(&[]);
    App::pair(producer, uri("222222222222", "us-east-1")).check_edges(&[]);
}

#[test]
fn the_configuration() {
    App::pair(empty(), empty())
        .config("edges: [{ from: Consumer, to: Producer, because: calls it }]")
        .check_edges(&["Consumer -> Producer config: calls it"]);
}

#[test]
fn another_region_or_account_does_not_match() {
    let reads = || holds(json!([{ "Fn::ImportValue": "x" }, "{{resolve:ssm:/x}}"]));
    let producer = || {
        let mut template = exports(json!("x"));
        template["Resources"] = writes(json!("/x"))["Resources"].clone();
        template
    };
    for environment in ["aws://111111111111/us-west-2", "aws://222222222222/us-east-1"] {
        let app = App::default().stack("Producer", "us-east-1", producer()).stack_in(
            "Consumer",
            environment,
            reads(),
        );
        app.check_edges(&[]);
        app.check_external(&[
            "Consumer import: x (Consumer: R.Properties.Value[0])",
            "Consumer ssm: /x (Consumer: R.Properties.Value[1])",
        ]);
    }
}

#[test]
fn a_stack_without_a_fixed_environment_may_be_anywhere_unless_another_is_sure() {
    let unknown = "aws://unknown-account/unknown-region";
    let reads = || holds(json!({ "Fn::ImportValue": "x" }));
    let expected = "Consumer -> Producer import: imports x (Consumer: R.Properties.Value)";
    App::default()
        .stack("Producer", "us-west-2", exports(json!("x")))
        .stack_in("Consumer", unknown, reads())
        .check_edges(&[expected]);
    App::default()
        .stack_in("Producer", unknown, exports(json!("x")))
        .stack("Consumer", "us-west-2", reads())
        .check_edges(&[expected]);
    App::default()
        .stack("Elsewhere", "us-west-2", exports(json!("x")))
        .stack_in("Producer", unknown, exports(json!("x")))
        .stack_in("Consumer", unknown, reads())
        .check_edges(&[expected]);
}

#[test]
fn what_a_stack_provides_itself_is_no_edge() {
    let mut template = exports(json!("x"));
    template["Resources"] = json!({
        "P": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": "/x", "Value": "v" } },
        "R": { "Type": "Custom::R", "Properties": { "V": ["{{resolve:ssm:/x}}", { "Fn::ImportValue": "x" }] } },
    });
    let app = App::default().stack("A", "us-east-1", template);
    app.check_edges(&[]);
    app.check_external(&[]);
}

#[test]
fn what_nothing_provides_is_external() {
    let values = json!([
        { "Fn::ImportValue": "other:Vpc" },
        { "Fn::ImportValue": { "Fn::Sub": "${R}-vpc" } },
        "{{resolve:ssm:/x}}",
        "{{resolve:ssm:/aws/service/ami}}",
        { "Fn::Sub": "${AWS::AccountId}.dkr.ecr.us-east-1.amazonaws.com/front" },
        "602401143452.dkr.ecr.us-east-1.amazonaws.com/eks/pause",
        { "Fn::Sub": "${AWS::AccountId}.dkr.ecr.us-east-1.amazonaws.com/cdk-hnb659fds-container-assets-1:x" },
    ]);
    let mut template = holds(values);
    template["Parameters"] = json!({
        "BootstrapVersion": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/x/version" },
    });
    App::default().stack("A", "us-east-1", template).check_external(&[
        "A import: other:Vpc (A: R.Properties.Value[0])",
        "A import: …-vpc (A: R.Properties.Value[1]) unresolved",
        "A ssm: /x (A: R.Properties.Value[2])",
        "A image: front (A: R.Properties.Value[4])",
    ]);
}

#[test]
fn a_nested_template_reads_and_provides_with_what_it_is_given() {
    let parent = resources(json!({ "Child": {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": { "TemplateURL": "x", "Parameters": { "Stage": { "Ref": "AWS::Region" } } },
        "Metadata": { "aws:asset:path": "child.json", "aws:asset:property": "TemplateURL" },
    } }));
    let child = json!({
        "Parameters": { "Stage": { "Type": "String", "Default": "not this" } },
        "Resources": { "R": { "Type": "Custom::R", "Properties": {
            "Value": { "Fn::ImportValue": { "Fn::Sub": "${Stage}-vpc" } },
            "Own": { "Fn::ImportValue": { "Fn::Sub": "${AWS::StackName}-vpc" } },
        } } },
    });
    let app = App::pair(exports(json!("us-east-1-vpc")), parent).file("child.json", child);
    app.check_edges(&[
        "Consumer -> Producer import: imports us-east-1-vpc (Consumer: Child/R.Properties.Value)",
    ]);
    app.check_external(&["Consumer import: …-vpc (Consumer: Child/R.Properties.Own) unresolved"]);
}

#[test]
fn odd_templates_do_no_harm() {
    let odd = json!({
        "Parameters": { "A": 1, "B": { "Type": [], "Default": {} } },
        "Conditions": { "C": null, "D": { "Fn::Equals": [] } },
        "Resources": {
            "R": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": [] } },
            "S": { "Type": "Custom::CrossRegionExportReader", "Properties": { "ReaderProps": [] } },
            "T": { "Type": "Custom::AWS", "Properties": { "ServiceToken": 1, "Create": { "a": "b" } } },
            "U": { "Type": "Custom::X", "Properties": [{ "Fn::ImportValue": [] }, { "Fn::GetStackOutput": 1 }] },
            "V": { "Type": "Custom::X", "Properties": { "Fn::Join": 1, "Fn::Sub": [], "Ref": {} } },
            "W": { "Type": 5, "Properties": "{{resolve:ssm: }}{{resolve:ssm:{{resolve:ssm:}}.dkr.ecr.//" },
        },
        "Outputs": { "O": [], "P": { "Export": [] }, "Q": { "Export": { "Name": null } } },
    });
    App::default().stack("A", "us-east-1", odd).plan();
}

/// A template that has a parameter of which only deployment knows the value.
fn staged(mut template: Value) -> Value {
    template["Parameters"] = json!({ "Stage": { "Type": "String" } });
    template
}

#[test]
fn a_name_that_both_sides_put_together_from_what_only_deployment_knows() {
    let name = json!({ "Fn::Sub": "${Stage}-network-vpc" });
    let import = || holds(json!({ "Fn::ImportValue": name }));
    let app = App::pair(staged(exports(name.clone())), staged(import()));
    app.check_edges(&[
        "Consumer -> Producer import: imports …-network-vpc (Consumer: R.Properties.Value), as far as the name is known before deployment",
    ]);
    app.check_external(&[]);
    // Of two that may be meant, none is taken.
    let app = app.stack("Other", "us-east-1", staged(exports(name.clone())));
    app.check_edges(&[]);
    app.check_external(&["Consumer import: …-network-vpc (Consumer: R.Properties.Value) unresolved"]);
    assert_eq!(app.plan().external[0].may_be, ["Other", "Producer"]);
    // Nor one of another region.
    let app = App::default().stack("Producer", "us-west-2", staged(exports(name.clone()))).stack(
        "Consumer",
        "us-east-1",
        staged(import()),
    );
    app.check_edges(&[]);
}

#[test]
fn a_parameter_whose_stage_only_deployment_knows() {
    let reads = staged(holds(json!({ "Fn::Sub": "{{resolve:ssm:/shop/${Stage}/database/url}}" })));
    App::pair(writes(json!("/shop/prod/database/url")), reads.clone()).check_edges(&[
        "Consumer -> Producer ssm: reads the parameter /shop/…/database/url (Consumer: R.Properties.Value), as far as the name is known before deployment",
    ]);
    App::pair(writes(json!("/shop/prod/database/name")), reads).check_edges(&[]);
}

#[test]
fn a_guess_that_would_make_a_circle_or_contradict_the_phases_is_no_edge() {
    let name = json!({ "Fn::Sub": "${Stage}-network-vpc" });
    let app = || {
        App::default().stack("Producer", "us-east-1", staged(exports(name.clone()))).artifact(
            "Consumer",
            json!({}),
            staged(holds(json!({ "Fn::ImportValue": name }))),
        )
    };
    let circle = app().config("edges: [{ from: Producer, to: Consumer, because: it says so }]");
    circle.check_edges(&["Producer -> Consumer config: it says so"]);
    circle.check_external(&["Consumer import: …-network-vpc (Consumer: R.Properties.Value) unresolved"]);
    let phases = app().config("phases: [{ name: a, stacks: [Consumer] }, { name: b, stacks: [Producer] }]");
    phases.check_edges(&[]);
}

#[test]
fn the_output_of_a_stack_in_another_account() {
    let reads = |role: &str| {
        holds(
            json!({ "Fn::GetStackOutput": { "StackName": "Producer", "OutputName": "O", "RoleArn": role } }),
        )
    };
    let app = |role| {
        App::default().stack_in("Producer", "aws://222222222222/us-east-1", empty()).stack(
            "Consumer",
            "us-east-1",
            reads(role),
        )
    };
    app("arn:aws:iam::222222222222:role/reader").check_edges(&[
        "Consumer -> Producer output: reads an output of Producer (Consumer: R.Properties.Value)",
    ]);
    app("arn:aws:iam::333333333333:role/reader").check_edges(&[]);
}

#[test]
fn an_edge_says_where_it_is_read_and_where_it_is_provided() {
    let plan = App::pair(
        exports(json!("x")),
        holds(json!([{ "Fn::ImportValue": "x" }, { "Fn::ImportValue": "x" }])),
    )
    .plan();
    let edge = &plan.stacks[1].depends_on[0];
    let read: Vec<String> = edge.read_at.iter().map(ToString::to_string).collect();
    assert_eq!(read, ["R.Properties.Value[0]", "R.Properties.Value[1]"]);
    assert_eq!(edge.read_at[0].logical_id, "R");
    assert_eq!(edge.provided_at.as_ref().unwrap().to_string(), "Outputs.Out.Export.Name");
}

#[test]
fn the_bootstrap_version_where_a_stack_of_the_app_writes_it() {
    let mut consumer = empty();
    let kind = "AWS::SSM::Parameter::Value<String>";
    consumer["Parameters"] = json!({
        "BootstrapVersion": { "Type": kind, "Default": "/cdk-bootstrap/hnb659fds/version" },
    });
    let mut bootstrap = writes(json!({ "Fn::Sub": "/cdk-bootstrap/${Qualifier}/version" }));
    bootstrap["Parameters"] = json!({ "Qualifier": { "Type": "String", "Default": "hnb659fds" } });
    // It may read its own version.
    bootstrap["Parameters"]["BootstrapVersion"] = consumer["Parameters"]["BootstrapVersion"].clone();
    App::pair(bootstrap.clone(), consumer.clone()).check_edges(&[
        "Consumer -> Producer ssm: reads the parameter /cdk-bootstrap/hnb659fds/version (Consumer: Parameters.BootstrapVersion.Default)",
    ]);
    // One of another region is another, and what bootstrapping writes is no news.
    let elsewhere =
        App::default().stack("Producer", "us-west-2", bootstrap).stack("Consumer", "us-east-1", consumer);
    elsewhere.check_edges(&[]);
    elsewhere.check_external(&[]);
}

#[test]
fn rules_and_hooks_are_read_and_are_no_resources() {
    let mut consumer = empty();
    consumer["Rules"] = json!({ "R": { "Assertions": [{ "Assert": { "Fn::ImportValue": "x" } }] } });
    consumer["Hooks"] = json!({ "H": {
        "Type": "AWS::CodeDeploy::BlueGreen",
        "Properties": { "Role": "{{resolve:ssm:/app/role}}" },
    } });
    let app =
        App::pair(exports(json!("x")), consumer).stack("Writer", "us-east-1", writes(json!("/app/role")));
    app.check_edges(&[
        "Consumer -> Producer import: imports x (Consumer: Rules.R.Assertions[0].Assert)",
        "Consumer -> Writer ssm: reads the parameter /app/role (Consumer: Hooks.H.Properties.Role)",
    ]);
    let plan = app.plan();
    assert!(plan.stacks.iter().all(|stack| stack.resources == 1), "{:?}", plan.stacks);
}

#[test]
fn a_reference_inside_json_that_a_function_writes() {
    let written =
        json!({ "Fn::ToJsonString": { "a": { "Fn::ImportValue": "x" }, "b": [{ "Fn::Sub": "c" }] } });
    App::pair(exports(json!("x")), holds(written))
        .check_edges(&["Consumer -> Producer import: imports x (Consumer: R.Properties.Value)"]);
}

/// A text that becomes four times as long with every level.
fn growing(levels: usize) -> Value {
    (0..levels)
        .fold(json!("xxxxxxxxxx"), |inner, _| json!({ "Fn::Sub": ["${a}${a}${a}${a}", { "a": inner }] }))
}

#[test]
fn what_grows_without_bounds_is_passed_over_with_a_warning_that_says_where() {
    let consumer = holds(json!([{ "Fn::ImportValue": growing(30) }, { "Fn::ImportValue": "x" }]));
    let mut producer = exports(growing(20));
    producer["Outputs"]["Other"] = json!({ "Value": "v", "Export": { "Name": "x" } });
    let app = App::pair(producer, consumer);
    app.check_edges(&["Consumer -> Producer import: imports x (Consumer: R.Properties.Value[1])"]);
    let too_large = |stack: &str, place: &str| {
        format!(
            "{stack}: the functions at `{place}` make texts that are too large to be followed; if that ties it to other \
             stacks, `edges:` has to say so"
        )
    };
    let mut told = warnings(&app.plan());
    told.sort_unstable();
    assert_eq!(
        told,
        [too_large("Consumer", "R.Properties.Value[0]"), too_large("Producer", "Outputs.Out.Export.Name")]
    );
}
