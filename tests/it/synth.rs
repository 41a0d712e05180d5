//! A single app whose configuration says what makes it is synthesized before it is deployed, as several apps are.

use crate::deploy::tiny_manifest;
use crate::harness::{Call, Events, Place, Sim};

const FAST: u32 = 2000;
const SYNTH: &str = "mkdir -p cdk.out && cp lib/* cdk.out/ && echo x >> synthesized";

/// An app of one stack, which this command synthesizes.
fn place(synth: &str) -> Place {
    let place = Place::new();
    place.write("lib/manifest.json", &tiny_manifest(&["Shop"]));
    edit(&place, 1);
    place.write("paceline.yaml", &format!("app: cdk.out\nsynth: |\n  {synth}\n"));
    place
}

fn edit(place: &Place, seconds: u32) {
    let properties = format!(r#"{{"DelaySeconds":{seconds}}}"#);
    let queue = format!(r#"{{"Type":"AWS::SQS::Queue","Properties":{properties}}}"#);
    place.write("lib/Shop.template.json", &format!(r#"{{"Resources":{{"Q":{queue}}}}}"#));
}

/// How often it was synthesized.
fn times(place: &Place) -> usize {
    fs_err::read_to_string(place.path("synthesized")).unwrap_or_default().lines().count()
}

fn deploy<'a>(place: &'a Place, sim: &Sim) -> Call<'a> {
    place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address)
}

fn outcome(place: &Place) -> String {
    Events::read(&place.path("events.jsonl")).outcomes()[0].1.clone()
}

#[test]
fn what_was_edited_is_deployed() {
    let (place, sim) = (place(SYNTH), Sim::start(FAST));
    let ran = deploy(&place, &sim).run().expect(0);
    assert!(ran.stderr.contains("[synth] done in "), "{}", ran.stderr);
    assert_eq!(outcome(&place), "deployed");
    deploy(&place, &sim).run().expect(0);
    assert_eq!(outcome(&place), "unchanged");
    edit(&place, 2);
    let ran = deploy(&place, &sim).run().expect(0);
    assert_eq!(outcome(&place), "deployed");
    assert!(!ran.stderr.contains("is older than"), "{}", ran.stderr);
    assert_eq!((times(&place), sim.accepted("UpdateStack")), (3, vec!["Shop".to_owned()]));
}

#[test]
fn its_synthesis_can_be_had_alone() {
    let place = place(SYNTH);
    let ran = place.paceline(["plan"]).run().expect(2);
    assert!(ran.stderr.contains("the app is not synthesized: there is no folder cdk.out"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: run `paceline synth`"), "{}", ran.stderr);
    for app in [&[][..], &["--app", "./cdk.out"]] {
        let ran = place.paceline(["synth"]).args(app).run().expect(0);
        assert!(ran.stderr.contains("[synth] done in "), "{}", ran.stderr);
    }
    assert_eq!(times(&place), 2);
    place.paceline(["plan"]).run().expect(0);

    let elsewhere = place.paceline(["synth", "--app", "lib"]).run().expect(2);
    assert!(elsewhere.stderr.contains("no `synth` command is for lib"), "{}", elsewhere.stderr);
    place.write("paceline.yaml", "app: cdk.out\n");
    let none = place.paceline(["synth"]).run().expect(2);
    assert!(none.stderr.contains("there is nothing to synthesize\n hint: set `synth`"), "{}", none.stderr);
}

#[test]
fn it_is_taken_as_it_is_where_that_is_said_and_where_nothing_is_deployed() {
    let (place, sim) = (place(SYNTH), Sim::start(FAST));
    place.paceline(["synth"]).run().expect(0);
    for flags in [&["--no-synth"][..], &["--app", "cdk.out"], &["--simulate"], &["--dry-run"]] {
        deploy(&place, &sim).args(flags).run().expect(0);
        assert_eq!(times(&place), 1, "{flags:?}");
    }
    place.paceline(["destroy", "--yes", "--no-synth"]).aws_at(&sim.address).run().expect(0);
    place.paceline(["destroy"]).aws_at(&sim.address).run().expect(2);
    assert_eq!(times(&place), 1);
    place.paceline(["destroy", "--yes"]).aws_at(&sim.address).run().expect(0);
    assert_eq!(times(&place), 2);
}

#[test]
fn context_goes_to_its_synthesis() {
    let place = place(&format!("{SYNTH}; echo \"${{CDK_CONTEXT_JSON:-}}\" > context"));
    place.paceline(["synth", "--context", "stage=prod"]).run().expect(0);
    assert_eq!(place.read("context"), "{\"stage\":\"prod\"}\n");
    for flags in [&["--no-synth"][..], &["--app", "cdk.out"], &["--simulate"], &["--dry-run"]] {
        let ran = place.paceline(["deploy", "--context", "stage=prod"]).args(flags).run().expect(2);
        assert!(ran.stderr.contains("nothing is synthesized in this run"), "{flags:?}: {}", ran.stderr);
    }
}

#[test]
fn its_script_ends_at_the_first_command_that_fails_as_in_a_generated_build() {
    let (place, sim) = (place(&format!("echo no such package; false\n  {SYNTH}")), Sim::start(FAST));
    for command in ["synth", "deploy"] {
        let ran = place.paceline([command]).aws_at(&sim.address).run().expect(2);
        assert!(ran.stderr.contains("exit status: 1: no such package"), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: its whole output is above"), "{}", ran.stderr);
    }
    assert_eq!((times(&place), sim.calls().len()), (0, 0));
}

#[test]
fn a_generated_build_synthesizes_once() {
    let (place, sim) = (place(SYNTH), Sim::start(FAST));
    place.paceline(["synth"]).run().expect(0);
    place.write("paceline.yaml", &(place.read("paceline.yaml") + "runner: { from: image }\n"));
    place.paceline(["gen", "--name", "app"]).run().expect(0);
    place.program("image/node", "#!/bin/sh\necho v22\n");
    for file in ["app.yml", "app.destroy.yml", "app.pull-request.yml"] {
        let before = times(&place);
        place.build(file).args(["--env", "PACELINE_DESTROY=app"]).aws_at(&sim.address).run().expect(0);
        assert_eq!(times(&place) - before, 1, "{file}");
    }
    assert_eq!((sim.accepted("CreateStack").len(), sim.accepted("DeleteStack").len()), (1, 1));
}
