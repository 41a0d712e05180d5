//! `paceline lint`: checks buildspecs, and fixes them if asked.

use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use paceline_assembly::{LARGEST_BY_HAND, open_regular, read_regular_text};
use paceline_buildspec::lint::output::{self, TextOptions};
use paceline_buildspec::lint::{
    LintContext, LintReport, MAX_BYTES, ProjectFacts, RULES, Severity, fix, lint, unopened, with_code,
};
use paceline_buildspec::replace_file;
use paceline_config::{Config, Privileged};
use paceline_engine::ExitCode;

use crate::failure::Failure;
use crate::terminal;

const WIDTH: usize = 100;

/// The arguments of `paceline lint`.
#[derive(Debug, Args)]
pub struct LintSettings {
    /// The buildspecs; - is standard input
    #[arg(required_unless_present = "explain", value_name = "FILE")]
    files: Vec<Utf8PathBuf>,
    /// The output format
    #[arg(long, value_enum, default_value = "text")]
    format: LintFormat,
    /// Fix what needs no decision, in the file. For standard input, print the fixed text
    #[arg(long)]
    fix: bool,
    /// The lowest severity that makes the command exit with 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "warning")]
    deny: LowestDenied,
    /// The project that runs the buildspecs, as JSON of create-project or of batch-get-projects
    #[arg(long, value_name = "FILE")]
    project: Option<Utf8PathBuf>,
    /// The configuration whose project runs the buildspecs, in place of --project
    #[arg(long, value_name = "FILE", conflicts_with = "project")]
    config: Option<Utf8PathBuf>,
    /// Explain a rule such as PL203; `all` lists the rules
    #[arg(long, value_name = "CODE", conflicts_with_all = ["files", "fix"])]
    explain: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LintFormat {
    Text,
    Json,
    Sarif,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LowestDenied {
    Error,
    Warning,
    Note,
}

/// Checks buildspecs, and fixes them if asked.
pub fn lint_files(settings: &LintSettings) -> Result<ExitCode, Failure> {
    if let Some(code) = &settings.explain {
        return explain(code);
    }
    let project = project(settings)?;
    let mut reports = Vec::new();
    for file in &settings.files {
        reports.push(check(file, settings.fix, project.clone())?);
    }
    let shown = match settings.format {
        LintFormat::Json => output::json(&reports),
        LintFormat::Sarif => output::sarif(&reports),
        LintFormat::Text => {
            let style = terminal::stdout_style();
            let options = TextOptions { color: style.color, width: style.width.map_or(WIDTH, usize::from) };
            reports.iter().map(|report| output::text(report, options)).collect()
        }
    };
    // The fixed text of standard input goes to stdout, so the findings go to stderr.
    if settings.fix && settings.files.iter().any(|file| file == "-") {
        terminal::say_painted(shown.trim_end());
    } else if settings.format == LintFormat::Text {
        terminal::print(&shown);
    } else {
        terminal::data(&shown);
    }
    if settings.format == LintFormat::Text {
        terminal::say(&output::summary(&reports));
    }
    let denied = match settings.deny {
        LowestDenied::Error => Severity::Error,
        LowestDenied::Warning => Severity::Warning,
        LowestDenied::Note => Severity::Note,
    };
    let is_denied = |report: &LintReport| report.findings.iter().any(|finding| finding.severity >= denied);
    Ok(if reports.iter().any(|report| !report.readable) {
        ExitCode::Usage
    } else if reports.iter().any(is_denied) {
        ExitCode::Failed
    } else {
        ExitCode::Done
    })
}

fn explain(code: &str) -> Result<ExitCode, Failure> {
    if code == "all" {
        for rule in RULES {
            terminal::print(&format!("{}  {:7}  {}\n", rule.code, rule.severity.as_str(), rule.title));
        }
        return Ok(ExitCode::Done);
    }
    let rule = with_code(code).ok_or_else(|| {
        Failure::usage(format!("there is no rule {code}"), "`paceline lint --explain all` lists them")
    })?;
    terminal::print(rule.page);
    Ok(ExitCode::Done)
}

/// The facts about the project that runs the buildspecs, from `--project` or `--config`.
fn project(settings: &LintSettings) -> Result<Option<ProjectFacts>, Failure> {
    if let Some(path) = &settings.project {
        let hint = "give the project as `aws codebuild create-project --cli-input-json` takes it";
        let text = read_regular_text(path, LARGEST_BY_HAND)
            .map_err(|error| Failure::usage(error.to_string(), hint))?;
        let facts = ProjectFacts::read(&text);
        return facts.map(Some).map_err(|error| Failure::usage(format!("{path}: {error}"), hint));
    }
    let Some(path) = &settings.config else { return Ok(None) };
    let config = Config::read(path)?;
    let codebuild = config.codebuild;
    Ok(Some(ProjectFacts {
        image: Some(codebuild.image.to_string()),
        privileged: codebuild.privileged != Privileged::No,
        in_vpc: codebuild.vpc.is_some(),
        timeout_minutes: Some(codebuild.timeout.minutes().into()),
        ..ProjectFacts::default()
    }))
}

fn check(file: &Utf8Path, wants_fix: bool, project: Option<ProjectFacts>) -> Result<LintReport, Failure> {
    let is_stdin = file == "-";
    let name = if is_stdin { "stdin" } else { file.as_str() };
    let folder = file.parent().unwrap_or(Utf8Path::new(""));
    let is_lock = |folder: &Utf8Path| folder.join("package-lock.json").is_file();
    let has_npm_lock = is_lock(folder) || is_lock(Utf8Path::new(""));
    let context = LintContext { project, root: Some(".".into()), has_npm_lock };
    let bytes = match read(file, is_stdin) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(unopened(name, format!("cannot read the file: {error}"))),
    };
    let fixed =
        std::str::from_utf8(&bytes).ok().filter(|_| wants_fix).map(|text| (text, fix(text, &context)));
    let Some((text, fixed)) = fixed else { return Ok(lint(name, &bytes, &context)) };
    if is_stdin {
        terminal::data(fixed.as_deref().unwrap_or(text));
    } else if let Some(fixed) = &fixed {
        replace_file(file, fixed)?;
        terminal::say(&format!("fixed {file}"));
    }
    Ok(lint(name, fixed.as_deref().unwrap_or(text).as_bytes(), &context))
}

/// Reads a buildspec. Stops one byte after the limit, since the input may be endless.
fn read(file: &Utf8Path, is_stdin: bool) -> std::io::Result<Vec<u8>> {
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if is_stdin {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        open_regular(file)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
