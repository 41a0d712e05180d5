//! Groups of stacks: phases and regions.

use crate::patterns::Pattern;
use crate::setting::settings;

settings! {
    /// How the secondary regions are switched on.
    pub struct MultiRegion {
        /// The environment variable that switches them on when it is `true`, `yes`, `on` or `1`.
        pub when: String,
        /// The region whose stacks are always deployed.
        pub primary: String,
    }
}

impl MultiRegion {
    /// Whether the variable's value says yes.
    pub fn is_on(&self, value: Option<&str>) -> bool {
        value.is_some_and(|v| ["true", "yes", "on", "1"].iter().any(|yes| v.trim().eq_ignore_ascii_case(yes)))
    }
}

settings! {
    /// A named group of stacks.
    pub struct PhaseConfig {
        /// The name of the phase.
        pub name: String,
        /// Whether its stacks are deployed one after another.
        pub sequential: bool = false,
        /// Whether its stacks wait until every earlier phase is complete.
        pub barrier: bool = false,
        /// Its stacks, by id or name. `*` stands for any text, `?` for any character.
        pub stacks: Vec<Pattern>,
    }
}
