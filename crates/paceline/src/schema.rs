//! `paceline schema`: prints, writes or checks a JSON Schema.

use camino::Utf8Path;
use clap::ValueEnum as _;
use paceline_app::{Failure, terminal};
use paceline_buildspec::lint::output;
use paceline_buildspec::{GeneratedFile, Mode, grammar, write_files};
use paceline_engine::ExitCode;
use paceline_plan::show;
use serde_json::Value;

use crate::cli::{SchemaArgs, SchemaOf};

pub(crate) fn run(args: &SchemaArgs) -> Result<ExitCode, Failure> {
    let contents = format!("{:#}\n", schema(args.of));
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
        &format!("run: paceline schema {} --out {out}", name(args.of)),
    );
    Ok(ExitCode::Stale)
}

fn schema(of: SchemaOf) -> Value {
    match of {
        SchemaOf::Config => paceline_config::schema(),
        SchemaOf::Buildspec => grammar::schema(),
        SchemaOf::Events => paceline_engine::event::json_schema(),
        SchemaOf::Report => paceline_report::json_schema(),
        SchemaOf::Bootstrap => paceline_app::bootstrap_schema(),
        SchemaOf::Destroy => show::destruction_schema(),
        SchemaOf::Diff => paceline_diff::json_schema(),
        SchemaOf::Doctor => paceline_app::doctor_schema(),
        SchemaOf::Explain => show::explain_schema(),
        SchemaOf::History => paceline_report::list_schema(),
        SchemaOf::HistoryCompare => paceline_report::comparison_schema(),
        SchemaOf::Lint => output::json_schema(),
        SchemaOf::Ls => show::list_schema(),
        SchemaOf::Plan => show::plan_schema(),
        SchemaOf::ProjectApply => paceline_app::apply_schema(),
        SchemaOf::ProjectDiff => paceline_app::diff_schema(),
        SchemaOf::ProjectStart => paceline_app::build_schema(),
        SchemaOf::Publish => paceline_app::publish_schema(),
        SchemaOf::Rollback => show::rollback_schema(),
        SchemaOf::WhyWaiting => paceline_report::why_waiting_schema(),
    }
}

/// The word for it on the command line.
fn name(of: SchemaOf) -> String {
    of.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
