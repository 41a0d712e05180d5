//! The promises about a region that is deployed first.

use jiff::{SignedDuration, Timestamp};

use crate::play::Tale;
use crate::promises::deployments;
use crate::story::{Rollout, Story};

/// A read may miss what happened in the last second, even in good weather.
const LAST_SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Adds the promises of the rollout that were broken.
pub(crate) fn check(story: &Story, tale: &Tale, broken: &mut Vec<String>) {
    let Some(rollout) = story.effective_rollout() else { return };
    for (place, history) in tale.histories.iter().enumerate() {
        if story.stacks[place].region == rollout.first {
            continue;
        }
        for operation in deployments(history) {
            let Some(start) = operation.start().filter(|_| operation.is_ours()) else { continue };
            if let Some(why) = too_early(story, rollout, tale, start) {
                broken.push(format!("{} began at {start}, {why}", history.name));
            }
        }
    }
}

/// Why an operation in another region may not begin at this time.
fn too_early(story: &Story, rollout: &Rollout, tale: &Tale, start: Timestamp) -> Option<String> {
    let is_touched = |place: usize| tale.acts.iter().any(|(at, acted, _)| *acted == place && *at <= start);
    let first = tale
        .histories
        .iter()
        .enumerate()
        .filter(|(place, _)| story.stacks[*place].region == rollout.first && !is_touched(*place));
    let mut last: Option<Timestamp> = None;
    for (_, history) in first {
        let before = history.events.iter().filter(|event| event.at <= start);
        let deployed = before.filter(|event| event.is_ours() && event.is_success()).map(|event| event.at);
        let Some(deployed) = deployed.max() else {
            return Some(format!("but {} of the first region was not deployed", history.name));
        };
        last = last.max(Some(deployed));
    }
    let last = last?;
    let unsure = seconds(story.weather.stale) + LAST_SECOND;
    let bake = seconds(rollout.bake);
    if start + unsure < last + bake {
        return Some(format!("but the first region was deployed at {last}, less than {bake:#} before"));
    }
    let alarm = alarm(story, tale)?;
    (alarm + unsure < last + bake && alarm <= start && start < tale.calm)
        .then(|| format!("but the first region has an alarm since {alarm}"))
}

/// When the alarm went off, if every process of the run knows since when the run is going on. Another run cannot tell an
/// alarm of this one from one that was there before.
fn alarm(story: &Story, tale: &Tale) -> Option<Timestamp> {
    let is_one_run = story.rival.is_none()
        && story.others.is_empty()
        && story.full_disk.is_none()
        && !story.kills.iter().any(|kill| kill.is_disk_lost);
    let after = story.rollout.as_ref()?.alarm_after?;
    let began = tale.processes.first()?.started;
    is_one_run.then(|| began + seconds(after))
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}
