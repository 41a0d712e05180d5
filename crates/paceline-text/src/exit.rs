//! The exit codes of every command.

use std::process;

/// How a command ended, as a number for its caller. The numbers are documented and do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything asked for was done.
    Done = 0,
    /// A stack failed.
    Failed = 1,
    /// Wrong usage, configuration or assembly.
    Usage = 2,
    /// Something was wrong before the run changed anything: credentials, bootstrap, permissions. No stack and no asset
    /// was changed then, and no command has run.
    Refused = 3,
    /// Interrupted or out of time; the same command continues the run.
    Interrupted = 4,
    /// Generated files are stale.
    Stale = 5,
}

impl ExitCode {
    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<u8> for ExitCode {
    /// A number that only a newer version knows is a failure.
    fn from(code: u8) -> Self {
        match code {
            0 => Self::Done,
            2 => Self::Usage,
            3 => Self::Refused,
            4 => Self::Interrupted,
            5 => Self::Stale,
            _ => Self::Failed,
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

#[cfg(test)]
mod tests {
    use super::ExitCode;

    #[test]
    fn every_number_is_read_as_it_is_written() {
        for code in 0..=5 {
            assert_eq!(ExitCode::from(code).code(), code);
        }
        assert_eq!(ExitCode::from(77), ExitCode::Failed);
    }
}
