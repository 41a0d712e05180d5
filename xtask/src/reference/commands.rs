//! The page of all commands: the help that each command prints.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use super::GENERATED;

const INTRODUCTION: &str = "\
What `paceline COMMAND --help` prints. Every command writes data to stdout and everything else to stderr.

| exit code | |
|---|---|
| 0 | done |
| 1 | a stack failed, or `diff --exit-code` found a difference, or `lint` found something |
| 2 | wrong usage, configuration or assembly |
| 3 | refused before anything was touched |
| 4 | interrupted or out of time; the same command continues |
| 5 | generated files are stale |
";

/// The page, from the help of the built program.
pub(super) fn page(sh: &Shell) -> Result<String> {
    let mut sections = String::new();
    let names = subcommands(&help(sh, &[])?);
    ensure!(!names.is_empty(), "`paceline --help` lists no commands");
    for name in names {
        add(sh, &mut sections, &[&name])?;
    }
    Ok(format!("# Commands\n\n{GENERATED}\n\n{INTRODUCTION}{sections}"))
}

/// Adds a section for a command, and one for each of its own commands.
fn add(sh: &Shell, sections: &mut String, command: &[&str]) -> Result<()> {
    let help = help(sh, command)?;
    writeln!(sections, "\n## {}\n\n```text\n{}\n```", command.join(" "), help.trim_end())?;
    for name in subcommands(&help) {
        add(sh, sections, &[command, &[&name]].concat())?;
    }
    Ok(())
}

fn help(sh: &Shell, command: &[&str]) -> Result<String> {
    let help = cmd!(sh, "cargo run --quiet --package paceline -- {command...} --help");
    let help = help.env("COLUMNS", "100").env("NO_COLOR", "1").quiet().read()?;
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    Ok(lines.join("\n"))
}

/// The commands that a help text lists, without `help` itself.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = lines.take_while(|line| !line.is_empty());
    // The description of a command continues with a larger indentation.
    let named = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = named.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::subcommands;

    #[test]
    fn commands_are_found_with_descriptions_of_several_lines() {
        let help = "Usage: p\n\nCommands:\n  init  Write a\n        file\n  ls    List\n  help  Print\n\nOptions:\n  -h\n";
        assert_eq!(subcommands(help), ["init", "ls"]);
        assert!(subcommands("Usage: p\n\nOptions:\n  -h\n").is_empty());
    }
}
