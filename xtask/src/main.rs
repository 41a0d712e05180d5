//! `cargo xtask`: the workspace's own tasks.

mod bench;
mod browser;
mod check;
mod digest;
mod dist;
mod pages;
mod pictures;
mod reference;
mod schemas;
mod site;
mod synthetic;
mod tasks;
mod workshop;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xshell::Shell;

/// The workspace's own tasks
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure time and memory
    Bench {
        #[command(subcommand)]
        what: Bench,
    },
    /// Check the layout of the workspace: cycles, arrows between crates, names of the AWS SDK
    Check,
    /// Plan the example, write its buildspec and project, deploy it to the embedded AWS
    Demo,
    /// Play random deployments with random faults, and check what CloudFormation did. Builds a release
    Dst {
        /// Show that the known bugs are found, one after another
        #[arg(long)]
        known_bugs: bool,
        /// Arguments such as `--seeds 100000 --from 500`, `--seed 42` or `--story FILE`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the static binaries, and pack them with everything else that a release has
    Dist(dist::DistArgs),
    /// Write the buildspec and the CodeBuild project of the example, in buildspecs/
    GenBuildspec {
        /// Write nothing. If a file is stale, show the difference and exit with 5
        #[arg(long)]
        check: bool,
    },
    /// Write the page and the picture of every kind of run, to look at in a browser
    Pages {
        /// The folder to write to
        #[arg(default_value = "target/pages")]
        folder: String,
        /// Open and use the pages in Chromium instead. Skipped with a message where there is none
        #[arg(long)]
        check: bool,
    },
    /// Write docs/pictures from a simulated run of the example
    Pictures {
        /// Write nothing. If a picture is stale, exit with 5
        #[arg(long)]
        check: bool,
    },
    /// Write docs/reference: all settings of the configuration, and the help of all commands
    Reference {
        /// Write nothing. If a page is stale, exit with 5
        #[arg(long)]
        check: bool,
    },
    /// Write the JSON Schemas of the configuration, of buildspecs and of the JSON report, in docs/schema
    Schema {
        /// Write nothing. If a file is stale, show the difference and exit with 5
        #[arg(long)]
        check: bool,
    },
    /// Check the links of the manual in docs and, with a folder, write it there as HTML pages
    Site {
        /// The folder to write to [default: only check]
        folder: Option<std::path::PathBuf>,
        /// The address of this repository's files, for links to them. Without it, those links become text
        #[arg(long, value_name = "URL", requires = "folder")]
        repository: Option<String>,
    },
    /// Synthesize the example again, with npm and the CDK CLI that its lock file names
    Synth,
    /// Write docs/workshop.md from simulated runs of the workshop. Needs the workshop's assembly
    Workshop {
        /// Write nothing. If the page is stale, exit with 5
        #[arg(long)]
        check: bool,
    },
}

#[derive(Subcommand)]
enum Bench {
    /// Read and plan assemblies of 200 to 4,000 stacks
    Plan {
        /// Measure this binary, instead of a release build
        #[arg(long, value_name = "FILE")]
        binary: Option<std::path::PathBuf>,
    },
    /// Deploy the same apps with the CDK CLI and with Paceline, to the embedded AWS. Takes about half an hour
    Deploy {
        /// Only these cases
        cases: Vec<String>,
        /// How many times each program does each case
        #[arg(long, default_value_t = 3)]
        runs: usize,
        /// Measure this binary, instead of a release build
        #[arg(long, value_name = "FILE")]
        binary: Option<std::path::PathBuf>,
    },
    /// Deploy 400 stacks of which none has changed, to the embedded AWS in another process
    Unchanged {
        /// Measure this binary, instead of a release build
        #[arg(long, value_name = "FILE")]
        binary: Option<std::path::PathBuf>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = Shell::new().map_err(anyhow::Error::from).and_then(|sh| {
        sh.change_dir(tasks::root());
        match cli.task {
            Task::Bench { what: Bench::Deploy { cases, runs, binary } } => {
                bench::deploy(&sh, binary.as_deref(), &cases, runs)
            }
            Task::Bench { what: Bench::Plan { binary } } => bench::plan(&sh, binary.as_deref()),
            Task::Bench { what: Bench::Unchanged { binary } } => bench::unchanged(&sh, binary.as_deref()),
            Task::Check => check::check(&sh, &tasks::root()),
            Task::Demo => tasks::demo(&sh),
            Task::Dst { known_bugs, arguments } => tasks::dst(&sh, known_bugs, &arguments),
            Task::Dist(args) => dist::dist(&sh, &args),
            Task::GenBuildspec { check } => tasks::gen_buildspec(&sh, check),
            Task::Pages { check: true, .. } => pages::check(&sh),
            Task::Pages { folder, check: false } => pages::write(&sh, &folder),
            Task::Pictures { check } => pictures::pictures(&sh, check),
            Task::Reference { check } => reference::reference(&sh, check),
            Task::Schema { check } => tasks::schema(&sh, check),
            Task::Site { folder, repository } => {
                site::site(&tasks::root(), folder.as_deref(), repository.as_deref())
            }
            Task::Synth => tasks::synth(&sh),
            Task::Workshop { check } => workshop::workshop(&sh, check),
        }
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
