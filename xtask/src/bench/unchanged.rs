//! `cargo xtask bench unchanged`: measures a deployment of many stacks of which none has changed.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use xshell::Shell;

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
        let server = Server::start(&program)?;
        let deploy = || {
            run(&program, |command| {
                let command = command.args(["deploy", "--app"]).arg(&app).current_dir(&app);
                let command = command.env("AWS_ENDPOINT_URL", &server.address).env("AWS_REGION", "us-east-1");
                command.env("AWS_ACCESS_KEY_ID", "sim").env("AWS_SECRET_ACCESS_KEY", "sim")
            })
        };
        deploy().context("the first deployment failed")?;
        let (mut times, mut memory, mut calls) = (Vec::new(), 0, BTreeMap::new());
        for _ in 0..RUNS {
            server.forget_calls();
            let Ran { time, memory: peak } = deploy()?;
            times.push(time);
            memory = memory.max(peak);
            calls = server.calls();
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

/// The service and the operation in a line of the access log: `<time> <service> <operation> <region> <status>`.
fn call_of(line: &str) -> Option<String> {
    let mut words = line.split(' ').skip(1);
    let (service, operation, _region, status) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_call = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    is_call.then(|| format!("{service} {operation}"))
}

/// The embedded AWS in another process. It ends with this value.
struct Server {
    process: Child,
    address: String,
    calls: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Server {
    fn start(program: &Path) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "it is ended when the value is dropped")]
        let mut command = Command::new(program);
        command.args(["sim", "serve", "--port", "0", "--verbose", "--time-scale", TIME_SCALE]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().context("the embedded AWS does not start")?;
        let mut address = String::new();
        let stdout = process.stdout.take().context("it has no stdout")?;
        BufReader::new(stdout).read_line(&mut address)?;
        let stderr = process.stderr.take().context("it has no stderr")?;
        let calls = Arc::<Mutex<BTreeMap<String, usize>>>::default();
        let counted = Arc::clone(&calls);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(call) = call_of(&line) {
                    *counted.lock().unwrap_or_else(PoisonError::into_inner).entry(call).or_default() += 1;
                }
            }
        });
        Ok(Self { process, address: address.trim().to_owned(), calls })
    }

    fn forget_calls(&self) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn calls(&self) -> BTreeMap<String, usize> {
        // The server writes a line before it answers, and the thread may read it a little later.
        thread::sleep(Duration::from_millis(200));
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
