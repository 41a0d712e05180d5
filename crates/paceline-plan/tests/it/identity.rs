//! What a step does, as a digest: whatever decides it changes the digest.
//!
//! The values are taken apart without `..`, so that a new field does not compile until it is changed here too.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_config::{IamRoles, Rollback};
use paceline_plan::{Command, Gate, Plan, PlannedStack, Prewarm, Publish, Step, Synthesize, Work};
use serde_json::{Value, json};

use crate::build::{App, empty};

const CONFIG: &str = r"
gates: [{ after: A, iam-roles: [Role] }]
commands: [{ name: seed, after: A, run: ./seed.sh }]
";

fn plan() -> Plan {
    let role = json!({ "Resources": { "Role": { "Type": "AWS::IAM::Role" } } });
    let mut plan =
        App::default().stack("A", "us-east-1", role).stack("B", "us-east-1", empty()).config(CONFIG).plan();
    let more = [
        Work::Publish(Publish {
            stack: 0,
            manifest: "A".to_owned(),
            asset: "asset".to_owned(),
            destination: "here".to_owned(),
            image: false,
            title: "Site".to_owned(),
        }),
        Work::Delete { stack: 0 },
        Work::Prewarm(Prewarm { stack: 0, repository: "pets".to_owned(), account: None, region: None }),
        Work::Synthesize(Synthesize { app: None, stacks: vec![1], lookups: ["zone".to_owned()].into() }),
    ];
    for work in more {
        plan.steps.push(Step { work, ..plan.steps[0].clone() });
    }
    plan
}

fn changed<T: Clone>(of: &T, change: impl FnOnce(&mut T)) -> T {
    let mut changed = of.clone();
    change(&mut changed);
    changed
}

/// The work with each of its fields changed, by what the field is called.
fn changes(work: &Work) -> Vec<(&'static str, Work)> {
    let more = |text: &str| format!("{text} more");
    match work {
        Work::Publish(it) => {
            // Which stack needs it first says when it is published.
            let Publish { stack: _, manifest, asset, destination, image, title } = it;
            let of = |change: &dyn Fn(&mut Publish)| Work::Publish(changed(it, change));
            vec![
                ("manifest", of(&|it| it.manifest = more(manifest))),
                ("asset", of(&|it| it.asset = more(asset))),
                ("destination", of(&|it| it.destination = more(destination))),
                ("image", of(&|it| it.image = !image)),
                ("title", of(&|it| it.title = more(title))),
            ]
        }
        Work::Deploy { stack } => vec![("stack", Work::Deploy { stack: 1 - stack })],
        Work::Delete { stack } => vec![("stack", Work::Delete { stack: 1 - stack })],
        Work::Gate { stack, gate } => {
            let of = |roles| Work::Gate { stack: *stack, gate: Gate::IamRoles(roles) };
            vec![
                ("stack", Work::Gate { stack: 1 - stack, gate: gate.clone() }),
                ("roles", of(IamRoles::All)),
                ("names of roles", of(IamRoles::Named(vec!["Other".to_owned()]))),
            ]
        }
        Work::Command(it) => {
            // Where it stands in the plan is no part of what it does.
            let Command { name, stack: _, run, shell, dir, env, timeout, retries, scripts } = it;
            assert!(env.is_empty() && scripts.is_empty() && timeout.is_none());
            let of = |change: &dyn Fn(&mut Command)| Work::Command(changed(it, change));
            vec![
                ("name", of(&|it| it.name = more(name))),
                ("run", of(&|it| it.run = more(run))),
                ("shell", of(&|it| it.shell = more(shell))),
                ("dir", of(&|it| it.dir = dir.join("elsewhere"))),
                ("env", of(&|it| it.env = BTreeMap::from([("A".to_owned(), "1".to_owned())]))),
                ("timeout", of(&|it| it.timeout = Some(Duration::from_secs(1)))),
                ("retries", of(&|it| it.retries = retries + 1)),
                ("scripts", of(&|it| it.scripts = BTreeMap::from([("seed.sh".into(), "1".to_owned())]))),
            ]
        }
        Work::Prewarm(it) => {
            // Which stack needs it first says when it is created.
            let Prewarm { stack: _, repository, account: _, region: _ } = it;
            let of = |change: &dyn Fn(&mut Prewarm)| Work::Prewarm(changed(it, change));
            vec![
                ("repository", of(&|it| it.repository = more(repository))),
                ("account", of(&|it| it.account = Some("111111111111".to_owned()))),
                ("region", of(&|it| it.region = Some("eu-west-1".to_owned()))),
            ]
        }
        Work::Synthesize(it) => {
            let Synthesize { app, stacks, lookups } = it;
            assert!(app.is_none() && !lookups.is_empty());
            let of = |change: &dyn Fn(&mut Synthesize)| Work::Synthesize(changed(it, change));
            vec![
                ("app", of(&|it| it.app = Some("app".to_owned()))),
                ("stacks", of(&|it| it.stacks = vec![1 - stacks[0]])),
                ("lookups", of(&|it| it.lookups.clear())),
            ]
        }
    }
}

#[test]
fn every_field_of_every_kind_of_step_decides_what_it_does() {
    let plan = plan();
    let mut kinds: Vec<&str> = Vec::new();
    for step in &plan.steps {
        let before = plan.identity(step);
        assert_eq!(before, plan.identity(&step.clone()));
        assert_ne!(before, plan.identity(&Step { id: format!("{} more", step.id), ..step.clone() }), "id");
        for (field, work) in changes(&step.work) {
            let kind = step.work.kind();
            assert_ne!(plan.identity(&Step { work, ..step.clone() }), before, "{field} of {kind}");
        }
        kinds.push(step.work.kind());
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["command", "delete", "deploy", "gate", "prewarm", "publish", "synth"]);
}

#[test]
fn what_a_stack_is_decides_what_is_deployed_and_deleted() {
    let plan = plan();
    let PlannedStack { id, name, account, region, template, settings, .. } = &plan.stacks[0];
    let more = |text: &str| format!("{text} more");
    let stacks = [
        changed(&plan.stacks[0], |it| it.id = more(id)),
        changed(&plan.stacks[0], |it| it.name = more(name)),
        changed(&plan.stacks[0], |it| it.account = account.as_ref().map(|it| more(it))),
        changed(&plan.stacks[0], |it| it.region = region.as_ref().map(|it| more(it))),
        changed(&plan.stacks[0], |it| it.template = more(template)),
        changed(&plan.stacks[0], |it| it.settings = more(settings)),
    ];
    let of_stacks = ["deploy:A", "gate:iam-roles:A"];
    for stack in stacks {
        let other = changed(&plan, |plan| plan.stacks[0] = stack);
        for (step, was) in
            other.steps.iter().zip(&plan.steps).filter(|(step, _)| step.work.stack() == Some(0))
        {
            assert_ne!(other.identity(step), plan.identity(was), "{}", step.work.kind());
        }
    }
    assert!(of_stacks.iter().all(|id| plan.steps.iter().any(|step| step.id == *id)));
    let deploys = plan.steps.iter().find(|step| step.id == "deploy:A").unwrap();
    for other in [
        changed(&plan, |plan| plan.rollback = Rollback::None),
        changed(&plan, |plan| plan.ignore_times = !plan.ignore_times),
        changed(&plan, |plan| plan.deploys.forces = true),
    ] {
        assert_ne!(other.identity(deploys), plan.identity(deploys));
    }
}

#[test]
fn when_a_step_starts_and_how_long_it_takes_does_not_decide_what_it_does() {
    let plan = plan();
    let step = &plan.steps[1];
    let other = Step { needs: vec![0], expected: Duration::from_secs(999), ..step.clone() };
    assert_eq!(plan.identity(step), plan.identity(&other));
}

/// The digest of what a stack of these fields in the manifest is given beside its template.
fn settings(fields: Value) -> String {
    let template = json!({
        "Parameters": {
            "Size": { "Type": "String" },
            "Password": { "Type": "String", "NoEcho": true },
        },
        "Resources": { "Q": { "Type": "AWS::SQS::Queue" } },
    });
    let plan = App::default().artifact("A", json!({ "properties": fields }), template).plan();
    plan.stacks[0].settings.clone()
}

#[test]
fn whatever_cloudformation_is_given_beside_the_template_decides_what_is_deployed() {
    let plain = settings(json!({}));
    assert_eq!(plain, settings(json!({})));
    for fields in [
        json!({ "parameters": { "Size": "3" } }),
        json!({ "tags": { "a": "b" } }),
        json!({ "notificationArns": ["arn:aws:sns:us-east-1:111111111111:topic"] }),
        json!({ "terminationProtection": true }),
        json!({ "assumeRoleArn": "arn:aws:iam::111111111111:role/r" }),
        json!({ "cloudFormationExecutionRoleArn": "arn:aws:iam::111111111111:role/r" }),
    ] {
        assert_ne!(settings(fields.clone()), plain, "{fields}");
    }
    assert_ne!(
        settings(json!({ "parameters": { "Size": "3" } })),
        settings(json!({ "parameters": { "Size": "4" } }))
    );
}

/// It can be guessed from a digest, which is in every file of events.
#[test]
fn the_value_of_a_secret_parameter_is_in_no_digest() {
    let of = |password: &str| {
        let fields = json!({ "properties": { "parameters": { "Password": password } } });
        let template = json!({
            "Parameters": { "Password": { "Type": "String", "NoEcho": "true" } },
            "Resources": { "Q": { "Type": "AWS::SQS::Queue" } },
        });
        let plan = App::default().artifact("A", fields, template).plan();
        (plan.digest(), plan.resume_key.clone(), plan.identity(&plan.steps[0]))
    };
    assert_eq!(of("1234"), of("5678"));
}

#[test]
fn a_script_that_was_edited_is_another_command() {
    let plan = |content: &'static [u8]| {
        plan().with_scripts(|path| path.as_str().ends_with("seed.sh").then(|| content.to_vec()))
    };
    let identity = |plan: &Plan| {
        let step = plan.steps.iter().find(|step| step.work.kind() == "command").unwrap();
        plan.identity(step)
    };
    assert_eq!(identity(&plan(b"echo 1")), identity(&plan(b"echo 1")));
    assert_ne!(identity(&plan(b"echo 1")), identity(&plan(b"echo 2")));
    assert_ne!(identity(&plan(b"")), identity(&self::plan()));
}
