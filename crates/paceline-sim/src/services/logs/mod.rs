//! CloudWatch Logs: the logs of builds, read from the start, and those of functions, searched.

mod functions;

use serde_json::json;

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request, text};
use crate::world::World;

pub(super) struct Logs;

impl Service for Logs {
    fn name(&self) -> &'static str {
        "logs"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &World, request: &Request) -> Outcome {
    match request.operation.as_str() {
        "GetLogEvents" => of_build(world, request),
        "FilterLogEvents" => functions::filtered(world, request),
        _ => Err(unknown_operation(request)),
    }
}

fn of_build(world: &World, request: &Request) -> Outcome {
    let (group, stream) = (text(&request.json, "logGroupName")?, text(&request.json, "logStreamName")?);
    let builds = world.region(&request.place).map(|region| &region.builds);
    let mut builds = builds.into_iter().flat_map(|builds| builds.values());
    let lines = builds.find(|build| build.log() == (group.to_owned(), stream.to_owned()));
    let lines = lines.map(|build| build.lines(world.now)).unwrap_or_default();
    if lines.is_empty() {
        let message = "The specified log stream does not exist.";
        return Err(Fault::bad("ResourceNotFoundException", message));
    }
    let from = request.json["nextToken"].as_str().and_then(|token| token.strip_prefix("f/"));
    let from = from.and_then(|from| from.parse().ok()).unwrap_or(0).min(lines.len());
    let limit = request.json["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let page: Vec<_> = lines[from..].iter().take(limit.unwrap_or(world.options.page_size)).collect();
    // At the end of the log, the token stays the same (API reference, "GetLogEvents").
    let next = from + page.len();
    let events = page.iter().map(|line| {
        let at = line.at.as_millisecond();
        json!({"timestamp": at, "ingestionTime": at, "message": line.text})
    });
    Ok(json!({
        "events": events.collect::<Vec<_>>(),
        "nextForwardToken": format!("f/{next}"),
        "nextBackwardToken": format!("b/{from}"),
    }))
}
