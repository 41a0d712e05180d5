//! Loops are expanded like CloudFormation expands them, as far as their elements are known.

use std::collections::BTreeMap;

use paceline_assembly::{Environment, Known, Template, UNKNOWN, Unseen};
use serde_json::{Value, json};

fn template(mut sections: Value) -> Template {
    sections["Transform"] = json!("AWS::LanguageExtensions");
    Template::from_value(sections).unwrap()
}

/// Checks that a template with these resources expands to the expected ones.
#[track_caller]
fn check(resources: Value, expected: Value) {
    let template = template(json!({
        "Parameters": {
            "Names": { "Type": "CommaDelimitedList", "Default": "a, b" },
            "Text": { "Type": "String", "Default": "a,b" },
            "Asked": { "Type": "CommaDelimitedList" },
            "Stored": { "Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/names" },
            "Suffix": { "Type": "String", "Default": "Z" },
        },
        "Mappings": { "Map": {
            "us-east-1": { "List": ["x", "y"], "One": "1" },
            "Condition": { "b": "IsB" },
        } },
        "Resources": resources,
    }));
    assert_eq!(template.expanded()["Resources"], expected);
    let count = expected.as_object().unwrap().len();
    assert_eq!((template.resources().count(), template.resource_count()), (count, count));
    assert_eq!(template.value()["Resources"], resources, "what is sent stays as it is written");
}

fn shown(template: &Template) -> Vec<String> {
    template.unseen().iter().map(ToString::to_string).collect()
}

#[test]
fn a_loop_repeats_its_entries_for_each_element() {
    check(
        json!({
            "Fn::ForEach::Topics": ["Tier", ["App", "Data"], {
                "Topic${Tier}": {
                    "Type": "AWS::SNS::Topic",
                    "DependsOn": ["Queue${Tier}"],
                    "Properties": { "A": { "Ref": "Tier" }, "B": { "Fn::Sub": "x-${Tier}-${AWS::Region}" }, "C": 1 },
                },
                "Queue${Tier}": { "Type": "AWS::SQS::Queue" },
            }],
            "Plain": { "Type": "T", "Properties": { "A": "${Tier}" } },
        }),
        json!({
            "TopicApp": {
                "Type": "AWS::SNS::Topic",
                "DependsOn": ["QueueApp"],
                "Properties": { "A": "App", "B": { "Fn::Sub": "x-App-${AWS::Region}" }, "C": 1 },
            },
            "QueueApp": { "Type": "AWS::SQS::Queue" },
            "TopicData": {
                "Type": "AWS::SNS::Topic",
                "DependsOn": ["QueueData"],
                "Properties": { "A": "Data", "B": { "Fn::Sub": "x-Data-${AWS::Region}" }, "C": 1 },
            },
            "QueueData": { "Type": "AWS::SQS::Queue" },
            "Plain": { "Type": "T", "Properties": { "A": "${Tier}" } },
        }),
    );
}

#[test]
fn only_letters_and_digits_of_an_element_are_inserted_on_request() {
    check(
        json!({ "Fn::ForEach::Nets": ["Cidr", ["10.0.0.0/16"], {
            "Net&{Cidr}": { "Type": "T", "Properties": { "A": { "Ref": "Cidr" }, "B": "&{Cidr} ${!Cidr} ${Other} {Cidr}" } },
        }] }),
        json!({ "Net1000016": { "Type": "T", "Properties": { "A": "10.0.0.0/16", "B": "1000016 ${!Cidr} ${Other} {Cidr}" } } }),
    );
}

#[test]
fn loops_may_be_inside_loops_and_properties() {
    check(
        json!({ "Fn::ForEach::Outer": ["A", ["1", 2], { "Fn::ForEach::Inner": ["B", ["x", "y"], {
            "R${A}${B}": { "Type": "T" },
        }] }] }),
        json!({ "R1x": { "Type": "T" }, "R1y": { "Type": "T" }, "R2x": { "Type": "T" }, "R2y": { "Type": "T" } }),
    );
    check(
        json!({ "R": { "Type": "T", "Properties": { "Variables": {
            "Fn::ForEach::Variables": ["Name", ["a", "b"], { "V${Name}": { "Ref": "Name" } }],
            "C": "c",
        } } } }),
        json!({ "R": { "Type": "T", "Properties": { "Variables": { "Va": "a", "Vb": "b", "C": "c" } } } }),
    );
}

#[test]
fn several_identifiers_iterate_over_a_list_of_lists() {
    check(
        json!({ "Fn::ForEach::Pairs": [["Id", "Size"], [["a", 1], ["b", 2]], {
            "R${Id}": { "Type": "T", "Properties": { "Size": { "Ref": "Size" } } },
        }] }),
        json!({
            "Ra": { "Type": "T", "Properties": { "Size": "1" } },
            "Rb": { "Type": "T", "Properties": { "Size": "2" } },
        }),
    );
}

#[test]
fn collections_come_from_parameters_mappings_and_functions() {
    for (collection, elements) in [
        (json!({ "Ref": "Names" }), ["a", "b"]),
        (json!({ "Fn::Split": ["|", "a|b"] }), ["a", "b"]),
        (json!({ "Fn::FindInMap": ["Map", "nowhere", "List", { "DefaultValue": ["p", "q"] }] }), ["p", "q"]),
        (json!({ "Fn::FindInMap": ["Map", "us-east-1", "List"] }), ["x", "y"]),
        (json!(["k", { "Ref": "Suffix" }]), ["k", "Z"]),
    ] {
        let made = elements.map(|it| (format!("R{it}"), json!({ "Type": "T" })));
        check(
            json!({ "Fn::ForEach::Loop": ["E", collection, { "R${E}": { "Type": "T" } }] }),
            Value::Object(made.into_iter().collect()),
        );
    }
}

#[test]
fn an_element_can_be_the_key_of_a_mapping() {
    check(
        json!({ "Fn::ForEach::Loop": ["E", ["a", "b"], { "R${E}": {
            "Type": "T",
            "Condition": { "Fn::FindInMap": ["Map", "Condition", { "Ref": "E" }, { "DefaultValue": { "Ref": "AWS::NoValue" } }] },
            "DeletionPolicy": { "Fn::Sub": "Re${E}" },
        } }] }),
        json!({
            "Ra": { "Type": "T", "DeletionPolicy": "Rea" },
            "Rb": { "Type": "T", "Condition": "IsB", "DeletionPolicy": "Reb" },
        }),
    );
}

#[test]
fn functions_may_compute_the_names_in_references() {
    check(
        json!({ "R": { "Type": "T", "Properties": {
            "A": { "Ref": { "Fn::Sub": "Topic${Suffix}" } },
            "B": { "Fn::GetAtt": [{ "Fn::Join": ["", ["Topic", { "Ref": "Suffix" }]] }, { "Ref": "Suffix" }] },
            "C": { "Ref": { "Fn::GetAtt": ["R", "X"] } },
        } } }),
        json!({ "R": { "Type": "T", "Properties": {
            "A": { "Ref": "TopicZ" },
            "B": { "Fn::GetAtt": ["TopicZ", "Z"] },
            "C": { "Ref": { "Fn::GetAtt": ["R", "X"] } },
        } } }),
    );
}

#[test]
fn loops_are_expanded_in_outputs_and_conditions_but_not_in_mappings() {
    let one = |key: &str, value: Value| json!({ "Fn::ForEach::Loop": ["E", ["a"], { key: value }] });
    let template = template(json!({
        "Conditions": one("Is${E}", json!({ "Fn::Equals": [{ "Ref": "E" }, "b"] })),
        "Outputs": one("O${E}", json!({ "Value": { "Ref": "E" }, "Condition": "Is${E}" })),
        "Mappings": one("M${E}", json!({})),
        "Resources": { "R": { "Type": "T", "Condition": "Isa" } },
    }));
    assert_eq!(
        template.outputs().collect::<Vec<_>>(),
        [("Oa", &json!({ "Value": "a", "Condition": "Isa" }))]
    );
    assert_eq!(template.conditions().map(|(id, _)| id).collect::<Vec<_>>(), ["Isa"]);
    assert_eq!(template.mappings().map(|(id, _)| id).collect::<Vec<_>>(), ["Fn::ForEach::Loop"]);
    assert!(template.resolver().is_left_out(&json!({ "Condition": "Isa" })));
    assert_eq!(template.resolver().condition("Isa"), Some(false));
}

#[test]
fn a_loop_over_unknown_elements_appears_once_and_is_reported() {
    for collection in [
        json!({ "Ref": "Asked" }),
        json!({ "Ref": "Stored" }),
        json!({ "Ref": "Text" }),
        json!({ "Ref": "Nothing" }),
        json!({ "Fn::FindInMap": ["Map", { "Ref": "AWS::Region" }, "List"] }),
        json!({ "Fn::GetAtt": ["R", "Names"] }),
        json!("text"),
    ] {
        let unknown = format!("R{UNKNOWN}");
        check(
            json!({ "Fn::ForEach::Loop": ["E", collection, { "R${E}": { "Type": { "Ref": "E" }, "A": "x&{E}" } }] }),
            json!({ unknown: { "Type": UNKNOWN.to_string(), "A": format!("x{UNKNOWN}") } }),
        );
    }
    let known = template(json!({
        "Parameters": { "Asked": { "Type": "CommaDelimitedList" } },
        "Resources": { "Fn::ForEach::Loop": ["E", { "Ref": "Asked" }, { "R${E}": { "Type": "T" } }] },
    }));
    assert_eq!(
        shown(&known),
        ["the loop at `Resources.Fn::ForEach::Loop` goes through what is only known at deployment"]
    );
    let given = BTreeMap::from([("Asked".to_owned(), Some("p,q,r".to_owned()))]);
    let known = known.knowing(Known { environment: Environment::default(), stack_name: None, given });
    assert_eq!(known.resource_count(), 3);
    assert!(known.unseen().is_empty());
}

#[test]
fn a_malformed_loop_is_reported_and_counts_as_a_resource() {
    for wrong in [
        json!({}),
        json!(["E", ["a"]]),
        json!(["E", ["a"], []]),
        json!([5, ["a"], { "R": {} }]),
        json!([["A", "B"], ["a"], { "R": {} }]),
        json!(["E", [{}, []], {}]),
    ] {
        let template = template(json!({ "Resources": { "Fn::ForEach::Loop": wrong } }));
        assert_eq!(template.resource_count(), 1, "{wrong}");
        assert!(shown(&template)[0].starts_with("the loop at `Resources.Fn::ForEach::Loop` "), "{wrong}");
    }
    let troubles = |resources: Value| {
        let parameters = json!({ "P": { "Type": "String" } });
        shown(&template(json!({ "Parameters": parameters, "Resources": resources })))
    };
    assert_eq!(
        troubles(json!({ "R": {}, "Fn::ForEach::Loop": ["E", ["a", "b"], { "R": {}, "S${E}": {} }] })),
        ["the loop at `Resources.Fn::ForEach::Loop` makes `R`, which is there already"]
    );
    assert_eq!(
        troubles(json!({ "Fn::ForEach::Loop": ["P", ["a"], { "R${P}": {} }] })),
        ["the identifier `P` of the loop at `Resources.Fn::ForEach::Loop` is the name of something else"]
    );
    let nested = (0..6).fold(
        json!({ "R": {} }),
        |inner, at| json!({ format!("Fn::ForEach::L{at}"): [format!("E{at}"), ["a"], inner] }),
    );
    assert_eq!(troubles(nested).len(), 1);
}

#[test]
fn a_template_has_no_resources_only_if_that_is_certain() {
    let count = |value: Value| Template::from_value(value).unwrap().resource_count();
    let none = [
        json!({}),
        json!({ "Resources": {} }),
        json!({ "Transform": "AWS::LanguageExtensions" }),
        json!({ "Transform": "AWS::LanguageExtensions", "Resources": { "Fn::ForEach::L": ["E", [], { "R${E}": {} }] } }),
        json!({ "Transform": "AWS::Serverless-2016-10-31", "Resources": {} }),
        json!({ "Rules": { "R": {} }, "Hooks": { "H": {} }, "Outputs": { "O": {} } }),
    ];
    for value in none {
        assert_eq!(count(value.clone()), 0, "{value}");
    }
    let include = json!({ "Name": "AWS::Include", "Parameters": { "Location": "s3://bucket/key" } });
    let some = [
        json!({ "Transform": "Mine" }),
        json!({ "Transform": ["AWS::LanguageExtensions", "Mine"], "Resources": {} }),
        json!({ "Transform": include }),
        json!({ "Resources": { "Fn::Transform": include } }),
        json!({ "Resources": { "Fn::Transform": [include, { "Name": "Mine" }] } }),
        // CloudFormation has to report the mistakes in these templates.
        json!({ "Resources": { "Fn::ForEach::L": ["E", ["a"], { "R${E}": {} }] } }),
    ];
    for value in some {
        let template = Template::from_value(value.clone()).unwrap();
        assert_eq!((template.resource_count(), template.resources().count()), (1, 0), "{value}");
        assert!(!template.unseen().is_empty());
    }
    let inside =
        json!({ "Resources": { "R": { "Type": "T", "Properties": { "A": 1, "Fn::Transform": include } } } });
    let inside = Template::from_value(inside).unwrap();
    assert_eq!(inside.resource_count(), 1);
    assert_eq!(
        inside.unseen(),
        [Unseen::Macro { name: "AWS::Include".into(), place: "Resources.R.Properties".into() }]
    );
}

#[test]
fn a_loop_that_would_become_too_large_is_not_expanded_and_costs_nothing() {
    let elements: Vec<String> = (0..1000).map(|it| format!("e{it}")).collect();
    let nested = (0..4).fold(
        json!({ "R${E0}${E1}${E2}${E3}": { "Type": "T" } }),
        |inner, at| json!({ format!("Fn::ForEach::L{at}"): [format!("E{at}"), elements, inner] }),
    );
    let long = "x".repeat(10_000);
    let growing = json!({ "Fn::ForEach::L": ["E", vec![long; 100], {
        "R": { "Type": "T", "Properties": { "A": "${E}".repeat(10_000) } },
    }] });
    for (resources, count) in [(nested, 1_000_000_000_000), (growing, 100)] {
        let template = template(json!({ "Resources": resources }));
        assert_eq!(template.resources().count(), 1);
        assert_eq!(template.resource_count(), count);
        let told = shown(&template);
        assert!(told[0].ends_with("makes the template far larger than CloudFormation takes"), "{told:?}");
    }
}

#[test]
fn templates_within_the_quotas_of_cloudformation_are_expanded() {
    let elements: Vec<String> = (0..500).map(|it| format!("e{it}")).collect();
    let body = json!({ "Type": "T", "Properties": { "A": "x".repeat(1_900), "B": { "Ref": "E" } } });
    let large = template(json!({ "Resources": { "Fn::ForEach::L": ["E", elements, { "R${E}": body }] } }));
    assert_eq!(large.resources().count(), 500);
    assert!(large.unseen().is_empty());
    // A count above the quota is known exactly, so it is no unseen part.
    let elements: Vec<String> = (0..501).map(|it| format!("e{it}")).collect();
    let too_many = template(json!({ "Resources": { "Fn::ForEach::L": ["E", elements, { "R${E}": {} }] } }));
    assert_eq!(too_many.resource_count(), 501);
}
