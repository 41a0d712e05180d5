//! `paceline run-buildspec`, and with it the generated buildspecs: from their first phase to their last.

use crate::harness::{Events, Place, Ran, Sim};
use crate::workshop::{self, STACKS};

const FAST: u32 = 2000;

/// The example as a team has it in its repository, with a runner that is in the image and builds in batches. Gates
/// are left out: a real clock has to pass for those.
fn repository() -> Place {
    let place = Place::new();
    std::os::unix::fs::symlink(workshop::path(""), place.path("workshop")).unwrap();
    let [_, _, _, config] = workshop::app_without_gates(&place);
    let config = fs_err::read_to_string(config).unwrap();
    let (before, _) = config.split_once("\ncodebuild:").expect("the example says how it is built");
    let before = before.replace("\napp: cdk.out\n", "\napp: workshop/cdk.out\n");
    place.write(
        "paceline.yaml",
        &format!("{before}\ncodebuild: {{ batch: regions }}\nrunner: {{ from: image }}\n"),
    );
    place.paceline(["gen", "--name", "workshop"]).run().expect(0);
    place
}

/// How the phases ended, as `install succeeded`.
fn phases(ran: &Ran) -> Vec<String> {
    let names = ["install ", "pre_build ", "build ", "post_build "];
    let lines = ran.stderr.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
    lines.map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_generated_buildspec_deploys_every_stack() {
    let (place, sim) = (repository(), Sim::start(FAST));
    let ran = place.build("workshop.yml").aws_at(&sim.address).run().expect(0);
    assert_eq!(
        phases(&ran),
        ["install succeeded", "pre_build succeeded", "build succeeded", "post_build succeeded"]
    );
    let mut created = sim.accepted("CreateStack");
    created.dedup();
    assert_eq!(created.len(), STACKS, "{created:?}");
    let outcomes = Events::read(&place.path("kept/artifacts/events.jsonl")).outcomes();
    assert!(outcomes.iter().all(|(_, outcome)| outcome == "deployed"), "{outcomes:?}");
    assert_eq!(place.list("kept/reports/deploy"), ["junit.xml"]);
    assert!(place.read("kept/artifacts/plan.txt").contains("Plan: 14 stacks"));
    assert!(ran.stdout.contains("the deployment is complete"), "{}", ran.stdout);
}

#[test]
fn a_build_whose_deployment_fails_leaves_its_reports_all_the_same() {
    let (place, sim) = (repository(), Sim::start(FAST));
    // Without the stacks that it needs, this one cannot be created.
    let call =
        place.build("workshop.yml").aws_at(&sim.address).args(["--env", "PACELINE_ONLY=Observability"]);
    let ran = call.run().expect(1);
    assert_eq!(
        phases(&ran),
        ["install succeeded", "pre_build succeeded", "build failed", "post_build succeeded"]
    );
    assert!(place.read("kept/reports/deploy/junit.xml").contains("<failure"));
    for file in ["events.jsonl", "outputs.json", "plan.txt", "reports/timeline.html"] {
        assert!(place.path("kept/artifacts").join(file).is_file(), "{file}");
    }
    assert!(ran.stdout.contains("the deployment is not complete"), "{}", ran.stdout);
}

/// One after the other and each in a place of its own, as CodeBuild has them: they share nothing but AWS.
#[test]
fn the_builds_of_a_batch_deploy_every_stack_once() {
    let sim = Sim::start(FAST);
    let buildspec = repository().read("buildspecs/workshop.batch.yml");
    let parts: Vec<&str> =
        buildspec.lines().filter_map(|line| line.trim().strip_prefix("PACELINE_ONLY: ")).collect();
    assert_eq!(parts.len(), 6);
    for part in &parts {
        let place = repository();
        place
            .build("workshop.yml")
            .aws_at(&sim.address)
            .args(["--env", &format!("PACELINE_ONLY={part}")])
            .run()
            .expect(0);
    }
    let created = sim.accepted("CreateStack");
    assert_eq!(created.len(), STACKS, "{created:?}");
    // A build that is repeated has nothing to do.
    let place = repository();
    place
        .build("workshop.yml")
        .aws_at(&sim.address)
        .args(["--env", &format!("PACELINE_ONLY={}", parts[0])])
        .run()
        .expect(0);
    assert_eq!((sim.accepted("CreateStack").len(), sim.accepted("UpdateStack").len()), (STACKS, 0));
}

#[test]
fn a_batch_started_as_a_build_says_how_it_is_started() {
    let (place, sim) = (repository(), Sim::start(1));
    let ran = place.build("workshop.batch.yml").aws_at(&sim.address).run().expect(1);
    assert!(ran.stderr.contains("start it with start-build-batch"), "{}", ran.stderr);
}

#[test]
fn what_was_deployed_is_destroyed_by_its_word() {
    let (place, sim) = (repository(), Sim::start(FAST));
    place.build("workshop.yml").aws_at(&sim.address).run().expect(0);
    let call =
        place.build("workshop.destroy.yml").aws_at(&sim.address).args(["--env", "PACELINE_DESTROY=workshop"]);
    let ran = call.run().expect(0);
    assert!(ran.stdout.contains("everything is deleted"), "{}", ran.stdout);
    assert_eq!(sim.accepted("DeleteStack").len(), STACKS);
    assert_eq!(place.list("kept/reports/destroy"), ["junit.xml"]);
}

#[test]
fn nothing_is_destroyed_without_its_word() {
    let (place, sim) = (repository(), Sim::start(FAST));
    let ran = place.build("workshop.destroy.yml").aws_at(&sim.address).run().expect(1);
    assert!(ran.stderr.contains("nothing is deleted"), "{}", ran.stderr);
    assert_eq!(sim.accepted("DeleteStack"), [""; 0]);
}

#[test]
fn a_file_that_is_no_buildspec_is_refused_with_every_place() {
    let place = Place::new();
    place.write(
        "bad.yml",
        "version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b\n    on-failure: STOP\n",
    );
    let ran = place.paceline(["run-buildspec", "bad.yml"]).run().expect(2);
    assert_eq!(ran.stdout, "");
    for part in ["error: bad.yml: line 5, column 9: ", "error: bad.yml: line 6, column 17: ", "\n hint: "] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let ran = place.paceline(["run-buildspec", "none.yml"]).run().expect(2);
    assert!(ran.stderr.contains("none.yml") && ran.stderr.contains(" hint: "), "{}", ran.stderr);
}

#[test]
fn secrets_and_what_is_exported_are_shown_as_codebuild_does() {
    let place = Place::new();
    place.write(
        "b.yml",
        "version: 0.2
env:
  secrets-manager: { TOKEN: app/token }
  exported-variables: [TAG, TOKEN]
phases:
  build:
    commands: ['TAG=v$((1 + 1))']
",
    );
    let ran = place.paceline(["run-buildspec", "b.yml"]).run().expect(2);
    assert!(ran.stderr.contains("--env TOKEN=VALUE"), "{}", ran.stderr);
    let ran = place.paceline(["run-buildspec", "b.yml", "--env", "TOKEN=hidden"]).run().expect(0);
    assert!(ran.stderr.contains("exported: TAG=v2\nexported: TOKEN=***\n"), "{}", ran.stderr);
    place.paceline(["run-buildspec", "b.yml", "--env", "TOKEN"]).run().expect(2);
}

#[test]
fn an_interrupted_build_is_resumable_and_says_so_with_its_exit_code() {
    let place = Place::new();
    // A command that handles the interrupt before it says that it runs: what a shell has forked and not yet become
    // another program loses one.
    let command = "sh -c 'trap \"exit 1\" INT; echo x > ready; for _ in $(seq 1200); do sleep 0.1; done'";
    place.write(
        "b.yml",
        &format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - |\n        {command}\n      - touch after\n"
        ),
    );
    let running = place.paceline(["run-buildspec", "b.yml"]).start("log");
    crate::harness::until("the command runs", || place.path("ready").exists());
    running.signal("INT");
    let (code, log) = running.end();
    assert_eq!(code, Some(4), "{log}");
    assert!(log.contains("the build stopped") && !place.path("after").exists(), "{log}");
}
