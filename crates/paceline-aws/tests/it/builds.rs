//! Starting, following and stopping builds of a CodeBuild project.

use std::time::Duration;

use paceline_aws::{BuildEnd, BuildNews, BuildRequest, Builds, WakeRule};
use paceline_sim::{Faults, SimOptions};
use serde_json::json;

use crate::app::{ACCOUNT, App, REGION, slow};
use crate::project::{project, role};
use crate::world::{How, World, slow_durations};

fn request() -> BuildRequest {
    BuildRequest { project: "app".to_owned(), ..BuildRequest::default() }
}

/// A world in which the project exists.
async fn world(options: SimOptions) -> (World, Builds) {
    let world = World::new(options);
    let projects = paceline_aws::Projects::connect(&world.wire, REGION).await.unwrap();
    Box::pin(projects.apply(&project(), Some(&role()))).await.unwrap();
    let builds = Builds::connect(&world.wire, REGION).await.unwrap();
    (world, builds)
}

/// Follows a build to its end. Returns the end and the news.
async fn followed(builds: &Builds, request: &BuildRequest) -> (BuildEnd, Vec<BuildNews>) {
    let id = builds.start(request).await.unwrap();
    let mut news = Vec::new();
    let end = builds.follow(&id, |one| news.push(one)).await.unwrap();
    (end, news)
}

fn lines(news: &[BuildNews]) -> Vec<&str> {
    let lines = news.iter().filter_map(|one| match one {
        BuildNews::Line(line) => Some(line.trim_end()),
        _ => None,
    });
    lines.collect()
}

fn errors(news: &[BuildNews]) -> Vec<&str> {
    let errors = news.iter().filter_map(|one| match one {
        BuildNews::Problem(what) => Some(what.as_str()),
        _ => None,
    });
    errors.collect()
}

#[tokio::test(start_paused = true)]
async fn a_build_is_followed_with_its_phases_and_its_whole_log() {
    let (_world, builds) = world(SimOptions::default()).await;
    let (end, news) = followed(&builds, &request()).await;
    assert_eq!(end.status, "SUCCEEDED");
    let names: Vec<&str> = end.phases.iter().map(|phase| phase.name.as_str()).collect();
    let expected = [
        "SUBMITTED",
        "QUEUED",
        "PROVISIONING",
        "DOWNLOAD_SOURCE",
        "INSTALL",
        "PRE_BUILD",
        "BUILD",
        "POST_BUILD",
        "FINALIZING",
    ];
    assert_eq!(names, expected);
    let build = &end.phases[6];
    assert_eq!((build.duration_s, build.status.as_deref()), (480.0, Some("SUCCEEDED")));
    let ended: Vec<&str> = news
        .iter()
        .filter_map(|one| match one {
            BuildNews::Ended(phase, _) => Some(phase.name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ended, expected, "each phase ends once");
    let lines = lines(&news);
    assert_eq!(lines.first(), Some(&"[Container] Entering phase DOWNLOAD_SOURCE"));
    assert_eq!(lines.last(), Some(&"[Container] Phase complete: FINALIZING State: SUCCEEDED"));
    assert_eq!(lines.len(), 12, "each line once: {lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_of_many_pages_is_read_to_its_end() {
    let (_world, builds) = world(SimOptions { page_size: 1, ..SimOptions::default() }).await;
    let (_, news) = followed(&builds, &request()).await;
    assert_eq!(lines(&news).len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_failed_build_says_what_failed() {
    let faults = Faults { builds_fail: true, ..Faults::default() };
    let (_world, builds) = world(SimOptions { faults, ..SimOptions::default() }).await;
    let (end, news) = followed(&builds, &request()).await;
    assert_eq!(end.status, "FAILED");
    let said = news.iter().find_map(|one| match one {
        BuildNews::Ended(phase, said) if phase.status.as_deref() == Some("FAILED") => Some(said),
        _ => None,
    });
    assert_eq!(said.unwrap(), &["Error while executing command: make deploy. Reason: exit status 2"]);
}

#[tokio::test(start_paused = true)]
async fn the_settings_of_a_build_override_those_of_the_project() {
    let (world, builds) = world(SimOptions::default()).await;
    let request = BuildRequest {
        environment: vec![("ENABLE_MULTI_REGION".to_owned(), "true".to_owned())],
        source_version: Some("main".to_owned()),
        image: Some("aws/codebuild/standard:8.0".to_owned()),
        compute: Some("BUILD_GENERAL1_SMALL".to_owned()),
        timeout_minutes: Some(5),
        ..request()
    };
    let id = builds.start(&request).await.unwrap();
    let client = aws_sdk_codebuild::Client::new(&world.config().await);
    let answer = client.batch_get_builds().ids(&id).send().await.unwrap();
    let build = &answer.builds()[0];
    let environment = build.environment().unwrap();
    assert_eq!(environment.image(), "aws/codebuild/standard:8.0");
    assert_eq!(environment.compute_type().as_str(), "BUILD_GENERAL1_SMALL");
    let variables: Vec<_> =
        environment.environment_variables().iter().map(|it| (it.name(), it.value())).collect();
    assert!(variables.contains(&("ENABLE_MULTI_REGION", "true")), "{variables:?}");
    assert_eq!((build.source_version(), build.timeout_in_minutes()), (Some("main"), Some(5)));
    // The build would take eight minutes.
    let end = builds.follow(&id, |_| {}).await.unwrap();
    assert_eq!(end.status, "TIMED_OUT");
}

#[tokio::test(start_paused = true)]
async fn one_token_starts_one_build_and_no_token_starts_another() {
    let (world, builds) = world(SimOptions::default()).await;
    let with_token = BuildRequest { token: Some("t".to_owned()), ..request() };
    let first = builds.start(&with_token).await.unwrap();
    assert_eq!(builds.start(&with_token).await.unwrap(), first);
    let other = BuildRequest { timeout_minutes: Some(9), ..with_token };
    assert!(builds.start(&other).await.unwrap_err().message.contains("Parameter mismatch"));
    assert_ne!(builds.start(&request()).await.unwrap(), builds.start(&request()).await.unwrap());
    // If the answer is lost, the call is sent again, and no second build starts.
    let before = world.count("StartBuild");
    world.sim.set_faults(Faults { lost_replies: 0.7, ..Faults::default() });
    let id = builds.start(&request()).await;
    world.sim.set_faults(Faults::default());
    let client = aws_sdk_codebuild::Client::new(&world.config().await);
    let listed = client.list_builds_for_project().project_name("app").send().await.unwrap();
    assert!(world.count("StartBuild") > before, "{id:?}");
    assert_eq!(listed.ids().len(), 4, "{:?}", listed.ids());
}

#[tokio::test(start_paused = true)]
async fn failed_reads_say_nothing_about_the_build() {
    let (world, builds) = world(SimOptions::default()).await;
    let id = builds.start(&request()).await.unwrap();
    let outage = async {
        tokio::time::sleep(Duration::from_secs(90)).await;
        world.sim.set_faults(Faults { server_errors: 1.0, ..Faults::default() });
        tokio::time::sleep(Duration::from_mins(3)).await;
        world.sim.set_faults(Faults::default());
    };
    let mut news = Vec::new();
    let (end, ()) = tokio::join!(builds.follow(&id, |one| news.push(one)), outage);
    assert_eq!(end.unwrap().status, "SUCCEEDED");
    assert_eq!(errors(&news).len(), 1, "{:?}", errors(&news));
    assert_eq!(lines(&news).len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_build_is_followed_without_the_permission_to_read_its_log() {
    let denied = vec![("logs".to_owned(), "GetLogEvents".to_owned())];
    let faults = Faults { denied, ..Faults::default() };
    let (_world, builds) = world(SimOptions { faults, ..SimOptions::default() }).await;
    let (end, news) = followed(&builds, &request()).await;
    assert_eq!(end.status, "SUCCEEDED");
    let errors = errors(&news);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].starts_with("the log cannot be read (") && errors[0].contains("https://"),
        "{errors:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_build_that_is_stopped_ends_as_stopped() {
    let (_world, builds) = world(SimOptions::default()).await;
    let id = builds.start(&request()).await.unwrap();
    let soon = async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        builds.stop(&id).await.unwrap();
    };
    let (end, ()) = tokio::join!(builds.follow(&id, |_| {}), soon);
    let end = end.unwrap();
    assert_eq!(end.status, "STOPPED");
    assert_eq!(end.phases.last().unwrap().name, "FINALIZING");
}

#[tokio::test(start_paused = true)]
async fn a_missing_project_is_reported_with_advice() {
    let world = World::new(SimOptions::default());
    let builds = Builds::connect(&world.wire, REGION).await.unwrap();
    let error = builds.start(&request()).await.unwrap_err();
    assert!(error.to_string().starts_with("ResourceNotFoundException"), "{error:?}");
    assert_eq!(error.what_to_do().as_deref(), Some("create the project first: paceline project apply"));
}

#[tokio::test(start_paused = true)]
async fn the_phases_of_a_running_build_end_now() {
    let (_world, builds) = world(SimOptions::default()).await;
    let id = builds.start(&request()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(70)).await;
    let phases = builds.current(&id).await.unwrap().phases;
    let last = phases.last().unwrap();
    assert_eq!((last.name.as_str(), last.status.as_deref()), ("BUILD", None));
    assert!((13.0..15.0).contains(&last.duration_s), "{last:?}");
    assert!(builds.current("app:none").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_failed_build_is_repeated_up_to_the_limit_and_each_knows_the_builds_before() {
    let faults = Faults { builds_fail: true, ..Faults::default() };
    let (world, builds) = world(SimOptions { faults, ..SimOptions::default() }).await;
    let first = builds.start(&request()).await.unwrap();
    builds.follow(&first, |_| {}).await.unwrap();
    assert_eq!(builds.current(&first).await.unwrap().repeats, None);
    let client = aws_sdk_codebuild::Client::new(&world.config().await);
    let listed = client.list_builds_for_project().project_name("app").send().await.unwrap();
    // The project of these tests allows one repetition.
    let [second, last] = listed.ids() else { panic!("{listed:?}") };
    assert_eq!(*last, first);
    assert_eq!(builds.current(second).await.unwrap().repeats, Some(first.clone()));
    assert_eq!(builds.repeated(second).await.unwrap(), [second.clone(), first.clone()]);
    // A person who retries a build makes a new attempt.
    let again = client.retry_build().id(&first).send().await.unwrap();
    let again = again.build_value().and_then(|build| build.id()).unwrap();
    assert_eq!(builds.current(again).await.unwrap().repeats, None);
}

#[tokio::test(start_paused = true)]
async fn a_rule_starts_builds_of_the_given_source_while_it_is_enabled() {
    let (world, builds) = world(SimOptions { durations: slow_durations(), ..SimOptions::default() }).await;
    world.sim.put_rule(ACCOUNT, REGION, "app-wake", "app");
    let rule = WakeRule::open(&world.wire, "app-wake").await.unwrap();
    let client = aws_sdk_codebuild::Client::new(&world.config().await);
    let started = async || {
        let listed = client.list_builds_for_project().project_name("app").send().await.unwrap();
        listed.ids().to_vec()
    };
    let mut app = App::of("Own", &slow("1"));
    world.run(&app, How::default()).await;
    assert_eq!(started().await, [""; 0], "the rule is disabled");

    // The build has what the run says: the same source, and the run to continue.
    let request = BuildRequest { source_version: Some("v1".to_owned()), ..request() };
    let first = builds.start(&request).await.unwrap();
    let mut next = builds.current(&first).await.unwrap().again;
    next["environmentVariablesOverride"] = json!([{ "name": "RUN", "value": "r", "type": "PLAINTEXT" }]);
    rule.enable(&next).await.unwrap();
    app.change("Own", &slow("2"));
    world.run(&app, How::default()).await;
    rule.disable().await.unwrap();
    let all = started().await;
    // The newest build comes first. This rule matches every status of the update, so it may start several.
    let [by_rule @ .., oldest] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(*oldest, first);
    assert!(!by_rule.is_empty());
    let answer = client.batch_get_builds().set_ids(Some(by_rule.to_vec())).send().await.unwrap();
    for build in answer.builds() {
        assert_eq!(build.source_version(), Some("v1"));
        let variables = build.environment().unwrap().environment_variables();
        assert!(variables.iter().any(|it| (it.name(), it.value()) == ("RUN", "r")), "{variables:?}");
    }

    app.change("Own", &slow("3"));
    world.run(&app, How::default()).await;
    assert_eq!(started().await.len(), all.len(), "it is disabled again");
    let error = WakeRule::open(&world.wire, "none").await.unwrap().enable(&next).await.unwrap_err();
    assert!(error.to_string().contains("Rule none does not exist"), "{error}");
}
