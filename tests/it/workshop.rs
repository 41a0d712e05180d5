//! The example of this repository: fourteen stacks in two regions.

use std::path::{Path, PathBuf};

use crate::harness::Place;

/// How many stacks it has.
pub(crate) const STACKS: usize = 14;

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A path in the folder of the example.
pub(crate) fn path(name: &str) -> String {
    repository().join("tests/fixtures/workshop").join(name).into_os_string().into_string().unwrap()
}

/// The arguments that name the app and its configuration.
pub(crate) fn app() -> [String; 4] {
    ["--app".to_owned(), path("cdk.out"), "--config".to_owned(), path("paceline.yaml")]
}

/// The same without gates: a real clock has to pass for those, however fast the simulated one is.
pub(crate) fn app_without_gates(place: &Place) -> [String; 4] {
    let text = fs_err::read_to_string(path("paceline.yaml")).unwrap();
    let (before, after) = text.split_once("\ngates:\n").expect("the example has gates");
    let after: String =
        after.lines().skip_while(|line| line.starts_with(' ')).flat_map(|l| [l, "\n"]).collect();
    app_with(place, &format!("{before}\n{after}"))
}

/// The same without tries again: CloudFormation itself rolls a failed creation back, and its empty stack stays.
pub(crate) fn app_without_retries(place: &Place) -> [String; 4] {
    let text = fs_err::read_to_string(path("paceline.yaml")).unwrap();
    let (before, after) = ("rollback: stack }", "rollback: stack, retries: 0 }");
    assert!(text.contains(before), "the example says what happens to a failed stack");
    app_with(place, &text.replace(before, after))
}

fn app_with(place: &Place, config: &str) -> [String; 4] {
    let config = place.write("edited.yaml", config);
    [
        "--app".to_owned(),
        path("cdk.out"),
        "--config".to_owned(),
        config.into_os_string().into_string().unwrap(),
    ]
}

/// Why stacks wait: `(stack, what it waits for, reason)`, as `plan --format json` says.
pub(crate) fn edges(app: &[String]) -> Vec<(String, String, String)> {
    let place = Place::new();
    let ran = place.paceline(["plan", "--format", "json"]).args(app).multi_region().run().expect(0);
    let plan = ran.stdout_json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mut edges = Vec::new();
    for stack in plan["stacks"].as_array().unwrap() {
        for edge in stack["depends_on"].as_array().unwrap() {
            edges.push((text(&stack["id"]), text(&edge["stack"]), text(&edge["reason"])));
        }
    }
    assert!(edges.len() > STACKS, "the example is connected");
    edges
}
