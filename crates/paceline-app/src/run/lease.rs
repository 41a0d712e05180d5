//! The leases of a run: no other run changes its stacks at the same time.

use paceline_aws::{Applicant, Aws, Leases, LockMode, PreflightError};
use paceline_engine::{RunOptions, Stop};
use paceline_plan::Plan;

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
    let applicant = Applicant { run: run.id.clone(), holder: holder(), now: run.now };
    let taken = Box::pin(aws.lock(plan, &applicant, mode, |sentence| terminal::note(&sentence)));
    let taken = interrupt::stoppable(taken).await?;
    Ok(Some(taken.map_err(PreflightError::from)?))
}

/// Executes a run while it holds leases. If one is lost, the run starts nothing more.
pub(super) async fn during<T>(running: impl Future<Output = T>, leases: Option<Leases>, stop: &Stop) -> T {
    let Some(leases) = leases else { return running.await };
    tokio::pin!(running);
    let ended = tokio::select! {
        ended = &mut running => ended,
        reason = leases.lost() => {
            stop.request(format!("the lease on its stacks is lost: {reason}"));
            running.await
        }
    };
    leases.release().await;
    ended
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
