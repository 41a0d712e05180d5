//! `paceline wait`: one gate on its own.

use jiff::Timestamp;
use paceline_aws::{Policies, RoleWait, wait_for_iam_roles};
use paceline_engine::exit;

use crate::cli::{WaitArgs, WaitKind};
use crate::failure::Failure;
use crate::{interrupt, terminal};

pub(crate) fn run(args: &WaitArgs) -> Result<u8, Failure> {
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
    Ok(exit::DONE)
}
