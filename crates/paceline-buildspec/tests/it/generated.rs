//! Whole generated files.

use std::time::Duration;

use paceline_buildspec::{Apps, GenerateError, Generation, MultiRegion, RunnerSource, generate};
use paceline_config::Privileged;
use paceline_text::Explained as _;

use crate::{SHA256, file, files, from_npm, installed, snapshot, synthesized, workshop};

#[test]
fn the_workshop_buildspec_matches_its_snapshot() {
    snapshot("workshop.yml", &file(&workshop(), ".yml"));
}

#[test]
fn the_workshop_project_as_json_matches_its_snapshot() {
    snapshot("workshop.project.json", &file(&workshop(), ".project.json"));
}

#[test]
fn the_workshop_project_template_matches_its_snapshot() {
    snapshot("workshop.project.yaml", &file(&workshop(), ".project.yaml"));
}

#[test]
fn an_app_synthesized_in_a_vpc_matches_its_snapshots() {
    for file in files(&synthesized()) {
        snapshot(&file.path.replacen("yes", "synthesized", 1), &file.contents);
    }
}

#[test]
fn an_installed_runner_with_a_given_role_matches_its_snapshots() {
    for file in files(&installed()) {
        snapshot(&file.path.replacen("bare", "installed", 1), &file.contents);
    }
}

#[test]
fn a_runner_from_npm_matches_its_snapshot() {
    snapshot("npm.yml", &file(&from_npm(), ".yml"));
}

#[test]
fn the_packages_of_the_runner_are_cached_without_a_synthesis_too() {
    let buildspec = file(&Generation { synth: None, ..from_npm() }, ".yml");
    let (_, cache) = buildspec.split_once("\ncache:\n").unwrap();
    assert!(cache.contains("key: npm-$(codebuild-hash-files infra/package-lock.json)"), "{cache}");
    assert!(cache.contains("- /root/.npm/**/*"), "{cache}");
    assert!(!cache.contains(".cache/paceline"), "{cache}");
    assert!(buildspec.contains("nodejs: \"22\""), "{buildspec}");
}

#[test]
fn the_other_workshop_buildspecs_match_their_snapshots() {
    for suffix in [".destroy.yml", ".pull-request.yml", ".project.ts"] {
        snapshot(&format!("workshop{suffix}"), &file(&workshop(), suffix));
    }
}

#[test]
fn the_file_says_how_to_override_values_for_one_build() {
    let buildspec = file(&workshop(), ".yml");
    for option in [
        "aws codebuild start-build --project-name workshop",
        "--environment-variables-override name=ENABLE_MULTI_REGION,value=false",
        "--compute-type-override BUILD_GENERAL1_LARGE",
        "--image-override aws/codebuild/standard:7.0",
        "--timeout-in-minutes-override 300 --environment-variables-override name=PACELINE_BUILD_MINUTES,value=300",
    ] {
        let says = |line: &str| line.starts_with('#') && line.contains(option);
        assert!(buildspec.lines().any(says), "{option}");
    }
    // For a pipeline, the only way is to set variables.
    let pipeline = file(&installed(), ".yml");
    assert!(
        pipeline.contains("\n# To use other values without a change to this file, set the variables below")
    );
    assert!(!pipeline.contains("start-build"));
}

#[test]
fn the_cache_has_a_key_only_if_a_key_has_an_effect() {
    let cache = |lock: Option<&str>, mode: &str| {
        let mut generation = Generation { lock_file: lock.map(str::to_owned), ..synthesized() };
        generation.codebuild.vpc = None;
        generation.codebuild.cache = Some(vec![mode.parse().unwrap()]);
        let cache = paceline_buildspec::Buildspec::read(&file(&generation, ".yml")).unwrap().buildspec.cache;
        cache.map(|cache| (cache.key, cache.paths[0].clone()))
    };
    let key = |text: &str| Some(text.to_owned());
    let npm = "/root/.npm/**/*".to_owned();
    assert_eq!(
        cache(Some("package-lock.json"), "s3://b/p"),
        Some((key("npm-$(codebuild-hash-files package-lock.json)"), npm.clone()))
    );
    let yarn = cache(Some("app/yarn.lock"), "s3://b/p").unwrap();
    assert_eq!(yarn.0, key("yarn-$(codebuild-hash-files app/yarn.lock)"));
    assert!(yarn.1.contains("yarn"));
    assert_eq!(cache(None, "s3://b/p"), Some((None, npm.clone())));
    assert_eq!(cache(Some("package-lock.json"), "custom"), Some((None, npm)));
    assert_eq!(cache(Some("package-lock.json"), "source"), None);
}

#[test]
fn several_apps_are_synthesized_once_and_taken_from_the_configuration() {
    let mut generation = Generation {
        apps: Apps::Several(vec!["pets".into(), "more/intro".into()]),
        synth: Some("paceline synth --config paceline.yaml".into()),
        lock_file: None,
        ..workshop()
    };
    generation.codebuild.cache = Some(vec!["custom".parse().unwrap()]);
    let phases = paceline_buildspec::Buildspec::read(&file(&generation, ".yml")).unwrap().buildspec.phases;
    let [synth, plan] = phases.pre_build.unwrap().commands.try_into().unwrap();
    assert!(synth.contains("contexts=(pets/cdk.context.json more/intro/cdk.context.json)\n"), "{synth}");
    assert!(synth.contains("\npaceline synth --config paceline.yaml\n"), "{synth}");
    assert!(plan.ends_with("\npaceline plan --config paceline.yaml | tee .paceline/plan.txt\n"), "{plan}");
    assert!(!plan.contains("manifest.json"), "{plan}");
    let deploy = &phases.build.unwrap().commands[0];
    assert!(deploy.contains("\npaceline deploy --config paceline.yaml --no-synth \\\n"), "{deploy}");
    let about = file(&generation, ".yml");
    assert!(about.contains("14 stacks of the apps pets, more/intro to us-east-1"), "{about}");
}

#[test]
fn a_given_limit_of_the_runner_is_kept_below_that_of_the_build() {
    let mut generation = workshop();
    generation.codebuild.timeouts.runner = Some(Duration::from_mins(100));
    let buildspec = file(&generation, ".yml");
    assert!(
        buildspec.contains("        if (( deadline > 100 )); then\n          deadline=100\n"),
        "{buildspec}"
    );
}

#[test]
fn the_limit_of_a_stack_is_passed_beside_that_of_the_runner() {
    let mut generation = workshop();
    let says = "codebuild.timeouts.stack limits the creation or update of each stack to 90 minutes.\n";
    assert!(!file(&generation, ".yml").contains("timeouts.stack"));
    generation.codebuild.timeouts.stack = Some(Duration::from_mins(90));
    let buildspec = file(&generation, ".yml");
    assert!(buildspec.contains(says), "{buildspec}");
    // Deletions have no limit of a stack.
    assert!(!file(&generation, ".destroy.yml").contains("timeouts.stack"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for generation in [workshop(), synthesized(), installed()] {
        assert_eq!(files(&generation), files(&generation.clone()));
    }
}

#[test]
fn files_are_plain_text_with_a_header() {
    for generation in [workshop(), synthesized(), installed()] {
        for file in files(&generation) {
            let header = format!("enerated by paceline {}", env!("CARGO_PKG_VERSION"));
            let head: Vec<_> = file.contents.lines().take(4).collect();
            assert!(
                head.iter().any(|line| line.contains(&header) && line.contains("do not edit")),
                "{head:?}"
            );
            assert!(file.contents.ends_with('\n') && !file.contents.ends_with("\n\n"), "{}", file.path);
            assert!(!file.contents.contains('\r'), "{}", file.path);
            for line in file.contents.lines() {
                assert_eq!(line.trim_end(), line, "{}", file.path);
            }
        }
    }
}

/// Names that YAML 1.1 readers take for values of another type stay names, in every place that has a name.
#[test]
fn misleading_names_stay_names() {
    for word in ["no", "on", "0x1F", "1e3", "12345678", "2024-01-01", "NULL", "022"] {
        let mut generation = synthesized();
        generation.name = word.into();
        generation.apps = Apps::One(word.into());
        generation.config = Some(word.into());
        generation.codebuild.tags = [(word.to_owned(), word.to_owned())].into();
        // Each file is read back and compared during the generation.
        files(&generation);
    }
    for path in ["a b", "it's", "$(x)", "a#b", "{{ a }}", "<{ a }>", "é", "a: b", "\"q\""] {
        files(&Generation { apps: Apps::One(path.into()), config: Some(path.into()), ..workshop() });
    }
}

#[test]
fn privileged_mode_follows_from_the_use_of_docker() {
    let privileged = |images, cache: Option<&str>| {
        let mut generation = Generation { images, ..workshop() };
        generation.codebuild.cache = cache.map(|mode| vec![mode.parse().unwrap()]);
        let json: serde_json::Value = serde_json::from_str(&file(&generation, ".project.json")).unwrap();
        (
            json["environment"]["privilegedMode"].as_bool().unwrap(),
            json["cache"]["type"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(privileged(3, None), (true, "LOCAL".into()));
    assert_eq!(privileged(0, None), (false, "NO_CACHE".into()));
    assert_eq!(privileged(0, Some("docker-layer")), (true, "LOCAL".into()));
    assert_eq!(privileged(0, Some("source")), (false, "LOCAL".into()));
    assert_eq!(privileged(2, Some("s3://b/p")), (true, "S3".into()));
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut Generation), part: &str) {
    let mut generation = workshop();
    change(&mut generation);
    let error = generate(&generation).unwrap_err();
    assert!(!matches!(error, GenerateError::Render { .. } | GenerateError::Mismatch { .. }), "{error}");
    let told = error.to_string();
    assert!(told.contains(part) && !told.contains("hint:") && error.hint().is_some(), "{told}");
}

#[test]
fn impossible_settings_are_refused_with_a_hint() {
    check_refused(|g| g.apps = Apps::One("/abs".into()), "not a path from the root");
    check_refused(|g| g.apps = Apps::One("../up".into()), "not a path from the root");
    check_refused(|g| g.apps = Apps::One("a\nb".into()), "control character");
    check_refused(|g| g.config = Some("--x".into()), "not a path from the root");
    check_refused(|g| g.name = "a/b".into(), "project name");
    check_refused(|g| g.accounts = vec!["1234".into()], "12 digits");
    check_refused(|g| g.synth = Some(" ".into()), "synth command is empty");
    check_refused(
        |g| g.runner = RunnerSource::S3 { uri: "s3://tools".into(), sha256: SHA256.into() },
        "s3://bucket/key",
    );
    check_refused(
        |g| g.runner = RunnerSource::Https { url: "http://x/y".into(), sha256: SHA256.into() },
        "https://host/path",
    );
    check_refused(
        |g| g.runner = RunnerSource::S3 { uri: "s3://a/b".into(), sha256: "abc".into() },
        "64 hexadecimal",
    );
    check_refused(
        |g| g.runner = RunnerSource::S3 { uri: "s3://tools/*".into(), sha256: SHA256.into() },
        "in the policy of the build",
    );
    check_refused(|g| g.codebuild.artifacts_bucket = Some("${x}".into()), "in the policy of the build");
    for name in ["AWS_X", "CODEBUILD_Y", "1X", "A-B", "PATH", "CI"] {
        let multi_region = Some(MultiRegion { variable: name.into(), primary: "us-east-1".into() });
        check_refused(|g| g.multi_region = multi_region, "cannot be a variable");
    }
    check_refused(|g| g.codebuild.privileged = Privileged::No, "11 Docker images");
}
