//! `paceline completions` and `paceline man`: both are made from the definition of the arguments, like `--help`.

use clap::CommandFactory as _;
use paceline_app::{Failure, terminal};
use paceline_engine::ExitCode;

use crate::cli::{Cli, CompletionsArgs, ManArgs};

/// Prints the completions of a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "paceline", &mut script);
    terminal::data(&String::from_utf8_lossy(&script));
    ExitCode::Done
}

/// Prints the manual page of the command, or writes the pages of all commands.
pub(crate) fn man(args: &ManArgs) -> Result<ExitCode, Failure> {
    let command = Cli::command();
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        // Writing to memory does not fail.
        let _ = clap_mangen::Man::new(command).render(&mut page);
        terminal::data(&String::from_utf8_lossy(&page));
        return Ok(ExitCode::Done);
    };
    let written = fs_err::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    written.map_err(|error| {
        Failure::usage(
            format!("the manual pages cannot be written: {error}"),
            "give a folder that can be written",
        )
    })?;
    Ok(ExitCode::Done)
}
