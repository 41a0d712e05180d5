//! An app may be synthesized again while its earlier synthesis is still being deployed.

use paceline_assembly::FileSource;
use serde_json::json;

use crate::fixture::{Folder, stack};

const EMPTY: &str = r#"{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}"#;

#[test]
fn files_that_a_synthesis_overwrites_are_kept_and_those_named_after_their_content_stay() {
    let files = json!({
        "t": { "source": { "path": "t.json", "packaging": "file" }, "destinations": {} },
        "c": { "source": { "path": "asset.c0ffee.js", "packaging": "file" }, "destinations": {} },
    });
    let manifest = json!({ "version": "36.0.0", "files": files }).to_string();
    let assets = json!({ "type": "cdk:asset-manifest", "properties": { "file": "assets.json" } });
    let folder = Folder::with(
        &json!({ "A": stack("t.json", &json!({ "dependencies": ["A.assets"] })), "A.assets": assets }),
        &[("t.json", EMPTY), ("assets.json", &manifest), ("asset.c0ffee.js", "code")],
    );
    let mut assembly = folder.read();
    let kept = folder.path().join("kept");
    fs_err::create_dir(&kept).unwrap();
    folder.write("kept/of an earlier run", "");
    assembly.snapshot(&kept, |_| true).unwrap();
    assert!(!kept.join("of an earlier run").exists());
    folder.write("t.json", "{}");
    let stack = &assembly.stacks[0];
    assert_eq!(fs_err::read_to_string(&stack.template_path).unwrap(), EMPTY);
    let source = |id: &str| match &stack.assets.files[id].source {
        FileSource::Path { path, .. } => path.clone(),
        FileSource::Executable(_) => unreachable!(),
    };
    assert_eq!(source("t"), stack.template_path);
    assert_eq!(source("c"), folder.path().join("asset.c0ffee.js"));
}
