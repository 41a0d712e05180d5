//! The leases of a run: no other run changes its stacks at the same time.

use camino::{Utf8Path, Utf8PathBuf};
use paceline_aws::{Applicant, Aws, Leases, LockMode, PreflightError};
use paceline_engine::{ExitCode, RunOptions, Stop, private};
use paceline_plan::Plan;

use super::RUNS;
use crate::build::BUILD_ID;
use crate::failure::Failure;
use crate::settings::LockSetting;
use crate::{interrupt, terminal};

/// Takes leases on the stacks of the plan, as the setting says. A simulated run has the embedded AWS for itself.
pub(super) async fn take(
    aws: &Aws,
    plan: &Plan,
    run: &RunOptions,
    setting: LockSetting,
) -> Result<Option<Leases>, Failure> {
    let mode = match setting {
        LockSetting::None => return Ok(None),
        _ if run.simulated => return Ok(None),
        LockSetting::Wait => LockMode::Wait,
        LockSetting::Refuse => LockMode::Refuse,
    };
    let (id, is_new) = identity(&run.id).map_err(|error| {
        let message = format!("the folder of the run cannot be written: {error}");
        Failure::usage(message, format!("make {RUNS} writable")).with_exit_code(ExitCode::Refused)
    })?;
    let applicant = Applicant { run: run.id.clone(), id, holder: holder(), now: run.now };
    let taken = Box::pin(aws.lock(plan, &applicant, mode, |sentence| terminal::note(&sentence)));
    let taken = match interrupt::stoppable(taken).await {
        Ok(Ok(taken)) => return Ok(Some(taken)),
        Ok(Err(error)) => Failure::from(PreflightError::from(error)),
        Err(interrupted) => interrupted,
    };
    // A run that has not begun leaves no folder behind.
    if is_new {
        forget(&run.id);
    }
    Err(taken)
}

/// Forgets what tells a run from every other, because it does not begin.
pub(super) fn forget(run: &str) {
    // The file does no harm if it cannot be removed.
    let _ = fs_err::remove_file(path_of(run));
}

/// Executes a run while it holds leases. If one is lost, the run starts nothing more.
pub(super) async fn during<T>(running: impl Future<Output = T>, leases: Option<&Leases>, stop: &Stop) -> T {
    let Some(leases) = leases else { return running.await };
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => ended,
        reason = leases.lost() => {
            stop.request(format!("the lease on its stacks is lost: {reason}"));
            running.await
        }
    }
}

/// What tells a run from every other: its name is the same for two runs of an app that start in the same second on two
/// machines. It is kept with the journal, so that a process that continues the run on this machine has the same. Also says whether it is new.
fn identity(run: &str) -> std::io::Result<(String, bool)> {
    let path = path_of(run);
    match fs_err::read_to_string(&path) {
        Ok(id) if !id.trim().is_empty() => return Ok((id.trim().to_owned(), false)),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let now = jiff::Timestamp::now().as_nanosecond();
    let id = format!("{run} {} {} {now}", holder(), std::process::id());
    private::replace(path.as_std_path(), id.as_bytes())?;
    Ok((id, true))
}

fn path_of(run: &str) -> Utf8PathBuf {
    Utf8Path::new(RUNS).join(run).join("lease")
}

/// Who runs this: the build, or the person and the machine.
fn holder() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(build) = variable(BUILD_ID) {
        return format!("the build {build}");
    }
    let host = fs_err::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.map(|name| name.trim().to_owned()).or_else(|| variable("HOSTNAME"));
    let user = variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "somebody".to_owned());
    host.map_or_else(|| user.clone(), |host| format!("{user} on {host}"))
}
