//! The files that commands start: a script that was edited is another command, though its `run` reads the same.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::identity::content_digest;
use super::plan::Plan;
use super::step::{Command, Work};

/// Programs whose first argument is the script that they run.
const INTERPRETERS: [&str; 19] = [
    ".", "source", "bash", "bun", "dash", "deno", "ksh", "node", "perl", "php", "pwsh", "python", "python3",
    "ruby", "sh", "ts-node", "tsx", "uv", "zsh",
];

/// Words in front of the program.
const PREFIXES: [&str; 17] = [
    "!", "command", "do", "elif", "else", "env", "exec", "if", "nohup", "npx", "run", "sudo", "then", "time",
    "until", "while", "{",
];

impl Plan {
    /// The plan with the digests of the files that its commands start. `read` gives what is in a file, and nothing
    /// for what is no file.
    #[must_use]
    pub fn with_scripts(mut self, read: impl Fn(&Utf8Path) -> Option<Vec<u8>>) -> Self {
        for step in &mut self.steps {
            if let Work::Command(command) = &mut step.work {
                let scripts = command.starts().into_iter();
                let scripts = scripts.filter_map(|path| {
                    let content = read(&command.dir.join(&path))?;
                    Some((path, content_digest(&content)))
                });
                command.scripts = scripts.collect::<BTreeMap<_, _>>();
            }
        }
        self
    }
}

impl Command {
    /// The files that it starts, as far as the words of `run` tell. Only what is started, and not what is read or
    /// written: a log that a command writes must not make it another command.
    fn starts(&self) -> Vec<Utf8PathBuf> {
        let (mut found, mut folder) = (Vec::new(), Utf8PathBuf::new());
        for simple in self.run.split(['\n', ';', '&', '|', '(', ')', '`']) {
            let mut words = simple.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
            let mut program = words.find(|word| !PREFIXES.contains(word) && !is_assignment(word));
            if program == Some("cd") {
                folder.push(words.next().unwrap_or_default());
                continue;
            }
            if program.is_some_and(|program| INTERPRETERS.contains(&program)) {
                program = words.find(|word| !word.starts_with('-') && !PREFIXES.contains(word));
            } else {
                // A name without a folder is looked up in PATH.
                program = program.filter(|program| program.contains('/'));
            }
            let is_plain = |word: &&str| !word.is_empty() && !word.contains(['$', '*', '<', '>']);
            found.extend(program.filter(is_plain).map(|program| folder.join(program)));
        }
        found
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(run: &str, expected: &[&str]) {
        let command = Command {
            name: String::new(),
            stack: 0,
            run: run.to_owned(),
            shell: "sh".to_owned(),
            dir: Utf8PathBuf::new(),
            env: BTreeMap::new(),
            timeout: None,
            retries: 0,
            scripts: BTreeMap::new(),
        };
        assert_eq!(command.starts(), expected, "{run}");
    }

    #[test]
    fn a_program_with_a_folder_and_the_script_of_an_interpreter_are_started() {
        check("./seed.sh --all", &["./seed.sh"]);
        check("A=1 exec \"scripts/seed.sh\"", &["scripts/seed.sh"]);
        check("python3 -u seed.py table.json", &["seed.py"]);
        check("set -e\ncd tools && npx tsx seed.ts\n. ./env.sh", &["tools/seed.ts", "tools/./env.sh"]);
        check("if ! bash check.sh; then /opt/mend; fi", &["check.sh", "/opt/mend"]);
    }

    #[test]
    fn what_is_read_or_written_is_not_started() {
        check("aws s3 cp site.zip s3://bucket/ | tee upload.log", &[]);
        check("cat seed.sql > out.log 2>&1", &[]);
        check("sh \"$SCRIPT\"", &[]);
    }
}
