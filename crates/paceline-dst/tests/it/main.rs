//! Random deployments keep the promises, and are the same each time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use camino::Utf8Path;
use paceline_dst::{
    FullDisk, Jump, Kill, Need, NeedKind, Rival, Rollout, StackStory, Story, Teardown, Weather, check, play,
};

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

/// A stack with an asset and a nested stack, and one that needs it.
fn two_stacks() -> Story {
    let stack = |needs: Vec<Need>| StackStory {
        needs,
        seconds: 20,
        code: true,
        nested: true,
        ..StackStory::default()
    };
    let need = Need { on: 0, kind: NeedKind::Export };
    Story { stacks: vec![stack(Vec::new()), stack(vec![need])], ..Story::default() }
}

/// Kills after so many seconds, each with and without the loss of the disk.
fn kills(after: impl Iterator<Item = u64>) -> impl Iterator<Item = Kill> {
    after.flat_map(|after| [false, true].map(|is_disk_lost| Kill { after, is_disk_lost }))
}

#[test]
fn an_app_is_synthesized_again_before_what_waits_for_it_wherever_the_run_is_killed() {
    let mut story = two_stacks();
    story.stacks[1].needs[0].kind = NeedKind::Synthesis;
    for kill in kills((1..100).step_by(16)) {
        let name = format!("{kill:?}");
        keeps_every_promise(&name, &Story { kills: vec![kill], ..story.clone() });
    }
}

#[test]
fn other_regions_wait_for_the_first_one_and_its_alarm_wherever_the_run_is_killed() {
    let mut story = two_stacks();
    story.stacks[1].needs[0].kind = NeedKind::Manifest;
    story.stacks[1].region = 1;
    for alarm_after in [None, Some(10), Some(100)] {
        story.rollout = Some(Rollout { first: 0, bake: 120, alarm_after });
        for kill in kills((1..200).step_by(66)) {
            let name = format!("alarm after {alarm_after:?} seconds, {kill:?}");
            keeps_every_promise(&name, &Story { kills: vec![kill], ..story.clone() });
        }
    }
}

#[test]
fn a_full_disk_costs_time_and_no_promise() {
    for event in 0..24 {
        let full_disk = Some(FullDisk { event, is_torn: event % 2 == 0 });
        let story = Story { full_disk, ..two_stacks() };
        let tale = play(&story).unwrap();
        assert!(tale.processes.iter().any(|process| process.full_at.is_some()), "event {event}");
        assert_eq!(check(&story, &tale), [""; 0], "event {event}");
    }
}

#[test]
fn a_clock_that_jumps_breaks_no_promise() {
    for by in [-7200, -60, 60, 7200] {
        for after in [0, 10, 30] {
            let rival = Some(Rival { after: 20, is_other_version: true });
            let story = Story { jump: Some(Jump { after, by }), rival, ..two_stacks() };
            keeps_every_promise(&format!("a jump by {by} s after {after} s"), &story);
        }
    }
}

#[test]
fn what_was_deployed_is_deleted_in_any_weather() {
    for throttled in [0, 20] {
        let weather = Weather { throttled, stale: 10, lost_replies: 5, ..Weather::default() };
        let story = Story { weather, teardown: Some(Teardown::default()), ..two_stacks() };
        let tale = play(&story).unwrap();
        assert!(tale.teardown.as_ref().is_some_and(|ending| ending.left.is_empty()));
        assert_eq!(check(&story, &tale), [""; 0], "{throttled}");
    }
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
