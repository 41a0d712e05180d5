//! The commands of a buildspec are followed like a shell would run them.

use super::build;

/// Checks the deployments, each as `folder: stacks`, in their order.
#[track_caller]
fn check(items: &[&str], expected: &[&str]) {
    let all = build(items);
    let shown = all.deployments.iter().map(|it| {
        let stacks = if it.stacks.is_empty() { "all".to_owned() } else { it.stacks.join(" ") };
        format!("{}: {stacks}", all.apps[it.app].dir)
    });
    assert_eq!(shown.collect::<Vec<_>>(), expected, "{items:?}");
}

#[test]
fn changes_of_the_folder_are_followed() {
    check(&["cd a", "cdk deploy X", "cd ../b && cdk deploy Y"], &["a: X", "b: Y"]);
    check(&["(cd a && cdk deploy X)", "cdk deploy Y"], &["a: X", ": Y"]);
    check(&["pushd a", "cdk deploy X", "popd", "cdk deploy Y"], &["a: X", ": Y"]);
    check(&["cd a", "cd -", "cdk deploy X"], &[": X"]);
    check(
        &["cd a", "cd $CODEBUILD_SRC_DIR/b", "cdk deploy X", "cd ${CODEBUILD_SRC_DIR}", "cdk deploy Y"],
        &["b: X", ": Y"],
    );
    check(&["'sh -c \"cd a && cdk deploy X\"'", "cdk deploy Y"], &["a: X", ": Y"]);
}

#[test]
fn variables_are_followed() {
    check(&["S=Api", "cdk deploy $S-prod ${S}Two"], &[": Api-prod ApiTwo"]);
    check(&["export S=Api", "cdk deploy \"$S\""], &[": Api"]);
    check(&["S='A B'", "cdk deploy $S"], &[": A B"]);
    check(&["S=$(cat name)", "cdk deploy $S", "cdk deploy B"], &[": B"]);
    check(&["S=Api", "cdk deploy ${S%i}", "cdk deploy B"], &[": B"]);
}

#[test]
fn loops_functions_and_retries_are_followed() {
    check(&["for s in A B; do cdk deploy $s; done"], &[": A", ": B"]);
    check(&["for s in $(cdk ls); do cdk deploy $s; done"], &[": *"]);
    check(&["'d() { cdk deploy \"$1\"; }'", "d A", "d B"], &[": A", ": B"]);
    check(&["cdk deploy A || cdk deploy A"], &[": A"]);
    check(&["until cdk deploy A; do sleep 5; done"], &[": A"]);
    check(&["'cdk deploy A 2>&1 | tee log'"], &[": A"]);
    check(&["timeout 30m cdk deploy A &", "wait"], &[": A"]);
}

#[test]
fn conditions_are_evaluated_if_known_and_kept_if_not() {
    let all = build(&["if [ \"$M\" = true ]; then cdk deploy A; else cdk deploy B; fi", "cdk deploy C"]);
    let shown: Vec<_> = all
        .deployments
        .iter()
        .map(|it| it.when.as_ref().map(|when| (when.variable.as_deref(), when.value.as_str(), when.equals)))
        .collect();
    assert_eq!(shown, [Some((Some("M"), "true", true)), Some((Some("M"), "true", false)), None]);
    check(&["M=no", "if [ \"$M\" = yes ]; then cdk deploy A; else cdk deploy B; fi"], &[": B"]);
    check(&["'[ \"$CODEBUILD_BUILD_SUCCEEDING\" = 1 ] && cdk deploy A'"], &[": A"]);
    // The stack is deployed in either branch, so the deployment has no condition.
    let both = build(&["if [ \"$M\" = true ]; then cdk deploy A; else cdk deploy A; fi"]);
    assert_eq!((both.deployments.len(), &both.deployments[0].when), (1, &None));
}

#[test]
fn apps_are_distinguished_by_folder_region_and_context() {
    let names = |items: &[&str]| build(items).apps.into_iter().map(|app| app.name).collect::<Vec<_>>();
    assert_eq!(names(&["cdk deploy A", "cdk deploy B -c x=y"]), ["app"]);
    assert_eq!(names(&["cdk deploy A -c s=dev", "cdk deploy A -c s=prod"]), ["app", "app-prod"]);
    assert_eq!(names(&["AWS_REGION=a cdk deploy A", "env AWS_REGION=b cdk deploy A"]), ["app", "app-b"]);
    assert_eq!(names(&["cd x/cdk", "cdk deploy A", "cd ../../y/cdk", "cdk deploy A"]), ["x", "y"]);
    assert_eq!(names(&["cdk synth", "cdk deploy -a cdk.out A"]), ["app"]);
}

#[test]
fn scripts_are_kept_at_their_places() {
    let all =
        build(&["./before.sh", "cdk deploy A", "./between.sh \"$X\" || true", "cdk deploy B", "npm test"]);
    assert_eq!(all.apps[0].build[0].text, "./before.sh");
    let kept: Vec<_> = all.scripts.iter().map(|it| (it.after, it.text.as_str())).collect();
    assert_eq!(kept, [(1, "./between.sh \"$X\" || true"), (2, "npm test")]);
}

/// The known region of the one app, and the messages about its region.
#[track_caller]
fn region_of(items: &[&str]) -> (Option<String>, Vec<String>) {
    let all = build(items);
    assert_eq!(all.apps.len(), 1, "{items:?}: {all:#?}");
    assert_eq!(all.deployments.len(), 1, "{items:?}: {all:#?}");
    let app = &all.apps[0];
    let known = app.env.get("AWS_REGION").cloned();
    let said = all.left_out.iter().filter(|it| it.why.contains("AWS_REGION"));
    (known, said.map(|it| it.what.clone()).collect())
}

const DEPLOY: &str = "AWS_REGION=$R cdk deploy --all";

#[test]
fn a_value_that_may_have_changed_is_not_used() {
    let forms = [
        "'if [ \"$STAGE\" = prod ]; then R=us-east-1; fi'",
        "'if [ \"$STAGE\" = prod ]; then R=us-east-1; else R=eu-west-2; fi'",
        "'[ \"$STAGE\" = prod ] && R=us-east-1'",
        "'[ \"$STAGE\" = dev ] || R=us-east-1'",
        "'grep -q prod stage.txt && R=us-east-1'",
        "'./check.sh && R=us-east-1'",
        "'./check.sh || R=us-east-1'",
        "'case $STAGE in prod) R=us-east-1;; esac'",
        "'while read -r next; do R=$next; done < regions.txt'",
        "'until ./ready.sh; do R=us-east-1; done'",
        "'for n in $NAMES; do R=us-east-1; done'",
        "'for n in a b; do if [ -f $n ]; then R=us-east-1; break; fi; done'",
        "read -r R < region.txt",
        "'read R <<< \"$LINE\"'",
        "source ./region.sh",
        "'. ./region.sh'",
        "'eval \"$(./region.sh)\"'",
        "'export $(cat region.env)'",
        "'pick() { R=us-east-1; }; if [ -f x ]; then pick; fi'",
        "'pick() { read -r R < region.txt; }; pick'",
        "'printf -v R %s \"$X\"'",
        "'{ [ -f x ] && R=us-east-1; }'",
        "unset R",
        "R=$(cat region.txt)",
        "'R=${OTHER:-us-east-1}'",
    ];
    for form in forms {
        let (known, said) = region_of(&["R=eu-west-1", form, DEPLOY]);
        assert_eq!(known, None, "{form}");
        assert!(!said.is_empty(), "nothing is said of {form}");
    }
    // Commands in another shell do not change the variable here.
    for form in ["(R=us-east-1)", "'echo us-east-1 | read R'", "'R=us-east-1 &'", "X=$(R=us-east-1)"] {
        assert_eq!(region_of(&["R=eu-west-1", form, DEPLOY]).0.as_deref(), Some("eu-west-1"), "{form}");
    }
}

#[test]
fn a_region_known_only_in_the_build_is_kept_if_possible() {
    let all = build(&["R=eu-west-1", "'if [ \"$STAGE\" = prod ]; then R=us-east-1; fi'", DEPLOY]);
    let setup: Vec<&str> = all.apps[0].setup.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        setup,
        ["R=eu-west-1", "if [ \"$STAGE\" = prod ]; then R=us-east-1; fi", "export AWS_REGION=$R"]
    );
    // The variable of a loop is only set inside the loop.
    let all = build(&["'for r in $REGIONS; do AWS_REGION=$r cdk deploy --all; done'"]);
    assert!(all.apps[0].setup.is_empty(), "{:?}", all.apps[0].setup);
    assert_eq!(all.deployments.len(), 1);
    assert!(all.left_out.iter().any(|it| it.what == "AWS_REGION=$r"), "{:?}", all.left_out);
    // The region of the build itself needs no message.
    let (known, said) = region_of(&["AWS_DEFAULT_REGION=$AWS_REGION cdk deploy --all"]);
    assert_eq!((known, said), (None, Vec::new()));
}

#[test]
fn loops_over_unknown_values_still_deploy() {
    check(&["'while read -r s; do cdk deploy --all; done < list'"], &[": all"]);
    check(&["'for r in \"$@\"; do AWS_REGION=$r cdk deploy --all; done'"], &[": all"]);
    check(
        &["IFS=,", "'L=eu-west-1,us-east-1'", "'for r in $L; do AWS_REGION=$r cdk deploy A; done'"],
        &[": A", ": A"],
    );
}

#[test]
fn conditional_commands_are_kept_as_written_and_in_order() {
    let made = |items: &[&str]| {
        let all = build(&[items, &["cdk deploy A"]].concat());
        let app = &all.apps[0];
        let lines = app.install.iter().chain(&app.build);
        lines.map(|line| line.text.clone()).collect::<Vec<_>>()
    };
    for whole in [
        "if [ -f pnpm-lock.yaml ]; then npm install -g pnpm@9 && pnpm install; else npm ci; fi",
        "[ -f package-lock.json ] && npm ci || npm install",
        "test -d node_modules || npm ci",
        "npm ci || npm install",
        "case $X in a) npm ci;; *) npm install;; esac",
        "for d in a b; do npm ci --prefix $d; done",
    ] {
        assert_eq!(made(&[&format!("'{whole}'")]), [whole]);
    }
    assert_eq!(
        made(&["npm install -g pnpm@9 && pnpm install", "./make.sh", "npm run build"]),
        ["npm install -g pnpm@9", "pnpm install", "./make.sh", "npm run build"]
    );
    let all =
        build(&["'if [ \"$S\" = prod ]; then npm ci; cdk deploy A; else npm install; cdk deploy B; fi'"]);
    let install: Vec<&str> = all.apps[0].install.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        install,
        ["if [ \"$S\" = prod ]; then npm ci; fi", "if ! { [ \"$S\" = prod ]; }; then npm install; fi"]
    );
}

#[test]
fn a_folder_that_is_entered_twice_is_entered_once() {
    check(&["cd infra && npm ci", "cd infra && cdk deploy A"], &["infra: A"]);
    let all = build(&["cd infra && npm ci", "cd infra && cdk deploy A"]);
    assert!(all.left_out.iter().any(|it| it.why.contains("looks for infra/infra")), "{:?}", all.left_out);
    check(&["cd a/b", "cd b", "cdk deploy A"], &["a/b: A"]);
    check(&["cd a", "cd b", "cdk deploy A"], &["a/b: A"]);
    check(&["cd a", "cd ../a", "cdk deploy A"], &["a: A"]);
}

#[test]
fn a_region_that_the_cdk_overwrites_makes_no_separate_app() {
    let all = build(&["CDK_DEFAULT_REGION=a cdk deploy --all", "CDK_DEFAULT_REGION=b cdk deploy --all"]);
    assert_eq!((all.apps.len(), all.deployments.len()), (1, 1));
    assert!(all.apps[0].env.is_empty(), "{:?}", all.apps[0].env);
    let said: Vec<&str> = all.left_out.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(said, ["CDK_DEFAULT_REGION=a", "CDK_DEFAULT_REGION=b"]);
}

#[test]
fn an_environment_is_entered_for_the_apps_in_its_folder_and_no_folder_of_a_similar_name() {
    let all = build(&[
        "cd services",
        "source .venv/bin/activate",
        "cd ..",
        "(cd services/api && cdk deploy --all)",
        "(cd services-old && cdk deploy --all)",
    ]);
    let entered: Vec<(&str, usize)> =
        all.apps.iter().map(|app| (app.dir.as_str(), app.setup.len())).collect();
    assert_eq!(entered, [("services/api", 1), ("services-old", 0)]);
}
