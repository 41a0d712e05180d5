//! The environment of a build, and buildspecs that are refused before they start.

use paceline_text::Explained as _;

use super::{Place, commands};

#[test]
fn variables_are_literal_and_given_ones_come_first() {
    let text = "version: 0.2
env:
  variables:
    LITERAL: $FROM_MACHINE and ${HOME}
    GIVEN: buildspec
    FROM_MACHINE: buildspec
phases:
  build:
    commands:
      - printf '%s\\n' \"$LITERAL\" \"$GIVEN\" \"$FROM_MACHINE\"
";
    let ran = Place::new().given("GIVEN", "given").run(text);
    assert_eq!(ran.log, "$FROM_MACHINE and ${HOME}\ngiven\nbuildspec\n");
}

#[test]
fn the_variables_of_codebuild_are_set() {
    let script = "[[ $CODEBUILD_BUILD_ID =~ ^test:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$ ]] && echo id
[[ $CODEBUILD_BUILD_ARN == *\":build/$CODEBUILD_BUILD_ID\" ]] && echo arn
[[ $CODEBUILD_START_TIME =~ ^[0-9]{13}$ ]] && echo start
[ \"$CODEBUILD_SRC_DIR\" = \"$PWD\" ] && echo folder
[ \"$AWS_DEFAULT_REGION\" = eu-north-1 ] && echo region";
    let place = Place::new().given("AWS_REGION", "unused");
    let mut place = place;
    place.options.environment.push(("AWS_REGION".into(), "eu-north-1".into()));
    assert_eq!(place.run(&commands("bash", &[script])).log, "id\narn\nstart\nfolder\nregion\n");
}

#[test]
fn the_version_of_the_source_is_that_of_its_repository() {
    let place = Place::new();
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(arguments)
            .current_dir(&place.options.source)
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "first"]);
    let commit = git(&["rev-parse", "HEAD"]);
    assert_eq!(commit.trim().len(), 40);
    assert_eq!(place.run(&commands("bash", &["echo $CODEBUILD_RESOLVED_SOURCE_VERSION"])).log, commit);
}

#[test]
fn secrets_are_given_or_refused_but_never_empty() {
    let text = "version: 0.2
env:
  parameter-store: { TOKEN: /app/token }
  secrets-manager: { PASSWORD: 'db:password' }
  exported-variables: [TOKEN, SHOWN, MISSING]
phases:
  build:
    commands: ['SHOWN=$TOKEN-$PASSWORD']
";
    let error = Place::new().given("PASSWORD", "p").try_run(text).unwrap_err();
    assert!(error.to_string().ends_with("not asked here: TOKEN"), "{error}");
    assert_eq!(error.hint().unwrap(), "give their values with --env TOKEN=VALUE");
    let ran = Place::new().given("PASSWORD", "p").given("TOKEN", "t").run(text);
    let exported = [("TOKEN", Some("***")), ("SHOWN", Some("t-p")), ("MISSING", None)];
    let exported = exported.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
    assert_eq!(ran.build.exported, exported);
}

#[test]
fn an_unsupported_buildspec_is_refused_before_anything_runs() {
    for (text, part) in [
        (commands("powershell.exe", &["echo x > ran"]), "`powershell.exe`"),
        (commands("bash", &["echo x > ran"]).replace("build:", "build:\n    on-failure: RETRY-("), "`(`"),
        (commands("bash", &["echo x > ran"]) + "artifacts: { files: ['[a'] }\n", "`[a`"),
    ] {
        let place = Place::new();
        let error = place.try_run(&text).unwrap_err();
        assert!(error.to_string().contains(part) && error.hint().is_some(), "{error}");
        assert!(!place.options.source.join("ran").exists());
    }
}
