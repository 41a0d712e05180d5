//! What `paceline doctor` finds, as text and as JSON.

use std::fmt::Write as _;

use paceline_text::{Problem, Style, Tone, count, json_document};

use super::document::DoctorDocument;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// A run is refused or fails because of it.
    Error,
    /// A run may fail because of it.
    Warning,
    /// A person should know it.
    Note,
}

/// The subject of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Check {
    /// First, since a wrong clock is the cause of other findings.
    Clock,
    App,
    Templates,
    Assets,
    Docker,
    Disk,
    Plan,
    Build,
    Secrets,
    Aws,
}

/// Something that can stop a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) check: Check,
    pub(super) problem: Problem,
}

/// All findings, and the checks that were not possible.
#[derive(Debug, Default)]
pub(super) struct Diagnosis {
    pub(super) findings: Vec<Finding>,
    /// Checks that were not made, each with the reason.
    pub(super) left_out: Vec<(Check, String)>,
}

impl Severity {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Check {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::App => "app",
            Self::Templates => "templates",
            Self::Assets => "assets",
            Self::Docker => "docker",
            Self::Disk => "disk",
            Self::Plan => "plan",
            Self::Build => "build",
            Self::Secrets => "secrets",
            Self::Aws => "aws",
        }
    }
}

impl Finding {
    pub(super) fn new(severity: Severity, check: Check, problem: Problem) -> Self {
        Self { severity, check, problem }
    }
}

impl Diagnosis {
    /// Adds findings. What another check has found already is left out.
    pub(super) fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            if !self.findings.iter().any(|it| it.problem.message == finding.problem.message) {
                self.findings.push(finding);
            }
        }
    }

    pub(super) fn leave_out(&mut self, check: Check, why: impl Into<String>) {
        self.left_out.push((check, why.into()));
    }

    /// Puts the worst first.
    pub(super) fn sort(&mut self) {
        self.findings.sort_by_key(|it| (it.severity, it.check));
    }

    pub(super) fn number(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|it| it.severity == severity).count()
    }

    pub(super) fn text(&self, style: Style) -> String {
        let mut text = String::new();
        for Finding { severity, check, problem } in &self.findings {
            let tone = match severity {
                Severity::Error => Tone::Bad,
                Severity::Warning => Tone::Warn,
                Severity::Note => Tone::Dim,
            };
            let first = format!("{}[{}]: ", severity.as_str(), check.as_str());
            let mut lines = style.lines(&format!("{first}{}", problem.what()), 2).into_iter();
            let head = lines.next().unwrap_or_default();
            let rest = head.strip_prefix(&first).unwrap_or(&head);
            let _ = writeln!(text, "{}{rest}", style.paint(tone, &first));
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
            if let Some(hint) = &problem.hint {
                let mut lead = " hint: ";
                for line in style.lines(hint, lead.len()) {
                    let _ = writeln!(text, "{lead}{line}");
                    lead = "       ";
                }
            }
        }
        for (check, why) in &self.left_out {
            let _ = writeln!(text, "not checked: {}: {why}", check.as_str());
        }
        if !text.is_empty() {
            text.push('\n');
        }
        let found = [Severity::Error, Severity::Warning, Severity::Note]
            .map(|severity| count(self.number(severity), severity.as_str()));
        let end = match self.number(Severity::Error) {
            0 => "nothing that stops a run",
            _ => "a run would be refused, or fail",
        };
        let _ = writeln!(text, "{}: {end}", found.join(", "));
        text
    }

    pub(super) fn json(&self) -> String {
        json_document(&DoctorDocument::of(self))
    }
}
