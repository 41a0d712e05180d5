//! The constructs that bash understands, and that a POSIX shell such as dash does not.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bashism {
    DoubleBracket,
    DoubleParenthesis,
    Array,
    ArrayElement,
    Append,
    ProcessSubstitution,
    HereString,
    FunctionKeyword,
    Select,
    ParameterOperator,
    Indirection,
    DollarQuote,
    BraceExpansion,
    BothStreams,
    PipeBoth,
    CaseFallthrough,
    DoubleEquals,
    Pipefail,
    TrapErr,
    Builtin(&'static str),
    Variable(&'static str),
    ReadOption,
    PrintfV,
    ExportF,
}

impl fmt::Display for Bashism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DoubleBracket => "`[[ … ]]`",
            Self::DoubleParenthesis => "`(( … ))`",
            Self::Array => "an array",
            Self::ArrayElement => "an element of an array",
            Self::Append => "`+=`",
            Self::ProcessSubstitution => "a process substitution",
            Self::HereString => "`<<<`",
            Self::FunctionKeyword => "the word `function`",
            Self::Select => "`select`",
            Self::ParameterOperator => "an operator of `${…}`",
            Self::Indirection => "`${!…}`",
            Self::DollarQuote => "`$'…'`",
            Self::BraceExpansion => "`{…,…}`",
            Self::BothStreams => "`&>`",
            Self::PipeBoth => "`|&`",
            Self::CaseFallthrough => "`;&`",
            Self::DoubleEquals => "`==` in `[ … ]`",
            Self::Pipefail => "`pipefail`",
            Self::TrapErr => "a trap of ERR, DEBUG or RETURN",
            Self::Builtin(name) => return write!(f, "`{name}`"),
            Self::Variable(name) => return write!(f, "`${name}`"),
            Self::ReadOption => "an option of `read`",
            Self::PrintfV => "`printf -v`",
            Self::ExportF => "`export -f`",
        })
    }
}
