//! What stands in loops ties stacks as anything else does.

use serde_json::{Value, json};

use crate::build::{App, empty, exports, holds, warnings, writes};

fn with_loops(mut template: Value) -> Value {
    template["Transform"] = json!("AWS::LanguageExtensions");
    template
}

/// `entry` for each of these elements, as `${Tier}`.
fn each(elements: Value, key: &str, entry: Value) -> Value {
    json!({ "Fn::ForEach::Loop": ["Tier", elements, { key: entry }] })
}

fn tiers() -> Value {
    json!(["App", "Data"])
}

/// Exports `net-App-id` and `net-Data-id`, and writes `/net/App/topic` and `/net/Data/topic`.
fn network() -> Value {
    let parameter = json!({
        "Type": "AWS::SSM::Parameter",
        "Properties": { "Name": { "Fn::Sub": "/net/${Tier}/topic" }, "Type": "String", "Value": "v" },
    });
    let output = json!({ "Value": "v", "Export": { "Name": { "Fn::Sub": "net-${Tier}-id" } } });
    with_loops(json!({
        "Resources": each(tiers(), "Param${Tier}", parameter),
        "Outputs": each(tiers(), "Id${Tier}", output),
    }))
}

fn queue(name: Value) -> Value {
    json!({ "Type": "AWS::SQS::Queue", "Properties": { "Tag": { "Fn::ImportValue": name } } })
}

#[test]
fn exports_and_parameters_that_a_loop_makes_are_found_by_their_names() {
    App::default()
        .stack("Api", "us-east-1", holds(json!({ "Fn::ImportValue": "net-App-id" })))
        .stack("Web", "us-east-1", holds(json!("{{resolve:ssm:/net/Data/topic}}")))
        .stack("Net", "us-east-1", network())
        .check_edges(&[
            "Api -> Net import: imports net-App-id (Api: R.Properties.Value)",
            "Web -> Net ssm: reads the parameter /net/Data/topic (Web: R.Properties.Value)",
        ]);
}

#[test]
fn what_a_loop_imports_ties_its_stack() {
    let queue = queue(json!({ "Fn::Sub": "net-${Tier}-id" }));
    let jobs = with_loops(json!({ "Resources": each(tiers(), "Queue${Tier}", queue) }));
    let app = App::default().stack("Jobs", "us-east-1", jobs).stack("Net", "us-east-1", network());
    app.check_edges(&[
        "Jobs -> Net import: imports net-App-id (Jobs: QueueApp.Properties.Tag)",
        "Jobs -> Net import: imports net-Data-id (Jobs: QueueData.Properties.Tag)",
    ]);
    let plan = app.plan();
    assert_eq!(plan.stacks.iter().map(|stack| stack.resources).collect::<Vec<_>>(), [2, 2]);
    assert!(warnings(&plan).is_empty(), "{:?}", warnings(&plan));
}

#[test]
fn a_literal_in_a_loop_over_the_unknown_is_an_edge_and_the_rest_is_a_guess() {
    let jobs = |name: Value| {
        let mut template =
            with_loops(json!({ "Resources": each(json!({ "Ref": "Asked" }), "Queue${Tier}", queue(name)) }));
        template["Parameters"] = json!({ "Asked": { "Type": "CommaDelimitedList" } });
        template
    };
    let app = |name| App::pair(exports(json!("net-app-id")), jobs(name));
    let literal = app(json!("net-app-id"));
    literal
        .check_edges(&["Consumer -> Producer import: imports net-app-id (Consumer: Queue….Properties.Tag)"]);
    app(json!({ "Fn::Sub": "net-${Tier}-id" })).check_edges(&[
        "Consumer -> Producer import: imports net-…-id (Consumer: Queue….Properties.Tag), as far as the name is known before deployment",
    ]);
    let plan = literal.plan();
    assert_eq!(plan.stacks[1].resources, 1);
    assert_eq!(
        warnings(&plan),
        [
            "Consumer: the loop at `Resources.Fn::ForEach::Loop` goes through what is only known at deployment; if that \
             ties it to other stacks, `edges:` has to say so"
        ]
    );
}

#[test]
fn a_parameter_that_a_loop_over_the_unknown_writes_is_waited_for_with_its_whole_stack() {
    let parameter =
        json!({ "Type": "AWS::SSM::Parameter", "Properties": { "Name": "/app/x", "Value": "v" } });
    let mut producer =
        with_loops(json!({ "Resources": each(json!({ "Ref": "Asked" }), "Param${Tier}", parameter) }));
    producer["Parameters"] = json!({ "Asked": { "Type": "CommaDelimitedList" } });
    let app = App::pair(producer, holds(json!("{{resolve:ssm:/app/x}}")))
        .config("edges: [{ from: Consumer, to: Producer, until: resource, because: it is enough }]");
    let error = app.refused();
    assert!(
        error.contains("only a parameter or a repository of the stack itself can be waited for"),
        "{error}"
    );
}

#[test]
fn the_elements_of_a_parameter_that_the_manifest_gives_are_gone_through() {
    let queue = queue(json!({ "Fn::Sub": "net-${Tier}-id" }));
    let mut jobs = with_loops(json!({ "Resources": each(json!({ "Ref": "Tiers" }), "Queue${Tier}", queue) }));
    jobs["Parameters"] = json!({ "Tiers": { "Type": "CommaDelimitedList", "Default": "Other" } });
    let given = json!({ "properties": { "parameters": { "Tiers": "App" } } });
    App::default()
        .artifact("Jobs", given, jobs)
        .stack("Net", "us-east-1", network())
        .check_edges(&["Jobs -> Net import: imports net-App-id (Jobs: QueueApp.Properties.Tag)"]);
}

#[test]
fn the_condition_of_each_entry_of_a_loop_counts() {
    let mut queue = queue(json!({ "Fn::Sub": "net-${Tier}-id" }));
    queue["Condition"] = json!("Is${Tier}");
    let mut jobs = with_loops(json!({ "Resources": each(tiers(), "Queue${Tier}", queue) }));
    jobs["Conditions"] = each(tiers(), "Is${Tier}", json!({ "Fn::Equals": [{ "Ref": "Tier" }, "Data"] }));
    App::default()
        .stack("Jobs", "us-east-1", jobs)
        .stack("Net", "us-east-1", network())
        .check_edges(&["Jobs -> Net import: imports net-Data-id (Jobs: QueueData.Properties.Tag)"]);
}

#[test]
fn a_nested_stack_that_a_loop_makes_is_read() {
    let nested = json!({
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": { "aws:asset:path": "inner.json", "aws:asset:property": "TemplateURL" },
        "Properties": { "TemplateURL": "x", "Parameters": { "Tier": { "Ref": "Tier" } } },
    });
    let mut inner = holds(json!({ "Fn::ImportValue": { "Fn::Sub": "net-${Tier}-id" } }));
    inner["Parameters"] = json!({ "Tier": { "Type": "String" } });
    let outer = with_loops(json!({ "Resources": each(tiers(), "Inner${Tier}", nested) }));
    App::default()
        .stack("Jobs", "us-east-1", outer)
        .file("inner.json", inner)
        .stack("Net", "us-east-1", network())
        .check_edges(&[
            "Jobs -> Net import: imports net-App-id (Jobs: InnerApp/R.Properties.Value)",
            "Jobs -> Net import: imports net-Data-id (Jobs: InnerData/R.Properties.Value)",
        ]);
}

#[test]
fn what_a_macro_makes_is_told_and_counts_as_something() {
    let include = json!({ "Name": "AWS::Include", "Parameters": { "Location": "s3://bucket/key" } });
    let mut all = empty();
    all["Transform"] = json!("Mine");
    let plan = App::default()
        .stack("All", "us-east-1", json!({ "Transform": "Mine" }))
        .stack("Part", "us-east-1", json!({ "Resources": { "Fn::Transform": include } }))
        .stack("Whole", "us-east-1", all)
        .plan();
    assert_eq!(plan.stacks.iter().map(|stack| stack.resources).collect::<Vec<_>>(), [1, 1, 1]);
    let edges = "if that ties it to other stacks, `edges:` has to say so";
    assert_eq!(
        warnings(&plan),
        [
            format!("All: the macro `Mine` makes it another template; {edges}"),
            format!("Part: only deployment knows what `AWS::Include` puts in at `Resources`; {edges}"),
            format!("Whole: the macro `Mine` makes it another template; {edges}"),
        ]
    );
}

#[test]
fn functions_in_the_place_of_names_hide_nothing() {
    let producer = writes(json!("/app/x"));
    let mut consumer = with_loops(json!({ "Resources": {
        "R": { "Type": "T", "Properties": { "A": { "Ref": { "Fn::Sub": "Topic${Suffix}" } } } },
        "TopicZ": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": "{{resolve:ssm:/app/x}}", "Value": "v" } },
    } }));
    consumer["Parameters"] = json!({ "Suffix": { "Type": "String", "Default": "Z" } });
    App::pair(producer, consumer).check_edges(&[
        "Consumer -> Producer ssm: reads the parameter /app/x (Consumer: TopicZ.Properties.Name)",
    ]);
}
