//! `paceline gen --pipeline`: the files, and the two builds that the pipeline starts.

use paceline_buildspec::yaml;
use serde_json::Value;

use crate::approved::command_app;
use crate::deploy::tiny_manifest;
use crate::harness::{Place, Ran, Sim};

const FAST: u32 = 10_000;

const SETTINGS: &str = "codebuild: { source: github, location: \"https://github.com/acme/shop.git\" }
pipeline: { connection: \"arn:aws:codeconnections:us-east-1:111111111111:connection/1a-2b\" }
runner: { from: image }
";

/// The repository of a team: an app of two stacks and a command, and the generated files.
fn repository(more: &str) -> Place {
    let place = Place::new();
    command_app(&place);
    let config = place.read("paceline.yaml");
    place.write("paceline.yaml", &format!("{config}{SETTINGS}{more}"));
    place.paceline(["gen", "--pipeline", "--name", "shop"]).run().expect(0);
    place
}

/// Plans in one place, and deploys the plan in another one.
fn plan_and_deploy(planned: &Place, deployed: &Place, sim: &Sim) -> Ran {
    let ran = planned.build("shop.plan.yml").env("CODEBUILD_BUILD_URL", "https://builds.example/1").run();
    let ran = ran.expect(0);
    assert!(ran.stderr.contains("exported: PACELINE_PLAN=Plan: 2 stacks"), "{}", ran.stderr);
    assert!(ran.stderr.contains("exported: PACELINE_PLAN_URL=https://builds.example/1"), "{}", ran.stderr);
    let artifact = format!("CODEBUILD_SRC_DIR_Plan={}", planned.path("kept/artifacts").display());
    deployed.build("shop.approved.yml").args(["--env", &artifact]).aws_at(&sim.address).run()
}

#[test]
fn the_saved_plan_of_one_build_is_deployed_by_another() {
    let (planned, deployed, sim) = (repository(""), repository(""), Sim::start(FAST));
    let ran = plan_and_deploy(&planned, &deployed, &sim).expect(0);
    assert_eq!(sim.accepted("CreateStack").len(), 2);
    assert_eq!(deployed.read("seeded"), "seeded\n");
    assert!(ran.stdout.contains("the approved plan is deployed"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Plan: 2 stacks"), "the plan is in the log: {}", ran.stdout);
    assert_eq!(deployed.list("kept/reports/deploy"), ["junit.xml"]);
}

/// A synthesis that writes another template each time, as one with a time or a random number in it does.
#[test]
fn the_assembly_of_the_plan_is_deployed_and_nothing_is_synthesized_again() {
    let synth = "synth: sh synth.sh\n";
    let script = r#"mkdir -p cdk.out
echo once >> synthesized
cp manifest.json cdk.out/manifest.json
for stack in One Two; do
  echo "{\"Resources\":{\"Q\":{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{\"QueueName\":\"q-$stack-$$\"}}}}" > cdk.out/$stack.template.json
done
"#;
    let with_synth = || {
        let place = repository(synth);
        place.write("synth.sh", script);
        place.write("manifest.json", &place.read("cdk.out/manifest.json"));
        fs_err::remove_dir_all(place.path("cdk.out")).unwrap();
        place
    };
    let (planned, deployed, sim) = (with_synth(), with_synth(), Sim::start(FAST));
    plan_and_deploy(&planned, &deployed, &sim).expect(0);
    assert_eq!(planned.read("synthesized"), "once\n");
    assert!(!deployed.path("synthesized").exists());
    assert_eq!(planned.read("cdk.out/One.template.json"), deployed.read("cdk.out/One.template.json"));
    assert_eq!(sim.accepted("CreateStack").len(), 2);
}

#[test]
fn an_app_that_is_not_the_planned_one_is_refused() {
    let (planned, deployed, sim) = (repository(""), repository(""), Sim::start(FAST));
    deployed.write("seed.sh", "echo other >> seeded");
    let ran = plan_and_deploy(&planned, &deployed, &sim).expect(1);
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert!(shown.contains("the app has changed since the plan"), "{shown}");
    assert_eq!(sim.accepted("CreateStack"), [""; 0]);
}

#[test]
fn a_build_that_no_pipeline_has_started_deploys_nothing() {
    let (place, sim) = (repository(""), Sim::start(FAST));
    let ran = place.build("shop.approved.yml").aws_at(&sim.address).run().expect(1);
    assert!(ran.stderr.contains("this build has no approved plan"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: start the pipeline"), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack"), [""; 0]);
}

#[test]
fn a_pipeline_is_kept_up_to_date_without_the_flag() {
    let place = repository("");
    let files = ["shop.approved.yml", "shop.pipeline.yaml", "shop.plan.yml"];
    let is_there =
        |place: &Place| files.iter().all(|file| place.list("buildspecs").contains(&(*file).to_owned()));
    assert!(is_there(&place));
    place.paceline(["gen", "--check", "--name", "shop"]).run().expect(0);
    let template = place.read("buildspecs/shop.pipeline.yaml");
    place.write("buildspecs/shop.pipeline.yaml", &template.replace("BranchName: main", "BranchName: other"));
    let ran = place.paceline(["gen", "--check", "--name", "shop"]).run().expect(5);
    assert!(ran.stdout.contains("+                BranchName: main\n"), "{}", ran.stdout);
    place.paceline(["gen", "--name", "shop"]).run().expect(0);
    assert_eq!(place.read("buildspecs/shop.pipeline.yaml"), template);
    // Without its template there is no pipeline, and what is left of it is removed.
    fs_err::remove_file(place.path("buildspecs/shop.pipeline.yaml")).unwrap();
    let ran = place.paceline(["gen", "--name", "shop"]).run().expect(0);
    assert!(ran.stderr.contains("removed buildspecs/shop.plan.yml"), "{}", ran.stderr);
    let left = place.list("buildspecs");
    assert!(files.iter().all(|file| !left.contains(&(*file).to_owned())), "{left:?}");
}

#[test]
fn a_missing_setting_is_refused_at_its_place_and_nothing_is_written() {
    let place = Place::new();
    command_app(&place);
    let source = "codebuild:\n  source: github\n  location: \"https://github.com/acme/shop\"\n";
    for (config, says) in [
        ("version: 1\n".to_owned(), "paceline.yaml: the pipeline has no source: `codebuild.source`"),
        (
            "codebuild: { image: standard:7.0 }\n".to_owned(),
            "paceline.yaml:1:12: the pipeline has no source: `codebuild.source`",
        ),
        (
            "codebuild: { source: codepipeline }\n".to_owned(),
            "paceline.yaml:1:22: the pipeline has no source: `codebuild.source`",
        ),
        (source.to_owned(), "paceline.yaml: the pipeline reads a github repository with a connection, and"),
        (
            format!("{source}pipeline: {{ branch: main }}\n"),
            "paceline.yaml:4:11: the pipeline reads a github repository with a connection, and",
        ),
        (
            format!("{source}pipeline: {{ connection: mine }}\n"),
            "paceline.yaml:4:25: `mine` is not the ARN of a connection",
        ),
        ("codebuild: { source: s3 }\n".to_owned(), "paceline.yaml:1:22: a s3 source has no location"),
    ] {
        place.write("paceline.yaml", &config);
        let ran = place.paceline(["gen", "--pipeline", "--name", "shop"]).run().expect(2);
        assert!(ran.stderr.contains(&format!("error: {says}")), "{config}: {}", ran.stderr);
        assert!(ran.stderr.contains(" hint: "), "{config}: {}", ran.stderr);
        assert_eq!(place.list("buildspecs"), [""; 0], "{config}");
    }
}

/// Deploys a generated template to the embedded AWS, which resolves every reference in it. Gives the outputs.
pub(crate) fn deployed(template: &str) -> Value {
    let template = yaml::parse(template).unwrap().to_json();
    let (place, sim) = (Place::new(), Sim::start(FAST));
    place.write("cdk.out/manifest.json", &tiny_manifest(&["Generated"]));
    place.write("cdk.out/Generated.template.json", &template.to_string());
    place.paceline(["deploy", "--outputs", "outputs.json"]).aws_at(&sim.address).run().expect(0);
    place.json("outputs.json")["Generated"].clone()
}

#[test]
fn the_template_of_a_pipeline_deploys_to_the_embedded_aws() {
    let place = repository("");
    let config = place.read("paceline.yaml");
    let from_bucket = "codebuild: { source: s3, location: sources/shop.zip }\nrunner: { from: image }\n";
    for config in [config, format!("version: 1\n{from_bucket}")] {
        place.write("paceline.yaml", &config);
        place.paceline(["gen", "--name", "shop"]).run().expect(0);
        let outputs = deployed(&place.read("buildspecs/shop.pipeline.yaml"));
        for output in ["PipelineName", "ArtifactBucket"] {
            assert!(outputs[output].is_string(), "{outputs}");
        }
    }
}
