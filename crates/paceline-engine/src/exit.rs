//! The exit codes of every command.

/// Everything asked for was done.
pub const DONE: u8 = 0;
/// A stack failed.
pub const FAILED: u8 = 1;
/// Wrong usage, configuration or assembly.
pub const USAGE: u8 = 2;
/// Something was wrong before anything was touched: credentials, bootstrap, permissions. Nothing of what the run is to
/// change has been changed then: no stack, no asset, and no command has run.
pub const PREFLIGHT: u8 = 3;
/// Interrupted or out of time; the same command goes on with the run.
pub const INTERRUPTED: u8 = 4;
/// Generated files are stale.
pub const STALE: u8 = 5;
