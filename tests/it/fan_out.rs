//! `paceline gen --fan-out`: the state machine starts builds, and the builds deploy to the embedded AWS.

use serde_json::{Value, json};

use crate::harness::{Place, Sim};
use crate::pipeline::deployed;
use crate::states::{Ended, run};

const FAST: u32 = 10_000;
const HUB: &str = "111111111111";
const SPOKE: &str = "222222222222";

/// A repository with a stack in one account, a stack in another one that reads its parameter, and a third one.
fn repository() -> Place {
    let place = Place::new();
    let artifact = |name: &str, account: &str| {
        let properties = json!({ "templateFile": format!("{name}.template.json") });
        let environment = format!("aws://{account}/us-east-1");
        json!({ "type": "aws:cloudformation:stack", "environment": environment, "properties": properties })
    };
    let mut spoke = artifact("Spoke", SPOKE);
    spoke["dependencies"] = json!(["Hub"]);
    let artifacts = json!({ "Hub": artifact("Hub", HUB), "Spoke": spoke, "Data": artifact("Data", SPOKE) });
    place.write("cdk.out/manifest.json", &json!({ "version": "36.0.0", "artifacts": artifacts }).to_string());
    for name in ["Hub", "Spoke", "Data"] {
        let queue = json!({ "Resources": { "Q": { "Type": "AWS::SQS::Queue", "Properties": {} } } });
        place.write(&format!("cdk.out/{name}.template.json"), &queue.to_string());
    }
    let source = "codebuild: { source: github, location: \"https://github.com/acme/shop.git\" }";
    place.write("paceline.yaml", &format!("{source}\nrunner: {{ from: image }}\nfan-out: {{ builds: 3 }}\n"));
    place.paceline(["gen", "--fan-out", "--name", "shop"]).run().expect(0);
    place
}

#[test]
fn the_builds_of_the_state_machine_deploy_every_stack_once_and_in_order() {
    let machine = repository().json("buildspecs/shop.fan-out.asl.json");
    let sim = Sim::start(FAST);
    let mut builds = Vec::new();
    let ended = run(&machine, json!({ "sourceVersion": "abc" }), &mut |_, parameters| {
        // Each build has a checkout of its own, and shares nothing with the others but AWS.
        let place = repository();
        let mut call = place.build("shop.yml").aws_at(&sim.address);
        for variable in parameters["EnvironmentVariablesOverride"].as_array().unwrap() {
            let text = |key: &str| variable[key].as_str().unwrap();
            call = call.args(["--env", &format!("{}={}", text("Name"), text("Value"))]);
            if text("Name") == "PACELINE_ONLY" {
                builds.push(text("Value").to_owned());
            }
        }
        call.run().expect(0);
        Ok(json!({ "Build": { "Id": format!("shop:{}", builds.len()) } }))
    });
    let Ended::Succeeded(report) = ended else { panic!("{ended:?}") };
    assert_eq!(builds, ["account:111111111111", "Data", "Spoke"]);
    assert_eq!(sim.accepted("CreateStack").len(), 3);
    let environments = |level: &Value| {
        let legs = level.as_array().unwrap().iter();
        legs.map(|leg| leg["environment"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let levels: Vec<_> = report["levels"].as_array().unwrap().iter().map(environments).collect();
    let of = |account: &str| format!("{account}/us-east-1");
    assert_eq!(levels, [vec![of(HUB), of(SPOKE)], vec![of(SPOKE)]]);
}

#[test]
fn the_template_of_a_state_machine_deploys_to_the_embedded_aws() {
    let outputs = deployed(&repository().read("buildspecs/shop.fan-out.yaml"));
    assert!(outputs["MachineArn"].as_str().unwrap().contains(":stateMachine:"), "{outputs}");
}

#[test]
fn a_state_machine_is_kept_up_to_date_without_the_flag_and_needs_a_source() {
    let place = repository();
    place.paceline(["gen", "--check", "--name", "shop"]).run().expect(0);
    place.write("paceline.yaml", &place.read("paceline.yaml").replace("builds: 3", "builds: 4"));
    let ran = place.paceline(["gen", "--check", "--name", "shop"]).run().expect(5);
    assert!(ran.stdout.contains("+      \"MaxConcurrency\": 4,"), "{}", ran.stdout);
    fs_err::remove_file(place.path("buildspecs/shop.fan-out.yaml")).unwrap();
    let ran = place.paceline(["gen", "--name", "shop"]).run().expect(0);
    assert!(ran.stderr.contains("removed buildspecs/shop.fan-out.asl.json"), "{}", ran.stderr);
    place.write("paceline.yaml", "codebuild: { source: codepipeline }\n");
    let ran = place.paceline(["gen", "--fan-out", "--name", "shop"]).run().expect(2);
    assert!(
        ran.stderr.contains("error: paceline.yaml:1:22: a state machine starts builds itself"),
        "{}",
        ran.stderr
    );
}
