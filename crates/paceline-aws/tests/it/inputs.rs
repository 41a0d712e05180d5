//! Stacks that read parameters and outputs of others: they are unchanged only if these values are the same.

use std::collections::BTreeMap;

use aws_sdk_ssm::types::ParameterType;
use paceline_engine::Outcome;
use paceline_sim::proxy::{Calls, Mishap};
use paceline_sim::{SimOptions, Simulator};
use serde_json::{Value, json};

use crate::app::{App, BUCKET, REGION, topic};
use crate::records::with_assets;
use crate::world::{How, Ran, World, slow_durations};

fn recorded() -> How {
    How { records: true, ..How::default() }
}

/// A stack that writes a parameter and has an output.
fn producer(value: &str) -> Value {
    json!({
        "Resources": {"Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/made", "Type": "String", "Value": value},
        }},
        "Outputs": {"Value": {"Value": value}},
    })
}

/// A stack with a topic of this name, which may contain functions.
fn reader(label: &str, name: &Value) -> Value {
    json!({
        "Parameters": {"Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/given"}},
        "Resources": {"Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"DisplayName": {"Fn::Join": [" ", [label, name]]}},
        }},
        "Outputs": {"Name": {"Value": {"Fn::Join": [" ", [label, name]]}}},
    })
}

/// The same without a parameter.
fn without_parameter(label: &str, name: &Value) -> Value {
    let mut template = reader(label, name);
    template.as_object_mut().unwrap().remove("Parameters");
    template
}

/// What each stack of the random test reads.
const READERS: [&str; 4] = ["Dynamic", "Typed", "Output", "Nothing"];

fn template(stack: &str, label: &str) -> Value {
    match stack {
        "Producer" => producer(label),
        "Dynamic" => without_parameter(label, &json!("{{resolve:ssm:/made}}")),
        "Typed" => reader(label, &json!({"Ref": "Stored"})),
        "Output" => without_parameter(
            label,
            &json!({"Fn::GetStackOutput": {"StackName": "Producer", "OutputName": "Value"}}),
        ),
        _ => without_parameter(label, &json!("x")),
    }
}

fn world() -> World {
    let foreign_parameters = [("/given".to_owned(), Some("g0".to_owned()))].into();
    World::new(SimOptions { durations: slow_durations(), foreign_parameters, ..SimOptions::default() })
}

fn app() -> App {
    let mut app = with_assets(App::new().stack("Producer", &producer("p0"), &[]), "Producer", REGION);
    for stack in READERS {
        app = with_assets(app.stack(stack, &template(stack, "a"), &[]), stack, REGION);
    }
    app
}

async fn put(world: &World, name: &str, value: &str) {
    let client = aws_sdk_ssm::Client::new(&world.config().await);
    let call = client.put_parameter().name(name).value(value).r#type(ParameterType::String).overwrite(true);
    call.send().await.unwrap();
}

async fn lose_records(world: &World) {
    let client = aws_sdk_s3::Client::new(&world.config().await);
    let answer = client.list_objects_v2().bucket(BUCKET).prefix("paceline/deployed/").send().await.unwrap();
    for object in answer.contents() {
        client.delete_object().bucket(BUCKET).key(object.key().unwrap()).send().await.unwrap();
    }
}

/// How often the run tried to update a stack.
fn updates(sim: &Simulator, stack: &str) -> usize {
    let is_it = |name: &str| name == stack || name.split('/').nth(1) == Some(stack);
    let calls = sim.calls();
    let calls = calls.iter().filter(|call| call.operation == "UpdateStack");
    calls.filter(|call| call.stack.as_deref().is_some_and(is_it)).count()
}

fn outputs(ran: &Ran, stack: &str) -> String {
    ran.stack(stack).outputs["Name"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_unchanged_while_what_it_reads_is() {
    let (world, app) = (world(), app());
    world.run(&app, recorded()).await.check_all(Outcome::Deployed);
    let before = (world.sim.calls().len(), world.count("GetParameters"));
    world.run(&app, recorded()).await.check_all(Outcome::Unchanged);
    let calls = world.sim.calls();
    let since = calls[before.0..].iter().map(|call| call.operation.as_str());
    let looked: Vec<&str> = since.filter(|it| ["GetTemplate", "UpdateStack"].contains(it)).collect();
    assert_eq!(looked, [""; 0]);
    // Both parameters are read in one call.
    assert_eq!(world.count("GetParameters"), before.1 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_changes_its_output_in_the_run_makes_its_readers_updates() {
    let (world, mut app) = (world(), app());
    world.run(&app, recorded()).await.check_all(Outcome::Deployed);
    app.change("Producer", &producer("p1"));
    let ran = world.run(&app, recorded()).await;
    ran.check(&[
        ("Producer", Outcome::Deployed),
        ("Dynamic", Outcome::Deployed),
        ("Output", Outcome::Deployed),
    ]);
    ran.check(&[("Typed", Outcome::Unchanged), ("Nothing", Outcome::Unchanged)]);
    assert_eq!(["Dynamic", "Output"].map(|stack| outputs(&ran, stack)), ["a p1", "a p1"]);
}

#[tokio::test(start_paused = true)]
async fn a_parameter_that_somebody_changes_makes_its_reader_an_update() {
    let (world, app) = (world(), app());
    world.run(&app, recorded()).await.check_all(Outcome::Deployed);
    put(&world, "/given", "g1").await;
    let ran = world.run(&app, recorded()).await;
    ran.check(&[("Typed", Outcome::Deployed), ("Dynamic", Outcome::Unchanged)]);
    assert_eq!(outputs(&ran, "Typed"), "a g1");
    // The same value in a newer version is no change.
    put(&world, "/given", "g1").await;
    world.run(&app, recorded()).await.check_all(Outcome::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_changes_while_the_stack_is_deployed_is_not_recorded() {
    let (world, app) = (world(), app());
    put(&world, "/given", "g1").await;
    world.run(&app, recorded()).await.check_all(Outcome::Deployed);
    put(&world, "/given", "g2").await;
    let config = world.config().await;
    world.proxy.after(Calls::of("UpdateStack").stack("Typed"), move |_| {
        let client = aws_sdk_ssm::Client::new(&config);
        async move {
            let call = client.put_parameter().name("/given").value("g3").r#type(ParameterType::String);
            call.overwrite(true).send().await.unwrap();
        }
    });
    world.run(&app, recorded()).await.check(&[("Typed", Outcome::Deployed)]);
    world.proxy.clear();
    let ran = world.run(&app, recorded()).await;
    ran.check(&[("Typed", Outcome::Deployed)]);
    assert_eq!(outputs(&ran, "Typed"), "a g3");
}

#[tokio::test(start_paused = true)]
async fn without_a_right_to_read_parameters_their_readers_are_deployed_and_that_is_told_once() {
    let (world, app) = (world(), app());
    world.run(&app, recorded()).await.check_all(Outcome::Deployed);
    world.proxy.on(Calls::of("GetParameters"), Mishap::denied());
    let before = ["Dynamic", "Typed", "Output"].map(|stack| updates(&world.sim, stack));
    let ran = world.run(&app, recorded()).await;
    ran.check_all(Outcome::Unchanged);
    assert_eq!(before, [0, 0, 0]);
    assert_eq!(["Dynamic", "Typed", "Output"].map(|stack| updates(&world.sim, stack)), [1, 1, 0]);
    let told = ran.warnings().into_iter().filter(|warning| warning.contains("GetParameters")).count();
    assert_eq!(told, 1, "{:?}", ran.warnings());
}

#[tokio::test(start_paused = true)]
async fn without_records_a_reader_is_deployed_and_its_parameters_are_not_read() {
    let (world, app) = (world(), app());
    world.deploy(&app).await.check_all(Outcome::Deployed);
    world.deploy(&app).await.check_all(Outcome::Unchanged);
    assert_eq!((updates(&world.sim, "Typed"), world.count("GetParameters")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_parameters_of_many_stacks_are_read_ten_at_a_time() {
    let foreign_parameters = (0..30).map(|n| (format!("/p/{n}"), Some(n.to_string()))).collect();
    let options = SimOptions { durations: slow_durations(), foreign_parameters, ..SimOptions::default() };
    let world = World::new(options);
    let mut app = App::new();
    for n in 0..30 {
        let name = json!(format!("{{{{resolve:ssm:/p/{n}}}}}"));
        let stack = format!("S{n}");
        app = with_assets(app.stack(&stack, &without_parameter("a", &name), &[]), &stack, REGION);
    }
    world.run(&app, recorded()).await.check_all(Outcome::Deployed);
    let before = world.count("GetParameters");
    world.run(&app, recorded()).await.check_all(Outcome::Unchanged);
    assert_eq!(world.count("GetParameters") - before, 3);
}

/// A generator of numbers that is the same everywhere.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The template and what is read: what a stack is deployed from.
type From = (String, String);

/// Templates change, values change or are written again, a producer changes what it provides, somebody else deploys, and
/// records get lost. No stack is skipped whose inputs have changed, and none is deployed whose inputs have not.
#[tokio::test(start_paused = true)]
async fn stacks_are_deployed_exactly_if_their_inputs_have_changed() {
    for seed in 0..20_u64 {
        let (world, mut app, mut draws) = (world(), app(), Draws(seed));
        world.run(&app, recorded()).await.check_all(Outcome::Deployed);
        let mut labels: BTreeMap<&str, String> = READERS.map(|stack| (stack, "a".to_owned())).into();
        labels.insert("Producer", "p0".to_owned());
        let mut given = "g0".to_owned();
        let read = |labels: &BTreeMap<&str, String>, given: &str, stack: &str| match stack {
            "Typed" => given.to_owned(),
            "Dynamic" | "Output" => labels["Producer"].clone(),
            _ => String::new(),
        };
        let wanted = |labels: &BTreeMap<&str, String>, given: &str| -> BTreeMap<&'static str, From> {
            let all = ["Producer", "Dynamic", "Typed", "Output", "Nothing"];
            all.map(|stack| (stack, (labels[stack].clone(), read(labels, given, stack)))).into()
        };
        let mut live = wanted(&labels, &given);
        // Whether a record tells what a stack was deployed from.
        let mut is_recorded: BTreeMap<&str, bool> = live.keys().map(|stack| (*stack, true)).collect();
        for round in 0..6 {
            for _ in 0..draws.below(4) {
                let stack = READERS[usize::try_from(draws.below(4)).unwrap()];
                match draws.below(6) {
                    0 => {
                        let label = ["a", "b"][usize::try_from(draws.below(2)).unwrap()];
                        labels.insert(stack, label.to_owned());
                        app.change(stack, &template(stack, label));
                    }
                    1 => {
                        given = format!("g{}", draws.below(2));
                        put(&world, "/given", &given).await;
                    }
                    2 => {
                        let value = format!("p{}", draws.below(2));
                        app.change("Producer", &producer(&value));
                        labels.insert("Producer", value);
                    }
                    3 => {
                        // Somebody else deploys the stack, with what its parameters and the producer are now.
                        let label = ["a", "b"][usize::try_from(draws.below(2)).unwrap()].to_owned();
                        let now = match stack {
                            "Typed" => given.clone(),
                            "Dynamic" | "Output" => live["Producer"].0.clone(),
                            _ => String::new(),
                        };
                        if live[stack] != (label.clone(), now.clone()) {
                            world.update(stack, &template(stack, &label)).await;
                            world.rest().await;
                            live.insert(stack, (label, now));
                            is_recorded.insert(stack, false);
                        }
                    }
                    4 => {
                        lose_records(&world).await;
                        for it in is_recorded.values_mut() {
                            *it = false;
                        }
                    }
                    _ => {}
                }
            }
            let before: BTreeMap<&str, usize> =
                live.keys().map(|stack| (*stack, updates(&world.sim, stack))).collect();
            let ran = world.run(&app, recorded()).await;
            let wanted = wanted(&labels, &given);
            for (stack, wanted) in &wanted {
                let what =
                    format!("seed {seed}, round {round}: {stack} from {:?} to {wanted:?}", live[stack]);
                let is_changed = live[stack] != *wanted;
                let outcome = if is_changed { Outcome::Deployed } else { Outcome::Unchanged };
                assert_eq!(ran.stack(stack).outcome, outcome, "{what}");
                let reads = !["Producer", "Nothing"].contains(stack);
                let tries = usize::from(is_changed || (reads && !is_recorded[stack]));
                assert_eq!(updates(&world.sim, stack) - before[stack], tries, "{what}");
            }
            live = wanted;
            for it in is_recorded.values_mut() {
                *it = true;
            }
            world.rest().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_reads_nothing_is_unchanged_without_a_look_at_any_parameter() {
    let world = World::slow();
    let app = with_assets(App::new().stack("S", &topic("a"), &[]), "S", REGION);
    world.run(&app, recorded()).await.check_all(Outcome::Deployed);
    world.run(&app, recorded()).await.check_all(Outcome::Unchanged);
    assert_eq!(world.count("GetParameters"), 0);
}
