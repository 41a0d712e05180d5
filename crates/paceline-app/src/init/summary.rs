//! The messages of `paceline init` after it has written a configuration.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use camino::Utf8Path;
use paceline_assembly::Assembly;
use paceline_buildspec::understand::{ExistingPipeline, Understanding};
use paceline_init::{AppFolder, NewConfigText};
use paceline_text::{count, plural};

pub(crate) fn of_app(
    assembly: &Assembly,
    app: &AppFolder,
    written: &NewConfigText,
    out: &Utf8Path,
) -> String {
    let mut text = String::new();
    notes(&mut text, written);
    keep_out(&mut text, out);
    if app.synth.is_some() && !app.is_committed {
        text.push_str("  note: `paceline deploy` runs the `synth` command of the file first\n");
    }
    let config = config_flag(out);
    let _ = write!(
        text,
        "{}{}\nnext:\n  paceline plan{config}\n  paceline deploy --simulate{config}\n  paceline gen{config}",
        wrote(out),
        counted(assembly.stacks.len(), "stack"),
    );
    text
}

pub(crate) fn of_takeover(
    read: &[(&Utf8Path, Understanding)],
    build: &ExistingPipeline,
    written: &NewConfigText,
    has_graph: bool,
    out: &Utf8Path,
) -> String {
    let mut text = String::new();
    for (file, it) in read {
        let said = [
            counted(it.apps.len(), "app"),
            counted(it.deployments.len(), "deployment"),
            counted(it.scripts.len(), "script"),
            counted(it.signals.len(), "signal"),
        ];
        let _ = writeln!(text, "{file}: understood {}", said.join(", "));
        for problem in &it.problems {
            let _ = writeln!(text, "  {file}:{}: mistake: {}: {}", problem.line, problem.what, problem.why);
        }
        for script in &it.scripts {
            let what = script.text.lines().last().unwrap_or_default();
            let _ = writeln!(text, "  {file}:{}: kept as a command: {what}", script.line);
        }
        for left in &it.left_out {
            let _ = writeln!(text, "  {file}:{}: left out: {}: {}", left.line, left.what, left.why);
        }
        let mut said = BTreeSet::new();
        for deployment in &it.deployments {
            if !deployment.parameters.is_empty() {
                let given = deployment.parameters.join(" --parameters ");
                let _ =
                    writeln!(text, "  {file}:{}: pass it to the run: --parameters {given}", deployment.line);
            }
            if let Some(outputs) =
                deployment.outputs.as_ref().filter(|outputs| said.insert((deployment.line, *outputs)))
            {
                let _ =
                    writeln!(text, "  {file}:{}: pass it to the run: --outputs {outputs}", deployment.line);
            }
        }
    }
    notes(&mut text, written);
    keep_out(&mut text, out);
    let config = config_flag(out);
    let synthesizes = build.apps.len() > 1 && build.apps.iter().any(|app| app.synth().is_some());
    let first = match (has_graph, synthesizes) {
        (true, _) => format!("paceline plan{config}"),
        (false, true) => format!("paceline synth{config}"),
        // The file has the commands that prepare the app, and the build runs them.
        (false, false) => match build.apps.first().and_then(|app| Some((&app.dir, app.synth()?))) {
            Some((dir, synth)) if dir.is_empty() => synth,
            Some((dir, synth)) => format!("(cd {dir} && {synth})"),
            None => format!("paceline plan{config}"),
        },
    };
    let again: Vec<String> = read.iter().map(|(file, _)| format!(" --from {file}")).collect();
    let (second, third) = if has_graph {
        (format!("paceline deploy --simulate{config}"), format!("paceline gen{config}"))
    } else {
        // Once the assemblies exist, `init` can use the graph instead of the order in the buildspec.
        let force = if out == super::STDOUT { "" } else { " --force" };
        (format!("paceline init{}{force}{}", again.concat(), out_flag(out)), format!("paceline plan{config}"))
    };
    let _ = write!(
        text,
        "{}{}\nnext:\n  {first}\n  {second}\n  {third}",
        wrote(out),
        counted(build.apps.len(), "app")
    );
    text
}

fn notes(text: &mut String, written: &NewConfigText) {
    for (line, note) in &written.notes {
        let place = if *line == 0 { String::new() } else { format!("line {line}: ") };
        let _ = writeln!(text, "  note: {place}{note}");
    }
}

/// Says how to keep the journals of runs out of the repository, unless `.gitignore` does so already.
fn keep_out(text: &mut String, out: &Utf8Path) {
    let is_covered = |line: &str| matches!(line.trim().trim_matches('/'), ".paceline" | ".paceline/runs");
    let ignored = fs_err::read_to_string(".gitignore").unwrap_or_default();
    if out != super::STDOUT && !ignored.lines().any(is_covered) {
        text.push_str(
            "  note: keep the journals of runs out of the repository: echo .paceline/runs/ >> .gitignore\n",
        );
    }
}

fn wrote(out: &Utf8Path) -> String {
    if out == super::STDOUT { "for ".to_owned() } else { format!("wrote {out} for ") }
}

fn config_flag(out: &Utf8Path) -> String {
    let is_usual = out == paceline_config::FILE_NAME || out == super::STDOUT;
    if is_usual { String::new() } else { format!(" --config {out}") }
}

fn out_flag(out: &Utf8Path) -> String {
    let is_usual = out == paceline_config::FILE_NAME;
    if is_usual { String::new() } else { format!(" --out {out}") }
}

/// `no stacks`, `1 stack`, `2 stacks`.
fn counted(number: usize, noun: &str) -> String {
    if number == 0 { format!("no {}", plural(noun)) } else { count(number, noun) }
}
