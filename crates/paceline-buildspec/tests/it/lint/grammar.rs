//! Errors of the file and of its keys, comments that silence findings, and the batch.

use paceline_buildspec::lint::{LintContext, lint};

use super::{commands, found_in, whole};

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let report = lint("buildspec.yml", text.as_bytes(), &LintContext::default());
    let shown: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let (at, hint) =
                (finding.start, finding.hint.as_ref().map(|hint| format!(" [{hint}]")).unwrap_or_default());
            format!("{} {}:{} {}{hint}", finding.code, at.line, at.column, finding.message)
        })
        .collect();
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn a_file_that_is_not_yaml_is_found() {
    check("version: 0.2\nphases: [", &["PL101 2:9 unclosed bracket '['"]);
    let report = lint("x", b"version: 0.2\n\xff\n", &LintContext::default());
    assert_eq!(report.findings[0].message, "the file is not UTF-8 text from here on");
    assert_eq!((report.findings[0].start.line, report.readable), (2, false));
    let report = lint("x", b"\xff\xfev\0e\0", &LintContext::default());
    assert!(report.findings[0].message.contains("UTF-16"), "{report:?}");
    let report = lint("x", &vec![b'a'; (1 << 20) + 1], &LintContext::default());
    assert!(
        report.findings[0].message.contains("larger than any buildspec"),
        "{}",
        report.findings[0].message
    );
    let tab = found_in("version: 0.2\nphases:\n\tbuild:\n", &LintContext::default());
    assert!(tab[0].starts_with("PL101 3:"), "{tab:?}");
}

#[test]
fn a_file_that_is_not_a_buildspec_is_found() {
    check("", &["PL103 1:1 a buildspec is a map, and this is nothing"]);
    check("- a\n", &["PL103 1:1 a buildspec is a map, and this is a list"]);
    check("{}\n", &["PL104 1:1 `version` is missing", "PL104 1:1 `phases` is missing"]);
    check(
        "version: 0.2\nphases: {}\n",
        &["PL109 2:1 the buildspec has no phase [a build runs the commands of its phases]"],
    );
}

#[test]
fn unknown_and_misplaced_keys_are_found() {
    check(
        "version: 0.2\nphases:\n  prebuild:\n    commands: [a]\n  deploy:\n    commands: [b]\n",
        &[
            "PL105 3:3 `phases.prebuild` is not a key of the buildspec grammar [did you mean `pre_build`?]",
            "PL105 5:3 `phases.deploy` is not a key of the buildspec grammar [known here: `build`, `install`, `post_build`, `pre_build`]",
        ],
    );
    check(
        &whole("variables:\n  A: b\n"),
        &["PL107 2:1 `variables` has no meaning here [it belongs at `env.variables`]"],
    );
    check(
        "version: 0.2\nphases:\n  build:\n    commands: [a]\n  finally: [b]\n",
        &[
            "PL107 5:3 `phases.finally` has no meaning here [it belongs at `phases.install.finally` or `phases.pre_build.finally` or `phases.build.finally` or `phases.post_build.finally`]",
        ],
    );
    check(&whole("x-anchors:\n  a: &a b\n"), &[]);
}

#[test]
fn duplicate_keys_are_found_and_the_rest_is_still_checked() {
    check(
        "version: 0.2\nphases:\n  build:\n    commands: [make]\n    commands: [cdk deploy]\n  build:\n    commands: [x]\nenv: {shell: zsh}\n",
        &[
            "PL102 5:5 `commands` is already set on line 4 [keep one of them: which one counts is not documented]",
            "PL102 6:3 `build` is already set on line 3 [keep one of them: which one counts is not documented]",
            "PL103 8:14 `env.shell` is `zsh`, and not one of `bash`, `/bin/sh`, `powershell.exe`, `cmd.exe`",
        ],
    );
}

#[test]
fn batches_whose_builds_cannot_be_ordered_are_found() {
    let batch = |text: &str| whole(&format!("batch:\n{text}"));
    check(
        &batch(
            "  build-graph:\n    - identifier: a\n      depend-on: [b]\n    - identifier: b\n      depend-on: [a, c]\n    - identifier: b\n",
        ),
        &[
            "PL110 4:19 `a` depends on itself, through other builds",
            "PL110 6:19 `b` depends on itself, through other builds",
            "PL110 7:22 there is no build with the identifier `c` [the identifiers are: a, b]",
            "PL110 8:19 `b` is already the name of the build on line 6",
            "PL110 8:19 `b` depends on itself, through other builds",
        ],
    );
    check(
        &batch("  build-list:\n    - identifier: a\n      depend-on: [b]\n"),
        &["PL110 5:18 the builds of a `build-list` cannot depend on each other [use `build-graph`]"],
    );
    check(&batch("  build-graph:\n    - identifier: a\n    - identifier: b\n      depend-on: [a]\n"), &[]);
}

#[test]
fn allowances_cover_their_line_or_the_next_one() {
    let found = |items: &[&str]| found_in(&commands(items), &LintContext::default());
    assert_eq!(found(&["make | tee x # paceline: allow PL203"]), [""; 0]);
    assert_eq!(found(&["make | tee x # paceline: allow PL203 because it is not important"]), [""; 0]);
    assert_eq!(found(&["make | tee x #paceline:allow pl203"]), [""; 0]);
    assert_eq!(found(&["cdk deploy | tee x # paceline: allow PL203,PL501"]), [""; 0]);
    assert_eq!(found(&["make | tee x # paceline: allow PL202"]), ["PL203 5:9", "PL001 5:40"]);
    assert_eq!(found(&["make | tee x # paceline: allow"]), ["PL203 5:9", "PL002 5:22"]);
    assert_eq!(found(&["make | tee x # paceline: allow PL777"]), ["PL203 5:9", "PL002 5:40"]);
    assert_eq!(found(&["make # paceline: allows nothing"]), [""; 0]);
    let above = |comment: &str| {
        found_in(
            &commands(&["make | tee x"]).replace("      - make", &format!("      {comment}\n      - make")),
            &LintContext::default(),
        )
    };
    assert_eq!(above("# paceline: allow PL203"), [""; 0]);
    assert_eq!(above("# paceline: allow PL203\n\n      # and another comment"), [""; 0]);
    assert_eq!(above("- date # paceline: allow PL203"), ["PL001 5:32", "PL203 6:9"]);
    let inside = "phases:\n  build:\n    commands:\n      - |\n        # paceline: allow PL203\n        make | tee x\n        make | tee y\n        date\n";
    assert_eq!(found_in(&whole(inside), &LintContext::default()), ["PL203 8:9"]);
}

#[test]
fn an_unreadable_file_cannot_be_allowed() {
    assert_eq!(found_in("# paceline: allow PL101\nversion: [\n", &LintContext::default()), ["PL101 2:10"]);
}
