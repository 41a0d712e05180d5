//! Any bytes are linted, fixed and shown without a panic, in bounded time, with places that are in the file.

use paceline_buildspec::lint::output::{TextOptions, json, sarif, text};
use paceline_buildspec::lint::{LintContext, fix, lint};
use proptest::prelude::*;

use super::{in_project, script};
use crate::grammar::{LENIENT, any_buildspec};
use crate::{file, installed, synthesized, workshop};

fn try_all(bytes: &[u8]) {
    for context in [LintContext { has_npm_lock: true, ..LintContext::default() }, in_project()] {
        let report = lint("a b", bytes, &context);
        let lines = report.text.lines().count().max(1) + 1;
        for finding in &report.findings {
            assert!(finding.span.end <= report.text.len() && report.text.get(finding.span.clone()).is_some());
            assert!(finding.start.line <= lines && finding.start <= finding.end, "{finding:?}");
            assert!(!finding.message.is_empty(), "{finding:?}");
        }
        text(&report, TextOptions { color: true, width: 1 });
        json(std::slice::from_ref(&report));
        sarif(std::slice::from_ref(&report));
        if let Ok(text) = std::str::from_utf8(bytes)
            && let Some(fixed) = fix(text, &context)
        {
            assert_eq!(fix(&fixed, &context), None, "mending again changes something:\n{text}\n---\n{fixed}");
        }
    }
}

/// Texts with many words and signs that have a meaning in buildspecs and shells.
fn shellish() -> impl Strategy<Value = String> {
    let words = [
        "if ",
        "then ",
        "fi",
        "do ",
        "done",
        "for x in ",
        "case ",
        "esac",
        "$(",
        ")",
        "`",
        "${",
        "}",
        "'",
        "\"",
        "<<EOF\n",
        "EOF\n",
        "[[ ",
        " ]]",
        "((",
        "))",
        "|",
        "&&",
        ";",
        "\n",
        "\\",
        "echo ",
        "$A",
        "#",
        "{ ",
        "exit 0",
        "set -e",
        "é",
        "cdk deploy",
        "npm install",
        "apt-get install a",
        ">",
        "&",
        "a=(",
        "function f ",
        "f() ",
        "!",
        "*",
        "=",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..24)
        .prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_can_be_linted(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        try_all(&bytes);
    }

    #[test]
    fn any_text_can_be_linted(text in "[ -~\n\té:|>&*#\"'{}\\[\\]-]{0,200}") {
        try_all(text.as_bytes());
    }

    #[test]
    fn any_script_can_be_linted(text in shellish()) {
        try_all(script(&text).as_bytes());
        try_all(format!("version: 0.2\nphases: {{build: {{commands: [{}]}}}}\n", serde_json::Value::from(text)).as_bytes());
    }

    #[test]
    fn any_written_buildspec_can_be_linted(buildspec in any_buildspec()) {
        try_all(buildspec.to_yaml().as_bytes());
    }

    #[test]
    fn a_damaged_buildspec_can_be_linted(cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = LENIENT.as_bytes().to_vec();
        for (index, byte) in cuts {
            let at = index.index(bytes.len());
            if byte % 3 == 0 {
                bytes.remove(at);
            } else {
                bytes[at] = byte;
            }
        }
        try_all(&bytes);
    }
}

#[test]
fn large_and_deep_texts_are_linted_in_bounded_time() {
    for (part, count) in [
        ("[", 20_000),
        ("{a: ", 10_000),
        ("- ", 20_000),
        ("$(", 20_000),
        ("((", 20_000),
        ("`", 20_000),
        ("\"", 20_000),
        ("a[", 20_000),
        ("if x; then ", 20_000),
        ("${", 20_000),
        ("<<E\n", 10_000),
        ("a;", 20_000),
        ("a\n", 20_000),
        ("{a,", 20_000),
        ("$((", 20_000),
        ("'", 20_000),
        ("x | ", 10_000),
        ("#\n", 20_000),
    ] {
        let text = part.repeat(count);
        try_all(text.as_bytes());
        try_all(script(&text).as_bytes());
    }
    let keys: Vec<String> = (0..10_000).map(|key| format!("k{key}: 1")).collect();
    try_all(keys.join("\n").as_bytes());
    let bomb = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 50_000].join(","));
    try_all(bomb.as_bytes());
}

#[test]
fn generated_files_are_clean() {
    for generation in [workshop(), synthesized(), installed()] {
        let text = file(&generation, ".yml");
        let report = lint("generated.yml", text.as_bytes(), &LintContext::default());
        assert_eq!(report.findings, [], "{text}");
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../buildspecs");
    let mut checked = 0;
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // CloudFormation templates are YAML too.
        if path.extension().is_some_and(|extension| extension == "yml") {
            let report = lint("committed.yml", &fs_err::read(&path).unwrap(), &LintContext::default());
            assert_eq!(report.findings, [], "{}", path.display());
            checked += 1;
        }
    }
    assert!(checked > 0);
}
