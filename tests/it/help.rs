//! `--version`, `--help`, and what the README tells people to type.

use crate::harness::{Place, skipped};
use crate::workshop;

#[test]
fn the_version_is_that_of_the_package() {
    let ran = Place::new().paceline(["--version"]).run().expect(0);
    assert_eq!(ran.stdout, format!("paceline {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(ran.stderr, "");
}

#[test]
fn help_of_every_command_has_its_flags() {
    const APP: [&str; 2] = ["--app", "--config"];
    const SELECT: [&str; 4] = ["--only", "--exclude", "--strategy", "--concurrency"];
    let deploy = [
        "--simulate",
        "--plan",
        "--events",
        "--outputs",
        "--report",
        "--method",
        "--fail-fast",
        "--dry-run",
        "--resume",
    ];
    let starts = [
        "--env",
        "--source-version",
        "--image",
        "--compute",
        "--timeout",
        "--idempotency-token",
        "--stop-on-interrupt",
    ];
    let deletes = [
        "--yes",
        "--simulate",
        "--dry-run",
        "--resume",
        "--events",
        "--report",
        "--fail-fast",
        "--deadline",
        "--quiet",
    ];
    let undoes = ["--yes", "--delete-created", "--including", "--force", "--concurrency", "--config"];
    let more = ["--parameters", "--context", "--deadline", "--quiet"];
    for (command, flags) in [
        (&["init"][..], vec!["--app", "--from", "--out", "--force"]),
        (&["plan"], [&APP[..], &SELECT, &["--format", "--save"]].concat()),
        (&["explain"], APP.to_vec()),
        (
            &["diff"],
            [&APP[..], &SELECT, &["--base", "--format", "--exit-code", "--strict", "--out"]].concat(),
        ),
        (&["gen"], [&APP[..], &["--out", "--check", "--name"]].concat()),
        (&["deploy"], [&APP[..], &SELECT, &deploy, &more].concat()),
        (&["destroy"], [&APP[..], &SELECT, &deletes].concat()),
        (&["rollback"], [&undoes[..], &deletes[2..]].concat()),
        (&["bootstrap"], [&APP[..], &["--only", "--exclude", "--dry-run", "--cdk"]].concat()),
        (&["signal"], vec!["--success", "--failure", "--reason", "--config"]),
        (&["wait", "iam-role"], vec!["--instance-profile"]),
        (&["report"], vec!["--format"]),
        (&["project", "diff"], [&APP[..], &["--out", "--name"]].concat()),
        (&["project", "apply"], [&APP[..], &["--out", "--name", "--service-role"]].concat()),
        (&["project", "start"], [&APP[..], &["--name"], &starts].concat()),
        (&["run-buildspec"], vec!["--source", "--env", "--artifacts"]),
        (&["schema"], vec!["--out", "--check"]),
        (&["lint"], vec!["--format", "--fix", "--deny", "--project", "--config", "--explain"]),
        (&["sim", "serve"], vec!["--port", "--time-scale", "--images", "--bootstrap", "--seed", "--verbose"]),
    ] {
        let ran = Place::new().paceline(command).args(["--help"]).run().expect(0);
        assert!(ran.stdout.contains("Usage: paceline "), "{command:?}: {}", ran.stdout);
        assert_eq!(ran.stderr, "", "{command:?}");
        for flag in flags {
            let is_described = ran.stdout.lines().any(|line| {
                let line = line.trim_start();
                line.starts_with(flag) || line.contains(&format!(", {flag}"))
            });
            assert!(is_described, "{command:?} does not describe {flag}");
        }
    }
}

#[test]
fn the_overview_names_every_command() {
    let ran = Place::new().paceline(["--help"]).run().expect(0);
    for command in [
        "plan",
        "explain",
        "diff",
        "gen",
        "lint",
        "synth",
        "run-buildspec",
        "deploy",
        "destroy",
        "rollback",
        "wait",
        "report",
        "project",
        "schema",
        "sim",
    ] {
        assert!(ran.stdout.lines().any(|line| line.trim_start().starts_with(command)), "{command}");
    }
}

#[test]
fn the_schema_is_json_and_has_the_sections_of_the_example() {
    let schema = Place::new().paceline(["schema"]).run().expect(0).stdout_json();
    let config = fs_err::read_to_string(workshop::path("paceline.yaml")).unwrap();
    for line in config.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())) {
        let (section, _) = line.split_once(':').unwrap();
        assert!(schema["properties"][section].is_object(), "{section}");
    }
}

#[test]
fn every_command_of_the_readme_is_understood() {
    let place = Place::new();
    let understood = |words: &[&str]| place.paceline(words).args(["--help"]).run().code == 0;
    assert!(!understood(&["plan", "--no-such-flag"]), "--help must not hide what is not understood");
    let path = workshop::repository().join("README.md");
    let Ok(readme) = fs_err::read_to_string(path) else { return skipped("there is no README.md yet") };
    let mut commands = 0;
    for block in readme.split("```sh\n").skip(1) {
        let (block, _) = block.split_once("\n```").expect("a block ends");
        for line in block.lines() {
            let line = line.split_once(" #").map_or(line, |(command, _)| command);
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some((&"paceline", arguments)) = words.split_first() else { continue };
            commands += 1;
            assert!(understood(arguments), "README.md: {line}");
        }
    }
    assert!(commands > 0, "the README shows how to call paceline");
}
