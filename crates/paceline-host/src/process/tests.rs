//! Programs that end, programs that do not end, and the processes that they leave behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::groups;
use super::processes::{GRACE, Processes};
use super::program::{Program, ProgramError, Stream};
use super::script::Script;

/// Runs forever and ignores the signals that ask it to end.
const DEAF: &str = "trap '' TERM INT; echo $$ > deaf.part; mv deaf.part deaf; while :; do sleep 0.01; done";

/// The folder and the processes of one test.
struct Place {
    folder: TempDir,
    processes: Processes,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), processes: Processes::default() }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join(name)
    }

    fn script(&self, text: &str) -> Program {
        Program::new("sh").args(["-c", text]).dir(self.folder.path()).among(&self.processes)
    }

    /// Waits until a file exists. Returns the number in the file, or 0 if there is none.
    async fn seen(&self, name: &str) -> u32 {
        for _ in 0..10_000 {
            if let Ok(text) = fs_err::read_to_string(self.path(name)) {
                return text.trim().parse().unwrap_or_default();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("{name} did not come");
    }

    /// Starts a script and drops it when a file exists.
    async fn dropped_at(&self, text: &str, name: &str) -> u32 {
        tokio::select! {
            ended = self.script(text).run(|_, _| {}) => panic!("{ended:?}"),
            id = self.seen(name) => id,
        }
    }
}

/// Runs a program and returns the printed lines.
async fn printed(program: Program) -> (Result<(), ProgramError>, Vec<String>) {
    let mut lines = Vec::new();
    let ended = program.run(|_, line| lines.push(line)).await;
    (ended, lines)
}

fn is_alive(id: u32) -> bool {
    groups::runs(id)
}

#[tokio::test]
async fn secrets_are_in_no_line_of_a_script_and_not_in_its_error() {
    paceline_text::secrets::hide("alpha\nbeta7\ngamma");
    let mut lines = Vec::new();
    let script = Script {
        run: "printf 'alpha\nbeta7\n' >&2; printf 'alpha\nbeta7\ngamma\n'; exit 3".to_owned(),
        shell: "sh".to_owned(),
        dir: "".into(),
        env: BTreeMap::default(),
        timeout: None,
    };
    let error = script.perform(|line| lines.push(line)).await.unwrap_err();
    assert_eq!(lines, ["***"; 5]);
    assert!(error.to_string().ends_with(": ***"), "{error}");
}

#[tokio::test]
async fn both_streams_are_read_and_the_last_line_is_the_reason() {
    let place = Place::new();
    let mut heard = Vec::new();
    let ended =
        place.script("echo one; echo two >&2; exit 3").run(|stream, line| heard.push((stream, line))).await;
    heard.sort_by_key(|(_, line)| line.clone());
    assert_eq!(heard, [(Stream::Out, "one".to_owned()), (Stream::Error, "two".to_owned())]);
    let said = ended.unwrap_err().to_string();
    assert!(said.starts_with("it ended with exit status: 3: "), "{said}");
}

#[tokio::test]
async fn a_program_that_cannot_start_names_its_folder() {
    let place = Place::new();
    let ended = place.script("true").dir("/no/such/folder").run(|_, _| {}).await;
    let said = ended.unwrap_err().with_source();
    assert!(said.starts_with("cannot run it in /no/such/folder: "), "{said}");
    let ended = place.script("no-such-program").run(|_, _| {}).await;
    assert!(ended.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_program_gets_its_input_and_unread_input_is_no_error() {
    let place = Place::new();
    let (ended, lines) = printed(place.script("cat").input("secret")).await;
    ended.unwrap();
    assert_eq!(lines, ["secret"]);
    let long = "x".repeat(1_000_000);
    let (ended, lines) = printed(place.script("echo no room >&2; exit 1").input(long.clone())).await;
    assert!(matches!(ended, Err(ProgramError::Status { .. })), "{ended:?}");
    assert_eq!(lines, ["no room"]);
    // A program that prints while it reads is not blocked by its input.
    let (ended, lines) = printed(place.script("cat").input(long.clone())).await;
    ended.unwrap();
    assert_eq!(lines.concat(), long);
}

#[tokio::test]
async fn a_background_program_continues_and_the_script_ends() {
    let place = Place::new();
    let (ended, lines) = printed(place.script("sleep 60 & echo $! > id; echo up; printf half")).await;
    ended.unwrap();
    assert_eq!(lines, ["up", "half"]);
    let id = place.seen("id").await;
    assert!(is_alive(id));
    place.processes.settle();
    assert!(is_alive(id), "what was left by a script that ended well is left alone");
    place.processes.end_all(GRACE);
    assert!(!is_alive(id));
}

#[tokio::test]
async fn a_flood_from_the_background_does_not_delay_the_end() {
    let place = Place::new();
    let (ended, lines) = printed(place.script("yes & true")).await;
    ended.unwrap();
    assert!(lines.iter().all(|line| line == "y" || line.is_empty()));
    place.processes.end_all(GRACE);
}

#[tokio::test]
async fn the_background_of_a_failed_script_is_ended() {
    let place = Place::new();
    let (ended, _) = printed(place.script("sleep 60 & echo $! > id; exit 1")).await;
    assert!(matches!(ended, Err(ProgramError::Status { .. })), "{ended:?}");
    assert!(!is_alive(place.seen("id").await));
}

#[tokio::test]
async fn a_script_that_takes_too_long_is_ended_with_its_children() {
    let place = Place::new();
    let script = "sleep 60 & echo $! > id; trap 'echo bye > bye; exit' TERM; while :; do sleep 0.01; done";
    let program = place.script(script).timeout(Some(Duration::from_millis(200)));
    let ended = program.run(|_, _| {}).await;
    assert!(matches!(ended, Err(ProgramError::Timeout { .. })), "{ended:?}");
    assert!(place.path("bye").exists(), "it was asked, not killed");
    assert!(!is_alive(place.seen("id").await));
}

#[tokio::test]
async fn a_dropped_script_is_asked_to_end_and_has_time_for_that() {
    let place = Place::new();
    let child = "trap 'sleep 0.1; touch heard; exit' TERM; touch up; while :; do sleep 0.01; done";
    place.dropped_at(&format!("sh -c \"{child}\"; true"), "up").await;
    place.processes.settle();
    assert!(place.path("heard").exists());
}

#[tokio::test]
async fn a_dropped_script_may_print_while_it_ends() {
    let place = Place::new();
    // This is more than a pipe holds.
    let print = "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2";
    let script = format!("trap '{print}; touch heard; exit' TERM; touch up; while :; do sleep 0.01; done");
    place.dropped_at(&script, "up").await;
    place.processes.settle();
    assert!(place.path("heard").exists());
}

#[tokio::test]
async fn a_deaf_script_and_its_grandchild_are_killed_after_the_grace() {
    for script in [DEAF.to_owned(), format!("sh -c \"{}\"; true", DEAF.replace('$', "\\$"))] {
        let place = Place::new();
        let id = place.dropped_at(&script, "deaf").await;
        assert!(is_alive(id));
        place.processes.end_all(Duration::from_millis(50));
        assert!(!is_alive(id));
    }
}

#[tokio::test]
async fn ending_all_processes_reaches_the_background_and_prevents_new_ones() {
    let place = Place::new();
    place.script(&format!("sh -c \"{}\" & true", DEAF.replace('$', "\\$"))).run(|_, _| {}).await.unwrap();
    let id = place.seen("deaf").await;
    place.processes.end_all(Duration::from_millis(50));
    assert!(!is_alive(id));
    let ended = place.script("touch started").run(|_, _| {}).await;
    assert!(ended.unwrap_err().with_source().contains("is being stopped"));
    assert!(!place.path("started").exists());
}

#[tokio::test]
async fn a_second_request_kills_at_once() {
    let place = Place::new();
    let id = place.dropped_at(DEAF, "deaf").await;
    place.processes.kill_all();
    place.processes.settle();
    assert!(!is_alive(id));
}

/// Runs on virtual time, which jumps while a real program runs.
#[tokio::test(start_paused = true)]
async fn all_output_before_the_end_is_read() {
    let place = Place::new();
    let (ended, lines) = printed(place.script("sleep 60 & seq 1 5000")).await;
    ended.unwrap();
    assert_eq!(lines.len(), 5000);
    place.processes.end_all(GRACE);
}
