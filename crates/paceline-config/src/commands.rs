//! Scripts that run between stacks.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::patterns::Patterns;
use crate::setting::settings;

settings! {
    /// A script that runs between stacks. It needs `after`, `before` or both.
    pub struct CommandConfig {
        /// The name of the command.
        pub name: String,
        /// What must be complete before the command starts: stacks (ids or names, `*` and `?` allowed), `phase:NAME`
        /// or `command:NAME`. A stack counts as complete when its gate has opened.
        pub after: Patterns = Patterns::default(),
        /// What starts only when the command has ended: stacks or `phase:NAME`.
        pub before: Patterns = Patterns::default(),
        /// The script, which is given to the shell.
        pub run: String,
        /// The folder that the script runs in, relative to this file. Without it, the folder of this file.
        pub dir: Option<Utf8PathBuf>,
        /// The shell. It takes `-c` and the script.
        pub shell: String = "sh".to_owned(),
        /// Environment variables, in addition to those that Paceline sets.
        pub env: BTreeMap<String, String> = BTreeMap::new(),
        /// How long the command may take. A command that takes longer is ended and has failed.
        pub timeout: Option<Duration>,
        /// How many times a failed command is run again.
        pub retries: u32 = 0,
    }
}
