//! The sentences of changes that cannot be made, and what to do about them.

use std::fmt;

use paceline_text::Explained;

use super::error::STACKS_ARE_LISTED;
use crate::outlook::what_if::{WhatIfError, WhatIfProblem};

impl fmt::Display for WhatIfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--what-if '{}': {}", self.text, self.problem)
    }
}

impl fmt::Display for WhatIfProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoChange => f.write_str("it is no change"),
            Self::NoDuration { amount } => write!(f, "`{amount}` is no duration"),
            Self::NotTwoStacks => f.write_str("it does not name two stacks"),
            Self::SeveralStacks { name, stacks } => {
                write!(f, "`{name}` is several stacks: {}", stacks.join(", "))
            }
            Self::LeftOut { stack, why } => write!(f, "{stack} is left out: {why}"),
            Self::UnknownStack { name, .. } => write!(f, "no stack is called `{name}`"),
            Self::NoEdge { from, to, .. } => write!(f, "{from} does not wait for {to} directly"),
        }
    }
}

impl Explained for WhatIfError {
    fn hint(&self) -> Option<String> {
        let hint = match &self.problem {
            WhatIfProblem::NoChange | WhatIfProblem::NoDuration { .. } => {
                "write it like 'Storage=-10m', 'Storage=+5m', 'Storage=12m', 'Storage=-20%' or 'drop-edge A B'"
                    .to_owned()
            }
            WhatIfProblem::NotTwoStacks => "write it like 'drop-edge Waiting Awaited'".to_owned(),
            WhatIfProblem::SeveralStacks { .. } => "give the id of one".to_owned(),
            WhatIfProblem::LeftOut { .. } => "choose a stack of the plan".to_owned(),
            WhatIfProblem::UnknownStack { meant: Some(meant), .. } => format!("did you mean `{meant}`?"),
            WhatIfProblem::UnknownStack { meant: None, .. } => STACKS_ARE_LISTED.to_owned(),
            WhatIfProblem::NoEdge { from, to, other_way: true, .. } => {
                format!("it is the other way round: did you mean 'drop-edge {to} {from}'?")
            }
            WhatIfProblem::NoEdge { from, waits_for, .. } if waits_for.is_empty() => {
                format!("{from} waits for no other stack")
            }
            WhatIfProblem::NoEdge { from, waits_for, .. } => {
                format!("{from} waits directly for {}: did you mean one of these?", waits_for.join(", "))
            }
        };
        Some(hint)
    }
}
