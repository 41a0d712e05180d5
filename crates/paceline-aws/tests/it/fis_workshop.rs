//! The workshop that the project was made for. It deploys with the edges of its plan. Without any one of the
//! edges that the simulator can check, it fails, as it would on AWS.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_aws::{Images, MissingFiles};
use paceline_config::Config;
use paceline_engine::Outcome;
use paceline_host::Commands;
use paceline_plan::{Plan, PlanOptions};
use paceline_sim::{Durations, Operation, SimOptions};
use serde_json::json;

use crate::app::App;
use crate::world::{How, Ran, World};

const CONFIG: &str = include_str!("../../../../tests/workshop/paceline.yaml");
const SLOW: &str = "Custom::SlowOfTest";

/// The edges that no other wait replaces: the stack that waits, and the stack that it waits for. The order of
/// the plan's other edges, such as `S3Replica` and Services, is kept by these even if the other edges are
/// lost.
const EDGES: [(&str, &str); 8] = [
    ("Applications", "Services"),
    ("ApplicationsSecondary", "ServicesSecondary"),
    ("NetworkRegionPeering", "ServicesSecondary"),
    ("NetworkRoutesMain", "NetworkRegionPeering"),
    ("NetworkRoutesSecondary", "NetworkRegionPeering"),
    ("ObservabilityDashboard", "NetworkRegionPeering"),
    ("S3Replica", "ServicesSecondary"),
    ("ServicesSecondary", "Services"),
];

/// Both stacks write `/petstore/rumscript`. The waiting stack puts a value into the parameter that the other
/// stack creates. In the other order the creation fails, because the parameter exists already.
const OVERTAKEN: [(&str, &str); 2] =
    [("Observability", "Services"), ("ObservabilitySecondary", "ServicesSecondary")];

/// The edges that no template shows: containers read the values when they start. The simulator runs no
/// containers. On AWS they would find nothing.
const UNSEEN: [(&str, &str); 2] =
    [("UserSimulationStack", "Services"), ("UserSimulationStackSecondary", "ServicesSecondary")];

/// The assembly, if a variable names its folder. It is not part of this project.
fn assembly() -> Option<Utf8PathBuf> {
    let Ok(folder) = std::env::var("PACELINE_ASSEMBLIES") else {
        let why = "PACELINE_ASSEMBLIES names no folder that has the workshop's assembly";
        let _ = writeln!(std::io::stderr().lock(), "\nSKIPPED: {why}");
        return None;
    };
    Some(Utf8Path::new(&folder).join("fis-workshop-multiregion/cdk.out"))
}

/// Deploys the workshop with all edges, or without one. Then the producer begins with a resource that takes
/// far longer than everything else, so that no other wait of the consumer can replace the edge.
async fn deploy(assembly: &Utf8Path, without: Option<(&str, &str)>) -> Ran {
    let mut app = App::copy_of(assembly);
    if let Some((_, to)) = without {
        let mut template = app.json(&format!("{to}.template.json"));
        let resources = template["Resources"].as_object_mut().unwrap();
        for resource in resources.values_mut() {
            let mut after = match resource["DependsOn"].take() {
                serde_json::Value::Array(ids) => ids,
                serde_json::Value::Null => Vec::new(),
                id => vec![id],
            };
            after.push(json!("SlowOfTest"));
            resource["DependsOn"] = json!(after);
        }
        let function = "arn:aws:lambda:us-east-1:123456789012:function:f";
        let slow = json!({ "Type": SLOW, "Properties": { "ServiceToken": function } });
        resources.insert("SlowOfTest".to_owned(), slow);
        app.change(to, &template);
    }
    let world = World::new(SimOptions {
        account: "123456789012".to_owned(),
        // The workshop's other app creates this parameter.
        foreign_parameters: [("/vscode/vsiamrolearn".to_owned(), None)].into(),
        durations: Durations::typical().with(SLOW, Operation::Create, Duration::from_mins(30)),
        ..SimOptions::default()
    });
    let how = How {
        config: CONFIG,
        multi_region: Some("true".to_owned()),
        images: Images::Pretended { build: Duration::from_secs(50), push: Duration::from_secs(10) },
        missing_files: MissingFiles::Pretended,
        commands: Commands::Pretend,
        without: without.map(|(from, to)| (from.to_owned(), to.to_owned())),
        ..How::default()
    };
    world.run(&app, how).await
}

#[test]
fn the_listed_edges_are_those_that_no_other_wait_replaces() {
    let Some(assembly) = assembly() else { return };
    let config = Config::parse(CONFIG, Utf8Path::new("paceline.yaml")).unwrap();
    let options = PlanOptions { multi_region: Some("true".to_owned()), ..PlanOptions::default() };
    let plan = Plan::make(&App::copy_of(&assembly).read(), &config, &options).unwrap();
    let graph = plan.step_graph();
    let mut found = BTreeSet::new();
    for (number, stack) in plan.stacks.iter().enumerate() {
        let step = plan.deploy_step(number).unwrap();
        for &need in graph.needs(step) {
            let Some(to) = plan.steps[need].work.stack() else { continue };
            if !graph.needs(step).iter().any(|&other| other != need && graph.all_needs(other)[need]) {
                found.insert((stack.id.as_str(), plan.stacks[to].id.as_str()));
            }
        }
    }
    assert_eq!(found, EDGES.into_iter().chain(OVERTAKEN).chain(UNSEEN).collect());
}

#[tokio::test(start_paused = true)]
async fn the_workshop_deploys_with_its_edges_and_fails_without_any_visible_one() {
    let Some(assembly) = assembly() else { return };
    Box::pin(deploy(&assembly, None)).await.check_all(Outcome::Deployed);
    for (from, to) in EDGES {
        let ran = Box::pin(deploy(&assembly, Some((from, to)))).await;
        let finished = ran.stack(from);
        let failed = matches!(finished.outcome, Outcome::Failed | Outcome::RolledBack);
        assert!(failed, "{from} without waiting for {to}: {:?}", finished.outcome);
        let message = &ran.cause(from).message;
        let is_what_aws_says =
            ["ParameterNotFound", "Unable to fetch parameters", "CustomResource attribute"]
                .iter()
                .any(|reason| message.contains(reason));
        assert!(is_what_aws_says, "{from} without waiting for {to}: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_parameter_that_is_overwritten_before_it_is_created_fails_its_creation() {
    let Some(assembly) = assembly() else { return };
    for (from, to) in OVERTAKEN {
        let ran = Box::pin(deploy(&assembly, Some((from, to)))).await;
        assert_eq!(ran.stack(to).outcome, Outcome::RolledBack, "{from} without waiting for {to}");
        let message = &ran.cause(to).message;
        assert!(message.contains("'/petstore/rumscript' already exists"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_simulator_does_not_see_the_reads_of_containers() {
    let Some(assembly) = assembly() else { return };
    for (from, to) in UNSEEN {
        let ran = Box::pin(deploy(&assembly, Some((from, to)))).await;
        ran.check_all(Outcome::Deployed);
        assert_eq!(ran.stack(from).outcome, Outcome::Deployed, "{from} without waiting for {to}");
    }
}
