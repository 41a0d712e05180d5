//! The parts of a buildspec other than its commands: variables, runtimes, and sections that are not taken
//! over.

use super::{LeftOut, Runtime};
use crate::grammar::{CommandShell, Document, PhaseName, decode, scalar};
use crate::yaml::{Kind, Lines};

/// The parts of a buildspec without its commands.
#[derive(Debug, Default)]
pub(super) struct Sections {
    pub(super) variables: Vec<(String, String)>,
    pub(super) runtimes: Vec<Runtime>,
    /// The parts that are not taken over, with the reasons.
    pub(super) left_out: Vec<LeftOut>,
    pub(super) problems: Vec<LeftOut>,
}

/// The text of a buildspec, or the reason why it cannot be read.
pub(super) fn text(bytes: &[u8]) -> Result<&str, LeftOut> {
    decode(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.byte]);
        unreadable(Lines::of(&before).count(), format!("it {}", error.message))
    })
}

pub(super) fn sections(document: &Document<'_>) -> Result<Sections, LeftOut> {
    if let Some(error) = &document.unreadable {
        return Err(unreadable(error.at.line, format!("it is not YAML: {}", error.message)));
    }
    let entry =
        |line, path: &str, why: String| LeftOut { line, what: format!("`{path}`"), why, may_deploy: false };
    let problems = document.problems.iter().map(|it| entry(it.at.line, &it.path, it.message.clone()));
    let duplicates = document.duplicates.iter();
    let duplicates = duplicates.map(|it| LeftOut {
        what: "a key".to_owned(),
        ..entry(it.at.line, "", format!("{}; the first value is used", it.message))
    });
    let text_entries = |path: &str| -> Vec<(usize, String, String)> {
        let entries = document.map(path).iter();
        let texts = entries
            .filter_map(|(key, value)| Some((key.at.line, key.text.clone(), scalar(value)?.to_owned())));
        texts.collect()
    };
    let runtimes = text_entries("phases.install.runtime-versions").into_iter();
    let variables = text_entries("env.variables").into_iter();
    Ok(Sections {
        variables: variables.map(|(_, name, value)| (name, value)).collect(),
        runtimes: runtimes.map(|(line, name, version)| Runtime { line, name, version }).collect(),
        left_out: sections_without_setting(document).chain(windows_commands(document)).collect(),
        problems: problems.chain(duplicates).collect(),
    })
}

fn unreadable(line: usize, why: String) -> LeftOut {
    LeftOut { line, what: "the file".to_owned(), why, may_deploy: false }
}

/// The commands for a Windows shell, which are not parsed.
fn windows_commands(document: &Document<'_>) -> impl Iterator<Item = LeftOut> {
    let is_windows = document.shell() == CommandShell::Windows;
    let paths = PhaseName::ALL
        .into_iter()
        .flat_map(|phase| ["commands", "finally"].map(|key| format!("phases.{phase}.{key}")));
    paths.filter(move |_| is_windows).filter_map(|path| {
        let node = document.node(&path)?;
        let shell = document.text_of("env.shell").unwrap_or_default().to_ascii_lowercase();
        Some(LeftOut {
            line: node.at.line,
            what: format!("`{path}`"),
            why: format!("the commands are for {shell}, which is not read here"),
            may_deploy: true,
        })
    })
}

/// The sections that have no counterpart in a configuration.
fn sections_without_setting(document: &Document<'_>) -> impl Iterator<Item = LeftOut> {
    const SHOWN_NAMES: usize = 8;
    const VARIABLE: &str =
        "give the variable to the CodeBuild project: its builds run the generated buildspec";
    const WHY: [(&str, &str); 7] = [
        ("env.parameter-store", VARIABLE),
        ("env.secrets-manager", VARIABLE),
        ("env.exported-variables", "the generated buildspec exports none"),
        ("cache", "the generated buildspec has its own cache"),
        ("artifacts", "the generated buildspec keeps the journal, the plan and the reports"),
        ("reports", "the generated buildspec has the report of the run"),
        ("batch", "`codebuild.batch` makes a batch by regions or by images"),
    ];
    WHY.into_iter().filter_map(|(path, why)| {
        let (key, value) = document.entry(path)?;
        let names: Vec<&str> = match &value.kind {
            Kind::Map(entries) if path.starts_with("env.") => {
                entries.iter().take(SHOWN_NAMES).map(|(key, _)| key.text.as_str()).collect()
            }
            _ => Vec::new(),
        };
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        let what = format!("`{path}`{names}");
        Some(LeftOut { line: key.at.line, what, why: why.to_owned(), may_deploy: false })
    })
}
