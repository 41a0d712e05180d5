//! The state machine for many environments: its levels, its definition and its template.

use std::collections::BTreeSet;

use paceline_buildspec::{Generation, StackNode, generate, yaml};
use paceline_config::{FanOut, SourceType};
use paceline_text::Explained as _;
use serde_json::{Value, json};

use crate::states::{Ended, run};
use crate::{cfn_lint, file, snapshot, workshop};

fn stack(id: &str, account: &str, region: &str, depends_on: &[usize]) -> StackNode {
    let depends_on = depends_on.to_vec();
    StackNode { id: id.into(), account: account.into(), region: region.into(), images: 0, depends_on }
}

const HUB: &str = "111111111111";
const A: &str = "222222222222";
const B: &str = "333333333333";

/// A hub that two accounts need, one of them with a stack that needs the other.
fn hub_and_spokes() -> Generation {
    let graph = vec![
        stack("Hub", HUB, "us-east-1", &[]),
        stack("HubLogs", HUB, "us-west-2", &[]),
        stack("ShopA", A, "us-east-1", &[0]),
        stack("DataA", A, "us-east-1", &[2]),
        stack("ShopB", B, "us-east-1", &[0]),
        stack("PeerB", B, "us-east-1", &[2, 4]),
    ];
    Generation { graph, fan_out: Some(FanOut::default()), multi_region: None, ..workshop() }
}

fn definition(generation: &Generation) -> Value {
    serde_json::from_str(&file(generation, ".fan-out.asl.json")).unwrap()
}

fn input() -> Value {
    json!({ "sourceVersion": "abc123" })
}

/// The value of a variable in a `StartBuild`.
fn variable<'a>(parameters: &'a Value, name: &str) -> &'a str {
    let variables = parameters["EnvironmentVariablesOverride"].as_array().unwrap();
    variables.iter().find(|it| it["Name"] == name).unwrap()["Value"].as_str().unwrap()
}

fn build_id(number: usize) -> String {
    format!("workshop:00000000-0000-4000-8000-{number:012}")
}

/// Runs the state machine. Builds of these stacks fail.
fn executed(generation: &Generation, failing: &[&str]) -> (Vec<String>, Ended) {
    let mut started = Vec::new();
    let ended = run(&definition(generation), input(), &mut |resource, parameters| {
        assert_eq!(resource, "arn:aws:states:::codebuild:startBuild.sync");
        assert_eq!(parameters["ProjectName"], "workshop");
        assert_eq!(parameters["SourceVersion"], "abc123");
        let only = variable(parameters, "PACELINE_ONLY").to_owned();
        let fails = failing.contains(&only.as_str());
        started.push(only);
        let build = json!({ "Build": { "Id": build_id(started.len()), "BuildStatus": "SUCCEEDED" } });
        if fails { Err("States.TaskFailed".to_owned()) } else { Ok(build) }
    });
    (started, ended)
}

#[test]
fn the_files_of_a_state_machine_match_their_snapshots() {
    snapshot("fan-out.asl.json", &file(&hub_and_spokes(), ".fan-out.asl.json"));
    snapshot("fan-out.yaml", &file(&hub_and_spokes(), ".fan-out.yaml"));
}

#[test]
fn legs_run_after_the_legs_that_they_need() {
    let (started, ended) = executed(&hub_and_spokes(), &[]);
    // The hub's regions, then what only needs the hub, then what needs another account, too.
    assert_eq!(started, ["Hub", "region:us-west-2", "account:222222222222", "ShopB", "PeerB"]);
    let Ended::Succeeded(report) = ended else { panic!("{ended:?}") };
    assert_eq!(report["outcome"], "deployed");
    assert_eq!(report["levels"].as_array().unwrap().len(), 3);
    let leg = &report["levels"][1][0];
    assert_eq!(
        *leg,
        json!({ "environment": "222222222222/us-east-1", "stacks": 2, "outcome": "deployed", "build": build_id(3) })
    );
}

#[test]
fn a_failed_leg_ends_no_other_leg_of_its_level_and_no_later_level_starts() {
    let (started, ended) = executed(&hub_and_spokes(), &["account:222222222222"]);
    assert_eq!(started, ["Hub", "region:us-west-2", "account:222222222222", "ShopB"]);
    let Ended::Failed(error, report) = ended else { panic!("{ended:?}") };
    assert_eq!(error, "Paceline.Failed");
    assert_eq!(report["outcome"], "failed");
    let outcomes: Vec<_> =
        report["levels"][1].as_array().unwrap().iter().map(|leg| &leg["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "deployed"]);
    assert_eq!(report["levels"][1][0]["error"], "States.TaskFailed");
    assert!(report["levels"].get(2).is_none());
}

#[test]
fn every_build_deploys_the_same_source_or_none_starts() {
    let ended = run(&definition(&hub_and_spokes()), json!({}), &mut |_, _| panic!("a build was started"));
    assert_eq!(ended, Ended::Failed("Paceline.NoSourceVersion".to_owned(), json!({})));
}

/// What is wrong with the structure of a state machine: states that are not there, are never reached, or do not end.
fn problems(machine: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let states = machine["States"].as_object().unwrap();
    let mut reached = BTreeSet::new();
    let mut open = vec![name_of(&machine["StartAt"]).to_owned()];
    while let Some(name) = open.pop() {
        let Some(state) = states.get(&name) else {
            found.push(format!("there is no state {name}"));
            continue;
        };
        if !reached.insert(name.clone()) {
            continue;
        }
        let mut next: Vec<&Value> = ["Next", "Default"].iter().filter_map(|key| state.get(key)).collect();
        for list in ["Choices", "Catch"] {
            next.extend(state[list].as_array().into_iter().flatten().filter_map(|it| it.get("Next")));
        }
        let ends = state["End"] == true;
        let is_last = matches!(name_of(&state["Type"]), "Fail" | "Succeed");
        let is_choice = state["Type"] == "Choice";
        if usize::from(ends) + usize::from(is_last) + usize::from(state.get("Next").is_some() || is_choice)
            != 1
        {
            found.push(format!("the state {name} has not exactly one way on"));
        }
        open.extend(next.into_iter().map(|it| name_of(it).to_owned()));
        if state["Type"] == "Map" {
            found.extend(problems(&state["ItemProcessor"]));
        }
        if name.chars().count() > 80 {
            found.push(format!("the name of the state {name} is too long"));
        }
    }
    let unreached = states.keys().filter(|name| !reached.contains(*name));
    found.extend(unreached.map(|name| format!("the state {name} is never reached")));
    found
}

fn name_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn the_structure_of_the_definition_is_sound() {
    for generation in [hub_and_spokes(), Generation { fan_out: Some(FanOut::default()), ..workshop() }] {
        let machine = definition(&generation);
        assert_eq!(problems(&machine), [""; 0]);
        let broken = json!({ "StartAt": "A", "States": {
            "A": { "Type": "Pass", "Next": "C" }, "B": { "Type": "Pass", "End": true } } });
        assert_eq!(problems(&broken), ["there is no state C", "the state B is never reached"]);
    }
}

#[test]
fn the_template_has_the_same_definition_and_its_role_only_this_project() {
    let template = yaml::parse(&file(&hub_and_spokes(), ".fan-out.yaml")).unwrap().to_json();
    let text =
        template["Resources"]["Machine"]["Properties"]["DefinitionString"]["Fn::Sub"].as_str().unwrap();
    let inside: Value = serde_json::from_str(&text.replace("${AWS::Partition}", "aws")).unwrap();
    assert_eq!(inside, definition(&hub_and_spokes()));
    let policy = &template["Resources"]["MachineRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    for statement in policy["Statement"].as_array().unwrap() {
        for resource in statement["Resource"].as_array().unwrap() {
            let arn = resource["Fn::Sub"].as_str().unwrap();
            let is_own = arn.contains("project/workshop") || arn.contains(":workshop-fan-out");
            assert!(is_own || arn.ends_with("StepFunctionsGetEventForCodeBuildStartBuildRule"), "{arn}");
        }
    }
}

#[test]
fn a_build_deploys_the_stacks_of_its_leg() {
    let buildspec = file(&hub_and_spokes(), ".yml");
    assert!(buildspec.contains("if [ -n \"${PACELINE_ONLY:-}\" ]; then"), "{buildspec}");
    assert!(buildspec.contains("\"${only[@]}\""), "{buildspec}");
    assert!(buildspec.contains("--name workshop --fan-out\n"), "{buildspec}");
    assert!(!file(&workshop(), ".yml").contains("PACELINE_ONLY"));
}

/// Accounts with so many stacks in each of these Regions. The stacks of a Region need those of the Region before it.
fn accounts(count: u64, stacks: usize, regions: &[&str]) -> Generation {
    let mut graph = Vec::new();
    for account in (0..count).map(|number| format!("{:012}", 100_000_000_000 + number)) {
        for (at, region) in regions.iter().enumerate() {
            for _ in 0..stacks {
                let id = format!("Stack{}", graph.len());
                let needs = if at == 0 { Vec::new() } else { vec![graph.len() - stacks] };
                graph.push(stack(&id, &account, region, &needs));
            }
        }
    }
    Generation { graph, ..hub_and_spokes() }
}

#[test]
fn five_hundred_accounts_of_twenty_stacks_fit() {
    let (started, ended) = executed(&accounts(500, 20, &["us-east-1"]), &[]);
    assert_eq!(started.len(), 500);
    assert!(matches!(ended, Ended::Succeeded(_)), "{ended:?}");
}

#[test]
fn the_results_of_all_levels_must_fit_beside_the_legs_of_the_last() {
    let both = ["us-east-1", "us-west-2"];
    let (started, ended) = executed(&accounts(650, 1, &both), &[]);
    assert_eq!(started.len(), 1300);
    assert!(matches!(ended, Ended::Succeeded(_)), "{ended:?}");
    // Each level alone would fit.
    executed(&accounts(900, 1, &both[..1]), &[]);
    let error = generate(&accounts(900, 1, &both)).unwrap_err();
    assert!(error.to_string().contains("the legs of level 2 and the results up to it take"), "{error}");
}

#[test]
fn the_command_for_a_template_that_is_too_long_for_a_call_uploads_it() {
    for (count, uploads) in [(350, false), (400, true)] {
        let template = file(&accounts(count, 1, &["us-east-1"]), ".fan-out.yaml");
        assert_eq!(template.len() > 51_200, uploads, "{}", template.len());
        assert_eq!(template.contains("CAPABILITY_IAM --s3-bucket BUCKET\n"), uploads, "{template}");
    }
}

#[test]
fn what_cannot_be_divided_is_refused_with_what_to_do() {
    let refused = |change: &dyn Fn(&mut Generation), says: &str| {
        let mut generation = hub_and_spokes();
        change(&mut generation);
        let error = generate(&generation).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.hint().is_some(), "{error}");
        error.setting()
    };
    let pipeline = |it: &mut Generation| {
        (it.codebuild.source, it.codebuild.location) = (SourceType::Codepipeline, None);
    };
    assert_eq!(refused(&pipeline, "is a pipeline"), Some("codebuild.source"));
    assert_eq!(refused(&|it| it.rollout = true, "each build of a state machine sees only"), Some("rollout"));
    refused(&|it| it.graph.clear(), "there are none");
    refused(&|it| it.graph[0].id = "a,b".into(), "has a comma");
    refused(&|it| it.name = "n".repeat(75), "Step Functions takes 80");
    let wide = |it: &mut Generation| {
        let id = |n: usize| format!("{}{n}", "x".repeat(200));
        it.graph = (0..2000).map(|n| stack(&id(n), &format!("{:012}", n % 2), "r", &[])).collect();
        it.graph.push(stack("Last", "000000000000", "s", &[]));
        it.graph.push(stack("Last2", "000000000001", "s", &[]));
    };
    refused(&wide, "the legs of level 1 and the results up to it take");
}

#[test]
fn cfn_lint_finds_nothing_in_the_template_of_a_state_machine() {
    let template = file(&hub_and_spokes(), ".fan-out.yaml");
    cfn_lint::check(&[("fan-out.yaml".to_owned(), template)]);
}
