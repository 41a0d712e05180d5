//! The `paceline` command: reads the arguments, calls the library for the command, and gives the exit code.

mod cli;
mod manual;
mod memory;
mod plan;
mod schema;
mod signal;
mod sim;

use std::ffi::OsString;
use std::process;

use clap::Parser;
use paceline_app::{Failure, interrupt, terminal};
use paceline_engine::ExitCode;
use paceline_text::secrets;

use crate::cli::{Cli, Command, Translated};

/// The variable with the presigned URL of a wait condition, unless paceline.yaml names another one.
const WAIT_HANDLE: &str = "WAIT_HANDLE_URL";

/// Runs the command that the arguments ask for.
pub fn main() -> process::ExitCode {
    hide_environment();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(asked) = cli::asked(&arguments) {
        let failure = asked.map_or_else(
            |failure| failure,
            |asked| {
                let message = format!("paceline cannot be started with these variables: {}", asked.again());
                Failure::usage(message, asked.hint())
            },
        );
        terminal::say(&failure.to_string());
        return failure.exit_code.into();
    }
    if arguments.len() == 1 && paceline_app::is_new_app() {
        return ended(interrupt::listen(None).and_then(|()| interrupt::supervise(paceline_app::overview)));
    }
    let Translated { arguments, told } = match cli::translate(arguments) {
        Ok(translated) => translated,
        Err(failure) => {
            terminal::say(&failure.to_string());
            return failure.exit_code.into();
        }
    };
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors, although clap returns them as such. A closed pipe is no error either.
            let error = cli::without_far_suggestions(error);
            let _ = error.print();
            return if error.use_stderr() { ExitCode::Usage } else { ExitCode::Done }.into();
        }
    };
    if cli.command.is_without_colors() {
        terminal::no_colors();
    }
    if cli.command.is_quiet() {
        terminal::only_problems();
    }
    for sentence in told {
        terminal::note(&sentence);
    }
    ended(interrupt::listen(cli.command.deadline()).and_then(|()| command(cli.command)))
}

/// Hides the secrets of the environment in everything that this process writes.
fn hide_environment() {
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str()) {
            secrets::hide_named(name, value);
            // Whoever has the URL can end the wait.
            if name == WAIT_HANDLE {
                secrets::hide(value);
            }
        }
    }
}

/// Says what there is to say at the end, and gives the exit code.
fn ended(done: Result<ExitCode, Failure>) -> process::ExitCode {
    // Abandoned work has not ended it.
    terminal::end_live();
    memory::say_if_wanted();
    let done = match (done, terminal::lost()) {
        (Ok(ExitCode::Done), Some(error)) => {
            let message = format!("the output cannot be printed: {error}");
            Err(Failure::usage(message, "free some space, or redirect the output elsewhere"))
        }
        (done, _) => done,
    };
    let code = match done {
        Ok(code) => code,
        Err(failure) => {
            terminal::say(&failure.to_string());
            failure.exit_code
        }
    };
    interrupt::leave();
    code.into()
}

fn command(command: Command) -> Result<ExitCode, Failure> {
    match command {
        // It supervises its own work: after an interruption it must still signal its result to an outer stack.
        Command::Deploy(args) => paceline_app::deploy(*args),
        command => interrupt::supervise(move || supervised(command)),
    }
}

fn supervised(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(args) => paceline_app::init(&args),
        Command::Synth(args) => plan::synth(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Ls(args) => paceline_app::list_stacks(&args),
        Command::Explain(args) => plan::explain(&args),
        Command::Diff(args) => paceline_app::diff(&args),
        Command::Doctor(args) => paceline_app::doctor(&args),
        Command::Gen(args) => paceline_app::generate_files(&args),
        Command::Lint(args) => paceline_app::lint_files(&args),
        Command::RunBuildspec(args) => paceline_app::run_buildspec(&args),
        Command::Deploy(args) => paceline_app::deploy(*args),
        Command::Publish(args) => paceline_app::publish(&args),
        Command::Destroy(args) => paceline_app::destroy(&args),
        Command::Watch(args) => paceline_app::watch(&args),
        Command::Rollback(args) => paceline_app::rollback(&args),
        Command::Bootstrap(args) => paceline_app::bootstrap(&args),
        Command::Signal(args) => signal::signal(&args),
        Command::Wait(args) => signal::wait(&args),
        Command::Report(args) => paceline_app::report(&args),
        Command::History(args) => paceline_app::past_runs(&args),
        Command::Project(args) => paceline_app::project(&args.command),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => Ok(manual::completions(&args)),
        Command::Man(args) => manual::man(&args),
        Command::Sim(args) => sim::run(&args),
    }
}
