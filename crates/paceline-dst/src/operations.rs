//! What CloudFormation did, by its own record.

use jiff::Timestamp;
use paceline_sim::Simulator;

use crate::app;
use crate::others::read;
use crate::story::Story;

/// The prefix of Paceline's client tokens.
const OURS: &str = "paceline-";

/// All stacks that have had a name, the deleted ones first.
#[derive(Debug)]
pub struct StackHistory {
    pub name: String,
    /// The events of the stacks themselves, the oldest first.
    pub events: Vec<StackEvent>,
}

/// An event of a stack itself.
#[derive(Debug, Clone)]
pub struct StackEvent {
    pub at: Timestamp,
    /// The stack's ARN.
    pub id: String,
    pub status: String,
    pub token: Option<String>,
}

/// An operation on a stack: from its first event to the event before the next operation.
#[derive(Debug, Clone)]
pub struct Operation<'a> {
    pub events: &'a [StackEvent],
    /// The status of the stack before it. `None` if the stack did not exist.
    pub before: Option<&'a str>,
}

impl StackEvent {
    pub fn is_ours(&self) -> bool {
        self.token.as_deref().is_some_and(|token| token.starts_with(OURS))
    }

    /// Whether the event belongs to a rollback that Paceline asked for.
    pub fn is_asked_rollback(&self) -> bool {
        self.is_ours() && self.token.as_deref().is_some_and(|token| token.contains("-rollback-"))
    }

    /// Whether the stack has been created or updated.
    pub fn is_success(&self) -> bool {
        matches!(
            self.status.as_str(),
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        )
    }
}

impl<'a> Operation<'a> {
    pub fn is_ours(&self) -> bool {
        self.events.first().is_some_and(StackEvent::is_ours)
    }

    pub fn start(&self) -> Option<Timestamp> {
        self.events.first().map(|event| event.at)
    }

    /// The status with which it began.
    pub fn began(&self) -> &'a str {
        self.events.first().map_or("", |event| event.status.as_str())
    }

    pub fn is_success(&self) -> bool {
        self.events.iter().any(StackEvent::is_success)
    }
}

impl StackHistory {
    /// The operations, the oldest first.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let starts: Vec<usize> = (0..self.events.len()).filter(|&place| self.is_start(place)).collect();
        let ends = starts.iter().skip(1).copied().chain([self.events.len()]);
        let operation = |(&from, to): (&usize, usize)| Operation {
            events: &self.events[from..to],
            before: from
                .checked_sub(1)
                .map(|before| &self.events[before])
                .filter(|before| before.id == self.events[from].id)
                .map(|before| before.status.as_str()),
        };
        starts.iter().zip(ends).map(operation).collect()
    }

    /// Whether an operation begins with this event: the stack or the token is another one than before.
    fn is_start(&self, place: usize) -> bool {
        let event = &self.events[place];
        let Some(before) = place.checked_sub(1).map(|before| &self.events[before]) else { return true };
        let is_asked_for = matches!(
            event.status.as_str(),
            "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS"
        );
        event.id != before.id || event.token != before.token || is_asked_for && before.status != event.status
    }
}

/// The history of each stack of the app.
pub(crate) fn histories(sim: &Simulator, now: Timestamp, story: &Story) -> Vec<StackHistory> {
    let history = |(place, stack)| {
        let name = app::name(place);
        let mut all: Vec<_> = sim.stacks().into_iter().filter(|it| it.name == name).collect();
        all.sort_by_key(|it| it.started);
        let mut events = Vec::new();
        for one in all {
            let mut own = events_of(sim, now, app::region(stack), &one.id);
            own.reverse();
            events.append(&mut own);
        }
        StackHistory { name, events }
    };
    story.stacks.iter().enumerate().map(history).collect()
}

/// The events of a stack itself, the newest first.
fn events_of(sim: &Simulator, now: Timestamp, region: &str, id: &str) -> Vec<StackEvent> {
    let (mut events, mut next) = (Vec::new(), None::<String>);
    loop {
        let mut parameters = vec![("StackName", id)];
        parameters.extend(next.as_deref().map(|token| ("NextToken", token)));
        let body = read(sim, now, region, "DescribeStackEvents", &parameters).body;
        for member in body.split("<member>").skip(1) {
            let event = || {
                let is_own = field(member, "PhysicalResourceId")? == id;
                let event = StackEvent {
                    at: field(member, "Timestamp")?.parse().ok()?,
                    id: id.to_owned(),
                    status: field(member, "ResourceStatus")?.to_owned(),
                    token: field(member, "ClientRequestToken").map(str::to_owned),
                };
                is_own.then_some(event)
            };
            events.extend(event());
        }
        next = field(&body, "NextToken").map(str::to_owned);
        if next.is_none() {
            return events;
        }
    }
}

fn field<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(value, _)| value)
}
