//! Reading ends with a value or an error, whatever the bytes are.

use std::error::Error;

use paceline_assembly::{Assembly, Template, placeholders, walk};
use paceline_text::Explained as _;
use proptest::prelude::*;
use serde_json::json;

use crate::fixture::{Folder, stack};

/// A manifest with most of the fields that are read.
fn manifest() -> String {
    let more = json!({
        "displayName": "S/A",
        "dependencies": ["A.assets", "S"],
        "metadata": {"/A": [{"type": "aws:cdk:logicalId", "data": "L"}, {"type": "aws:cdk:error", "data": "e"}]},
        "additionalMetadataFile": "m.json",
        "properties": {"tags": {"a": "b"}, "lookupRole": {"arn": "x", "requiresBootstrapStackVersion": 8}},
    });
    let artifacts = json!({
        "A": stack("t.json", &more),
        "A.assets": {"type": "cdk:asset-manifest", "properties": {"file": "a.json"}},
        "S": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "s"}},
    });
    json!({"version": "36.0.0", "artifacts": artifacts}).to_string()
}

const ASSETS: &str = r#"{"files": {"f": {"source": {"path": "n.json", "packaging": "file"}, "destinations":
    {"d": {"bucketName": "b", "objectKey": "0123456789.json"}}}}, "dockerImages": {}}"#;
const TEMPLATE: &str = r#"{"Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Metadata":
    {"aws:asset:path": "n.json"}, "Properties": {"TemplateURL": {"Fn::Sub": "x/0123456789.json"}}}}}"#;
const YAML: &str = "Resources:\n  A: &a\n    Type: T\n    Properties: {B: !GetAtt C.D, E: [!Sub '${F}', *b]}\n  \
    G: !If [x, 'y', \"z\"]\n  H: |\n    text\n  ? I\n  : - 1.5\n    - ~\n";

const LOOPS: &str = r#"{"Transform": ["AWS::LanguageExtensions"], "Parameters": {"P": {"Type": "CommaDelimitedList",
    "Default": "a,b"}}, "Mappings": {"M": {"a": {"b": ["c", "d"]}}}, "Conditions": {"Fn::ForEach::C": ["E", ["a"],
    {"Is${E}": {"Fn::And": [{"Fn::Equals": [{"Ref": "E"}, "a"]}, {"Condition": "Is&{E}"}]}}]}, "Resources":
    {"Fn::ForEach::L": ["E", {"Ref": "P"}, {"R${E}": {"Type": "T", "Condition": "Is${E}", "Properties": {"Fn::ForEach::Q":
    [["F", "G"], [["x", 1], ["y", "2"]], {"K${F}": {"Ref": {"Fn::Sub": "R${E}"}}, "V&{G}": {"Fn::GetAtt": [{"Ref": "E"},
    {"Fn::FindInMap": ["M", {"Ref": "E"}, "b"]}]}}]}}, "Fn::ForEach::N": ["F", {"Fn::FindInMap": ["M", {"Ref": "E"}, "b"]},
    {"S${E}${F}": {"Type": "T", "DeletionPolicy": {"Fn::If": ["Isa", "Retain", {"Ref": "AWS::NoValue"}]}}}]}],
    "Fn::Transform": {"Name": "AWS::Include"}}}"#;
const DOUBLING: &str = r#"{"Conditions": {"A": {"Fn::Or": [{"Condition": "A"}, {"Condition": "A"}]}}, "Resources": {"R": {"Type":
    "T", "Condition": "A", "Properties": {"A": {"Fn::Sub": ["${a}${a}", {"a": {"Fn::Sub": ["${a}${a}${R}", {"a": {"Fn::Join":
    ["x", {"Fn::Split": ["x", {"Fn::Sub": ["${a}x${a}", {"a": {"Fn::Select": ["0", [{"Fn::ToJsonString": {"a": {"Fn::Length":
    ["a"]}}}]]}}]}]}]}}]}}]}}}}}"#;

/// Mutations of `text`, with bytes replaced, inserted or cut at some places.
fn mutated(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    mutated_bytes(text.as_bytes().to_vec())
}

fn mutated_bytes(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec![
            "null",
            "{}",
            "[]",
            "5",
            "\"\"",
            "\"..\"",
            "\"/\"",
            ",",
            "\"",
            "{",
            "}",
            "[",
            "!",
            "&a ",
            "*a",
            "\n",
            "- ",
            ": ",
            "1e999",
            "\\u0000",
            "\\ud800",
            "#",
            "|",
            "<<: ",
            "${E}",
            "&{",
            "\"Ref\"",
            "Fn::ForEach::",
            "Fn::Sub",
            "\"Fn::Sub\":[\"${a}${a}${a}${a}\",{\"a\":",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let edit = (any::<prop::sample::Index>(), 0_usize..12, piece);
    prop::collection::vec(edit, 1..4).prop_map(move |edits| {
        let mut bytes = bytes.clone();
        for (at, cut, piece) in edits {
            let start = at.index(bytes.len() + 1);
            let end = (start + cut).min(bytes.len());
            bytes.splice(start..end, piece);
        }
        bytes
    })
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("manifest.json", manifest());
    folder.write("t.json", TEMPLATE);
    folder.write("n.json", YAML.replace("*b", "b"));
    folder.write("a.json", ASSETS);
    folder.write("m.json", r#"{"/A/B": [{"type": "aws:cdk:info", "data": 1}]}"#);
    folder.manifest("s", &json!({"B": stack("../t.json", &json!({}))}));
    folder
}

/// Reads the assembly, and uses the result.
fn exercise(folder: &Folder) {
    match Assembly::read(folder.path()) {
        Ok(assembly) => {
            for stack in &assembly.stacks {
                assert_eq!(assembly.stack(&stack.id).map(|it| &it.id), Some(&stack.id));
                look_at(&stack.template);
            }
            let _ = assembly.ensure_deployable(|_| true);
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(folder.path().as_str()), "the error names no file: {text}");
            let _ = (error.hint(), error.source().map(ToString::to_string));
        }
    }
}

fn look_at(template: &Template) {
    let resolver = template.resolver();
    for (_, resource) in template.resources() {
        resolver.is_left_out(resource.body);
        for value in resource.properties.and_then(|properties| properties.as_object()).into_iter().flatten() {
            assert!(resolver.resolve(value.1).raw().len() < 1 << 20);
        }
        walk(resource.body, &mut |path, _| {
            assert!(path.to_string().len() >= path.property().to_string().len());
        });
    }
    assert_eq!(template.digest().len(), 64);
    // The mutated assemblies have no loops that are too large.
    assert!(template.expanded().to_string().len() < 1 << 20);
    assert!(template.resource_count() >= template.resources().count());
    for unseen in template.unseen() {
        assert!(!unseen.to_string().is_empty());
    }
}

#[test]
fn the_unmutated_assembly_can_be_read() {
    let folder = folder();
    let assembly = folder.read();
    assert_eq!(assembly.stacks.len(), 2);
    assert_eq!(assembly.stacks[0].nested.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_in_any_file_do_not_panic(
        file in prop::sample::select(vec!["manifest.json", "t.json", "a.json", "m.json", "s/manifest.json"]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let folder = folder();
        folder.write(file, bytes);
        exercise(&folder);
    }

    #[test]
    fn mutated_manifests_do_not_panic(bytes in mutated_bytes(manifest().into_bytes())) {
        let folder = folder();
        folder.write("manifest.json", bytes);
        exercise(&folder);
    }

    #[test]
    fn mutated_asset_manifests_do_not_panic(bytes in mutated(ASSETS)) {
        let folder = folder();
        folder.write("a.json", bytes);
        exercise(&folder);
    }

    #[test]
    fn mutated_templates_do_not_panic(bytes in prop_oneof![
        mutated(TEMPLATE), mutated(YAML), mutated(LOOPS), mutated(DOUBLING)
    ]) {
        if let Ok(template) = Template::parse(&String::from_utf8_lossy(&bytes)) {
            look_at(&template);
        }
    }

    #[test]
    fn any_text_is_a_template_or_an_error(text in "\\PC{0,80}|[\\[\\]{}:,&*!|>?\\-\\n a#'\"%@]{0,60}") {
        let _ = Template::parse(&text);
    }

    #[test]
    fn placeholders_do_not_panic_and_keep_other_text(text in "(\\$|\\{|\\}|AWS::|Region|[a-z]){0,20}") {
        let resolved = placeholders(&text, "aws", "1", "r");
        let placeholder = "${AWS::Region}";
        prop_assert!(!resolved.contains(placeholder));
        prop_assert_eq!(resolved == text, !text.contains(placeholder));
    }
}
