//! Fixes: the changes that they make, and that they change nothing else.

use paceline_buildspec::Buildspec;
use paceline_buildspec::lint::{LintContext, fix, lint};

use super::{commands, script, whole};

#[track_caller]
fn check(text: &str, expected: &str) {
    let locked = LintContext { has_npm_lock: true, ..LintContext::default() };
    let fixed = fix(text, &locked);
    assert_eq!(fixed.as_deref().unwrap_or(text), expected);
    assert_eq!(fix(expected, &locked), None, "mending again changes nothing");
    let left = lint("", expected.as_bytes(), &locked);
    assert!(left.findings.iter().all(|finding| finding.fix.is_empty()), "{:?}", left.findings);
}

#[test]
fn only_mistakes_are_changed() {
    check(
        "# Mine: do not touch\nversion: 0.2   # why\nenv:\n  variables: {A: yes,   B: 012, C: 'no'}\nphases:\n  install:\n    runtime-versions: { golang: 1.20 } # pinned\n    comands:\n      - apt-get install  jq   # quiet\n      - npm   install --silent\n      - echo \"it's: $A\"\n",
        "# Mine: do not touch\nversion: 0.2   # why\nenv:\n  variables: {A: \"yes\",   B: \"012\", C: 'no'}\nphases:\n  install:\n    runtime-versions: { golang: \"1.20\" } # pinned\n    commands:\n      - apt-get install -y  jq   # quiet\n      - npm   ci --silent\n      - 'echo \"it''s: $A\"'\n",
    );
}

#[test]
fn bash_becomes_the_shell_if_there_is_a_place_for_the_setting() {
    let bash = script("[[ -f a ]] && source b");
    check(&bash, &bash.replace("version: 0.2\n", "version: 0.2\n\nenv:\n  shell: bash\n"));
    let with_env = bash.replace("phases:", "env:\n    # why\n    variables:\n        A: b\nphases:");
    check(&with_env, &with_env.replace("    variables", "    shell: bash\n    variables"));
    let chosen = bash.replace("phases:", "env:\n  shell: /bin/sh\nphases:");
    check(&chosen, &chosen);
    let flow = bash.replace("phases:", "env: {variables: {A: b}}\nphases:");
    check(&flow, &flow);
}

#[test]
fn a_folded_command_with_backslashes_becomes_a_literal_one() {
    let text = whole(
        "phases:\n  build:\n    commands:\n      - >-  # long\n        aws s3 sync a b \\\n          --delete\n",
    );
    check(&text, &text.replace(">-", "|-"));
    // Here only the author knows which lines belong to one command.
    let text = whole("phases:\n  build:\n    commands:\n      - >\n        # why\n        make\n");
    check(&text, &text);
}

#[test]
fn line_endings_become_those_of_unix() {
    let text = commands(&["make", "date"]);
    check(&text.replace('\n', "\r\n"), &text);
}

#[test]
fn mistakes_that_need_a_decision_stay() {
    for items in [
        &["echo a: b # c"][..],
        &["{a: b}"],
        &["echo a: b\n        c: d"],
        &["terraform apply"],
        &["npm install left-pad"],
    ] {
        check(&commands(items), &commands(items));
    }
    check("version: [", "version: [");
    let both = whole("phases:\n  build:\n    comands: [a]\n    commands: [b]\n");
    check(&both, &both);
}

#[test]
fn a_fixed_file_has_the_intended_meaning() {
    let fixed = fix(&commands(&["echo \"Version: $A\"", "date"]), &LintContext::default()).unwrap();
    let build = Buildspec::read(&fixed).unwrap().buildspec.phases.build.unwrap();
    assert_eq!(build.commands, ["echo \"Version: $A\"", "date"]);
}
