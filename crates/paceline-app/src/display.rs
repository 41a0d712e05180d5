//! What a person sees of a run while it goes on: lines, and on a terminal a live part below them.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use paceline_engine::Event;
use paceline_report::{
    Console, ConsoleOptions, Detail, Focus, JsonLines, Live, Move, Record, Report as _, cause_of_stack,
    frame, state_of_stack,
};

use crate::interrupt;
use crate::settings::Format;
use crate::terminal::{self, Data, Key, Keys, LivePart, Painted};

/// Shows the running steps of a record on a terminal. `at_once` is the most stack operations at a time, if it is known. A
/// simulated run has a clock of its own: the time of its last event.
pub(crate) fn live_part(record: &Arc<Mutex<Record>>, at_once: Option<usize>) -> Option<LivePart> {
    let record = Arc::clone(record);
    terminal::live_part(move |screen| {
        let record = locked(&record);
        frame(&record, now(&record), Live { at_once, focus: None }, screen)
    })
}

fn now(record: &Record) -> Timestamp {
    record.at.filter(|_| record.simulated).unwrap_or_else(Timestamp::now)
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows what others do: it keeps nothing. On a terminal, keys select a stack to look at.
#[derive(Debug)]
pub(crate) struct Display {
    record: Arc<Mutex<Record>>,
    focus: Arc<Mutex<Focus>>,
    console: Console<Painted>,
    /// The events on stdout, for programs.
    stdout: Option<JsonLines<Data>>,
    live: Option<LivePart>,
}

impl Display {
    /// The display, and the keys that it is for. There are no keys without a live part.
    pub(crate) fn open(detail: Detail, format: Format) -> (Self, Option<Keys>) {
        let (record, focus) = (Arc::new(Mutex::new(Record::default())), Arc::<Mutex<Focus>>::default());
        // The keys end with the display, so that a frame never names keys that nobody reads.
        let keys = terminal::has_live_part().then(Keys::listen).flatten();
        let (shown, has_keys) = ((Arc::clone(&record), Arc::clone(&focus)), keys.is_some());
        let live = terminal::live_part(move |screen| {
            let (record, focus) = (locked(&shown.0), locked(&shown.1));
            frame(&record, now(&record), Live { at_once: None, focus: has_keys.then_some(&focus) }, screen)
        });
        // No list of all failures follows, as at the end of a run of this process.
        let options = ConsoleOptions { hints: true, ..terminal::console_options(detail, live.is_some()) };
        let console = Console::new(Painted::default(), options);
        let stdout = (format == Format::Json).then(|| JsonLines::new(Data::default()));
        (Self { record, focus, console, stdout, live }, keys)
    }

    /// Does what a key asks for.
    pub(crate) fn key(&mut self, key: Key) {
        let record = locked(&self.record);
        let mut focus = locked(&self.focus);
        let said = match key {
            Key::Up => return focus.select(&record, Move::Up),
            Key::Down => return focus.select(&record, Move::Down),
            Key::Char('q') => return interrupt::by_key(),
            Key::Enter => {
                let followed = focus.follow().map(str::to_owned);
                self.console.follow(followed.as_deref());
                followed
                    .and_then(|id| record.step(&id))
                    .map(|step| state_of_stack(&record, step, now(&record), terminal::stderr_style()))
            }
            Key::Char('c') => focus
                .selected(&record)
                .map(|step| cause_of_stack(&record, step, now(&record), terminal::stderr_style())),
            Key::Char(_) => None,
        };
        drop((record, focus));
        if let Some(said) = said {
            terminal::say_painted(said.trim_end());
        }
    }

    /// The record of all events so far.
    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        locked(&self.record)
    }

    /// Takes an event of which people see no line.
    pub(crate) fn replay(&mut self, event: &Event) {
        self.keep(event);
        self.console.replay(event);
    }

    /// Shows an event. A terminal that is gone is no error.
    pub(crate) fn event(&mut self, event: &Event) {
        self.keep(event);
        let _: io::Result<()> = self.console.event(event);
    }

    fn keep(&mut self, event: &Event) {
        self.record().apply(event);
        if let Some(stdout) = &mut self.stdout {
            // What cannot be printed is an error of the command.
            let _ = stdout.event(event);
        }
    }

    /// Erases the live part.
    pub(crate) fn end(&mut self) {
        self.live = None;
    }
}
