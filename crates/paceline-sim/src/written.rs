//! Parses options of the simulator from a command line.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::Operation;
use crate::options::{Bootstrap, Failure};

/// The error for a badly written option: the form in which it has to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteItLike(&'static str);

impl fmt::Display for WriteItLike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for WriteItLike {}

/// Parses a version, or `missing`.
impl FromStr for Bootstrap {
    type Err = WriteItLike;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "missing" {
            return Ok(Self::Missing);
        }
        text.parse().map(Self::Version).map_err(|_| WriteItLike("write a number, or `missing`"))
    }
}

/// Parses `STACK:RESOURCE:OPERATION`. The resource fails once.
impl FromStr for Failure {
    type Err = WriteItLike;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What follows a `=` is what CloudFormation says.
        let (text, reason) = text.split_once('=').unwrap_or((text, "it was made to fail (--fail)"));
        let mut parts = text.rsplitn(3, ':');
        let (operation, logical_id, stack) = (parts.next(), parts.next(), parts.next());
        let operation = match operation {
            Some("create") => Operation::Create,
            Some("update") => Operation::Update,
            Some("delete") => Operation::Delete,
            _ => return Err(WriteItLike("end it with :create, :update or :delete")),
        };
        let is_named = |name: &&str| !name.is_empty();
        let (Some(stack), Some(logical_id)) = (stack.filter(is_named), logical_id.filter(is_named)) else {
            return Err(WriteItLike("write it like MyStack:MyTable:update"));
        };
        Ok(Self {
            stack: stack.to_owned(),
            logical_id: logical_id.to_owned(),
            operation: Some(operation),
            reason: reason.to_owned(),
            times: 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_that_fails_is_named_with_its_stack_and_operation() {
        let failure: Failure = "app/Stack:Table:update".parse().unwrap();
        assert_eq!((failure.stack.as_str(), failure.logical_id.as_str()), ("app/Stack", "Table"));
        assert_eq!(failure.operation, Some(Operation::Update));
        for wrong in ["Stack:Table", "Stack:Table:remove", ":Table:create", "Stack::create", ""] {
            assert!(wrong.parse::<Failure>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_bootstrap_is_a_version_or_missing() {
        assert_eq!("21".parse(), Ok(Bootstrap::Version(21)));
        assert_eq!("missing".parse(), Ok(Bootstrap::Missing));
        assert!("none".parse::<Bootstrap>().is_err());
    }
}
