//! Runs that are longer than the credentials of a role, which end after an hour.

use std::time::Duration;

use paceline_engine::Outcome;
use paceline_sim::{Operation, SimOptions};

use crate::app::{App, REGION, slow, topic};
use crate::records::with_assets;
use crate::world::{How, World, slow_durations};

#[tokio::test(start_paused = true)]
async fn roles_are_assumed_again_before_their_credentials_end() {
    let long = Duration::from_mins(65);
    let durations = slow_durations().with("Custom::Slow", Operation::Create, long);
    let world = World::new(SimOptions { durations, ..SimOptions::default() });
    let app = App::new().stack("First", &slow("1"), &[]).stack("Last", &topic("t"), &["First"]);
    let app = with_assets(app, "First", REGION);
    let how = How { records: true, copies: Some(Vec::new()), ..How::default() };
    let ran = world.run(&app, how).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!((ran.retries(), world.said()), (vec![], vec![]));
    let calls = world.sim.calls();
    let expired: Vec<_> = calls.iter().filter(|call| call.error.as_deref() == Some("ExpiredToken")).collect();
    assert!(expired.is_empty(), "{expired:?}");
    assert_eq!(world.count("AssumeRole"), 4, "the deploy role and the role that publishes files, each twice");
}
