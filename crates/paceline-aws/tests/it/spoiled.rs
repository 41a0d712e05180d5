//! Answers of AWS that are not what they should be: cut off, with other values, with terminal escapes.

use std::sync::{Arc, Mutex};

use paceline_aws::{Applicant, KeptRuns, LockMode};
use paceline_config::Config;
use paceline_plan::{Plan, PlanOptions};
use paceline_sim::{Calls, Mishap};
use paceline_spoil::Spoiler;
use serde_json::json;

use crate::app::{ACCOUNT, App, REGION, slow};
use crate::records::with_assets;
use crate::rollbacks::Runs;
use crate::world::{How, RUN, World};

/// `A` has an asset and reads a parameter; `B` depends on `A` by the manifest.
fn app(label: &str) -> App {
    let mut a = slow(label);
    a["Parameters"] = json!({"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a"}});
    with_assets(App::new().stack("A", &a, &[]).stack("B", &slow(label), &["A"]), "A", REGION)
}

/// Runs with records, captures, a copy in the bucket and a lease. Each of them may fail.
async fn run(world: &World, app: &App, runs: &Runs) {
    let plan = Plan::make(&app.read(), &Config::default(), &PlanOptions::default()).unwrap();
    if let Ok(kept) = Box::pin(KeptRuns::open(&world.wire, &app.read())).await
        && let Ok(listed) = kept.list(world.now()).await
    {
        let _ = kept.fetch_all(&listed).await;
    }
    let how = How {
        records: true,
        copies: Some(Vec::new()),
        captures: Some(runs.path().to_owned()),
        ..How::default()
    };
    let _ = world.try_run(app, how).await;
    let (id, run, holder) = ("id".to_owned(), RUN.to_owned(), "a test".to_owned());
    let applicant = Applicant { id, run, holder, now: world.now() };
    if let Ok(aws) = world.try_connect(app).await
        && let Ok(leases) = Box::pin(aws.lock(&plan, &applicant, LockMode::Refuse, |_| {})).await
    {
        leases.release().await;
    }
}

/// A panic in a task of a run would otherwise only be seen by those who wait for it.
fn panics_in_this_thread() -> Arc<Mutex<Vec<String>>> {
    let (panics, me) = (Arc::<Mutex<Vec<String>>>::default(), std::thread::current().id());
    let (kept, before) = (Arc::clone(&panics), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == me {
            kept.lock().unwrap().push(info.to_string());
        }
        before(info);
    }));
    panics
}

#[tokio::test(start_paused = true)]
async fn spoiled_answers_of_aws_panic_nowhere_and_the_next_run_deploys_everything() {
    let panics = panics_in_this_thread();
    let mut spoiled = 0;
    for seed in 0..16 {
        let (world, runs) = (World::slow(), Runs::new());
        world.sim.put_parameter(ACCOUNT, REGION, "/a", "value");
        if seed % 2 == 0 {
            run(&world, &app("one"), &runs).await;
        }
        let spoiler = Arc::new(Mutex::new(Spoiler::new(seed)));
        let chances = Mutex::new(fastrand::Rng::with_seed(seed));
        let rare = Calls::all().when(move |_| chances.lock().unwrap().u8(..8) == 0);
        world.proxy.on(rare, Mishap::changed(move |body| spoiler.lock().unwrap().spoil(body)));
        run(&world, &app("two"), &runs).await;
        spoiled += world.proxy.struck().len();
        world.proxy.clear();
        world.rest().await;
        let ran = world.run(&app("two"), How::default()).await;
        for id in ["A", "B"] {
            assert!(ran.stack(id).outcome.is_success(), "seed {seed}: {:?}", ran.stack(id));
        }
        assert_eq!(*panics.lock().unwrap(), [""; 0], "seed {seed}");
    }
    assert!(spoiled > 150, "{spoiled}");
}
