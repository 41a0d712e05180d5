//! Reads alarms, and sets their states.

use serde_json::{Value, json};

use crate::alarm::{AlarmState, SimAlarm};
use crate::services::service::unknown_operation;
use crate::wire::{Fault, Outcome, Protocol, Request, text};
use crate::world::{AccountRegion, SeenAlarm, World, alarms, epoch};

/// The most alarms on a page, and the number without `MaxRecords` (API reference, `DescribeAlarms`).
const LARGEST_PAGE: u64 = 100;
const USUAL_PAGE: u64 = 50;

pub(super) fn describe(world: &World, request: &Request) -> Outcome {
    if request.protocol != Protocol::Json {
        return Err(unknown_operation(request));
    }
    let asked = &request.json;
    let names: Vec<&str> =
        asked["AlarmNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let prefix = asked["AlarmNamePrefix"].as_str();
    if !names.is_empty() && prefix.is_some() {
        return Err(invalid("AlarmNamePrefix and AlarmNames cannot be specified at the same time"));
    }
    let types: Vec<&str> =
        asked["AlarmTypes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let size = asked["MaxRecords"].as_u64().unwrap_or(USUAL_PAGE);
    if !(1..=LARGEST_PAGE).contains(&size) {
        return Err(invalid("MaxRecords must be between 1 and 100"));
    }
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(world.options.page_size);
    let after = asked["NextToken"].as_str();
    let is_asked = |name: &str, alarm: &SeenAlarm| {
        let is_of_type = if alarm.composite {
            types.contains(&"CompositeAlarm")
        } else {
            types.is_empty() || types.contains(&"MetricAlarm")
        };
        is_of_type
            && (names.is_empty() || names.contains(&name))
            && prefix.is_none_or(|prefix| name.starts_with(prefix))
            && after.is_none_or(|after| name > after)
    };
    let all = alarms(world, &request.place);
    let found: Vec<_> = all.iter().filter(|(name, alarm)| is_asked(name, alarm)).collect();
    let page = &found[..found.len().min(size)];
    let of = |composite: bool| {
        let alarms = page.iter().filter(|(_, alarm)| alarm.composite == composite);
        alarms.map(|(name, alarm)| shown(&request.place, name, alarm)).collect::<Vec<Value>>()
    };
    let mut answer = json!({ "MetricAlarms": of(false), "CompositeAlarms": of(true) });
    if let Some((last, _)) = page.last().filter(|_| page.len() < found.len()) {
        answer["NextToken"] = last.as_str().into();
    }
    Ok(answer)
}

fn shown(place: &AccountRegion, name: &str, alarm: &SeenAlarm) -> Value {
    let reason = match alarm.state {
        AlarmState::Ok => "Threshold Crossed: no datapoint was greater than the threshold (1.0).",
        AlarmState::Alarm => "Threshold Crossed: 1 datapoint [7.0] was greater than the threshold (1.0).",
        AlarmState::InsufficientData => "Unchecked: Initial alarm creation",
    };
    json!({
        "AlarmName": name,
        "AlarmArn": place.arn("cloudwatch", &format!("alarm:{name}")),
        "StateValue": alarm.state.as_str(),
        "StateReason": reason,
        "StateUpdatedTimestamp": epoch(alarm.since),
        "StateTransitionedTimestamp": epoch(alarm.since),
    })
}

/// `SetAlarmState`, by which a person tries what happens after an alarm.
pub(super) fn set_state(world: &mut World, request: &Request) -> Outcome {
    let (name, state) = match request.protocol {
        Protocol::Json => (text(&request.json, "AlarmName")?, text(&request.json, "StateValue")?),
        _ => (request.form.required("AlarmName")?, request.form.required("StateValue")?),
    };
    let Some(state) = AlarmState::ALL.into_iter().find(|known| known.as_str() == state) else {
        return Err(invalid(&format!("StateValue {state} is not valid")));
    };
    if !alarms(world, &request.place).contains_key(name) {
        return Err(Fault::new(404, "ResourceNotFound", format!("Unknown alarm: {name}")));
    }
    let now = world.now;
    let place = &request.place;
    let (account, region) = (Some(place.account.to_string()), Some(place.region.to_string()));
    let is_here = |alarm: &SimAlarm| (&alarm.account, &alarm.region) == (&account, &region);
    let known = world.options.alarms.iter_mut().find(|alarm| alarm.name == name && is_here(alarm));
    if let Some(alarm) = known {
        alarm.changes.push((now, state));
    } else {
        let only_here = SimAlarm { account, region, of_stack: true, ..SimAlarm::named(name) };
        world.options.alarms.push(only_here.at(now, state));
    }
    Ok(Value::Null)
}

fn invalid(message: &str) -> Fault {
    Fault::bad("InvalidParameterCombination", message)
}
