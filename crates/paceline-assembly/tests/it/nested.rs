//! The templates of nested stacks.

use serde_json::json;

use crate::fixture::{Folder, stack};

/// A template with nested stacks, by logical id and by the file in the metadata.
fn outer(nested: &[(&str, &str)]) -> String {
    let resources = nested.iter().map(|(id, file)| {
        let metadata = json!({"aws:asset:path": file, "aws:asset:property": "TemplateURL"});
        ((*id).to_owned(), json!({"Type": "AWS::CloudFormation::Stack", "Metadata": metadata}))
    });
    json!({"Resources": resources.collect::<serde_json::Map<_, _>>()}).to_string()
}

/// The nested templates that were found: parents and logical id, and the name of the file.
fn found(folder: &Folder) -> Vec<(String, String)> {
    let nested = folder.read().stacks.remove(0).nested;
    nested
        .into_iter()
        .map(|it| {
            let mut ids = it.parents;
            ids.push(it.logical_id);
            (ids.join("/"), it.path.strip_prefix(folder.path()).unwrap().to_string())
        })
        .collect()
}

fn pairs(expect: &[(&str, &str)]) -> Vec<(String, String)> {
    expect.iter().map(|(ids, file)| ((*ids).to_owned(), (*file).to_owned())).collect()
}

#[test]
fn templates_are_found_by_metadata_at_every_depth() {
    let folder = Folder::with(
        &json!({"A": stack("t.json", &json!({}))}),
        &[
            ("t.json", &outer(&[("One", "one.json"), ("Two", "two.yaml"), ("Gone", "elsewhere.json")])),
            ("one.json", &outer(&[("In", "two.yaml")])),
            ("two.yaml", "Resources: {}"),
        ],
    );
    assert_eq!(found(&folder), pairs(&[("One", "one.json"), ("One/In", "two.yaml"), ("Two", "two.yaml")]));
}

#[test]
fn templates_are_found_by_the_key_at_the_end_of_their_url() {
    let url = json!({"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::Region"}, "/", {"Fn::Sub": "b-${AWS::Region}"}, "/0123456789abcdef.json"]]});
    let resource = |url| json!({"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}});
    let template = json!({"Resources": {
        "Ours": resource(url), "Theirs": resource(json!("https://elsewhere/template.json"))}});
    let folder = Folder::with(
        &json!({
            "A": stack("t.json", &json!({"dependencies": ["M"]})),
            "M": {"type": "cdk:asset-manifest", "properties": {"file": "m.json"}},
        }),
        &[("t.json", &template.to_string()), ("n.json", r#"{"Resources": {}}"#)],
    );
    let destination = json!({"bucketName": "b", "objectKey": "0123456789abcdef.json"});
    let short =
        json!({"source": {"path": "t.json"}, "destinations": {"d": {"bucketName": "b", "objectKey": "t"}}});
    let nested = json!({"source": {"path": "n.json"}, "destinations": {"d": destination}});
    folder.write("m.json", json!({"files": {"a": short, "b": nested}}).to_string());
    assert_eq!(found(&folder), pairs(&[("Ours", "n.json")]));
}

#[test]
fn a_template_that_contains_itself_is_refused() {
    let folder = Folder::with(
        &json!({"A": stack("t.json", &json!({}))}),
        &[("t.json", &outer(&[("One", "one.json")])), ("one.json", &outer(&[("Two", "t.json")]))],
    );
    folder.check_refused(
        "could not follow `OUT/one.json` at `Resources.Two`: the nested stack's template is one that it is inside of",
    );
}

#[test]
fn templates_that_multiply_are_refused_before_they_fill_the_memory() {
    let mut files = vec![("t.json".to_owned(), outer(&[("A", "n0.json"), ("B", "n0.json")]))];
    for level in 0..20 {
        let next = format!("n{}.json", level + 1);
        files.push((format!("n{level}.json"), outer(&[("A", &next), ("B", &next)])));
    }
    let folder = Folder::with(&json!({"A": stack("t.json", &json!({}))}), &[]);
    for (path, text) in &files {
        folder.write(path, text);
    }
    let error = paceline_assembly::Assembly::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("too many nested stacks"), "{error}");
}

#[test]
fn the_error_for_a_broken_nested_template_names_its_user() {
    let folder = Folder::with(
        &json!({"A": stack("t.json", &json!({}))}),
        &[("t.json", &outer(&[("One", "one.json")])), ("one.json", "{\"Resources\":\n{]}")],
    );
    folder.check_refused(
        "could not parse template `OUT/one.json` at line 2, column 2, named by `OUT/t.json` at `Resources.One` \
         / not valid JSON / key must be a string at line 2 column 2",
    );
}
