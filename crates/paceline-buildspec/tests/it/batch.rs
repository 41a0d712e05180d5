//! Deployments that are divided into several builds.

use std::collections::{BTreeMap, BTreeSet};

use paceline_buildspec::grammar::{Builds, Task};
use paceline_buildspec::{Buildspec, Generation, StackNode, generate};
use paceline_config::{BatchBy, BuildTimeout, SourceType};
use proptest::prelude::*;
use serde_json::Value;

use crate::{file, snapshot, workshop};

fn stack(id: &str, region: &str, images: usize, depends_on: &[usize]) -> StackNode {
    let account = "111122223333".into();
    StackNode { id: id.into(), account, region: region.into(), images, depends_on: depends_on.to_vec() }
}

/// Two Regions that depend on each other in both directions.
fn both_ways(by: BatchBy) -> Generation {
    let mut generation = workshop();
    generation.codebuild.batch = Some(by);
    generation.graph = vec![
        stack("Services", "us-east-1", 0, &[]),
        stack("ServicesSecondary", "us-west-2", 0, &[]),
        stack("Peering", "us-east-1", 0, &[0, 1]),
        stack("RoutesSecondary", "us-west-2", 0, &[1, 2]),
        stack("Traffic", "us-east-1", 2, &[0]),
        stack("Dashboard", "us-east-1", 0, &[0, 3, 4]),
    ];
    generation
}

fn tasks(generation: &Generation) -> Vec<Task> {
    let batch = Buildspec::read(&file(generation, ".batch.yml")).unwrap().buildspec.batch.unwrap();
    match batch.builds {
        Builds::Graph(tasks) => tasks,
        other => panic!("{other:?}"),
    }
}

/// Checks the builds of a batch, each as `identifier: stacks <- the builds that it waits for`.
#[track_caller]
fn check(by: BatchBy, expected: &[&str]) {
    let line = |task: Task| {
        let (only, on) = (&task.env.variables["PACELINE_ONLY"], task.depend_on.join(" "));
        let on = if on.is_empty() { on } else { format!(" <- {on}") };
        format!("{}: {only}{on}", task.identifier)
    };
    assert_eq!(tasks(&both_ways(by)).into_iter().map(line).collect::<Vec<_>>(), expected);
}

#[test]
fn regions_that_need_each_other_are_divided_into_builds_that_do_not() {
    check(
        BatchBy::Regions,
        &[
            "us_east_1_1: Services,Traffic",
            "us_west_2_1: ServicesSecondary",
            "us_east_1_2: Peering <- us_east_1_1 us_west_2_1",
            "us_west_2_2: RoutesSecondary <- us_east_1_2",
            "us_east_1_3: Dashboard <- us_west_2_2",
        ],
    );
}

#[test]
fn a_stack_with_images_waits_only_for_its_dependencies() {
    check(
        BatchBy::Images,
        &[
            "before_images: Services",
            "others_1: ServicesSecondary",
            "Traffic: Traffic <- before_images",
            "others_2: Peering,RoutesSecondary <- before_images others_1",
            "others_3: Dashboard <- Traffic others_2",
        ],
    );
}

#[test]
fn the_buildspecs_of_a_batch_match_their_snapshots() {
    snapshot("workshop.batch.yml", &file(&both_ways(BatchBy::Regions), ".batch.yml"));
    snapshot("workshop.batch.deploy.yml", &file(&both_ways(BatchBy::Regions), ".yml"));
}

#[test]
fn every_task_runs_the_deploy_buildspec_with_docker_if_the_project_has_it() {
    for task in tasks(&both_ways(BatchBy::Regions)) {
        assert_eq!(task.buildspec.as_deref(), Some("buildspecs/workshop.yml"));
        assert!(task.env.privileged_mode);
        let is_secondary = task.identifier.starts_with("us_west_2");
        assert_eq!(task.env.variables.contains_key("PACELINE_SECONDARY"), is_secondary);
    }
}

#[test]
fn the_project_of_a_batch_has_a_second_role_and_a_longer_limit() {
    let generation = both_ways(BatchBy::Regions);
    let project: Value = serde_json::from_str(&file(&generation, ".project.json")).unwrap();
    // The limit covers four builds one after another, and the build that reads the graph.
    assert_eq!(project["buildBatchConfig"]["timeoutInMins"], 5 * 240);
    let template = file(&generation, ".project.yaml");
    let template = paceline_buildspec::yaml::parse(&template).unwrap().to_json();
    let role =
        &template["Resources"]["BatchRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0];
    let actions: Vec<_> =
        role["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap()).collect();
    assert_eq!(actions, ["codebuild:RetryBuild", "codebuild:StartBuild", "codebuild:StopBuild"]);
    assert!(role["Resource"][0]["Fn::Sub"].as_str().unwrap().ends_with(":project/workshop"));
    assert!(template["Resources"]["ServiceRole"].is_object());
    assert_eq!(project["source"]["buildspec"], "buildspecs/workshop.yml");
}

#[test]
fn a_pipeline_starts_the_batch_from_the_buildspec_of_the_project() {
    let mut generation = both_ways(BatchBy::Regions);
    (generation.codebuild.source, generation.codebuild.location) = (SourceType::Codepipeline, None);
    let project: Value = serde_json::from_str(&file(&generation, ".project.json")).unwrap();
    assert_eq!(project["source"]["buildspec"], "buildspecs/workshop.batch.yml");
}

#[test]
fn an_id_that_cannot_be_in_a_list_is_refused() {
    let mut generation = both_ways(BatchBy::Regions);
    generation.graph[0].id = "a,b".into();
    let error = generate(&generation).unwrap_err();
    assert!(error.to_string().contains("`a,b` has a comma"), "{error}");
    assert_eq!(error.setting(), Some("codebuild.batch"));
}

#[test]
fn a_batch_is_refused_if_a_region_comes_first() {
    let error = generate(&Generation { rollout: true, ..both_ways(BatchBy::Regions) }).unwrap_err();
    assert!(error.to_string().contains("each build of a batch sees only its own stacks"), "{error}");
    assert_eq!(error.setting(), Some("rollout"));
}

fn graphs() -> impl Strategy<Value = Vec<StackNode>> {
    let node = (0..3usize, 0..3usize, proptest::collection::vec(any::<proptest::sample::Index>(), 0..4));
    proptest::collection::vec(node, 1..30).prop_map(|nodes| {
        let node = |(number, (region, images, on)): (usize, (usize, usize, Vec<proptest::sample::Index>))| {
            // Pairs of these ids become the same identifier.
            let id = format!("Stack{}{}", if number % 2 == 0 { "-" } else { "/" }, number / 2);
            let on = if number == 0 { Vec::new() } else { on.iter().map(|on| on.index(number)).collect() };
            stack(&id, ["eu-west-1", "eu-west_1", "us-east-1"][region], images / 2, &on)
        };
        nodes.into_iter().enumerate().map(node).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// For any graph, a batch deploys each stack once, after everything that it waits for, and no two of its
    /// builds wait for each other.
    #[test]
    fn a_batch_keeps_the_order_of_the_stacks(graph in graphs(), images in any::<bool>()) {
        let mut generation = workshop();
        generation.codebuild.batch = Some(if images { BatchBy::Images } else { BatchBy::Regions });
        generation.codebuild.timeout = BuildTimeout::from_minutes(5);
        generation.graph = graph.clone();
        let mut behind: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut task_of: BTreeMap<String, String> = BTreeMap::new();
        for task in tasks(&generation) {
            prop_assert!(task.identifier.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
            // A task is written after those that it waits for, so that there is no cycle.
            let mut all = BTreeSet::new();
            for on in &task.depend_on {
                let further = behind.get(on);
                prop_assert!(further.is_some(), "{} waits for {on}, which comes later", task.identifier);
                all.extend(further.into_iter().flatten().cloned().chain([on.clone()]));
            }
            for id in task.env.variables["PACELINE_ONLY"].split(',') {
                prop_assert!(task_of.insert(id.to_owned(), task.identifier.clone()).is_none(), "{id} twice");
            }
            prop_assert!(behind.insert(task.identifier.clone(), all).is_none(), "{} twice", task.identifier);
        }
        prop_assert_eq!(task_of.len(), graph.len());
        for node in &graph {
            for on in &node.depends_on {
                let (own, other) = (&task_of[&node.id], &task_of[&graph[*on].id]);
                prop_assert!(own == other || behind[own].contains(other), "{} before {}", node.id, graph[*on].id);
            }
        }
    }
}
