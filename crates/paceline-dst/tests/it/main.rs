//! Random deployments keep the promises, and are the same each time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use camino::Utf8Path;
use paceline_dst::{Story, check, play};

/// Seeds of each test. `cargo xtask dst` plays more.
const SEEDS: u64 = 15;

#[track_caller]
fn keeps_every_promise(name: &str, story: &Story) {
    let broken = check(story, &play(story).unwrap());
    assert_eq!(broken, [""; 0], "{name}: {}", serde_json::to_string(story).unwrap());
}

fn seeds(number: u64) {
    for seed in number * SEEDS..(number + 1) * SEEDS {
        keeps_every_promise(&format!("seed {seed}"), &Story::of(seed));
    }
}

#[test]
fn random_deployments_keep_every_promise_1() {
    seeds(0);
}

#[test]
fn random_deployments_keep_every_promise_2() {
    seeds(1);
}

#[test]
fn random_deployments_keep_every_promise_3() {
    seeds(2);
}

#[test]
fn random_deployments_keep_every_promise_4() {
    seeds(3);
}

#[test]
fn stories_that_once_broke_a_promise_keep_it() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("found");
    let mut stories = 0;
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.extension() == Some("json") {
            let story = serde_json::from_str(&fs_err::read_to_string(&path).unwrap()).unwrap();
            keeps_every_promise(path.as_str(), &story);
            stories += 1;
        }
    }
    assert!(stories > 0, "{folder} has no story");
}

#[test]
fn the_same_story_happens_in_the_same_way_each_time() {
    for seed in [3, 7, 11] {
        let events = || {
            let tale = play(&Story::of(seed)).unwrap();
            let events = tale.all_processes().flat_map(|process| &process.events);
            events.map(|event| serde_json::to_string(event).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(events(), events(), "seed {seed}");
    }
}
