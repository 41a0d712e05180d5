//! Other people, who call CloudFormation directly.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use paceline_sim::{Simulator, VirtualClock};
use paceline_text::in_url;

use crate::app::{Version, bucket, name, region, template};
use crate::story::{Act, StackStory, Story};

/// The pause between two tries to create a stack, and the most tries.
const PAUSE: Duration = Duration::from_millis(500);
const MOST_TRIES: usize = 200;

/// The answer to a call.
pub(crate) struct Answer {
    pub(crate) is_accepted: bool,
    pub(crate) body: String,
}

/// Calls CloudFormation in a region. The call does not go through the connection of the runs.
pub(crate) fn call(
    sim: &Simulator,
    now: Timestamp,
    region: &str,
    action: &str,
    parameters: &[(&str, &str)],
) -> Answer {
    let mut body = format!("Action={action}");
    for (key, value) in parameters {
        body.extend(["&", &in_url(key), "=", &in_url(value)]);
    }
    send(sim, now, &format!("{region}/cloudformation"), (Method::POST, "/"), body)
}

/// Puts an object into the bucket of a stack's region.
pub(crate) fn put_object(
    sim: &Simulator,
    now: Timestamp,
    stack: &StackStory,
    key: &str,
    content: &str,
) -> Answer {
    let (scope, path) = object_of(stack, key);
    send(sim, now, &scope, (Method::PUT, &path), content.to_owned())
}

/// Reads an object of the bucket of a stack's region.
pub(crate) fn object(sim: &Simulator, now: Timestamp, stack: &StackStory, key: &str) -> Answer {
    let (scope, path) = object_of(stack, key);
    send(sim, now, &scope, (Method::GET, &path), String::new())
}

fn object_of(stack: &StackStory, key: &str) -> (String, String) {
    (format!("{}/s3", region(stack)), format!("/{}/{key}", bucket(stack)))
}

fn send(
    sim: &Simulator,
    now: Timestamp,
    scope: &str,
    (method, path): (Method, &str),
    body: String,
) -> Answer {
    let scope = format!("Credential=AKIDOTHER/20260101/{scope}/aws4_request, SignedHeaders=host");
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = method;
    if let Ok(path) = path.parse() {
        *request.uri_mut() = path;
    }
    if let Ok(value) = format!("AWS4-HMAC-SHA256 {scope}, Signature=0").parse() {
        request.headers_mut().insert(http::header::AUTHORIZATION, value);
    }
    let response = sim.handle(request, now);
    Answer {
        is_accepted: response.status() == StatusCode::OK,
        body: String::from_utf8_lossy(response.body()).into_owned(),
    }
}

/// Calls CloudFormation, and waits as long as it throttles the call.
pub(crate) fn read(
    sim: &Simulator,
    mut now: Timestamp,
    region: &str,
    action: &str,
    parameters: &[(&str, &str)],
) -> Answer {
    loop {
        let answer = call(sim, now, region, action, parameters);
        if !answer.body.contains("<Code>Throttling</Code>") {
            return answer;
        }
        now += SignedDuration::from_secs(1);
    }
}

/// Does what somebody else does. Returns whether CloudFormation accepted it.
pub(crate) fn act(sim: &Simulator, now: Timestamp, story: &Story, place: usize, act: Act) -> bool {
    let Some(stack) = story.stacks.get(place) else { return false };
    let (name, region) = (name(place), region(stack));
    let template = template(story, place, Version::Other).to_string();
    let with_template = [
        ("StackName", name.as_str()),
        ("TemplateBody", template.as_str()),
        ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
    ];
    let (action, parameters) = match act {
        Act::Create => ("CreateStack", &with_template[..]),
        Act::Update => ("UpdateStack", &with_template[..]),
        Act::Delete | Act::Replace => {
            let is_there = call(sim, now, region, "DescribeStacks", &with_template[..1]).is_accepted;
            if !is_there {
                return false;
            }
            ("DeleteStack", &with_template[..1])
        }
        Act::Cancel => ("CancelUpdateStack", &with_template[..1]),
        Act::RollBack => ("RollbackStack", &with_template[..1]),
        Act::ContinueRollback => ("ContinueUpdateRollback", &with_template[..1]),
    };
    call(sim, now, region, action, parameters).is_accepted
}

/// Creates a stack as soon as there is none with its name.
pub(crate) async fn create_when_possible(sim: Simulator, clock: VirtualClock, story: Story, place: usize) {
    for _ in 0..MOST_TRIES {
        tokio::time::sleep(PAUSE).await;
        if act(&sim, clock.now(), &story, place, Act::Create) {
            return;
        }
    }
}
