//! Rules of the default event bus, and the builds that they start.

use serde_json::{Value, json};

use crate::services::codebuild;
use crate::wire::{Fault, Outcome, Request, text};
use crate::world::{AccountRegion, Rule, World};

/// Starts the builds of all events that have happened until now. Comes before each request, so that the request sees them.
pub(crate) fn deliver(world: &mut World, place: &AccountRegion) {
    let now = world.now;
    let Some(region) = world.region(place).filter(|region| !region.rules.is_empty()) else { return };
    let mut starts = Vec::new();
    for rule in region.rules.values() {
        for (at, _) in rule.undelivered(region, now) {
            starts.extend(rule.targets.iter().map(|target| (at, target.clone())));
        }
    }
    for rule in world.region_mut(place).rules.values_mut() {
        rule.delivered = now;
    }
    starts.sort_by_key(|(at, _)| *at);
    for (at, target) in starts {
        codebuild::start_for_rule(world, place, &target, at);
    }
}

/// Creates a disabled rule for all changes of the status of stacks, with a project as its target.
pub(crate) fn put_rule(world: &mut World, place: &AccountRegion, name: &str, project: &str) {
    let pattern = json!({ "source": ["aws.cloudformation"] });
    let target = json!({ "Id": "build", "Arn": place.arn("codebuild", &format!("project/{project}")) });
    let rule = Rule {
        arn: place.arn("events", &format!("rule/{name}")),
        request: json!({ "Name": name, "EventPattern": pattern.to_string() }),
        pattern,
        targets: vec![target],
        enabled: None,
        delivered: world.now,
    };
    world.region_mut(place).rules.insert(name.to_owned(), rule);
}

pub(super) fn put(world: &mut World, request: &Request) -> Outcome {
    let name = text(&request.json, "Name")?.to_owned();
    let pattern = request.json["EventPattern"].as_str().unwrap_or("{}");
    let pattern: Value = serde_json::from_str(pattern).map_err(|_| {
        Fault::bad("InvalidEventPatternException", "Event pattern is not valid. Reason: it is not JSON")
    })?;
    let (arn, now) = (request.place.arn("events", &format!("rule/{name}")), world.now);
    let enabled = (request.json["State"] != "DISABLED").then_some(now);
    let rules = &mut world.region_mut(&request.place).rules;
    let targets = rules.get(&name).map(|rule| rule.targets.clone()).unwrap_or_default();
    let rule =
        Rule { arn: arn.clone(), request: request.json.clone(), pattern, targets, enabled, delivered: now };
    rules.insert(name, rule);
    Ok(json!({ "RuleArn": arn }))
}

pub(super) fn put_targets(world: &mut World, request: &Request) -> Outcome {
    let wanted = request.json["Targets"].as_array().cloned().unwrap_or_default();
    let rule = rule(world, request, "Rule")?;
    for target in wanted {
        rule.targets.retain(|other| other["Id"] != target["Id"]);
        rule.targets.push(target);
    }
    Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
}

pub(super) fn list_targets(world: &mut World, request: &Request) -> Outcome {
    let targets = rule(world, request, "Rule")?.targets.clone();
    Ok(json!({ "Targets": targets }))
}

pub(super) fn switch(world: &mut World, request: &Request, on: bool) -> Outcome {
    let now = world.now;
    let rule = rule(world, request, "Name")?;
    rule.enabled = if on { rule.enabled.or(Some(now)) } else { None };
    Ok(json!({}))
}

pub(super) fn describe(world: &mut World, request: &Request) -> Outcome {
    let rule = rule(world, request, "Name")?;
    let state = if rule.enabled.is_some() { "ENABLED" } else { "DISABLED" };
    let pattern = &rule.request["EventPattern"];
    Ok(json!({ "Name": rule.request["Name"], "Arn": rule.arn, "EventPattern": pattern, "State": state }))
}

fn rule<'a>(world: &'a mut World, request: &Request, field: &'static str) -> Result<&'a mut Rule, Fault> {
    let name = text(&request.json, field)?.to_owned();
    let rule = world.region_mut(&request.place).rules.get_mut(&name);
    rule.ok_or_else(|| {
        Fault::bad("ResourceNotFoundException", format!("Rule {name} does not exist on EventBus default."))
    })
}
