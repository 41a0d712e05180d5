//! The state machine that deploys many environments.

use std::num::NonZeroUsize;

use crate::run::at_least_one;
use crate::setting::settings;

settings! {
    /// The state machine that `paceline gen --fan-out` writes: a build for each environment.
    pub struct FanOut: Default {
        /// How many builds run at the same time. CodeBuild has a limit for each account, too.
        pub builds: NonZeroUsize = at_least_one(20),
    }
}
