//! `cargo xtask bench deploy`: the same deployments with the CDK CLI and with Paceline, to the same embedded AWS.

mod app;
mod case;
mod page;
mod process;
mod program;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use fs_err as fs;
use xshell::{Shell, cmd};

use self::app::{REGIONS, described};
use self::case::{CASES, Case, Start};
use self::process::{Figures, measure};
use self::program::{Program, Programs};
use super::server::{Calls, Server};
use crate::tasks::root;

/// The rate at which CloudFormation accepts operations in an account and region, in calls a second: AWS General
/// Reference, "AWS CloudFormation endpoints and quotas". The embedded AWS enforces it, with a burst of one second.
const OPERATIONS_PER_SECOND: f64 = 2.0;

/// One deployment by one program.
struct Run {
    program: Program,
    figures: Figures,
    calls: Calls,
    /// How many stacks were in the wanted version at the end.
    done: usize,
}

/// The deployments of one case.
struct Compared {
    case: &'static Case,
    /// The shortest time that any program could need, in seconds.
    bound: Option<f64>,
    runs: Vec<Run>,
}

/// Measures the cases whose names are given, or all, and prints a page in Markdown. Each program does each case so many
/// times.
pub(crate) fn deploy(sh: &Shell, binary: Option<&Path>, names: &[String], runs: usize) -> Result<ExitCode> {
    let cases: Vec<_> =
        CASES.iter().filter(|case| names.is_empty() || names.iter().any(|it| it == case.name)).collect();
    if let Some(unknown) = names.iter().find(|name| CASES.iter().all(|case| case.name != **name)) {
        let known: Vec<_> = CASES.iter().map(|case| case.name).collect();
        bail!("there is no case {unknown}, only {}", known.join(", "));
    }
    let programs = Programs::install(sh, &root().join("target/bench"), super::program(sh, binary)?)?;
    let folder = sh.create_temp_dir()?;
    let mut compared = Vec::new();
    for case in cases {
        let folder = folder.path().join(case.name);
        compared.push(
            compare(sh, &programs, case, runs, &folder).with_context(|| format!("case {}", case.name))?,
        );
    }
    println!("{}", page::page(&compared, runs));
    Ok(ExitCode::SUCCESS)
}

/// Deploys one case several times with each program, in turn.
fn compare(
    sh: &Shell,
    programs: &Programs,
    case: &'static Case,
    times: usize,
    folder: &Path,
) -> Result<Compared> {
    let mut version = 1;
    let mut app = write(case, folder, version)?;
    let bound = bound(sh, programs, case, &app)?;
    let mut server = Server::start(&programs.paceline, case.server)?;
    if case.start != Start::Empty {
        let first = run(programs, Program::Paceline, case, &app, version, &server)?;
        if first.done != case.app.stacks {
            bail!("the first deployment failed: {} of {} stacks", first.done, case.app.stacks);
        }
    }
    let mut runs = Vec::new();
    for number in 1..=times {
        for &program in case.programs {
            match case.start {
                Start::Empty => server = Server::start(&programs.paceline, case.server)?,
                Start::Earlier => {
                    version += 1;
                    app = write(case, folder, version)?;
                }
                Start::Same => {}
            }
            let run = run(programs, program, case, &app, version, &server)?;
            let Figures { time, cpu, memory, .. } = run.figures;
            eprintln!(
                "{} {number}/{times}, {}: {:.1} s, {cpu:.1} s of CPU, {} MB, {} of {} stacks",
                case.name,
                program.name(),
                time.as_secs_f64(),
                memory / 1024,
                run.done,
                case.app.stacks
            );
            runs.push(run);
        }
    }
    Ok(Compared { case, bound, runs })
}

/// Writes a version of the case's app. Returns its folder.
fn write(case: &Case, folder: &Path, version: usize) -> Result<PathBuf> {
    let app = folder.join(format!("version-{version}"));
    case.app.write(&app, version)?;
    Ok(app)
}

fn run(
    programs: &Programs,
    program: Program,
    case: &Case,
    app: &Path,
    version: usize,
    server: &Server,
) -> Result<Run> {
    // Paceline keeps its runs in the folder that it is called in. Each run gets an empty one: no program knows
    // anything of earlier runs.
    let here = app.with_extension(format!("{program:?}"));
    let _ = fs::remove_dir_all(&here);
    fs::create_dir_all(&here)?;
    let mut command = programs.deploy(program, case, app);
    command.envs(server.variables()).current_dir(&here);
    server.forget_calls();
    let figures = measure(command, &here.join("output.log"))?;
    let calls = server.calls();
    let (mut done, wanted) = (0, described(version));
    for region in REGIONS.iter().take(case.app.regions) {
        // An update is complete when CloudFormation begins to delete what it replaced.
        let complete = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"];
        let stacks = server.stacks(region)?;
        done +=
            stacks.iter().filter(|(says, status)| *says == wanted && complete.contains(&&**status)).count();
    }
    if figures.succeeded != (done == case.app.stacks) {
        bail!(
            "{} ended with {}, but deployed {done} of {} stacks: see {}",
            program.name(),
            if figures.succeeded { "success" } else { "a failure" },
            case.app.stacks,
            here.display()
        );
    }
    Ok(Run { program, figures, calls, done })
}

/// The shortest time that any program could need, in seconds: by the longest chain, by the most operations at a time,
/// and by the rate at which CloudFormation accepts them. The time of an operation is that of the embedded AWS, which
/// has it from the same table as the plan.
fn bound(sh: &Shell, programs: &Programs, case: &Case, app: &Path) -> Result<Option<f64>> {
    if case.start == Start::Same || case.app.images > 0 {
        return Ok(None);
    }
    let paceline = &programs.paceline;
    let plan = cmd!(sh, "{paceline} plan --app {app} --format json").quiet().read()?;
    let plan: serde_json::Value = serde_json::from_str(&plan)?;
    let operation = plan["stacks"][0]["expected_s"].as_f64().context("the plan names no duration")?;
    let (stacks, concurrency) = (case.app.stacks as f64, case.concurrency as f64);
    let of_region = case.app.stacks.div_ceil(case.app.regions) as f64;
    let by_chain = case.app.chain as f64 * operation;
    let by_concurrency = (stacks / concurrency).ceil() * operation;
    let by_rate = (of_region / OPERATIONS_PER_SECOND - 1.0).max(0.0) + operation;
    Ok(Some(by_chain.max(by_concurrency).max(by_rate)))
}
