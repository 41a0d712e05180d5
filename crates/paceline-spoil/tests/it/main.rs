//! Every reader gets spoiled input. It ends, does not panic, uses memory in proportion to the input, and what it says to
//! people has no control characters.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

mod memory;
mod readers;

use std::sync::mpsc;
use std::time::Duration;

use paceline_spoil::{Spoiler, alias_bomb};

use crate::memory::{alone, most_of};
use crate::readers::{READERS, Reader, sample};

/// How many spoiled inputs each reader gets.
const CASES: u64 = 500;
/// No reader takes so long for all of its inputs, even unoptimized and beside others. A reader that hangs takes longer.
const LIMIT: Duration = Duration::from_mins(5);
/// The memory of a reader for any input: its tables and the expressions that it compiles once.
const CONSTANT: usize = 24 << 20;
/// The memory of a reader for each byte of the input. The nodes of a parsed document are larger than their text.
const FACTOR: usize = 10;

fn read(reader: &Reader, input: &[u8]) {
    let used = most_of(|| reader.check(input));
    let allowed = CONSTANT + FACTOR * input.len();
    assert!(used <= allowed, "{used} bytes for an input of {}", input.len());
}

/// Runs all inputs of a reader in a thread of its own, within the limit.
fn check(name: &'static str, inputs: impl FnOnce(&mut dyn FnMut(&[u8])) + Send + 'static) {
    let reader = READERS.iter().find(|reader| reader.name == name).unwrap();
    let (sender, ended) = mpsc::channel();
    let work = std::thread::spawn(move || {
        alone(|| {
            // What is made once for all inputs does not count.
            (reader.read)(b"");
            inputs(&mut |input| {
                let ended = std::panic::catch_unwind(|| read(reader, input));
                let shown: String = String::from_utf8_lossy(input).chars().take(4000).collect();
                assert!(ended.is_ok(), "{name}: {shown:?}");
            });
        });
        let _ = sender.send(());
    });
    match ended.recv_timeout(LIMIT) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{name} did not end within {LIMIT:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(work.join().unwrap_err()),
    }
}

fn spoiled(name: &'static str) {
    check(name, move |give| {
        let valid = sample(name);
        give(&valid);
        for seed in 0..CASES {
            give(&Spoiler::new(seed).spoil(&valid));
        }
    });
}

#[test]
fn a_spoiled_template_is_read_or_refused() {
    spoiled("template");
}

#[test]
fn a_spoiled_manifest_is_read_or_refused() {
    spoiled("manifest");
}

#[test]
fn a_spoiled_asset_manifest_is_read_or_refused() {
    spoiled("asset manifest");
}

#[test]
fn a_spoiled_configuration_is_read_or_refused() {
    spoiled("configuration");
}

#[test]
fn a_spoiled_buildspec_is_read_or_refused() {
    spoiled("buildspec");
}

#[test]
fn a_spoiled_script_is_checked_or_refused() {
    spoiled("script");
}

#[test]
fn a_spoiled_journal_is_read_or_refused() {
    spoiled("journal");
}

#[test]
fn a_spoiled_history_is_read_or_skipped() {
    spoiled("history");
}

#[test]
fn a_spoiled_plan_is_refused() {
    spoiled("plan");
}

#[test]
fn a_spoiled_capture_is_read_or_refused() {
    spoiled("capture");
    spoiled("captured template");
}

#[test]
fn a_spoiled_prepared_stack_is_read_or_refused() {
    spoiled("prepared stack");
}

/// Text in which every second byte is a value. The limits on the length of templates and on the number of values in files
/// that people write bound the memory.
#[test]
fn dense_documents_are_read_or_refused_in_bounded_memory() {
    let check_dense = |name: &'static str, text: String, most: usize| {
        let reader = READERS.iter().find(|reader| reader.name == name).unwrap();
        alone(|| {
            (reader.read)(b"");
            let used = most_of(|| drop((reader.read)(text.as_bytes())));
            assert!(used <= most, "{name}: {used} bytes for {} of input", text.len());
        });
    };
    let dense = |length: usize| format!("[{}1]", "1,".repeat(length / 2));
    for length in [1 << 19, (1 << 20) - 8] {
        // YAML: the first character of JSON is missing.
        check_dense("template", format!("a: {}", dense(length)), 170 * length);
        check_dense("template", format!("{{\"Resources\":{}}}", dense(length)), 60 * length);
    }
    for name in ["template", "configuration", "buildspec"] {
        check_dense(name, format!("a: {}", dense(4 << 20)), CONSTANT + FACTOR * (4 << 20));
    }
}

/// YAML bombs, deep nesting and large flat documents, for every reader.
#[test]
fn bombs_are_refused_in_bounded_memory() {
    for reader in READERS {
        check(reader.name, |give| {
            give(alias_bomb(9).as_bytes());
            for open in ["[", "{\"a\":", "- ", "a:\n ", "$(", "`", "(", "{{", "if true; then "] {
                give(open.repeat(20_000).as_bytes());
            }
            give(format!("{{\"Resources\":{}}}", "[".repeat(50_000)).as_bytes());
            give(format!("[{}1]", "1,".repeat(200_000)).as_bytes());
            give(format!("a:\n{}", "  - {}\n".repeat(10_000)).as_bytes());
            give((0..10_000).map(|n| format!("k{n}: 1")).collect::<Vec<_>>().join("\n").as_bytes());
            give("\u{1b}".repeat(10_000).as_bytes());
            give(&[0xff; 10_000]);
        });
    }
}

#[test]
fn the_same_seed_spoils_in_the_same_way() {
    let (valid, mut different) = (sample("template"), 0);
    for seed in 0..20 {
        let one = Spoiler::new(seed).spoil(&valid);
        assert_eq!(one, Spoiler::new(seed).spoil(&valid));
        different += usize::from(one != valid);
    }
    assert!(different > 15, "{different}");
}
