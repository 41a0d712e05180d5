//! Makes a story that breaks a promise as small as it can.

use crate::story::Story;

/// The most stories that are tried.
const MOST: usize = 400;

/// Leaves out parts of a story as long as `is_bad` says that it still breaks a promise.
pub fn shrink(story: &Story, is_bad: &mut dyn FnMut(&Story) -> bool) -> Story {
    let (mut smallest, mut tried) = (story.clone(), 0);
    'again: loop {
        for smaller in smaller(&smallest) {
            tried += 1;
            if tried > MOST {
                return smallest;
            }
            if is_bad(&smaller) {
                smallest = smaller;
                continue 'again;
            }
        }
        return smallest;
    }
}

/// The stories that lack one part, or in which one part is simpler.
fn smaller(story: &Story) -> Vec<Story> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Story)| {
        let mut other = story.clone();
        change(&mut other);
        if other != *story {
            all.push(other);
        }
    };
    for place in (0..story.stacks.len()).rev().filter(|_| story.stacks.len() > 1) {
        with(&|story| remove_stack(story, place));
    }
    with(&|story| story.rival = None);
    with(&|story| story.jump = None);
    with(&|story| story.full_disk = None);
    with(&|story| story.rollout = None);
    with(&|story| story.rollout.iter_mut().for_each(|rollout| rollout.alarm_after = None));
    with(&|story| story.teardown = None);
    with(&|story| story.teardown.iter_mut().for_each(|teardown| teardown.kills.clear()));
    with(&|story| story.teardown.iter_mut().for_each(|teardown| teardown.mishaps.clear()));
    with(&|story| story.mishaps_of_s3.clear());
    for place in 0..story.kills.len() {
        with(&|story| {
            story.kills.remove(place);
        });
        with(&|story| story.kills[place].is_disk_lost = false);
    }
    for place in 0..story.mishaps.len() {
        with(&|story| {
            story.mishaps.remove(place);
        });
        with(&|story| story.mishaps[place].times = 1);
    }
    for place in 0..story.mishaps_of_s3.len() {
        with(&|story| {
            story.mishaps_of_s3.remove(place);
        });
    }
    for place in 0..story.others.len() {
        with(&|story| {
            story.others.remove(place);
        });
    }
    with(&|story| story.weather.throttled = 0);
    with(&|story| story.weather.lost_replies = 0);
    with(&|story| story.weather.server_errors = 0);
    with(&|story| story.weather.stale = 0);
    with(&|story| story.weather.roles_fail = false);
    with(&|story| story.change_sets = false);
    for place in 0..story.stacks.len() {
        with(&|story| story.stacks[place].fails = 0);
        with(&|story| story.stacks[place].role = false);
        with(&|story| story.stacks[place].code = false);
        with(&|story| story.stacks[place].nested = false);
        with(&|story| story.stacks[place].region = 0);
        with(&|story| story.stacks[place].seconds = 5);
        for need in 0..story.stacks[place].needs.len() {
            with(&|story| {
                story.stacks[place].needs.remove(need);
            });
        }
    }
    all
}

fn remove_stack(story: &mut Story, removed: usize) {
    story.stacks.remove(removed);
    for stack in &mut story.stacks {
        stack.needs.retain(|need| need.on != removed);
        for need in stack.needs.iter_mut().filter(|need| need.on > removed) {
            need.on -= 1;
        }
    }
    story.others.retain(|other| other.stack != removed);
    for other in story.others.iter_mut().filter(|other| other.stack > removed) {
        other.stack -= 1;
    }
}
