//! Writes the page, the picture and the JSON report of every run that the tests make, to look at in a browser:
//! `cargo xtask pages`.

#[path = "../tests/it/journal.rs"]
#[expect(clippy::unwrap_used, reason = "it is written for tests")]
#[allow(dead_code, reason = "the tests use the rest")]
mod journal;
#[path = "../tests/it/runs.rs"]
#[expect(clippy::unwrap_used, reason = "it is written for tests")]
mod runs;

use std::path::PathBuf;

use paceline_report::{Record, html, json, svg};

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "pages".into()));
    fs_err::create_dir_all(&folder)?;
    for (name, events) in runs::all().into_iter().chain([("many", runs::many(1_000))]) {
        let record = Record::of(&events);
        let page = html(&record, runs::comparison(&record).as_ref());
        fs_err::write(folder.join(format!("{name}.html")), page)?;
        fs_err::write(folder.join(format!("{name}.svg")), svg(&record))?;
        fs_err::write(folder.join(format!("{name}.json")), json(&record))?;
    }
    Ok(())
}
