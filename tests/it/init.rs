//! `paceline init`: a configuration to start from.

use std::path::Path;

use serde_json::json;

use crate::harness::{Place, Sim};
use crate::workshop;

fn buildspec(name: &str) -> String {
    let path = workshop::repository().join("tests/fixtures/buildspecs").join(name);
    fs_err::read_to_string(path).unwrap()
}

/// A place with a buildspec of the fixtures.
fn place(name: &str) -> Place {
    let place = Place::new();
    place.write(name, &buildspec(name));
    place
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs_err::copy(&path, to).unwrap();
        }
    }
}

/// The example without its configuration, in a folder of the place.
fn example(place: &Place, folder: &str) {
    copy(Path::new(&workshop::path("cdk.out")), &place.path(folder).join("cdk.out"));
    for name in ["cdk.json", "package.json", "package-lock.json"] {
        fs_err::copy(workshop::path(name), place.path(folder).join(name)).unwrap();
    }
}

#[test]
fn what_is_written_for_the_example_plans_it() {
    let place = Place::new();
    example(&place, ".");
    let ran = place.paceline(["init"]).run().expect(0);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr.contains("wrote paceline.yaml for 14 stacks\nnext:\n  paceline plan\n"),
        "{}",
        ran.stderr
    );
    let plan = place.paceline(["plan", "--format", "json"]).multi_region().run().expect(0);
    assert_eq!(plan.stdout_json()["stacks"].as_array().unwrap().len(), workshop::STACKS);
    let plan = place.paceline(["plan", "--format", "json"]).run().expect(0);
    assert!(plan.stdout_json()["stacks"].as_array().unwrap().len() < workshop::STACKS);
    place.paceline(["gen", "--name", "example"]).run().expect(0);
}

#[test]
fn a_configuration_elsewhere_finds_its_app() {
    let place = Place::new();
    example(&place, "workshop");
    place.paceline(["init", "--app", "workshop/cdk.out", "--out", "deploy/paceline.yaml"]).run().expect(0);
    let text = place.read("deploy/paceline.yaml");
    assert!(text.contains("\napp: ../workshop/cdk.out\n"), "{text}");
    assert!(
        text.contains("# install: (cd workshop && npm ci)\n# synth: (cd workshop && npm run synth)\n"),
        "{text}"
    );
    place.paceline(["plan", "--config", "deploy/paceline.yaml"]).run().expect(0);
}

#[test]
fn what_is_there_is_replaced_only_by_force() {
    let place = Place::new();
    example(&place, ".");
    place.write("paceline.yaml", "version: 1\n");
    let ran = place.paceline(["init"]).run().expect(2);
    assert!(ran.stderr.starts_with("error: paceline.yaml is there already\n hint: "), "{}", ran.stderr);
    assert_eq!(place.read("paceline.yaml"), "version: 1\n");
    let shown = place.paceline(["init", "--out", "-"]).run().expect(0);
    place.paceline(["init", "--force"]).run().expect(0);
    assert_eq!(place.read("paceline.yaml"), shown.stdout);
    assert!(place.list(".").iter().all(|name| !name.contains(".tmp")));
}

#[test]
fn an_app_that_is_not_synthesized_is_told_how() {
    let place = Place::new();
    place.write("cdk.json", r#"{ "app": "node bin/app.js", "output": "build/out" }"#);
    place.write("package.json", r#"{ "scripts": { "build": "tsc" } }"#);
    place.write("yarn.lock", "");
    let ran = place.paceline(["init"]).run().expect(2);
    assert!(
        ran.stdout.contains(
            "\napp: build/out\ninstall: yarn install --frozen-lockfile\nsynth: npm run build && npx"
        )
    );
    assert!(ran.stderr.contains(
        "run `yarn install --frozen-lockfile && npm run build && npx --yes aws-cdk@2 synth --quiet`"
    ));
    assert_eq!(place.list("."), ["cdk.json", "package.json", "yarn.lock"]);
    let ran = Place::new().paceline(["init"]).run().expect(2);
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains("hint: "), "{}", ran.stderr);
}

#[test]
fn the_workshop_is_taken_over_without_its_assemblies() {
    let place = place("three-apps.yml");
    let ran = place.paceline(["init", "--from", "three-apps.yml"]).run().expect(0);
    for line in [
        "three-apps.yml: understood 3 apps, 16 deployments, 1 script, 1 signal",
        "  three-apps.yml:47: kept as a command: ../../../az-experiment/scripts/removeusersimtags.sh",
        "  three-apps.yml:16: left out: until docker info; do echo .; sleep 1; done: a privileged build has a Docker daemon already",
        "next:",
        "  paceline synth",
        "  paceline init --from three-apps.yml --force",
        "  paceline plan",
    ] {
        assert!(ran.stderr.lines().any(|it| it == line), "no {line:?} in\n{}", ran.stderr);
    }
    let text = place.read("paceline.yaml");
    for part in [
        "\n  pet_stack: # line 35\n    dir: PetAdoptions/cdk/pet_stack\n    install: npm install # line 33\n    build: npm run build # line 34\n",
        "--context \"admin_role=$ADMIN_ROLE\"\n    context: { is_event_engine: \"true\" } # line 35\n",
        "\n  - name: services\n    # Lines 35 to 36.\n    stacks: [pet_stack/Services, pet_stack/ServicesSecondary]\n",
        "    after: pet_stack/UserSimulationStack\n    before: pet_stack/UserSimulationStackSecondary\n",
        "\nsignal: { wait-handle: WAIT_HANDLE_URL }\n",
        "# Line 28 bootstraps: ",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    // It is a configuration: what is missing are the apps.
    let ran = place.paceline(["plan"]).run().expect(2);
    assert!(ran.stderr.contains("is not synthesized"), "{}", ran.stderr);
}

#[test]
fn where_the_assembly_is_there_the_graph_takes_the_place_of_the_order() {
    let place = Place::new();
    example(&place, "infra");
    let lines = [
        "cd infra",
        "npx cdk deploy Services",
        "npx cdk deploy ServicesSecondary",
        "npx cdk deploy NetworkRegionPeering",
        "npx cdk deploy Applications",
        "npx cdk deploy UserSimulationStack",
        "./tags.sh",
        "npx cdk deploy UserSimulationStackSecondary",
    ];
    let items = lines.join("\n      - ");
    place.write("b.yml", &format!("version: 0.2\nphases:\n  build:\n    commands:\n      - {items}\n"));
    let ran = place.paceline(["init", "--from", "b.yml"]).run().expect(0);
    assert!(
        ran.stderr.contains("note: to decide: does UserSimulationStack need Applications?"),
        "{}",
        ran.stderr
    );
    let text = place.read("paceline.yaml");
    assert!(
        text.contains(
            "  - from: UserSimulationStack\n    to: Applications\n    because: \"b.yml:10 deploys it"
        ),
        "{text}"
    );
    // What the graph orders needs no edge.
    assert!(!text.contains("- from: Applications\n"), "{text}");
    assert!(text.contains("The assembly also has "), "{text}");
    for value in ["true", "false"] {
        place.paceline(["plan"]).env("ENABLE_MULTI_REGION", value).run().expect(0);
    }
}

#[test]
fn several_buildspecs_become_one_deployment() {
    let place = place("two-regions.yml");
    place.write("loop.yml", &buildspec("loop.yml"));
    let ran = place
        .paceline(["init", "--from", "loop.yml", "--from", "two-regions.yml", "--out", "-"])
        .run()
        .expect(0);
    for part in [
        "\n  app: # loop.yml, line 18\n",
        "\n  app-2: # two-regions.yml, line 8\n",
        "stacks: [app-2/Platform]",
    ] {
        assert!(ran.stdout.contains(part), "no {part:?} in\n{}", ran.stdout);
    }
}

#[test]
fn scripts_of_package_json_are_followed() {
    let place = place("package-scripts.yml");
    place.write(
        "package.json",
        r#"{ "scripts": { "deploy:network": "cdk deploy Network", "deploy:site": "cd site && cdk deploy Site" } }"#,
    );
    let ran = place.paceline(["init", "--from", "package-scripts.yml", "--out", "-"]).run().expect(0);
    assert!(ran.stdout.contains("stacks: [app/Network]") && ran.stdout.contains("stacks: [site/Site]"));
}

#[test]
fn every_kind_of_buildspec_is_taken_over_or_refused_with_a_reason() {
    let refused = ["make.yml", "no-yaml.yml", "none.yml", "package-scripts.yml", "sam.yml"];
    let folder = workshop::repository().join("tests/fixtures/buildspecs");
    let mut seen = 0;
    for entry in folder.read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let place = place(&name);
        let ran = place.paceline(["init", "--from", &name]).run();
        seen += 1;
        if refused.contains(&name.as_str()) {
            assert_eq!(ran.code, 2, "{name}: {}", ran.stderr);
            assert!(ran.stderr.contains("there is nothing to take over"), "{name}: {}", ran.stderr);
            assert!(place.list(".").iter().all(|file| *file == name), "{name}");
        } else {
            assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
            assert!(ran.stderr.contains("\nnext:\n"), "{name}: {}", ran.stderr);
        }
    }
    assert!(seen > 12, "{seen}");
    let ran = Place::new().paceline(["init", "--from", "nowhere.yml"]).run().expect(2);
    assert!(ran.stderr.contains("nowhere.yml") && ran.stderr.contains("hint: "), "{}", ran.stderr);
}

/// An app of two stacks as the CDK leaves it, with its assembly made by a script that stands in for the CDK.
fn new_app(place: &Place) {
    let stack = |name: &str, after: &[&str]| {
        let role =
            "arn:${AWS::Partition}:iam::111111111111:role/cdk-hnb659fds-deploy-role-111111111111-us-east-1";
        json!({
            "type": "aws:cloudformation:stack", "environment": "aws://111111111111/us-east-1",
            "properties": { "templateFile": format!("{name}.json"), "assumeRoleArn": role },
            "dependencies": after,
        })
    };
    let artifacts = json!({ "Queue": stack("Queue", &[]), "Worker": stack("Worker", &["Queue"]) });
    place.write("made/manifest.json", &json!({ "version": "36.0.0", "artifacts": artifacts }).to_string());
    for name in ["Queue", "Worker"] {
        let topic = json!({ "Resources": { "T": { "Type": "AWS::SNS::Topic", "Properties": {} } } });
        place.write(&format!("made/{name}.json"), &topic.to_string());
    }
    place.write("cdk.json", r#"{ "app": "node bin/app.js" }"#);
    place.write("package.json", r#"{ "scripts": { "synth": "cdk synth" } }"#);
    place.write(".gitignore", "cdk.out\n");
}

/// Runs a command as it is printed, with programs of its own in front of those of the machine.
fn as_printed<'a>(place: &'a Place, command: &str) -> crate::harness::Call<'a> {
    use std::os::unix::fs::PermissionsExt as _;
    // Node runs the script that asks the npm package for the path of its program.
    let node = "case $1 in -e) command -v paceline;; *) echo v22.0.0;; esac";
    for (name, text) in [("npm", "case $1 in run) cp -r made cdk.out;; esac"), ("node", node)] {
        let path = place.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{text}\n"));
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    let runner = Path::new(env!("CARGO_BIN_EXE_paceline")).parent().unwrap();
    let path =
        format!("{}:{}:{}", place.path("bin").display(), runner.display(), std::env::var("PATH").unwrap());
    place.paceline(words).env("PATH", &path)
}

#[test]
fn a_new_app_is_initialized_generated_and_built_as_it_is_printed() {
    let place = Place::new();
    new_app(&place);
    // What it says to do first is done: the app is synthesized.
    let ran = place.paceline(["init"]).run().expect(2);
    assert!(
        ran.stderr.contains("run `npm install && npm run synth`, then `paceline init`"),
        "{}",
        ran.stderr
    );
    copy(&place.path("made"), &place.path("cdk.out"));
    let ran = place.paceline(["init"]).run().expect(0);
    assert!(ran.stderr.contains("echo .paceline/runs/ >> .gitignore"), "{}", ran.stderr);
    let config = place.read("paceline.yaml");
    let (first, _) = config.split_once('\n').unwrap();
    assert_eq!(first, "# yaml-language-server: $schema=.paceline/paceline.schema.json");
    assert_eq!(place.json(".paceline/paceline.schema.json")["type"], "object");
    let (_, next) = ran.stderr.split_once("next:\n").unwrap();
    assert!(next.contains("paceline gen"), "{next}");
    for command in next.lines() {
        as_printed(&place, command).run().expect(0);
    }
    let buildspec =
        place.list("buildspecs").into_iter().find(|name| name.ends_with(".project.json")).unwrap();
    let buildspec = buildspec.replace(".project.json", ".yml");
    // A build has the source and nothing else.
    fs_err::remove_dir_all(place.path("cdk.out")).unwrap();
    let sim = Sim::start(2000);
    let home = place.build_home();
    let build = format!("paceline run-buildspec buildspecs/{buildspec} --artifacts kept --env {home}");
    let ran = as_printed(&place, &build).aws_at(&sim.address).run().expect(0);
    assert!(ran.stdout.contains("the deployment is complete"), "{}", ran.stdout);
    assert_eq!(sim.accepted("CreateStack"), ["Queue", "Worker"]);
}

#[test]
fn what_an_app_needs_is_installed_again_when_its_lock_file_has_changed() {
    let place = Place::new();
    new_app(&place);
    place.write(
        "paceline.yaml",
        "version: 1\napp: cdk.out\ninstall: mkdir -p node_modules && echo once >> installed\n\
         synth: rm -rf cdk.out && cp -r made cdk.out\n",
    );
    for (lock, installed) in [("1", "once\n"), ("1", "once\n"), ("2", "once\nonce\n")] {
        place.write("package-lock.json", lock);
        place.paceline(["synth"]).run().expect(0);
        assert_eq!(place.read("installed"), installed, "{lock}");
    }
}
