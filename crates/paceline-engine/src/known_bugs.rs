//! Bugs that can be switched on, to show that the simulation of random runs finds them. Without the feature
//! `known-bugs`, none of them is compiled.

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum KnownBug {
    /// A stack that is rolled back counts as deployed for the stacks that need it.
    ReleaseOnRollback = 1,
    /// A stack is deleted by its name, without another look at it directly before.
    DeleteOnOldLook,
    /// A poll that fails ends the wait for every stack of its environment, as if their operations had failed.
    PollFailureAsVerdict,
    /// The token of an operation does not depend on the state of the stack.
    TokenReuse,
    /// A lease is given although another run has it.
    LeaseForEverybody,
}

/// All bugs.
pub const ALL: [KnownBug; 5] = [
    KnownBug::ReleaseOnRollback,
    KnownBug::DeleteOnOldLook,
    KnownBug::PollFailureAsVerdict,
    KnownBug::TokenReuse,
    KnownBug::LeaseForEverybody,
];

#[cfg(feature = "known-bugs")]
static ON: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Switches a bug on in this process, instead of any other.
#[cfg(feature = "known-bugs")]
pub fn switch_on(bug: Option<KnownBug>) {
    ON.store(bug.map_or(0, |bug| bug as u8), std::sync::atomic::Ordering::Relaxed);
}

/// Whether a bug is on.
#[cfg(feature = "known-bugs")]
pub fn is_on(bug: KnownBug) -> bool {
    ON.load(std::sync::atomic::Ordering::Relaxed) == bug as u8
}

/// Whether a bug is on: never, without the feature.
#[cfg(not(feature = "known-bugs"))]
pub const fn is_on(_bug: KnownBug) -> bool {
    false
}
