//! The second app of the example: its page has the address of the shop from its synthesis.

use serde_json::{Value, json};

use crate::harness::{Place, Ran, Sim, skipped};
use crate::workshop::{STACKS, path};

const WAITS: &str = "guide/Guide";

fn paceline(place: &Place, arguments: &[&str]) -> Ran {
    place.paceline(arguments).args(["--config", &path("apps.yaml")]).multi_region().run().expect(0)
}

#[test]
fn both_apps_are_one_plan_and_the_page_waits_for_a_synthesis() {
    let plan = paceline(&Place::new(), &["plan", "--format", "json"]).document("plan");
    assert_eq!(plan["stacks"].as_array().unwrap().len(), STACKS + 2);
    assert_eq!(
        plan["synthesized_again"],
        json!([{
            "app": "guide",
            "after": ["workshop/Applications"],
            "stacks": [WAITS],
            "lookups": ["/workshop/storefront/url"],
        }])
    );
    let reasons = |id: &str| -> Vec<Value> {
        let stacks = plan["stacks"].as_array().unwrap();
        let stack = stacks.iter().find(|stack| stack["id"] == id).unwrap();
        stack["depends_on"].as_array().unwrap().iter().map(|edge| edge["reason"].clone()).collect()
    };
    assert_eq!(reasons(WAITS), ["synth"]);
    assert_eq!(reasons("guide/Participants"), ["ssm"], "it reads what the other app writes");
}

#[test]
fn a_simulation_shows_the_late_synthesis_with_what_was_recorded() {
    let place = Place::new();
    let ran = paceline(&place, &["deploy", "--simulate", "--outputs", "outputs.json"]);
    assert!(ran.stderr.contains("synth     guide"), "{}", ran.stderr);
    assert_eq!(place.json("outputs.json")["Guide"]["Shop"], "https://d111111abcdef8.cloudfront.net");
}

#[test]
fn what_was_synthesized_late_is_deleted_as_everything_else() {
    let ran = paceline(&Place::new(), &["destroy", "--simulate", "--yes"]);
    assert!(ran.stderr.contains(&format!("{} deleted", STACKS + 2)), "{}", ran.stderr);
}

#[test]
fn explain_says_what_is_looked_up_again() {
    let ran = paceline(&Place::new(), &["explain", WAITS, "workshop/Applications"]);
    assert!(ran.stdout.contains("/workshop/storefront/url"), "{}", ran.stdout);
    assert!(ran.stdout.contains("synth"), "{}", ran.stdout);
}

/// The CDK itself looks the address up, in an AWS in which it is not there at first.
#[test]
fn the_cdk_finds_what_was_made_in_the_middle_of_the_run() {
    if !std::path::Path::new(&path("node_modules/.bin/cdk")).exists() {
        skipped(
            "the CDK is not installed in tests/fixtures/workshop (npm ci): no synthesis with it is tested",
        );
        return;
    }
    let (place, sim) = (Place::new(), Sim::start(1000));
    for shared in ["cdk.out", "node_modules", "tsconfig.json"] {
        std::os::unix::fs::symlink(path(shared), place.path(shared)).unwrap();
    }
    for file in ["cdk.json", "tsconfig.json", "bin/guide.ts", "lib/guide.ts", "lib/participants.ts"] {
        place.write(
            &format!("guide/{file}"),
            &fs_err::read_to_string(path(&format!("guide/{file}"))).unwrap(),
        );
    }
    place.write(
        "paceline.yaml",
        "apps:
  workshop: { dir: . }
  guide: { dir: guide, synth: npx --no-install cdk synth --quiet }
",
    );
    let deploy = || {
        let call = place.paceline(["deploy", "--outputs", "outputs.json", "--exclude", "*Secondary"]);
        let only = ["guide/*", "workshop/Services", "workshop/Applications"];
        call.args(only.iter().flat_map(|id| ["--only", id])).aws_at(&sim.address).run().expect(0)
    };
    let ran = deploy();
    assert!(ran.stderr.contains("ERROR SSM parameter not available"), "{}", ran.stderr);
    let outputs = place.json("outputs.json");
    let shop = outputs["Guide"]["Shop"].as_str().unwrap();
    assert!(shop.starts_with("https://"), "{outputs}");
    assert!(place.read("guide/cdk.context.json").contains(shop), "the CDK keeps what it has found");
    assert!(deploy().stderr.contains("4 unchanged"), "the second run changes nothing");
}
