//! `paceline schema`: prints, writes or checks a JSON Schema.

use camino::Utf8Path;
use paceline_app::{Failure, terminal};
use paceline_buildspec::{GeneratedFile, Mode, grammar, write_files};
use paceline_engine::ExitCode;

use crate::cli::{SchemaArgs, SchemaOf};

pub(crate) fn run(args: &SchemaArgs) -> Result<ExitCode, Failure> {
    let (schema, name) = match args.of {
        SchemaOf::Config => (paceline_config::schema(), "config"),
        SchemaOf::Buildspec => (grammar::schema(), "buildspec"),
        SchemaOf::Diff => (paceline_diff::json_schema(), "diff"),
        SchemaOf::Doctor => (paceline_app::doctor_schema(), "doctor"),
        SchemaOf::Report => (paceline_report::json_schema(), "report"),
    };
    let contents = format!("{schema:#}\n");
    let Some(out) = &args.out else {
        terminal::data(&contents);
        return Ok(ExitCode::Done);
    };
    let path = out.file_name().unwrap_or_default().to_owned();
    let folder = out.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let mode = if args.check { Mode::Check } else { Mode::Write };
    let changes = write_files(folder, None, &[GeneratedFile { path, contents }], mode)?;
    let Some(stale) = changes.stale.first() else {
        let what = if changes.written.is_empty() { "is up to date" } else { "is written" };
        terminal::say(&format!("{out} {what}"));
        return Ok(ExitCode::Done);
    };
    terminal::data(&stale.diff);
    terminal::say_with_hint(
        &format!("error: {out} is stale"),
        &format!("run: paceline schema {name} --out {out}"),
    );
    Ok(ExitCode::Stale)
}
