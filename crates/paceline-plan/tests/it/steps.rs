//! Assets and gates: what is published once, and what waits for what.

use paceline_config::IamRoles;
use paceline_plan::{Gate, Plan, Work};
use serde_json::{Value, json};

use crate::build::{App, empty, resources, warnings};

fn shown(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            let needs: Vec<&str> = step.needs.iter().map(|&need| plan.steps[need].id.as_str()).collect();
            format!("{} <- {}", step.id, needs.join(" "))
        })
        .collect()
}

fn role() -> Value {
    resources(json!({ "Role": { "Type": "AWS::IAM::Role", "Properties": { "RoleName": "reader" } } }))
}

fn file_asset(name: &str, region: &str) -> Value {
    let destination = json!({
        "bucketName": format!("assets-{region}"), "objectKey": format!("{name}.zip"), "region": region,
    });
    json!({ "source": { "path": name, "packaging": "zip" }, "destinations": { "here": destination } })
}

#[test]
fn an_asset_of_two_stacks_is_published_once_for_each_place() {
    let manifest = |region: &str| {
        json!({
            "version": "36.0.0",
            "files": { "same": file_asset("same", region) },
            "dockerImages": { "image": {
                "source": { "directory": "image" },
                "destinations": { "here": {
                    "repositoryName": "repo-${AWS::AccountId}-${AWS::Region}", "imageTag": "t", "region": region,
                } },
            } },
        })
    };
    let stack = |app: App, id: &str, region: &str| {
        let assets = format!("{id}.assets");
        let environment = format!("aws://111111111111/{region}");
        app.asset_manifest(&assets, manifest(region)).artifact(
            id,
            json!({ "environment": environment, "dependencies": [assets] }),
            empty(),
        )
    };
    let app = stack(App::default(), "A", "us-east-1");
    let app = stack(stack(app, "B", "us-east-1"), "C", "us-west-2");
    assert_eq!(
        shown(&app.plan()),
        [
            "publish:s3://assets-us-east-1/same.zip <- ",
            "publish:ecr:111111111111/us-east-1/repo-111111111111-us-east-1:t <- ",
            "deploy:A <- publish:s3://assets-us-east-1/same.zip publish:ecr:111111111111/us-east-1/repo-111111111111-us-east-1:t",
            "deploy:B <- publish:s3://assets-us-east-1/same.zip publish:ecr:111111111111/us-east-1/repo-111111111111-us-east-1:t",
            "publish:s3://assets-us-west-2/same.zip <- ",
            "publish:ecr:111111111111/us-west-2/repo-111111111111-us-west-2:t <- ",
            "deploy:C <- publish:s3://assets-us-west-2/same.zip publish:ecr:111111111111/us-west-2/repo-111111111111-us-west-2:t",
        ]
    );
}

#[test]
fn a_stack_that_makes_the_bucket_comes_before_what_goes_there() {
    let manifest = json!({ "version": "36.0.0", "files": { "f": file_asset("f", "us-east-1") } });
    let app = App::default()
        .after("App", &["App.assets"])
        .stack("Staging", "us-east-1", empty())
        .asset_manifest("App.assets", manifest);
    // The dependency is the asset manifest's.
    let mut assembly = app.assembly();
    let of_app = assembly.stacks.iter_mut().find(|stack| stack.id == "App").unwrap();
    of_app.assets.depends_on = vec!["Staging".into()];
    let plan =
        Plan::make(&assembly, &paceline_config::Config::default(), &paceline_plan::PlanOptions::default());
    assert_eq!(
        shown(&plan.unwrap()),
        [
            "deploy:Staging <- ",
            "publish:s3://assets-us-east-1/f.zip <- deploy:Staging",
            "deploy:App <- deploy:Staging publish:s3://assets-us-east-1/f.zip",
        ]
    );
}

#[test]
fn a_gate_stands_between_a_stack_and_what_waits_for_it() {
    let plan = App::default()
        .stack("A", "us-east-1", role())
        .after("B", &["A"])
        .stack("C", "us-east-1", empty())
        .config("gates: [{ after: A, iam-roles: all }]")
        .plan();
    assert_eq!(
        shown(&plan),
        ["deploy:A <- ", "gate:iam-roles:A <- deploy:A", "deploy:B <- gate:iam-roles:A", "deploy:C <- ",]
    );
    assert!(warnings(&plan).is_empty());
}

#[test]
fn gates_that_wait_for_nothing_are_warned_of() {
    let app = |gates: &str| {
        App::default().stack("A", "us-east-1", role()).stack("B", "us-east-1", empty()).config(gates).plan()
    };
    let plan = app("gates: [{ after: '*', iam-roles: all }]");
    assert_eq!(warnings(&plan), ["gates[0] has nothing to wait for: `B` creates no role"]);
    assert_eq!(plan.steps.len(), 3);
    let plan = app("gates: [{ after: A, iam-roles: [reader, Role, writer] }]");
    assert_eq!(warnings(&plan), ["gates[0]: `A` creates no role that is called `writer`"]);
}

#[test]
fn two_gates_after_one_stack_are_one() {
    let roles = |gates: &str| {
        let plan = App::default().stack("A", "us-east-1", role()).config(gates).plan();
        plan.steps.into_iter().find_map(|step| match step.work {
            Work::Gate { gate: Gate::IamRoles(roles), .. } => Some(roles),
            _ => None,
        })
    };
    assert_eq!(
        roles("gates: [{ after: A, iam-roles: [Role] }, { after: A, iam-roles: [reader] }]"),
        Some(IamRoles::Named(vec!["Role".into(), "reader".into()]))
    );
    assert_eq!(
        roles("gates: [{ after: A, iam-roles: all }, { after: A, iam-roles: [reader] }]"),
        Some(IamRoles::All)
    );
    assert_eq!(
        roles("gates: [{ after: A, iam-roles: [reader] }, { after: A, iam-roles: all }]"),
        Some(IamRoles::All)
    );
}

#[test]
fn the_step_that_deploys_a_stack_is_found() {
    let plan = App::default()
        .stack("A", "us-east-1", role())
        .after("B", &["A"])
        .config("gates: [{ after: A, iam-roles: all }]")
        .plan();
    assert_eq!((plan.deploy_step(0), plan.deploy_step(1), plan.deploy_step(2)), (Some(0), Some(2), None));
}

#[test]
fn an_interrupted_run_is_resumed_by_a_plan_of_the_same_stacks_in_the_same_order() {
    let app = || App::default().stack("A", "us-east-1", empty()).after("B", &["A"]);
    let key = app().plan().resume_key;
    assert_eq!(app().plan().resume_key, key);
    assert_eq!(app().config("concurrency: { stacks: 1 }").plan().resume_key, key);
    assert_ne!(app().stack("C", "us-east-1", empty()).plan().resume_key, key);
    assert_ne!(app().config("on-failure: { rollback: none }").plan().resume_key, key);
    assert_ne!(App::default().stack("A", "us-east-1", role()).after("B", &["A"]).plan().resume_key, key);
}

#[test]
fn a_command_follows_its_stacks_and_their_gates() {
    let plan = App::default()
        .stack("A", "us-east-1", role())
        .stack("B", "us-east-1", empty())
        .stack("C", "us-east-1", empty())
        .config(
            "gates: [{ after: A, iam-roles: all }]\n\
             commands: [{ name: tidy, after: '[AB]', run: ./tidy.sh, dir: scripts }]",
        )
        .plan();
    // What follows its gate follows the stack, and nothing waits for the command.
    assert_eq!(
        shown(&plan),
        [
            "deploy:A <- ",
            "gate:iam-roles:A <- deploy:A",
            "deploy:B <- ",
            "command:0:tidy <- gate:iam-roles:A deploy:B",
            "deploy:C <- "
        ]
    );
    let Work::Command(command) = &plan.steps[3].work else { panic!("not a command") };
    assert_eq!((command.run.as_str(), command.dir.as_str()), ("./tidy.sh", "scripts"));
}

#[test]
fn a_command_whose_stacks_are_left_out_is_left_out_and_said_to_be() {
    let plan = App::default()
        .stack("A", "us-east-1", empty())
        .stack("B", "us-east-1", empty())
        .config("commands: [{ name: tidy, after: B, run: ./tidy.sh }]")
        .options(|options| options.exclude = vec!["B".to_owned()])
        .plan();
    assert_eq!(shown(&plan), ["deploy:A <- "]);
    assert!(warnings(&plan)[0].contains("tidy"), "{:?}", warnings(&plan));
}

/// Every step with what it needs.
fn needs(plan: &Plan) -> Vec<String> {
    let id = |&step: &usize| plan.steps[step].id.as_str();
    let steps = plan.steps.iter();
    steps
        .map(|step| format!("{} <- {}", step.id, step.needs.iter().map(id).collect::<Vec<_>>().join(" ")))
        .collect()
}

#[test]
fn a_command_between_stacks_orders_them() {
    let app = App::pair(empty(), empty())
        .config("commands: [{ name: tag, run: ./tag.sh, after: Producer, before: Consumer }]");
    assert_eq!(
        needs(&app.plan()),
        [
            "deploy:Producer <- ",
            "command:0:tag <- deploy:Producer",
            "deploy:Consumer <- deploy:Producer command:0:tag"
        ]
    );
    app.check_edges(&["Consumer -> Producer config: the command `tag` runs between them"]);
}

#[test]
fn a_command_that_follows_nothing_comes_first() {
    let app = App::pair(empty(), empty()).config("commands: [{ name: login, run: ./login.sh, before: '*' }]");
    assert_eq!(
        needs(&app.plan()),
        ["command:0:login <- ", "deploy:Consumer <- command:0:login", "deploy:Producer <- command:0:login"]
    );
}

#[test]
fn commands_follow_phases_and_each_other() {
    let app = App::pair(empty(), empty()).config(
        "phases: [{ name: all, stacks: ['*'] }]\ncommands:\n  - { name: seed, run: a, after: 'phase:all' }\n  - { name: warm, run: b, after: 'command:seed' }\n",
    );
    assert_eq!(
        needs(&app.plan())[2..],
        [
            "command:0:seed <- deploy:Consumer deploy:Producer",
            "command:1:warm <- deploy:Consumer deploy:Producer command:0:seed"
        ]
    );
}

#[test]
fn a_command_without_a_place_is_refused() {
    let refused = |commands: &str| App::pair(empty(), empty()).config(commands).refused();
    assert_eq!(
        refused("commands: [{ name: tidy, run: x }]"),
        "the command `tidy` does not say when it runs\nhint: add `after`, `before` or both to it"
    );
    assert_eq!(
        refused("commands: [{ name: tidy, run: x, after: 'command:warm' }]"),
        "paceline.yaml:1:41: commands[0]: no earlier command is called `warm`\nhint: declare the other command first"
    );
    assert_eq!(
        refused(
            "phases: [{ name: all, stacks: ['*'] }]\ncommands: [{ name: tidy, run: x, after: 'phase:al' }]"
        ),
        "paceline.yaml:2:41: commands[0]: no phase is called `al`\nhint: did you mean `all`?"
    );
}
