//! The errors of reading an assembly.

use std::fmt::Write as _;
use std::io;

use camino::Utf8PathBuf;
use paceline_text::{Explained, count};
use serde_json::Value;

use crate::template::TemplateError;

/// The reason why an assembly cannot be read or must not be deployed. Each reason names the file, and the
/// place in the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssemblyError {
    #[error("could not find a cloud assembly in `{}`: {problem}", shown(dir))]
    NotAnAssembly { dir: Utf8PathBuf, problem: &'static str, hint: String },

    /// `named_by` is the file and the place that name `path`. It is `None` for the first file of the
    /// assembly.
    #[error("could not read `{}`{}", shown(path), named_by_text(named_by.as_deref()))]
    Read { path: Utf8PathBuf, named_by: Option<String>, source: io::Error },

    #[error("could not parse `{}` at line {line}, column {column}", shown(path))]
    Syntax { path: Utf8PathBuf, line: usize, column: usize, source: serde_json::Error },

    #[error("could not parse template `{}`{}{}", shown(path), source.at(), named_by_text(Some(named_by)))]
    Template { path: Utf8PathBuf, named_by: String, source: TemplateError },

    /// `place` reads like `artifacts.Services.properties.templateFile`. An empty place means the whole file.
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

/// A context value that was missing during synthesis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingContext {
    /// The app that needs the value, if there are several apps.
    pub app: Option<String>,
    pub key: String,
    /// The kind of lookup, such as `hosted-zone`.
    pub provider: String,
    /// The value that the CDK uses instead, in the form of a lookup's result. Null if the CDK states none.
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

/// Text from a file, on one line and without characters that could control a terminal.
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
        // Writing to a string only fails when memory runs out, and that is not returned as an error.
        let StackProblem { stack, path, text: said } = problem;
        let _ = write!(text, "\n  stack `{}`, `{}`: ", shown(stack), shown(path));
        // The message of a construct may have several lines.
        let said = paceline_text::clean(said);
        text.push_str(&said.trim().replace('\n', "\n    "));
    }
    text
}
