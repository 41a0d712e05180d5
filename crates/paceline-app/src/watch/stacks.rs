//! Watches stacks in any environments.

use std::cell::RefCell;
use std::time::Duration;

use globset::{GlobBuilder, GlobMatcher};
use jiff::Timestamp;
use paceline_assembly::Stack;
use paceline_aws::{PreflightError, StackNews, WatchedStack, Watching, Wire};
use paceline_engine::{Event, ExitCode, Fact};
use paceline_text::{count, list, one_line};

use super::WatchSettings;
use super::events::WatchEvents;
use super::next_key;
use crate::app::configured;
use crate::display::Display;
use crate::failure::Failure;
use crate::terminal::Keys;
use crate::{interrupt, terminal};

/// Stacks are settled if no operation has been in progress for this time. Between two stacks, a run waits for roles to be
/// usable, which takes less.
const QUIET: Duration = Duration::from_secs(30);
/// From one look at the clock to the next.
const TICK: Duration = Duration::from_secs(1);
/// Without news, the console gets the time this often. It decides whether to print a line.
const WAITING_EVERY: u32 = 30;

/// Watches stacks until they are settled, or until this process is interrupted.
pub(super) fn watch(args: &WatchSettings) -> Result<ExitCode, Failure> {
    // The poller lives on the runtime on which it was made.
    interrupt::to_its_end("stacks were being watched", async {
        let wire = terminal::wire();
        let watching = interrupt::stoppable(watching(args, &wire)).await??;
        let (watch, mut keys) = Watch::new(args, watching.named_stacks(), watching.regions());
        let watch = RefCell::new(watch);
        let follow = watching.follow(|news| watch.borrow_mut().hear(news));
        let settled = async {
            loop {
                tokio::time::sleep(TICK).await;
                if watch.borrow_mut().tick() && args.until_settled {
                    return;
                }
            }
        };
        let pressed = async {
            loop {
                let key = next_key(&mut keys).await;
                watch.borrow_mut().display.key(key);
            }
        };
        let stop = interrupt::stop();
        tokio::select! {
            biased;
            () = stop.requested() => Ok(ExitCode::Interrupted),
            // Never ends: the key `q` requests the stop.
            () = pressed => Ok(ExitCode::Interrupted),
            error = follow => Err(PreflightError::from(error).into()),
            () = settled => Ok(watch.borrow_mut().finish()),
        }
    })?
}

/// Finds the stacks that the arguments name.
async fn watching(args: &WatchSettings, wire: &Wire) -> Result<Watching, Failure> {
    let WatchSettings { targets, region: regions, .. } = args;
    let matchers = targets.iter().map(|text| matcher(text)).collect::<Result<Vec<_>, _>>()?;
    if args.paths.app.is_none() && !targets.is_empty() {
        let is_pattern = |text: &String| text.contains(['*', '?', '[', '{']);
        if !targets.iter().any(is_pattern) {
            return Ok(Box::pin(Watching::named(wire, regions, targets)).await?);
        }
        let matches = move |name: &str| matchers.iter().any(|it| it.is_match(name));
        return Ok(Box::pin(Watching::matching(wire, regions, matches)).await?);
    }
    let app = configured(&args.paths)?.app(&args.paths)?;
    let is_meant = |stack: &&Stack| {
        let region = stack.environment.region.as_ref();
        (regions.is_empty() || region.is_none_or(|region| regions.contains(region)))
            && (matchers.is_empty()
                || matchers.iter().any(|it| it.is_match(&stack.id) || it.is_match(&stack.name)))
    };
    let stacks: Vec<&Stack> = app.assembly.stacks.iter().filter(is_meant).collect();
    if stacks.is_empty() {
        let what =
            if targets.is_empty() { "stack".to_owned() } else { format!("stack like {}", list(targets)) };
        let place = if regions.is_empty() { String::new() } else { format!(" in {}", list(regions)) };
        return Err(Failure::usage(
            format!("{} has no {what}{place}", app.dir),
            "`paceline plan` shows the stacks of the app",
        ));
    }
    Ok(Box::pin(Watching::stacks(wire, &stacks)).await?)
}

fn matcher(text: &str) -> Result<GlobMatcher, Failure> {
    let glob = GlobBuilder::new(text).literal_separator(false).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| {
        Failure::usage(
            format!("`{text}` is no pattern: {}", error.kind()),
            "write a name, or a pattern with * and ?",
        )
    })
}

/// What is shown of the watched stacks.
struct Watch {
    events: WatchEvents,
    display: Display,
    named: Vec<WatchedStack>,
    regions: Vec<String>,
    began: Timestamp,
    /// The news of the first look, until all of them are known.
    first: Option<Vec<StackNews>>,
    /// How many ticks ago the last news came.
    silent: u32,
    /// For how many ticks no operation has been in progress.
    settled: u32,
}

impl Watch {
    fn new(args: &WatchSettings, named: Vec<WatchedStack>, regions: Vec<String>) -> (Self, Option<Keys>) {
        let (display, keys) = Display::open(args.detail(), args.format);
        let watch = Self {
            events: WatchEvents::default(),
            display,
            named,
            regions,
            began: Timestamp::now(),
            first: Some(Vec::new()),
            silent: 0,
            settled: 0,
        };
        (watch, keys)
    }

    /// Takes news, or the end of the first look.
    fn hear(&mut self, news: Option<StackNews>) {
        self.silent = 0;
        match (news, &mut self.first) {
            (Some(news), Some(first)) => first.push(news),
            (Some(news), None) => self.show(&news, Timestamp::now()),
            (None, first) => {
                let first = first.take().unwrap_or_default();
                self.begin(&first);
            }
        }
    }

    /// The watch begins with the oldest operation that is in progress, so that the times on the screen are those of AWS.
    fn begin(&mut self, first: &[StackNews]) {
        let now = Timestamp::now();
        let oldest = first.iter().filter_map(|news| match news {
            StackNews::Began { since, .. } => *since,
            _ => None,
        });
        self.began = oldest.min().map_or(now, |oldest| oldest.min(now));
        let started = self.events.start(&self.named, self.began);
        self.display.replay(&started);
        for news in first {
            self.show(news, now);
        }
        let (all, going) = self.events.counts();
        let regions = list(&self.regions);
        if all == 0 {
            terminal::say(&format!("watching {regions}: no stack of such a name is there yet"));
            return;
        }
        let going = match going {
            0 => "no operation is in progress".to_owned(),
            1 => "an operation on 1 is in progress".to_owned(),
            n => format!("operations on {n} are in progress"),
        };
        terminal::say(&format!("watching {} in {}: {going}", count(all, "stack"), regions));
    }

    fn show(&mut self, news: &StackNews, now: Timestamp) {
        match news {
            StackNews::Absent(stack) => {
                terminal::say(&format!("{} is not there yet", label(stack)));
            }
            StackNews::Unreadable(stack, why) => {
                terminal::warn(&format!(
                    "{}: its events cannot be read, only its status: {why}",
                    label(stack)
                ));
            }
            StackNews::Settled { stack, status, at_first: true, cause } if !status.has_succeeded() => {
                let why = cause.as_ref().map(|cause| {
                    let at = cause.at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
                    format!(": {at}{}", cause.message)
                });
                terminal::warn(&format!("{} is {status}{}", label(stack), why.unwrap_or_default()));
            }
            _ => {}
        }
        let is_old = matches!(news, StackNews::Settled { at_first: true, .. });
        for event in self.events.of(news, now) {
            if is_old { self.display.replay(&event) } else { self.display.event(&event) }
        }
    }

    /// A second has passed. Gives whether the stacks have been settled for long enough.
    fn tick(&mut self) -> bool {
        if self.first.is_some() {
            return false;
        }
        self.silent += 1;
        if self.silent.is_multiple_of(WAITING_EVERY) {
            let (_, running) = self.events.counts();
            let event: Event = self.events.event(Timestamp::now(), Fact::RunWaiting { running });
            self.display.event(&event);
        }
        self.settled = if self.events.is_settled() { self.settled + 1 } else { 0 };
        TICK * self.settled >= QUIET
    }

    fn finish(&mut self) -> ExitCode {
        let event = self.events.finish(self.began, Timestamp::now());
        self.display.end();
        self.display.replay(&event);
        let record = self.display.record();
        let failed: Vec<String> = record.failures().map(|step| record.label(&step.step)).collect();
        let all = count(record.stacks().count(), "stack");
        if failed.is_empty() {
            terminal::say(&format!("{all} settled well"));
            return ExitCode::Done;
        }
        terminal::say(&format!("{all} settled; the last operation failed on {}", list(&failed)));
        ExitCode::Failed
    }
}

fn label(stack: &WatchedStack) -> String {
    format!("{} ({})", one_line(&stack.name), stack.region)
}
