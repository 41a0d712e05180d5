//! The graph from the templates is the one that AWS requires. Every app deploys with the edges of the graph,
//! and fails without any one of them.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_config::Config;
use paceline_engine::Outcome;
use paceline_plan::{Plan, PlanOptions, Reason};
use paceline_sim::{Durations, Operation, SimOptions};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::app::{ACCOUNT, App, REGION};
use crate::world::{How, World};

const OTHER_REGION: &str = "us-west-2";

/// The ways in which templates connect stacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tie {
    Import,
    Output,
    Parameter,
    DynamicReference,
    /// A custom resource that reads a parameter with the AWS SDK.
    Call,
    CrossRegion,
    Image,
}

const TIES: [Tie; 7] = [
    Tie::Import,
    Tie::Output,
    Tie::Parameter,
    Tie::DynamicReference,
    Tie::Call,
    Tie::CrossRegion,
    Tie::Image,
];

impl Tie {
    fn reason(self) -> Reason {
        match self {
            Self::Import => Reason::Import,
            Self::Output => Reason::Output,
            Self::Parameter | Self::DynamicReference | Self::Call => Reason::Ssm,
            Self::CrossRegion => Reason::CrossRegion,
            Self::Image => Reason::Image,
        }
    }

    /// Returns whether the tie only works within a region.
    fn stays_in_its_region(self) -> bool {
        matches!(self, Self::Import | Self::Parameter | Self::DynamicReference)
    }
}

/// An app without any edge in its manifest. Each stack has a region and ties to earlier stacks.
#[derive(Debug, Clone)]
struct Shape {
    stacks: Vec<(bool, Vec<(usize, Tie)>)>,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let tie = (any::<prop::sample::Index>(), prop::sample::select(TIES.to_vec()));
    let stack = (any::<bool>(), prop::collection::vec(tie, 0..3));
    prop::collection::vec(stack, 2..6).prop_map(|stacks| {
        let regions: Vec<bool> = stacks.iter().map(|(region, _)| *region).collect();
        let resolve = |number: usize, ties: Vec<(prop::sample::Index, Tie)>| {
            let ties =
                ties.into_iter().filter(|_| number > 0).map(|(to, tie)| (to.index(number.max(1)), tie));
            let same = |to: usize| regions[to] == regions[number];
            ties.filter(|&(to, tie)| same(to) || !tie.stays_in_its_region())
                .filter(|&(to, tie)| tie != Tie::CrossRegion || !same(to))
                .collect()
        };
        Shape {
            stacks: stacks
                .into_iter()
                .enumerate()
                .map(|(number, (region, ties))| (region, resolve(number, ties)))
                .collect(),
        }
    })
}

fn region(other: bool) -> &'static str {
    if other { OTHER_REGION } else { REGION }
}

fn function() -> &'static str {
    "arn:aws:lambda:us-east-1:111111111111:function:f"
}

impl Shape {
    fn app(&self) -> App {
        let stacks = self.stacks.iter().enumerate();
        stacks.fold(App::new(), |app, (number, (other, ties))| {
            let environment = format!("aws://{ACCOUNT}/{}", region(*other));
            app.stack_with(
                &format!("S{number}"),
                &self.template(number, ties),
                &json!({ "environment": environment }),
            )
        })
    }

    /// Everything that other stacks may read comes after a slow resource. Everything that the stack itself
    /// reads is read at once.
    fn template(&self, number: usize, ties: &[(usize, Tie)]) -> Value {
        let mut resources = json!({
            "Slow": { "Type": slow(&format!("S{number}")), "Properties": { "ServiceToken": function() } },
            "Stored": { "Type": "AWS::SSM::Parameter", "DependsOn": "Slow", "Properties": {
                "Type": "String", "Name": format!("/app/s{number}"), "Value": "v" } },
            "Images": { "Type": "AWS::ECR::Repository", "DependsOn": "Slow", "Properties": {
                "RepositoryName": format!("app/s{number}") } },
        });
        let mut parameters = Map::new();
        for (at, &(to, tie)) in ties.iter().enumerate() {
            let id = format!("Reads{at}");
            let place = region(self.stacks[to].0);
            let holds =
                |value: Value| json!({ "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": value } });
            resources[&id] = match tie {
                Tie::Import => holds(json!({ "Fn::ImportValue": format!("S{to}:Out") })),
                Tie::Output => holds(json!({ "Fn::GetStackOutput": {
                    "StackName": format!("S{to}"), "OutputName": "Out", "Region": place } })),
                Tie::DynamicReference => holds(json!(format!("{{{{resolve:ssm:/app/s{to}}}}}"))),
                Tie::Parameter => {
                    let parameter = json!({
                        "Type": "AWS::SSM::Parameter::Value<String>", "Default": format!("/app/s{to}") });
                    parameters.insert(format!("Given{at}"), parameter);
                    holds(json!({ "Ref": format!("Given{at}") }))
                }
                Tie::Call => {
                    let call = json!({ "service": "SSM", "action": "getParameter", "region": place,
                        "parameters": { "Name": format!("/app/s{to}") }, "physicalResourceId": { "id": "x" } });
                    json!({ "Type": "Custom::AWS", "Properties": {
                        "ServiceToken": function(), "Create": call.to_string(), "Update": call.to_string() } })
                }
                Tie::CrossRegion => {
                    let name = format!("/cdk/exports/S{number}/{to}");
                    json!({ "Type": "Custom::CrossRegionExportReader", "Properties": {
                        "ServiceToken": function(), "ReaderProps": { "region": region(self.stacks[number].0),
                            "imports": { &name: format!("{{{{resolve:ssm:{name}}}}}") } } } })
                }
                Tie::Image => json!({ "Type": "AWS::Lambda::Function", "Properties": {
                    "PackageType": "Image", "Role": "arn:aws:iam::111111111111:role/outside",
                    "Code": { "ImageUri": format!("{ACCOUNT}.dkr.ecr.{place}.amazonaws.com/app/s{to}:latest") } } }),
            };
        }
        // The export writer for each stack that reads this one from another region.
        for (reader, (other, ties)) in self.stacks.iter().enumerate() {
            if ties.contains(&(number, Tie::CrossRegion)) {
                resources[format!("Writes{reader}")] = json!({
                    "Type": "Custom::CrossRegionExportWriter", "DependsOn": "Slow", "Properties": {
                        "ServiceToken": function(), "WriterProps": { "region": region(*other), "prefix": "p",
                            "exports": { format!("/cdk/exports/S{reader}/{number}"): "v" } } } });
            }
        }
        json!({
            "Parameters": parameters,
            "Resources": resources,
            "Outputs": { "Out": { "Value": "v", "Export": { "Name": format!("S{number}:Out") } } },
        })
    }

    /// The ties as `from, to, reason`.
    fn expected(&self) -> BTreeSet<(String, String, Reason)> {
        let ties = self
            .stacks
            .iter()
            .enumerate()
            .flat_map(|(from, (_, ties))| ties.iter().map(move |tie| (from, tie)));
        ties.map(|(from, (to, tie))| (format!("S{from}"), format!("S{to}"), tie.reason())).collect()
    }
}

/// The type of the slow resource of a stack.
fn slow(stack: &str) -> String {
    format!("Custom::Slow{stack}")
}

/// Deploys the app with all edges, or without one. Then the producer takes far longer than everything else,
/// so that no other wait of the consumer can replace the edge.
async fn deploy(app: &App, without: Option<(String, String)>) -> crate::world::Ran {
    let mut durations = Durations::typical();
    if let Some((_, to)) = &without {
        durations = durations.with(&slow(to), Operation::Create, Duration::from_hours(1));
    }
    let world = World::new(SimOptions { foreign_repositories: false, durations, ..SimOptions::default() });
    world.run(app, How { without, ..How::default() }).await
}

fn check(shape: &Shape) -> Result<(), TestCaseError> {
    let app = shape.app();
    let plan = Plan::make(&app.read(), &Config::default(), &PlanOptions::default()).unwrap();
    let edges = plan.stacks.iter().flat_map(|stack| &stack.depends_on);
    let found: BTreeSet<_> = edges.map(|edge| (edge.from.clone(), edge.to.clone(), edge.reason)).collect();
    prop_assert_eq!(found, shape.expected(), "the edges that the templates hold, and no others");

    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let ran = runtime().block_on(Box::pin(deploy(&app, None)));
    ran.check_all(Outcome::Deployed);

    // Returns whether the stack still waits indirectly, through another stack.
    let graph = plan.step_graph();
    for stack in 0..plan.stacks.len() {
        let step = plan.deploy_step(stack).unwrap();
        for &need in graph.needs(step) {
            let others = graph.needs(step).iter().filter(|&&other| other != need);
            let Some(to) = plan.steps[need].work.stack() else { continue };
            if others.clone().any(|&other| graph.all_needs(other)[need]) {
                continue;
            }
            let edge = (plan.stacks[stack].id.clone(), plan.stacks[to].id.clone());
            let ran = runtime().block_on(Box::pin(deploy(&app, Some(edge.clone()))));
            let outcome = ran.stack(&edge.0).outcome;
            prop_assert!(
                matches!(outcome, Outcome::Failed | Outcome::RolledBack),
                "without {} waiting for {} it is {:?}",
                edge.0,
                edge.1,
                outcome
            );
        }
    }
    Ok(())
}

#[test]
fn any_app_deploys_with_its_edges_and_fails_without_any_one_of_them() {
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config).run(&shapes(), |shape| check(&shape)).unwrap();
}

#[test]
fn an_app_that_ignores_any_kind_of_tie_fails() {
    for tie in TIES {
        let other = tie == Tie::CrossRegion;
        let shape = Shape { stacks: vec![(false, vec![]), (other, vec![(0, tie)])] };
        check(&shape).unwrap_or_else(|error| panic!("{tie:?}: {error}"));
    }
}
