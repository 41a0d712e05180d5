//! `paceline signal` and `paceline wait`: commands for scripts.

use jiff::Timestamp;
use paceline_app::{AppPaths, Failure, OuterStack, configured, interrupt, terminal, this_build};
use paceline_aws::{Policies, RoleWait, Verdict, wait_for_iam_roles};
use paceline_engine::ExitCode;

use crate::cli::{SignalArgs, WaitArgs, WaitKind};

pub(crate) fn signal(args: &SignalArgs) -> Result<ExitCode, Failure> {
    let config = configured(&AppPaths { app: None, config: args.config.clone() })?.config;
    let Some(outer) = OuterStack::named_by(&config.signal)? else {
        terminal::say(&format!("nobody waits: {} is not set", config.signal.wait_handle));
        return Ok(ExitCode::Done);
    };
    let reason = args.reason.clone().unwrap_or_else(|| match this_build() {
        Some(build) => format!("see the build {build}"),
        None => "no reason was given".to_owned(),
    });
    outer.signal(&Verdict { success: args.success, reason, data: this_build().unwrap_or_default() })?;
    Ok(ExitCode::Done)
}

pub(crate) fn wait(args: &WaitArgs) -> Result<ExitCode, Failure> {
    let WaitKind::IamRole { names, instance_profile } = &args.kind;
    let wait = RoleWait {
        roles: names.iter().map(|name| (name.clone(), Policies::default())).collect(),
        instance_profiles: instance_profile.clone(),
    };
    let started = std::time::Instant::now();
    let usable = interrupt::until_stopped(
        "roles were being waited for",
        wait_for_iam_roles(&terminal::wire(), &wait, Timestamp::now()),
    )??;
    let took = started.elapsed().as_secs();
    let how =
        if usable.verified { "usable" } else { "may be usable: IAM could not be read, only time has passed" };
    terminal::say(&format!("{} roles and instance profiles are {how}, after {took} s", usable.count));
    Ok(ExitCode::Done)
}
