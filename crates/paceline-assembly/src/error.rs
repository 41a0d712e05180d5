//! Why an assembly could not be read.

use std::fmt::Write as _;
use std::io;

use camino::Utf8PathBuf;
use paceline_text::{Explained, count};
use serde_json::Value;

use crate::template::TemplateError;

/// Why an assembly could not be read or must not be deployed. Each names the file, and the place in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssemblyError {
    #[error("could not find a cloud assembly in `{}`: {problem}", shown(dir))]
    NotAnAssembly { dir: Utf8PathBuf, problem: &'static str, hint: String },

    /// `named_by` is the file and the place that names the file, where it is not the assembly's entrance.
    #[error("could not read `{}`{}", shown(path), named_by_text(named_by.as_deref()))]
    Read { path: Utf8PathBuf, named_by: Option<String>, source: io::Error },

    #[error("could not parse `{}` at line {line}, column {column}", shown(path))]
    Syntax { path: Utf8PathBuf, line: usize, column: usize, source: serde_json::Error },

    #[error("could not parse template `{}`{}{}", shown(path), source.at(), named_by_text(Some(named_by)))]
    Template { path: Utf8PathBuf, named_by: String, source: TemplateError },

    /// `place` reads like `artifacts.Services.properties.templateFile`; empty means the file as a whole.
    #[error("could not understand `{}`{}: {}", shown(path), place_text(place), shown(problem))]
    Shape { path: Utf8PathBuf, place: String, problem: String },

    #[error(
        "could not follow `{}`{}: `{}` is outside of the assembly",
        shown(path),
        place_text(place),
        shown(named)
    )]
    Outside { path: Utf8PathBuf, place: String, named: String },

    #[error("could not follow `{}`{}: {}", shown(path), place_text(place), shown(problem))]
    Nesting { path: Utf8PathBuf, place: String, problem: String },

    #[error(
        "refused the assembly in `{}`: it was synthesized without context it needs: {}",
        shown(path),
        keys(missing)
    )]
    MissingContext { path: Utf8PathBuf, missing: Vec<MissingContext> },

    #[error("refused the assembly in `{}`: its constructs reported {}", shown(dir), problems_text(problems))]
    StackErrors { dir: Utf8PathBuf, problems: Vec<StackProblem> },
}

impl Explained for AssemblyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotAnAssembly { hint, .. } => Some(hint.clone()),
            Self::MissingContext { .. } => Some(
                "run `cdk synth` again where it can look these values up, and commit `cdk.context.json`; if a stack that \
                 is deployed with it makes them, give paceline.yaml the app's `synth` command"
                    .to_owned(),
            ),
            Self::StackErrors { .. } => Some(
                "correct what the errors name, or suppress the rule that reports it, and run `cdk synth` again"
                    .to_owned(),
            ),
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => Some(
                "the assembly is not complete: copy the whole folder, or run `cdk synth` again".to_owned(),
            ),
            Self::Syntax { .. } => Some(
                "the file may have been cut short or edited: run `cdk synth` again".to_owned(),
            ),
            Self::Outside { .. } => {
                Some("an assembly holds all of its own files: run `cdk synth` again".to_owned())
            }
            Self::Read { .. } | Self::Template { .. } | Self::Shape { .. } | Self::Nesting { .. } => None,
        }
    }
}

/// A context value that synthesis did not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingContext {
    /// The app that misses it, where there are several.
    pub app: Option<String>,
    pub key: String,
    /// The kind of lookup, such as `hosted-zone`.
    pub provider: String,
    /// What the CDK puts in its place, in the shape of what would have been found; null where it does not say.
    pub stand_in: Value,
}

/// One `aws:cdk:error` annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackProblem {
    /// The stack's id.
    pub stack: String,
    /// The construct that reported it.
    pub path: String,
    pub text: String,
}

/// What stands in a file, on one line and without what could control a terminal.
fn shown(text: &(impl AsRef<str> + ?Sized)) -> String {
    paceline_text::one_line(text.as_ref())
}

fn named_by_text(named_by: Option<&str>) -> String {
    named_by.map(|by| format!(", named by {}", shown(by))).unwrap_or_default()
}

fn place_text(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" at `{}`", shown(place)) }
}

fn keys(missing: &[MissingContext]) -> String {
    let keys: Vec<String> =
        missing.iter().map(|m| format!("`{}` ({})", shown(&m.key), shown(&m.provider))).collect();
    keys.join(", ")
}

fn problems_text(problems: &[StackProblem]) -> String {
    let mut text = if problems.len() == 1 { "an error".to_owned() } else { count(problems.len(), "error") };
    for problem in problems {
        // A failed write to a string is an allocation failure, which does not come back as an error.
        let StackProblem { stack, path, text: said } = problem;
        let _ = write!(text, "\n  stack `{}`, `{}`: ", shown(stack), shown(path));
        // What a construct says may have several lines.
        let said = paceline_text::clean(said);
        text.push_str(&said.trim().replace('\n', "\n    "));
    }
    text
}
