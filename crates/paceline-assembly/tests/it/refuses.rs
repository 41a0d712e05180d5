//! Assemblies that are refused. Every error names the file and the place.

use paceline_assembly::Assembly;
use paceline_text::Explained as _;
use serde_json::{Value, json};

use crate::fixture::{Folder, stack};

const EMPTY: &str = r#"{"Resources": {}}"#;

/// Checks the error for one stack `A` whose artifact has the fields of `more`.
#[track_caller]
fn check_stack(more: &Value, expect: &str) {
    Folder::with(&json!({"A": stack("t.json", more)}), &[("t.json", EMPTY)]).check_refused(expect);
}

#[track_caller]
fn check_manifest(text: impl AsRef<[u8]>, expect: &str) {
    let folder = Folder::new();
    folder.write("manifest.json", text);
    folder.check_refused(expect);
}

#[track_caller]
fn check_assets(text: &str, expect: &str) {
    let manifest = json!({"type": "cdk:asset-manifest", "properties": {"file": "A.assets.json"}});
    let folder = Folder::with(&json!({"A.assets": manifest}), &[("A.assets.json", text)]);
    folder.check_refused(expect);
}

#[test]
fn the_error_for_a_folder_without_an_assembly_gives_advice() {
    let folder = Folder::new();
    let hint = |path: &str, expect: &str| {
        let error = Assembly::read(folder.path().join(path)).unwrap_err();
        assert_eq!(folder.show(&error), expect);
        error.hint().unwrap().replace(folder.path().as_str(), "OUT")
    };
    assert_eq!(
        hint("gone", "could not find a cloud assembly in `OUT/gone`: there is no such folder"),
        "run `cdk synth` first, or give the folder that it wrote",
    );
    folder.write("empty/x", "");
    assert_eq!(
        hint("empty", "could not find a cloud assembly in `OUT/empty`: it has no `manifest.json`"),
        "give the folder that `cdk synth` wrote, which is cdk.out if nothing else was asked for",
    );
    folder.write("app/cdk.json", "{}");
    assert_eq!(
        hint("app", "could not find a cloud assembly in `OUT/app`: it has no `manifest.json`"),
        "this folder holds a CDK app, not its output: give the cdk.out folder or run `cdk synth` first",
    );
    folder.write("app/cdk.out/manifest.json", "{}");
    assert_eq!(
        hint("app", "could not find a cloud assembly in `OUT/app`: it has no `manifest.json`"),
        "give `OUT/app/cdk.out`, which is one",
    );
    assert_eq!(
        hint(
            "app/cdk.out/manifest.json",
            "could not find a cloud assembly in `OUT/app/cdk.out/manifest.json`: it is a file, not a folder",
        ),
        "give the folder that holds `manifest.json`: `OUT/app/cdk.out`?",
    );
}

#[test]
fn an_invalid_json_manifest_is_refused_with_line_and_column() {
    check_manifest(
        "{\n  \"version\": \n}",
        "could not parse `OUT/manifest.json` at line 3, column 1 / expected value at line 3 column 1",
    );
    check_manifest(
        "",
        "could not parse `OUT/manifest.json` at line 1, column 0 / EOF while parsing a value at line 1 column 0",
    );
    check_manifest(
        "[]",
        "could not parse `OUT/manifest.json` at line 1, column 0 / invalid type: sequence, expected a manifest, \
         which is a map at line 1 column 0",
    );
    check_manifest(
        "{\"version\": \"36.0.0\",\n\"artifacts\": 5}",
        "could not parse `OUT/manifest.json` at line 2, column 14 / invalid type: integer `5`, expected \
         `artifacts` to be a map at line 2 column 14",
    );
}

#[test]
fn an_invalid_version_is_refused() {
    check_manifest("{}", "could not understand `OUT/manifest.json`: `version` is missing");
    check_manifest(
        r#"{"version": 36}"#,
        "could not understand `OUT/manifest.json` at `version`: expected a string, found a number",
    );
    check_manifest(
        r#"{"version": "new"}"#,
        "could not understand `OUT/manifest.json` at `version`: expected a version like `36.0.0`, found `new`",
    );
}

#[test]
fn an_artifact_of_the_wrong_shape_is_refused_with_its_place() {
    check_stack(
        &json!({"properties": {"templateFile": 5}}),
        "could not understand `OUT/manifest.json` at `artifacts.A.properties.templateFile`: expected a string, found a number",
    );
    check_stack(
        &json!({"properties": {"templateFile": null}}),
        "could not understand `OUT/manifest.json` at `artifacts.A.properties`: `templateFile` is missing",
    );
    check_stack(
        &json!({"properties": null}),
        "could not understand `OUT/manifest.json` at `artifacts.A`: `properties` is missing",
    );
    check_stack(
        &json!({"properties": {"templateFile": ""}}),
        "could not understand `OUT/manifest.json` at `artifacts.A.properties.templateFile`: the name is empty",
    );
    check_stack(
        &json!({"environment": "us-east-1"}),
        "could not understand `OUT/manifest.json` at `artifacts.A.environment`: an environment is written \
         aws://ACCOUNT/REGION, found `us-east-1`",
    );
    check_stack(
        &json!({"environment": null}),
        "could not understand `OUT/manifest.json` at `artifacts.A`: `environment` is missing",
    );
    check_stack(
        &json!({"properties": {"tags": {"a b": ["x"]}}}),
        "could not understand `OUT/manifest.json` at `artifacts.A.properties.tags[\"a b\"]`: expected a string, found a list",
    );
    check_stack(
        &json!({"properties": {"lookupRole": {"arn": "x", "requiresBootstrapStackVersion": -1}}}),
        "could not understand `OUT/manifest.json` at \
         `artifacts.A.properties.lookupRole.requiresBootstrapStackVersion`: expected a version number, found a number",
    );
    check_stack(
        &json!({"dependencies": ["A", "B"]}),
        "could not understand `OUT/manifest.json` at `artifacts.A.dependencies[1]`: `B` is not an artifact of this manifest",
    );
    check_manifest(
        r#"{"version": "36.0.0", "artifacts": {"A": []}}"#,
        "could not understand `OUT/manifest.json` at `artifacts.A`: expected a map, found a list",
    );
}

#[test]
fn the_error_for_a_missing_file_names_its_reference() {
    let error = Folder::with(&json!({"A": stack("t.json", &json!({}))}), &[]).check_refused(
        "could not read `OUT/t.json`, named by `OUT/manifest.json` at `artifacts.A.properties.templateFile` \
         / failed to open file `OUT/t.json`: No such file or directory (os error 2)",
    );
    assert!(error.hint().unwrap().contains("copy the whole folder"));
    check_stack(
        &json!({"additionalMetadataFile": "m.json"}),
        "could not read `OUT/m.json`, named by `OUT/manifest.json` at `artifacts.A.additionalMetadataFile` \
         / failed to open file `OUT/m.json`: No such file or directory (os error 2)",
    );
    let stage = json!({"type": "cdk:cloud-assembly", "properties": {"directoryName": "s"}});
    Folder::with(&json!({"S": stage}), &[]).check_refused(
        "could not read `OUT/s/manifest.json`, named by `OUT/manifest.json` at `artifacts.S.properties.directoryName` \
         / failed to open file `OUT/s/manifest.json`: No such file or directory (os error 2)",
    );
}

#[cfg(unix)]
#[test]
fn anything_but_a_regular_file_is_refused_unopened() {
    let pipe = |folder: &Folder, name: &str| {
        let path = folder.path().join(name);
        drop(fs_err::remove_file(&path));
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    };
    let folder = Folder::with(&json!({"A": stack("t.json", &json!({}))}), &[]);
    pipe(&folder, "t.json");
    folder.check_refused(
        "could not read `OUT/t.json`, named by `OUT/manifest.json` at `artifacts.A.properties.templateFile` \
         / `OUT/t.json` is a named pipe, and not a file",
    );
    let manifest = json!({"type": "cdk:asset-manifest", "properties": {"file": "A.assets.json"}});
    let folder = Folder::with(&json!({"A.assets": manifest}), &[]);
    pipe(&folder, "A.assets.json");
    folder.check_refused(
        "could not read `OUT/A.assets.json`, named by `OUT/manifest.json` at \
         `artifacts[\"A.assets\"].properties.file` / `OUT/A.assets.json` is a named pipe, and not a file",
    );
    pipe(&folder, "manifest.json");
    folder.check_refused(
        "could not read `OUT/manifest.json` / `OUT/manifest.json` is a named pipe, and not a file",
    );
}

#[test]
fn a_template_that_cannot_be_parsed_is_refused_with_line_and_column() {
    let check = |text: &[u8], expect: &str| {
        let folder = Folder::with(&json!({"A": stack("t", &json!({}))}), &[]);
        folder.write("t", text);
        let by = "named by `OUT/manifest.json` at `artifacts.A.properties.templateFile`";
        folder.check_refused(&expect.replace("BY", by));
    };
    check(
        b"{\"Resources\": {\n",
        "could not parse template `OUT/t` at line 2, column 0, BY / not valid JSON / EOF while parsing an object at line 2 column 0",
    );
    check(
        b"Resources:\n  A: &x [\n",
        "could not parse template `OUT/t` at line 3, column 1, BY / not valid YAML / did not find expected node \
         content at line 3 column 1, while parsing a flow node",
    );
    check(b"A: 1\nB: \xff", "could not parse template `OUT/t` at line 2, column 4, BY / not UTF-8 text");
    check(
        b"text",
        "could not parse template `OUT/t` at line 1, column 1, BY / a template is a map of sections, and this is a string",
    );
}

#[test]
fn assets_of_the_wrong_shape_are_refused_with_their_place() {
    check_assets(
        "{",
        "could not parse `OUT/A.assets.json` at line 1, column 1 / EOF while parsing an object at line 1 column 1",
    );
    check_assets("5", "could not understand `OUT/A.assets.json`: expected a map, found a number");
    check_assets(
        r#"{"files": {"f": {"source": {}, "destinations": {}}}}"#,
        "could not understand `OUT/A.assets.json` at `files.f.source`: neither `path` nor `executable` is there",
    );
    check_assets(
        r#"{"files": {"f": {"source": {"path": "x", "packaging": "tar"}, "destinations": {}}}}"#,
        "could not understand `OUT/A.assets.json` at `files.f.source.packaging`: `tar` is neither `file` nor `zip`",
    );
    check_assets(
        r#"{"files": {"f": {"source": {"path": "x"}, "destinations": {"d": {"bucketName": "b"}}}}}"#,
        "could not understand `OUT/A.assets.json` at `files.f.destinations.d`: `objectKey` is missing",
    );
    check_assets(
        r#"{"dockerImages": {"i": {"source": {"platform": "x"}, "destinations": {}}}}"#,
        "could not understand `OUT/A.assets.json` at `dockerImages.i.source`: neither `directory` nor `executable` is there",
    );
    let missing = json!({"type": "cdk:asset-manifest", "properties": {}});
    Folder::with(&json!({"A.assets": missing}), &[]).check_refused(
        "could not understand `OUT/manifest.json` at `artifacts[\"A.assets\"].properties`: `file` is missing",
    );
}

#[test]
fn files_outside_the_assembly_are_refused() {
    for named in ["../t.json", "/etc/passwd", "s/../../t.json"] {
        check_stack(
            &json!({"properties": {"templateFile": named}}),
            &format!(
                "could not follow `OUT/manifest.json` at `artifacts.A.properties.templateFile`: `{named}` is outside of the assembly"
            ),
        );
    }
    let manifest = json!({"type": "cdk:asset-manifest", "properties": {"file": "../A.assets.json"}});
    Folder::with(&json!({"M": manifest}), &[]).check_refused(
        "could not follow `OUT/manifest.json` at `artifacts.M.properties.file`: `../A.assets.json` is outside of the assembly",
    );
    let stage = json!({"type": "cdk:cloud-assembly", "properties": {"directoryName": ".."}});
    Folder::with(&json!({"S": stage}), &[]).check_refused(
        "could not follow `OUT/manifest.json` at `artifacts.S.properties.directoryName`: `..` is outside of the assembly",
    );
}

#[test]
fn an_assembly_that_contains_itself_is_refused() {
    let stage =
        |dir: &str| json!({"S": {"type": "cdk:cloud-assembly", "properties": {"directoryName": dir}}});
    Folder::with(&stage("."), &[]).check_refused(
        "could not follow `OUT/manifest.json` at `artifacts.S.properties.directoryName`: \
         the nested assembly is one that it is inside of",
    );
    let folder = Folder::with(&stage("a"), &[]);
    folder.manifest("a", &stage("../b"));
    folder.manifest("b", &stage("../a"));
    folder.check_refused(
        "could not follow `OUT/b/manifest.json` at `artifacts.S.properties.directoryName`: \
         the nested assembly is one that it is inside of",
    );
}

#[cfg(unix)]
#[test]
fn an_assembly_that_contains_itself_through_a_link_is_refused() {
    let stage = json!({"S": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "link"}}});
    let folder = Folder::with(&stage, &[]);
    fs_err::os::unix::fs::symlink(".", folder.path().join("link")).unwrap();
    folder.check_refused(
        "could not follow `OUT/manifest.json` at `artifacts.S.properties.directoryName`: \
         the nested assembly is one that it is inside of",
    );
}

#[test]
fn stages_that_are_too_deep_are_refused() {
    let stage = json!({"S": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "s"}}});
    let folder = Folder::with(&stage, &[]);
    let mut dir = String::new();
    for _ in 0..40 {
        dir.push_str("s/");
        folder.manifest(dir.trim_end_matches('/'), &stage);
    }
    let error = Assembly::read(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("stages are inside of each other too deep to be meant"), "{error}");
}

#[test]
fn missing_context_is_refused_wherever_it_is_missing() {
    let missing = json!([
        {"key": "vpc-provider:account=1", "provider": "vpc-provider", "props": {}},
        {"key": "ssm:x"},
    ]);
    let text = json!({"version": "36.0.0", "artifacts": {}, "missing": missing}).to_string();
    let folder = Folder::new();
    folder.write("manifest.json", &text);
    let error = folder.check_refused(
        "refused the assembly in `OUT/manifest.json`: it was synthesized without context it needs: \
         `vpc-provider:account=1` (vpc-provider), `ssm:x` (unknown provider)",
    );
    assert!(error.hint().unwrap().contains("cdk.context.json"));

    let stage = json!({"type": "cdk:cloud-assembly", "properties": {"directoryName": "s"}});
    let folder = Folder::with(&json!({"S": stage}), &[("s/manifest.json", &text)]);
    let error = Assembly::read(folder.path()).unwrap_err();
    assert!(folder.show(&error).contains("`OUT/s/manifest.json`"));

    let folder = Folder::new();
    folder.write("manifest.json", r#"{"version": "36.0.0", "missing": []}"#);
    folder.read();
}

#[test]
fn missing_context_can_be_kept_for_a_later_lookup() {
    let ssm = |props: Value| json!({"key": "ssm:k", "provider": "ssm", "props": props});
    let props =
        json!({"parameterName": "/shop/url", "account": "1", "region": "r", "dummyValue": "none yet"});
    let missing = json!([ssm(props.clone()), ssm(json!({"parameterName": "/x"})), {"key": "vpc-provider:x"}]);
    let text =
        |missing: &Value| json!({"version": "36.0.0", "artifacts": {}, "missing": missing}).to_string();
    let stage = json!({"type": "cdk:cloud-assembly", "properties": {"directoryName": "s"}});
    let folder = Folder::with(&json!({"S": stage}), &[("s/manifest.json", &text(&json!([ssm(props)])))]);
    let stages = Assembly::read_incomplete(folder.path()).unwrap();
    assert_eq!(stages.missing.len(), 1);

    let folder = Folder::new();
    folder.write("manifest.json", text(&missing));
    let assembly = Assembly::read_incomplete(folder.path()).unwrap();
    let of_apps = Assembly::of_apps(vec![("shop".to_owned(), assembly)]);
    let held: Vec<_> = of_apps.missing.iter().map(|it| it.stand_in.clone()).collect();
    assert_eq!(held, [json!("none yet"), Value::Null, Value::Null]);
    assert_eq!(of_apps.missing[0].app.as_deref(), Some("shop"));
}

#[test]
fn error_annotations_stop_only_the_deployment_of_their_stack() {
    let errors = |texts: &[&str]| {
        let entries: Vec<Value> =
            texts.iter().map(|text| json!({"type": "aws:cdk:error", "data": text})).collect();
        stack("t.json", &json!({"metadata": {"/X/Role": entries}}))
    };
    let folder = Folder::with(
        &json!({"Good": stack("t.json", &json!({})), "Bad": errors(&["no wildcards\n", "no rights"]), "Worse": errors(&["too open"])}),
        &[("t.json", EMPTY)],
    );
    let assembly = folder.read();
    assembly.ensure_deployable(|stack| stack.id == "Good").unwrap();
    let show = |selected: &[&str]| {
        folder.show(&assembly.ensure_deployable(|stack| selected.contains(&stack.id.as_str())).unwrap_err())
    };
    assert_eq!(
        show(&["Bad", "Good", "Worse"]),
        "refused the assembly in `OUT`: its constructs reported 3 errors\
         \n  stack `Bad`, `X/Role`: no wildcards\
         \n  stack `Bad`, `X/Role`: no rights\
         \n  stack `Worse`, `X/Role`: too open",
    );
    assert_eq!(
        show(&["Worse"]),
        "refused the assembly in `OUT`: its constructs reported an error\n  stack `Worse`, `X/Role`: too open",
    );
}
