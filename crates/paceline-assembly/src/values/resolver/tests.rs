use serde_json::json;

use super::*;
use crate::environment::Environment;
use crate::values::Given;

fn with_resolver<T>(with: impl FnOnce(&Resolver<'_>) -> T) -> T {
    let template = json!({
        "Parameters": {
            "Stage": { "Type": "String", "Default": "prod" },
            "Zones": { "Type": "CommaDelimitedList", "Default": "a,b" },
            "Given": { "Type": "String", "Default": "default" },
            "Withheld": { "Type": "String", "Default": "default" },
            "Stored": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/b" },
            "Checked": { "Type": "AWS::SSM::Parameter::Name", "Default": "/a/b" },
        },
        "Mappings": { "Zones": { "us-east-1": { "hosted": "Z1", "all": ["Z1", "Z2"] } } },
        "Conditions": {
            "IsProd": { "Fn::Equals": [{ "Ref": "Stage" }, "prod"] },
            "IsNot": { "Fn::Not": [{ "Condition": "IsProd" }] },
            "Both": { "Fn::And": [{ "Condition": "IsProd" }, { "Condition": "IsNot" }] },
            "Either": { "Fn::Or": [{ "Condition": "Open" }, { "Condition": "IsProd" }] },
            "Open": { "Fn::Equals": [{ "Ref": "Withheld" }, "x"] },
            "Circle": { "Fn::Not": [{ "Condition": "Circle" }] },
        },
        "Resources": {
            "Parameter": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": { "Fn::Sub": "/${Stage}/x" } } },
            "A": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": { "Ref": "B" } } },
            "B": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": { "Ref": "A" } } },
            "Table": { "Type": "AWS::DynamoDB::Table" },
        },
    });
    let known = Known {
        environment: Environment { account: Some("111111111111".into()), region: Some("us-east-1".into()) },
        stack_name: Some("Net".into()),
        given: Given::from([("Given".into(), Some("given".into())), ("Withheld".into(), None)]),
    };
    with(&Resolver::new(&known, &template))
}

fn resolve(value: &Value) -> Text {
    with_resolver(|resolver| resolver.resolve(value))
}

fn known(value: &Value) -> Option<String> {
    resolve(value).known()
}

#[test]
fn pseudo_parameters_defaults_and_mappings_are_known() {
    let joined = json!({ "Fn::Join": ["/", ["", { "Ref": "Stage" }, { "Ref": "AWS::Region" }]] });
    assert_eq!(known(&joined).as_deref(), Some("/prod/us-east-1"));
    let pattern =
        json!({ "Fn::Sub": ["${AWS::StackName}-${X}-${!Y}", { "X": { "Ref": "AWS::AccountId" } }] });
    assert_eq!(known(&pattern).as_deref(), Some("Net-111111111111-${Y}"));
    let mapped = json!({ "Fn::FindInMap": ["Zones", { "Ref": "AWS::Region" }, "hosted"] });
    assert_eq!(known(&mapped).as_deref(), Some("Z1"));
}

#[test]
fn values_known_only_at_deployment_are_shown_as_an_ellipsis() {
    let name = json!({ "Fn::Sub": "/app/${Table}/name" });
    assert_eq!(resolve(&name).shown(), "/app/…/name");
    assert_eq!(known(&name), None);
    assert_eq!(known(&json!({ "Ref": "Stored" })), None);
}

#[test]
fn an_unclosed_placeholder_is_text() {
    assert_eq!(known(&json!({ "Fn::Sub": "a${b" })).as_deref(), Some("a${b"));
}

#[test]
fn known_lists_are_selected_from_split_and_joined() {
    let select = |list: Value| known(&json!({ "Fn::Select": ["1", list] }));
    assert_eq!(select(json!(["x", { "Ref": "Stage" }])).as_deref(), Some("prod"));
    assert_eq!(select(json!({ "Fn::Split": ["/", "a/b/c"] })).as_deref(), Some("b"));
    assert_eq!(select(json!({ "Ref": "Zones" })).as_deref(), Some("b"));
    let mapped = json!({ "Fn::FindInMap": ["Zones", { "Ref": "AWS::Region" }, "all"] });
    assert_eq!(select(mapped).as_deref(), Some("Z2"));
    assert_eq!(select(json!(["only one"])), None);
    assert_eq!(select(json!({ "Fn::Split": ["/", { "Fn::Sub": "${Table.Arn}/b" }] })), None);
    let joined = json!({ "Fn::Join": ["+", { "Ref": "Zones" }] });
    assert_eq!(known(&joined).as_deref(), Some("a+b"));
}

#[test]
fn a_missing_key_of_a_mapping_has_the_default() {
    let keys = json!(["Zones", "us-west-2", "hosted", { "DefaultValue": "none" }]);
    assert_eq!(known(&json!({ "Fn::FindInMap": keys })).as_deref(), Some("none"));
    assert_eq!(known(&json!({ "Fn::FindInMap": ["Zones", "us-west-2", "hosted"] })), None);
    assert_eq!(known(&json!({ "Fn::FindInMap": ["Zones"] })), None);
}

#[test]
fn the_branch_that_is_certainly_taken_is_known() {
    let branch = |condition: &str| known(&json!({ "Fn::If": [condition, "yes", "no"] }));
    for (condition, expected) in [
        ("IsProd", Some("yes")),
        ("IsNot", Some("no")),
        ("Both", Some("no")),
        ("Either", Some("yes")),
        ("Open", None),
        ("Circle", None),
        ("Missing", None),
    ] {
        assert_eq!(branch(condition).as_deref(), expected, "{condition}");
    }
    assert_eq!(known(&json!({ "Fn::If": ["Open", "same", "same"] })).as_deref(), Some("same"));
}

#[test]
fn the_given_value_of_a_parameter_overrides_its_default() {
    assert_eq!(known(&json!({ "Ref": "Given" })).as_deref(), Some("given"));
    assert_eq!(known(&json!({ "Ref": "Withheld" })), None);
    assert_eq!(known(&json!({ "Ref": "Checked" })).as_deref(), Some("/a/b"));
}

#[test]
fn a_resource_is_known_by_its_given_name_and_a_cycle_of_names_ends() {
    assert_eq!(known(&json!({ "Ref": "Parameter" })).as_deref(), Some("/prod/x"));
    assert_eq!(known(&json!({ "Ref": "Table" })), None);
    assert_eq!(known(&json!({ "Ref": "A" })), None);
}

#[test]
fn malformed_intrinsics_are_unknown() {
    for value in [
        json!({ "Fn::Join": ["-"] }),
        json!({ "Fn::Join": [1, ["a"]] }),
        json!({ "Fn::Sub": [] }),
        json!({ "Fn::Sub": 5 }),
        json!({ "Fn::Select": [-1, ["a"]] }),
        json!({ "Fn::Select": ["x", ["a"]] }),
        json!({ "Fn::If": ["IsProd", "yes"] }),
        json!({ "Fn::If": [{}, "yes", "no"] }),
        json!({ "Ref": [] }),
        json!({ "Ref": "A", "Fn::Sub": "b" }),
        json!(["list"]),
        json!(null),
    ] {
        assert_eq!(known(&value), None, "{value}");
    }
    assert_eq!(known(&json!({ "Fn::Sub": ["only ${Stage}"] })).as_deref(), Some("only prod"));
}

#[test]
fn lengths_of_lists_and_json_are_texts() {
    assert_eq!(known(&json!({ "Fn::Length": { "Ref": "Zones" } })).as_deref(), Some("2"));
    assert_eq!(known(&json!({ "Fn::Length": { "Ref": "Stage" } })), None);
    let written = json!({ "Fn::ToJsonString": {
        "a": [{ "Ref": "Stage" }, 1, { "Ref": "AWS::NoValue" }, true],
        "b": { "Fn::If": ["IsProd", { "c": { "Fn::Sub": "\"${Stage}" } }, "no"] },
        "d": { "Fn::If": ["IsProd", { "Ref": "AWS::NoValue" }, "no"] },
    } });
    let expected = r#"{"a":["prod",1,true],"b":{"c":"\"prod"}}"#;
    assert_eq!(known(&written).as_deref(), Some(expected));
    let partly = resolve(&json!({ "Fn::ToJsonString": [{ "Ref": "Table" }, "x"] }));
    assert_eq!(partly.shown(), r#"["…","x"]"#);
}

#[test]
fn conditions_and_branches_are_known_if_they_are_certain() {
    with_resolver(|resolver| {
        assert_eq!(resolver.condition("IsProd"), Some(true));
        assert_eq!(resolver.condition("Open"), None);
        assert!(resolver.is_left_out(&json!({ "Condition": "IsNot" })));
        for kept in [json!({ "Condition": "IsProd" }), json!({ "Condition": "Open" }), json!({})] {
            assert!(!resolver.is_left_out(&kept), "{kept}");
        }
        assert_eq!(resolver.taken_branch(&json!(["IsNot", 1, 2])), Some(&json!(2)));
        assert_eq!(resolver.taken_branch(&json!(["Open", 1, 2])), None);
    });
}

/// `depth` levels, each of which contains the next one `width` times.
fn doubling(depth: usize, width: usize, of: &Value, level: impl Fn(&str, Value) -> Value) -> Value {
    (0..depth).fold(of.clone(), |inner, _| level(&"${a}".repeat(width), inner))
}

#[test]
fn a_value_beyond_its_bounds_is_unknown_and_reported() {
    let sub = |pattern: &str, inner: Value| json!({ "Fn::Sub": [pattern, { "a": inner }] });
    let join = |_: &str, inner: Value| json!({ "Fn::Join": ["", [inner.clone(), inner.clone(), inner.clone(), inner]] });
    let list = |_: &str, inner: Value| json!({ "Fn::Join": [",", { "Fn::Split": [",", { "Fn::Join": [",", [inner.clone(), inner]] }] }] });
    let huge = [
        doubling(30, 4, &json!("x"), sub),
        doubling(60, 2, &json!({ "Ref": "Table" }), sub),
        doubling(8, 4, &json!("x".repeat(100)), join),
        doubling(12, 2, &json!(",".repeat(1000)), list),
        json!({ "Fn::ToJsonString": [doubling(20, 8, &json!("x"), sub)] }),
        json!({ "Fn::Select": ["0", { "Fn::Split": [",", doubling(30, 4, &json!(","), sub)] }] }),
        json!({ "Fn::FindInMap": [doubling(30, 4, &json!("x"), sub), "a", "b"] }),
    ];
    with_resolver(|resolver| {
        for value in &huge {
            assert_eq!(resolver.resolve(value), Text::unknown());
            assert!(resolver.take_exceeded());
        }
        // Other values are not affected.
        assert_eq!(resolver.resolve(&json!({ "Ref": "Stage" })).raw(), "prod");
        assert!(!resolver.take_exceeded());
    });
}

#[test]
fn conditions_that_refer_to_each_other_often_are_evaluated_once() {
    let mut conditions = serde_json::Map::new();
    conditions.insert("C0".into(), json!({ "Fn::Equals": ["a", "a"] }));
    for level in 1..60 {
        let before = json!({ "Condition": format!("C{}", level - 1) });
        conditions.insert(format!("C{level}"), json!({ "Fn::And": vec![before; 10] }));
    }
    let template = json!({ "Conditions": conditions });
    let known = Known::default();
    assert_eq!(Resolver::new(&known, &template).condition("C20"), Some(true));
}

#[test]
fn endless_references_are_unknown() {
    let mut conditions = serde_json::Map::new();
    for level in 0..10_000 {
        conditions.insert(format!("C{level}"), json!({ "Condition": format!("C{}", level + 1) }));
    }
    let template = json!({ "Conditions": conditions });
    let known = Known::default();
    let resolver = Resolver::new(&known, &template);
    assert!((0..10_000).all(|level| resolver.condition(&format!("C{level}")).is_none()));
}
