//! What a shell would do is followed.

use super::build;

/// The deployments as `folder: stacks`, in their order.
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
fn folders_are_followed() {
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
fn conditions_are_kept_or_known() {
    let all = build(&["if [ \"$M\" = true ]; then cdk deploy A; else cdk deploy B; fi", "cdk deploy C"]);
    let shown: Vec<_> = all
        .deployments
        .iter()
        .map(|it| it.when.as_ref().map(|when| (when.variable.as_deref(), when.value.as_str(), when.equals)))
        .collect();
    assert_eq!(shown, [Some((Some("M"), "true", true)), Some((Some("M"), "true", false)), None]);
    check(&["M=no", "if [ \"$M\" = yes ]; then cdk deploy A; else cdk deploy B; fi"], &[": B"]);
    check(&["'[ \"$CODEBUILD_BUILD_SUCCEEDING\" = 1 ] && cdk deploy A'"], &[": A"]);
    // In one branch or the other, but always.
    let both = build(&["if [ \"$M\" = true ]; then cdk deploy A; else cdk deploy A; fi"]);
    assert_eq!((both.deployments.len(), &both.deployments[0].when), (1, &None));
}

#[test]
fn apps_are_told_apart_by_folder_region_and_context() {
    let names = |items: &[&str]| build(items).apps.into_iter().map(|app| app.name).collect::<Vec<_>>();
    assert_eq!(names(&["cdk deploy A", "cdk deploy B -c x=y"]), ["app"]);
    assert_eq!(names(&["cdk deploy A -c s=dev", "cdk deploy A -c s=prod"]), ["app", "app-prod"]);
    assert_eq!(names(&["AWS_REGION=a cdk deploy A", "env AWS_REGION=b cdk deploy A"]), ["app", "app-b"]);
    assert_eq!(names(&["cd x/cdk", "cdk deploy A", "cd ../../y/cdk", "cdk deploy A"]), ["x", "y"]);
    assert_eq!(names(&["cdk synth", "cdk deploy -a cdk.out A"]), ["app"]);
}

#[test]
fn scripts_are_kept_where_they_stand() {
    let all =
        build(&["./before.sh", "cdk deploy A", "./between.sh \"$X\" || true", "cdk deploy B", "npm test"]);
    assert_eq!(all.apps[0].build[0].text, "./before.sh");
    let kept: Vec<_> = all.scripts.iter().map(|it| (it.after, it.text.as_str())).collect();
    assert_eq!(kept, [(1, "./between.sh \"$X\" || true"), (2, "npm test")]);
}
