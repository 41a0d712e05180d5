//! What every fuzz target does: it gives its reader inputs that are made from a valid one.

#[path = "../../tests/it/readers.rs"]
mod readers;

use libfuzzer_sys::fuzzer_mutate;
use paceline_spoil::Spoiler;

use crate::readers::{READERS, Reader, sample};

#[doc(hidden)]
pub use libfuzzer_sys;

/// Makes a fuzz target of a reader, by its name.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        $crate::libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::read($name, input));
        $crate::libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate($name, data, size, max_size, seed)
        });
    };
}

/// Gives a reader an input. Panics if the reader does, or if it says something that a terminal would obey.
pub fn read(name: &str, input: &[u8]) {
    reader(name).check(input);
}

/// Changes an input, and returns its new size. Half of the changes are those of the bounded tests, which know what the files
/// are made of; the other half are libFuzzer's own.
pub fn mutate(name: &str, data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if size > 1 && seed.is_multiple_of(2) {
        return fuzzer_mutate(data, size, max_size);
    }
    // libFuzzer begins with an input of one byte.
    let input = if size > 1 { data[..size].to_vec() } else { sample(name) };
    let spoiled = Spoiler::new(u64::from(seed)).spoil(&input);
    let size = spoiled.len().min(max_size);
    data[..size].copy_from_slice(&spoiled[..size]);
    size
}

fn reader(name: &str) -> &'static Reader {
    READERS.iter().find(|reader| reader.name == name).expect("the target names a reader")
}
