//! `paceline gen`.

use serde_json::json;

use crate::generated_role::{RUNNER, own_roles};
use crate::harness::Place;
use crate::workshop;

const FILES: [&str; 6] = [
    "workshop.destroy.yml",
    "workshop.project.json",
    "workshop.project.ts",
    "workshop.project.yaml",
    "workshop.pull-request.yml",
    "workshop.yml",
];

/// Writes the files into a folder that has none, and reads them.
fn generated(place: &Place, multi_region: bool) -> Vec<String> {
    // There may be none yet.
    let _ = fs_err::remove_dir_all(place.path("buildspecs"));
    let call = place.paceline(["gen"]).args(workshop::app());
    let call = if multi_region { call.multi_region() } else { call };
    let ran = call.run().expect(0);
    assert_eq!(ran.stdout, "", "what is written is no data of the command");
    FILES.iter().map(|file| place.read(&format!("buildspecs/{file}"))).collect()
}

#[test]
fn every_file_is_written_the_same_each_time() {
    let place = Place::new();
    let first = generated(&place, false);
    assert_eq!(place.list("buildspecs"), FILES);
    assert_eq!(first, generated(&place, false));
    place.json("buildspecs/workshop.project.json");
    for file in FILES.into_iter().filter(|file| *file != "workshop.project.json") {
        let text = place.read(&format!("buildspecs/{file}"));
        let header: String = text.lines().take(3).collect();
        assert!(header.to_lowercase().contains("do not edit"), "{file}: {header}");
        let home = std::env::var("HOME").unwrap_or_else(|_| "/root".to_owned());
        assert!(
            !text.contains(&home) && !text.contains(&workshop::path("")),
            "{file} has a path of this machine"
        );
    }
}

#[test]
fn the_regions_of_the_build_are_decided_by_the_build() {
    let place = Place::new();
    assert_eq!(generated(&place, false), generated(&place, true));
}

#[test]
fn check_is_quiet_when_nothing_changed() {
    let place = Place::new();
    place.paceline(["gen"]).args(workshop::app()).run().expect(0);
    let ran = place.paceline(["gen", "--check"]).args(workshop::app()).run().expect(0);
    assert_eq!(ran.stdout, "");
}

#[test]
fn check_shows_the_difference_and_writes_nothing() {
    let place = Place::new();
    place.paceline(["gen"]).args(workshop::app()).run().expect(0);
    let file = "buildspecs/workshop.project.json";
    let edited = place.read(file).replace("\"timeoutInMinutes\": 240", "\"timeoutInMinutes\": 60");
    place.write(file, &edited);
    let ran = place.paceline(["gen", "--check"]).args(workshop::app()).run().expect(5);
    for line in [
        &format!("--- a/{file}"),
        &format!("+++ b/{file}"),
        "-  \"timeoutInMinutes\": 60,",
        "+  \"timeoutInMinutes\": 240,",
    ] {
        assert!(ran.stdout.lines().any(|shown| shown == line), "no {line} in\n{}", ran.stdout);
    }
    assert!(ran.stdout.lines().any(|line| line.starts_with("@@ -")), "{}", ran.stdout);
    assert!(ran.stderr.contains("hint: run: paceline gen --app "), "{}", ran.stderr);
    assert_eq!(place.read(file), edited);
}

#[test]
fn check_of_nothing_is_stale_and_writes_nothing() {
    let place = Place::new();
    place.paceline(["gen", "--check"]).args(workshop::app()).run().expect(5);
    assert_eq!(place.list("."), [""; 0]);
}

#[test]
fn the_committed_files_are_what_is_generated() {
    let place = Place::new();
    // From the root of the repository, as a team does it; `gen` has no other way to know where that is.
    let out = workshop::repository().join("buildspecs");
    let ran = place
        .paceline(["gen", "--check"])
        .args([
            "--app",
            "tests/fixtures/workshop/cdk.out",
            "--config",
            "tests/fixtures/workshop/paceline.yaml",
        ])
        .dir(&workshop::repository())
        .run();
    assert_eq!(ran.code, 0, "{} is stale, run: cargo xtask gen-buildspec\n{}", out.display(), ran.stdout);
}

#[test]
fn a_setting_that_codebuild_does_not_know_is_refused_before_anything_is_written() {
    let place = Place::new();
    let config = fs_err::read_to_string(workshop::path("paceline.yaml")).unwrap();
    for (good, bad, value, says) in [
        ("compute: x-large", "compute: huge", "huge", "`huge` is not a compute type"),
        ("cache: [docker-layer]", "cache: [dokcer-layer]", "dokcer", "`dokcer-layer` is not a cache"),
        ("privileged: auto", "privileged: maybe", "maybe", "`maybe` is not a privileged mode"),
        ("timeout: 240m", "timeout: 9000m", "9000m", "9000 minutes are outside 5 to 2160"),
        ("sha256: \"0000", "sha256: \"x000", "\"x000", "the runner's SHA-256 `x000"),
        (
            "timeout: 240m",
            "timeout: 4h, timeouts: { stack: 4h }",
            "4h }",
            "a stack may take 240m, and the runner ends after 230m",
        ),
        (
            "timeout: 240m",
            "timeout: 4h, timeouts: { runner: 5h }",
            "5h",
            "the runner may take 300m, and the build ends after 240m",
        ),
    ] {
        assert!(config.contains(good), "{good}");
        let text = config.replace(good, bad);
        let file = place.write("bad.yaml", &text);
        let before = &text[..text.find(bad).unwrap() + bad.find(value).unwrap()];
        let column = before.lines().last().unwrap().len() + 1;
        let says = format!("bad.yaml:{}:{column}: {says}", before.lines().count());
        let ran = place
            .paceline(["gen", "--app", &workshop::path("cdk.out"), "--config"])
            .args([&file])
            .run()
            .expect(2);
        assert!(ran.stderr.contains(&says), "{bad}: no {says} in {}", ran.stderr);
        assert!(ran.stderr.contains(" hint: "), "{bad}: {}", ran.stderr);
        assert_eq!(place.list("buildspecs"), [""; 0], "{bad}");
    }
}

#[test]
fn a_runner_without_an_address_or_with_settings_of_another_source_is_refused_at_its_place() {
    let place = Place::new();
    for (runner, says) in [
        ("{ from: url, uri: \"https://acme.example/paceline\" }", "1:17: `from: url` needs `sha256`"),
        ("{ from: s3 }", "1:17: `from: s3` needs `uri`"),
        ("{ from: npm, uri: \"s3://tools/paceline\" }", "1:27: `uri` has no effect with `from: npm`"),
    ] {
        let file = place.write("bad.yaml", &format!("runner: {runner}\n"));
        let ran = place
            .paceline(["gen", "--app", &workshop::path("cdk.out"), "--config"])
            .args([&file])
            .run()
            .expect(2);
        assert!(ran.stderr.contains(&format!("bad.yaml:{says}")), "{runner}: {}", ran.stderr);
        assert!(ran.stderr.contains(" hint: "), "{runner}: {}", ran.stderr);
        assert_eq!(place.list("buildspecs"), [""; 0], "{runner}");
    }
}

#[test]
fn a_packages_lock_of_another_package_manager_needs_its_commands() {
    let place = Place::new();
    own_roles(&place, "aws://222222222222/eu-west-1", &json!({}));
    place.write("package.json", "{}");
    place.write("yarn.lock", "");
    place.write("paceline.yaml", "runner: { from: npm }\n");
    let ran = place.paceline(["gen", "--name", "shop"]).run().expect(2);
    let says = "paceline.yaml:1:17: `from: npm` installs with npm, and the packages are pinned by yarn.lock";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    // Without its lock file, npm would install any version.
    fs_err::remove_file(place.path("yarn.lock")).unwrap();
    let ran = place.paceline(["gen", "--name", "shop"]).run().expect(0);
    assert!(ran.stderr.contains("there is no package-lock.json"), "{}", ran.stderr);
    assert!(ran.stderr.contains(" hint: run `npm install --save-dev paceline`"), "{}", ran.stderr);
}

#[test]
fn a_limit_of_a_stack_that_cannot_take_effect_is_refused_by_plan_and_deploy_too() {
    let place = Place::new();
    let file = place.write("bad.yaml", "codebuild:\n  timeouts: { stack: 2h, runner: 90m }\n");
    for command in [&["plan"][..], &["deploy", "--simulate"]] {
        let ran = place
            .paceline(command)
            .args(["--app", &workshop::path("cdk.out"), "--config"])
            .args([&file])
            .run()
            .expect(2);
        let says = "bad.yaml:2:22: a stack may take 120m, and the runner ends after 90m";
        assert!(ran.stderr.contains(says), "{command:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(" hint: each limit has to be below"), "{command:?}: {}", ran.stderr);
    }
}

#[test]
fn a_limit_below_the_forecast_is_said() {
    let place = Place::new();
    let config = fs_err::read_to_string(workshop::path("paceline.yaml")).unwrap();
    let config = place.write("short.yaml", &config.replace("timeout: 240m", "timeout: 50m"));
    let ran = place.paceline(["gen", "--app", &workshop::path("cdk.out"), "--config"]).args([config]).run();
    let ran = ran.expect(0);
    assert!(
        ran.stderr.contains("expected to take 58 minutes, and the runner stops after 45"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_generated_no_longer_is_stale_and_removed() {
    let place = Place::new();
    let config = fs_err::read_to_string(workshop::path("paceline.yaml")).unwrap();
    let batch =
        place.write("batch.yaml", &config.replace("privileged: auto", "privileged: auto, batch: regions"));
    let gen_with = |config: &std::path::Path, more: &[&str]| {
        let call = place.paceline(["gen", "--app", &workshop::path("cdk.out"), "--config"]).args([config]);
        call.args(more).run()
    };
    gen_with(&batch, &[]).expect(0);
    assert!(place.list("buildspecs").contains(&"workshop.batch.yml".to_owned()));
    let config = place.write("plain.yaml", &config);
    let ran = gen_with(&config, &["--check"]).expect(5);
    assert!(ran.stdout.contains("--- a/buildspecs/workshop.batch.yml\n+++ /dev/null\n"), "{}", ran.stdout);
    let ran = gen_with(&config, &[]).expect(0);
    assert!(ran.stderr.contains("removed buildspecs/workshop.batch.yml"), "{}", ran.stderr);
    assert_eq!(place.list("buildspecs"), FILES);
    gen_with(&config, &["--check"]).expect(0);
}

#[test]
fn a_folder_that_cannot_be_written_leaves_no_half_of_the_files() {
    let place = Place::new();
    place.write("buildspecs", "a file where the folder should be");
    let ran = place.paceline(["gen"]).args(workshop::app()).run().expect(2);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    assert_eq!(place.read("buildspecs"), "a file where the folder should be");
}

#[test]
fn a_wrong_setting_of_the_project_is_an_error_of_every_command() {
    let place = Place::new();
    own_roles(&place, "aws://222222222222/eu-west-1", &json!({}));
    place.write("b.yml", "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n");
    place.write("paceline.yaml", "version: 1\ncodebuild:\n  image: standard:7:0\n");
    let commands: [&[&str]; 8] = [
        &["plan"],
        &["gen"],
        &["gen", "--check"],
        &["deploy", "--simulate"],
        &["deploy", "--dry-run"],
        &["destroy", "--yes"],
        &["explain", "Shop", "Shop"],
        &["lint", "--config", "paceline.yaml", "b.yml"],
    ];
    for command in commands {
        let ran = place.paceline(command).run().expect(2);
        let says =
            "error: paceline.yaml:3:10: `standard:7:0` is not a version of a build image of AWS\n hint: ";
        assert!(ran.stderr.contains(says), "{command:?}: {}", ran.stderr);
    }
}

#[test]
fn the_input_for_the_cli_names_a_role_and_a_project_of_any_folder() {
    let place = Place::new();
    own_roles(&place, "aws://222222222222/eu-west-1", &json!({}));
    place.write("paceline.yaml", RUNNER);
    let folder = place.path("my shop.v2");
    fs_err::create_dir(&folder).unwrap();
    for name in ["cdk.out", "paceline.yaml"] {
        fs_err::rename(place.path(name), folder.join(name)).unwrap();
    }
    let ran = place.paceline(["gen"]).dir(&folder).run().expect(0);
    let project = place.json("my shop.v2/buildspecs/my-shop-v2.project.json");
    assert_eq!(project["serviceRole"], "arn:aws:iam::222222222222:role/my-shop-v2-build");
    assert!(ran.stderr.contains("is an example") && ran.stderr.contains("--service-role"), "{}", ran.stderr);
    // It is said when the file is written, and not each time.
    let ran = place.paceline(["gen"]).dir(&folder).run().expect(0);
    assert!(!ran.stderr.contains("is an example"), "{}", ran.stderr);
}
