//! `paceline lint`, and `paceline schema` of buildspecs.

use crate::harness::Place;
use crate::workshop;

const CLEAN: &str = "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n";
/// One warning, which can be mended.
const YES: &str =
    "version: 0.2\nenv:\n  variables:\n    A: yes # why\nphases:\n  build:\n    commands:\n      - make\n";

#[test]
fn a_clean_file_is_no_news() {
    let place = Place::new();
    place.write("buildspec.yml", CLEAN);
    let ran = place.paceline(["lint", "buildspec.yml"]).run().expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "nothing found in 1 file\n"));
}

#[test]
fn findings_are_shown_with_their_place() {
    let place = Place::new();
    place.write("buildspec.yml", YES);
    let ran = place.paceline(["lint", "buildspec.yml"]).run().expect(1);
    assert!(ran.stdout.starts_with("warning[PL121]: "), "{}", ran.stdout);
    assert!(ran.stdout.contains(" --> buildspec.yml:4:8\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("    A: yes # why\n") && ran.stdout.contains("^^^"), "{}", ran.stdout);
    assert!(ran.stderr.starts_with("1 warning in 1 file\n hint: --fix mends 1 of them\n"), "{}", ran.stderr);
    assert!(!ran.stdout.contains('\u{1b}'), "no colours outside of a terminal");
}

#[test]
fn what_is_denied_decides_the_exit_code() {
    let place = Place::new();
    place.write("warning.yml", YES);
    place.write("note.yml", &CLEAN.replace('\n', "\r\n"));
    let code = |arguments: &[&str]| place.paceline(["lint"]).args(arguments).run().code;
    assert_eq!(code(&["warning.yml"]), 1);
    assert_eq!(code(&["warning.yml", "--deny", "error"]), 0);
    assert_eq!(code(&["note.yml"]), 0);
    assert_eq!(code(&["note.yml", "--deny", "note"]), 1);
}

#[test]
fn json_is_all_there_is_on_stdout() {
    let place = Place::new();
    place.write("a.yml", YES);
    place.write("b.yml", CLEAN);
    let ran = place.paceline(["lint", "a.yml", "b.yml", "--format", "json"]).run().expect(1);
    let json = ran.document("lint");
    assert_eq!((&json["schema"], &json["warnings"]), (&1.into(), &1.into()));
    let finding = &json["files"][0]["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["line"], &finding["column"]),
        (&"PL121".into(), &4.into(), &8.into())
    );
    assert_eq!(json["files"][1]["findings"], serde_json::json!([]));
    assert_eq!(ran.stderr, "");
}

#[test]
fn sarif_has_what_code_scanning_needs() {
    let place = Place::new();
    place.write("ci/a.yml", YES);
    let json = place.paceline(["lint", "ci/a.yml", "--format", "sarif"]).run().expect(1).stdout_json();
    assert_eq!(json["version"], "2.1.0");
    assert_eq!(json["runs"][0]["tool"]["driver"]["name"], "paceline");
    let result = &json["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "PL121");
    assert!(result["message"]["text"].is_string());
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "ci/a.yml");
    assert_eq!(location["region"]["startLine"], 4);
}

#[test]
fn what_can_be_mended_is_and_nothing_else() {
    let place = Place::new();
    place.write("a.yml", YES);
    let ran = place.paceline(["lint", "--fix", "a.yml"]).run().expect(0);
    assert_eq!(ran.stderr, "fixed a.yml\nnothing found in 1 file\n");
    assert_eq!(place.read("a.yml"), YES.replace("yes", "\"yes\""));
    let ran = place.paceline(["lint", "--fix", "a.yml"]).run().expect(0);
    assert_eq!(ran.stderr, "nothing found in 1 file\n", "there is nothing left to mend");
    assert_eq!(place.list("."), ["a.yml"], "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn a_mended_file_keeps_its_mode_and_the_link_to_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let path = place.write("a.yml", YES);
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    fs_err::os::unix::fs::symlink("a.yml", place.path("link.yml")).unwrap();
    place.paceline(["lint", "--fix", "link.yml"]).run().expect(0);
    assert!(place.path("link.yml").is_symlink());
    assert_eq!(place.read("a.yml"), YES.replace("yes", "\"yes\""));
    assert_eq!(fs_err::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn standard_input_is_a_file_too() {
    let place = Place::new();
    let ran = place.paceline(["lint", "-"]).stdin(YES).run().expect(1);
    assert!(ran.stdout.contains(" --> stdin:4:8\n"), "{}", ran.stdout);
    let ran = place.paceline(["lint", "--fix", "-"]).stdin(YES).run().expect(0);
    assert_eq!(ran.stdout, YES.replace("yes", "\"yes\""));
}

#[test]
fn files_that_cannot_be_read_are_findings_and_end_with_2() {
    let place = Place::new();
    place.write("broken.yml", "version: [\n");
    place.write("a.yml", YES);
    let ran = place.paceline(["lint", "missing.yml", "broken.yml", "a.yml", "."]).run().expect(2);
    for line in [
        "error[PL101]: cannot read the file: ",
        " --> missing.yml:1:1",
        " --> broken.yml:1:10",
        "warning[PL121]",
    ] {
        assert!(ran.stdout.contains(line), "no {line} in\n{}", ran.stdout);
    }
    assert!(ran.stderr.starts_with("3 errors, 1 warning in 4 files\n"), "{}", ran.stderr);
}

#[test]
fn what_runs_the_buildspec_is_known_from_its_project() {
    let place = Place::new();
    place.write("a.yml", &CLEAN.replace("make", "docker build ."));
    place.write(
        "p.json",
        r#"{"environment": {"image": "aws/codebuild/standard:7.0", "privilegedMode": false}}"#,
    );
    place.paceline(["lint", "a.yml"]).run().expect(0);
    let ran = place.paceline(["lint", "a.yml", "--project", "p.json"]).run().expect(1);
    assert!(ran.stdout.starts_with("warning[PL312]: "), "{}", ran.stdout);
    place.write("p.json", "{}");
    let ran = place.paceline(["lint", "a.yml", "--project", "p.json"]).run().expect(2);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr.starts_with("error: p.json: there is no `environment` in it\n hint: "),
        "{}",
        ran.stderr
    );
    place.write("a.yml", &CLEAN.replace("make", "sleep 5h"));
    place.write("mine.yaml", "version: 1\ncodebuild: { timeout: 60m }\n");
    let ran = place.paceline(["lint", "a.yml", "--config", "mine.yaml"]).run().expect(1);
    assert!(ran.stdout.contains("PL411"), "{}", ran.stdout);
}

#[test]
fn every_rule_can_be_explained() {
    let place = Place::new();
    let list = place.paceline(["lint", "--explain", "all"]).run().expect(0).stdout;
    assert!(list.lines().count() > 40 && list.contains("PL203  warning  "), "{list}");
    let ran = place.paceline(["lint", "--explain", "pl203"]).run().expect(0);
    assert_eq!(
        ran.stdout,
        fs_err::read_to_string(workshop::repository().join("docs/lint/PL203.md")).unwrap()
    );
    let ran = place.paceline(["lint", "--explain", "PL999"]).run().expect(2);
    assert_eq!(
        ran.stderr,
        "error: there is no rule PL999\n hint: `paceline lint --explain all` lists them\n"
    );
}

#[test]
fn without_a_file_there_is_nothing_to_lint() {
    let ran = Place::new().paceline(["lint"]).run().expect(2);
    assert!(ran.stderr.contains("FILE"), "{}", ran.stderr);
}

#[test]
fn what_is_generated_is_clean() {
    let place = Place::new();
    place.paceline(["gen"]).args(workshop::app()).run().expect(0);
    let project = "buildspecs/workshop.project.json";
    place
        .paceline(["lint", "buildspecs/workshop.yml", "--project", project, "--deny", "note"])
        .run()
        .expect(0);
}

#[test]
fn a_schema_is_written_and_checked() {
    let place = Place::new();
    let schema = |arguments: &[&str]| {
        place.paceline(["schema", "buildspec", "--out", "s/b.json"]).args(arguments).run()
    };
    let ran = schema(&["--check"]).expect(5);
    assert!(ran.stderr.contains("hint: run: paceline schema buildspec --out s/b.json"), "{}", ran.stderr);
    assert_eq!(place.list("."), [""; 0]);
    schema(&[]).expect(0);
    assert_eq!(schema(&["--check"]).expect(0).stdout, "");
    let edited = place.read("s/b.json").replace("\"title\": \"AWS", "\"title\": \"My");
    place.write("s/b.json", &edited);
    assert!(schema(&["--check"]).expect(5).stdout.contains("-  \"title\": \"My"));
    assert_eq!(place.json("s/b.json")["title"], "My CodeBuild buildspec");
}
