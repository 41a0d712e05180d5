//! How an error explains itself: what is wrong, where, what to do about it, and how the command ends.
//!
//! Every error that can reach a person implements [`Explained`], next to its type. Code that shows it needs to know
//! nothing else of it, and nothing has to look into its words.

use std::error::Error;
use std::fmt;

use crate::exit::ExitCode;

/// An error that a person can act on.
pub trait Explained: Error {
    /// What is wrong, with what was wrong before that.
    fn message(&self) -> String {
        with_sources(self.to_string(), self.source())
    }

    /// Where in a file it is, such as `paceline.yaml:3:7`, unless the message says so.
    fn place(&self) -> Option<String> {
        None
    }

    /// What to do about it, where that is known.
    fn hint(&self) -> Option<String> {
        None
    }

    /// The exit code of a command that this error ends.
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    /// What is wrong, after where it is.
    fn what(&self) -> String {
        Problem { place: self.place(), message: self.message(), hint: None }.what()
    }

    /// Whether another process is at work on the same, so that nothing has to be corrected.
    fn is_busy(&self) -> bool {
        false
    }

    /// Each thing that is wrong, for an error that is several.
    fn problems(&self) -> Vec<Problem> {
        vec![Problem { place: self.place(), message: self.message(), hint: self.hint() }]
    }
}

/// A message with those of what caused it. Some libraries say the cause in the error already: it is said once.
pub fn with_sources(mut message: String, mut source: Option<&(dyn Error + 'static)>) -> String {
    while let Some(error) = source {
        let part = error.to_string();
        if !message.contains(&part) {
            message.push_str(": ");
            message.push_str(&part);
        }
        source = error.source();
    }
    message
}

/// One thing that is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// Where in a file it is, unless the message says so.
    pub place: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// What is wrong, after where it is.
    pub fn what(&self) -> String {
        match &self.place {
            Some(place) => format!("{place}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Unreadable(std::io::Error);

    impl fmt::Display for Unreadable {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot read the file")
        }
    }

    impl Error for Unreadable {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    impl Explained for Unreadable {
        fn place(&self) -> Option<String> {
            Some("paceline.yaml".to_owned())
        }

        fn hint(&self) -> Option<String> {
            Some("make it readable".to_owned())
        }
    }

    #[test]
    fn an_error_is_told_with_its_place_its_sources_and_its_hint() {
        let error = Unreadable(std::io::Error::other("it is locked"));
        let shown = "paceline.yaml: cannot read the file: it is locked\nhint: make it readable";
        assert_eq!(error.problems().iter().map(ToString::to_string).collect::<Vec<_>>(), [shown]);
        assert_eq!(error.exit_code(), ExitCode::Usage);
    }
}
