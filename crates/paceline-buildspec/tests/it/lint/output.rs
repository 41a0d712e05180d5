//! The output formats of findings.

use paceline_buildspec::lint::output::{TextOptions, json, sarif, summary, text};
use paceline_buildspec::lint::{LintContext, LintReport, RULES, lint};
use serde_json::Value;

use super::{commands, script};
use crate::snapshot;

fn report() -> LintReport {
    let text = commands(&["echo é; cdk deploy", "make | tee log"])
        .replace("phases:", "env: {variables: {A: yes}}\nphases:");
    lint("ci/build spec.yml", text.as_bytes(), &LintContext::default())
}

#[test]
fn the_text_output_shows_the_line_and_the_mistake() {
    let shown = text(&report(), TextOptions { color: false, width: 80 });
    snapshot("lint.text", &format!("{shown}{}\n", summary(&[report()])));
    assert!(!shown.contains('\u{1b}'));
    assert!(text(&report(), TextOptions { color: true, width: 80 }).contains("\u{1b}["));
}

#[test]
fn the_summary_counts_the_findings() {
    assert_eq!(summary(&[]), "nothing found in 0 files");
    let clean = lint("a", script("make").as_bytes(), &LintContext::default());
    assert_eq!(summary(&[clean.clone(), clean]), "nothing found in 2 files");
    assert!(
        summary(&[report()]).starts_with("3 warnings in 1 file\n hint: --fix mends 1 of them"),
        "{}",
        summary(&[report()])
    );
}

#[test]
fn the_json_output_matches_its_snapshot() {
    snapshot("lint.json", &json(&[report()]));
}

#[test]
fn the_sarif_output_suits_code_scanning() {
    let sarif: Value = serde_json::from_str(&sarif(&[report()])).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len());
    for rule in rules {
        assert!(
            rule["id"].is_string()
                && rule["help"]["text"].is_string()
                && rule["shortDescription"]["text"].is_string()
        );
        assert!(
            ["note", "warning", "error"].contains(&rule["defaultConfiguration"]["level"].as_str().unwrap())
        );
    }
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "ci/build%20spec.yml");
        for field in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(place["region"][field].as_u64().unwrap() >= 1, "{field}");
        }
    }
    snapshot("lint.sarif.results", &format!("{:#}\n", run["results"]));
}

#[test]
fn an_unreadable_file_is_shown_like_any_other_file() {
    let report =
        paceline_buildspec::lint::unopened("nowhere.yml", "cannot read the file: no such file".to_owned());
    let shown = text(&report, TextOptions { color: false, width: 80 });
    assert!(
        shown.starts_with("error[PL101]: cannot read the file: no such file\n --> nowhere.yml:1:1"),
        "{shown}"
    );
    assert!(!report.readable);
}
