//! The logs of the functions behind custom resources that hang.

use jiff::Timestamp;
use paceline_assembly::is_custom;
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::services::service::page;
use crate::wire::{Fault, Outcome, Request, text};
use crate::world::{AccountRegion, Attempt, Resource, World, written};

/// The symbols that a filter with a regular expression may have beside letters and digits (CloudWatch Logs User Guide,
/// "Supported regular expressions syntax").
const SYMBOLS: &str = "_#=@/;,-^$?[]{}|\\*+.";

pub(super) fn filtered(world: &World, request: &Request) -> Outcome {
    let place = &request.place;
    let group = text(&request.json, "logGroupName")?;
    let custom: Vec<&Resource> = resources(world, place)
        .filter(|resource| is_custom(&resource.kind))
        .filter(|resource| log_group(world, place, resource).as_deref() == Some(group))
        .collect();
    if custom.is_empty() {
        return Err(Fault::bad("ResourceNotFoundException", "The specified log group does not exist."));
    }
    let pattern = pattern(request.json["filterPattern"].as_str().unwrap_or_default())?;
    let since = request.json["startTime"].as_i64().unwrap_or(i64::MIN);
    let mut lines: Vec<(Timestamp, String)> =
        custom.iter().flat_map(|resource| lines(world, place, resource)).collect();
    lines.retain(|(at, line)| at.as_millisecond() >= since && pattern.is_match(line));
    lines.sort();
    let (shown, next) = page(lines, request.json["nextToken"].as_str(), world.options.page_size)?;
    let event = |(at, line): (Timestamp, String)| -> Value {
        let at = at.as_millisecond();
        json!({"logStreamName": "2026/01/01/[$LATEST]0", "timestamp": at, "ingestionTime": at, "message": line})
    };
    let events: Vec<Value> = shown.into_iter().map(event).collect();
    Ok(json!({"events": events, "searchedLogStreams": [], "nextToken": next}))
}

/// The expression of a filter. Only filters that are one regular expression, and empty ones, are simulated.
fn pattern(filter: &str) -> Result<Regex, Fault> {
    let invalid = || Fault::bad("InvalidParameterException", format!("Invalid filter pattern: {filter}"));
    if filter.is_empty() {
        return Regex::new("").map_err(|_| invalid());
    }
    let inner = filter.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).ok_or_else(invalid)?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || SYMBOLS.contains(c);
    if !inner.chars().all(is_allowed) {
        return Err(invalid());
    }
    Regex::new(inner).map_err(|_| invalid())
}

fn resources<'a>(world: &'a World, place: &AccountRegion) -> impl Iterator<Item = &'a Resource> {
    let stacks = world.region(place).into_iter().flat_map(|region| region.stacks.values());
    stacks.flat_map(|stack| stack.resources.values())
}

/// The log group of the function behind a custom resource: that of its configuration, else the one that Lambda makes.
fn log_group(world: &World, place: &AccountRegion, custom: &Resource) -> Option<String> {
    let (_, function) = custom.property("ServiceToken")?.split_once(":function:")?;
    let function = function.split(':').next()?;
    let own =
        resources(world, place).find(|it| it.kind == "AWS::Lambda::Function" && it.physical == function);
    let configured = own.and_then(|own| own.properties.get("LoggingConfig")?.get("LogGroup")?.as_str());
    Some(configured.map_or_else(|| format!("/aws/lambda/{function}"), str::to_owned))
}

/// What the function has written in each attempt: that it starts, and that it fails.
fn lines(world: &World, place: &AccountRegion, custom: &Resource) -> Vec<(Timestamp, String)> {
    let hung = world.region(place).and_then(|region| region.hung.get(&custom.physical));
    let failed = hung.map(|hung| hung.failed(world.now)).unwrap_or_default();
    let of_attempt = |Attempt { number, started, ended, reason }: Attempt| {
        let request = world.draws(&["invocation", &custom.physical, &number.to_string()]).uuid();
        let begun = format!("START RequestId: {request} Version: $LATEST\n");
        let error = format!("{}\t{request}\tERROR\t{reason}\n", written(ended));
        [(started, begun), (ended, error)]
    };
    failed.into_iter().flat_map(of_attempt).collect()
}
