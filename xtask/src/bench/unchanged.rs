//! `cargo xtask bench unchanged`: measures a deployment of many stacks of which none has changed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use xshell::Shell;

use super::server::Server;
use super::{Ran, program, run};
use crate::synthetic::{self, Layout};

const STACKS: usize = 400;
const REGIONS: usize = 4;
/// The number of stacks that read a parameter of another one, in the two cases.
const READERS: [usize; 2] = [0, 100];
const RUNS: usize = 7;
/// The speed of the embedded AWS. Only the first deployment waits for operations.
const TIME_SCALE: &str = "1000";

/// Measures `paceline deploy` on unchanged stacks.
pub(crate) fn unchanged(sh: &Shell, binary: Option<&Path>) -> Result<ExitCode> {
    let program = program(sh, binary)?;
    let folder = sh.create_temp_dir()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "paceline deploy, release build, {cores} cores: the whole process, from its start to its end. {STACKS} synthetic\n\
         stacks of {} resources in {REGIONS} regions, deployed once before. The embedded AWS is another process on the same\n\
         machine (paceline sim serve), which answers at once. {RUNS} runs; the median time, and the peak of resident memory\n\
         (VmHWM) of the largest run. The calls are those of the last run.\n",
        synthetic::RESOURCES
    );
    for readers in READERS {
        let app = folder.path().join(format!("{readers}"));
        let layout = Layout { stacks: STACKS, regions: REGIONS, readers };
        synthetic::write(&app, &layout).with_context(|| format!("cannot write to {}", app.display()))?;
        let server = Server::start(&program, &["--time-scale", TIME_SCALE])?;
        let deploy = || {
            run(&program, |command| {
                let command = command.args(["deploy", "--app"]).arg(&app).current_dir(&app);
                command.envs(server.variables())
            })
        };
        deploy().context("the first deployment failed")?;
        let (mut times, mut memory, mut calls) = (Vec::new(), 0, BTreeMap::new());
        for _ in 0..RUNS {
            server.forget_calls();
            let Ran { time, memory: peak } = deploy()?;
            times.push(time);
            memory = memory.max(peak);
            calls = server.calls().by_operation;
        }
        times.sort_unstable();
        let seconds = |at: usize| times.get(at).map_or(0.0, Duration::as_secs_f64);
        let of_cloudformation: usize =
            calls.iter().filter(|(call, _)| call.starts_with("cloudformation")).map(|(_, n)| n).sum();
        println!(
            "{readers:>4} readers of parameters: {:.2} s ({:.2} to {:.2}), {} MB, {of_cloudformation} calls of CloudFormation",
            seconds(RUNS / 2),
            seconds(0),
            seconds(RUNS - 1),
            memory / 1024
        );
        for (call, number) in calls {
            println!("       {number:>4} {call}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
