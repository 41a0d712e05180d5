//! The runs that the reports are made of.

use std::time::Duration;

use paceline_engine::event::{BuildPhase, BuildPhases, Event, Fact, Outcome};
use paceline_report::{Comparison, PhaseTimes, Record, StepRecord};

use crate::journal::{Journal, Went, failed, found};

const EKS: (&str, &str) = ("PetSiteCluster", "AWS::EKS::Cluster");
const DB: (&str, &str) = ("AuroraCluster", "AWS::RDS::DBCluster");
const TGW: (&str, &str) = ("TransitGateway", "AWS::EC2::TransitGateway");

/// A part of the workshop's plan: two regions, three phases, a gate behind each services stack.
fn plan() -> Journal {
    let mut journal = Journal::default();
    journal.phase("services", &["Services", "ServicesSecondary"]);
    journal.phase("network", &["NetworkRegionPeering", "NetworkRoutesMain"]);
    journal.phase("applications", &["Applications"]);
    for n in 0..6 {
        journal.asset(&format!("asset{n}"));
    }
    journal.asset("petsite image");
    journal.stack("Services", "us-east-1", &["publish:asset0", "publish:asset1"], 870.0);
    journal.gate("Services");
    journal.stack("ServicesSecondary", "us-west-2", &["publish:asset2", "gate:iam-roles:Services"], 600.0);
    journal.gate("ServicesSecondary");
    journal.stack("NetworkRegionPeering", "us-east-1", &["gate:iam-roles:ServicesSecondary"], 200.0);
    journal.stack("NetworkRoutesMain", "us-east-1", &["deploy:NetworkRegionPeering"], 60.0);
    journal.stack("Applications", "us-east-1", &["publish:petsite image", "gate:iam-roles:Services"], 700.0);
    journal
}

fn assets(journal: &mut Journal) {
    for n in 0..6 {
        let outcome = if n < 2 { Outcome::Unchanged } else { Outcome::Deployed };
        journal.step(&format!("publish:asset{n}"), 0, n, n + 4, outcome);
    }
    journal.step("publish:petsite image", 0, 0, 95, Outcome::Deployed);
}

/// Everything went well, but for two retries.
pub(crate) fn good() -> Vec<Event> {
    let mut journal = plan();
    journal.run_started(0, false);
    assets(&mut journal);
    journal.step("deploy:Services", 5, 5, 893, Outcome::Deployed);
    journal.progress("deploy:Services", 20, EKS, "CREATE_IN_PROGRESS", 2);
    journal.progress("deploy:Services", 30, DB, "CREATE_IN_PROGRESS", 9);
    journal.progress("deploy:Services", 250, DB, "CREATE_COMPLETE", 41);
    journal.progress("deploy:Services", 600, EKS, "CREATE_COMPLETE", 60);
    journal.step("gate:iam-roles:Services", 893, 893, 909, found("42 roles usable"));
    journal.step("deploy:ServicesSecondary", 909, 909, 1_500, Outcome::Deployed);
    journal.retried("deploy:ServicesSecondary", 915, 2, "Throttling: Rate exceeded");
    journal.retried("deploy:ServicesSecondary", 925, 3, "Throttling: Rate exceeded");
    journal.step("gate:iam-roles:ServicesSecondary", 1_500, 1_500, 1_508, found("12 roles usable"));
    journal.step("deploy:NetworkRegionPeering", 1_508, 1_530, 1_700, Outcome::Deployed);
    journal.step("deploy:NetworkRoutesMain", 1_700, 1_700, 1_702, Outcome::Unchanged);
    journal.stuck("deploy:NetworkRoutesMain", 1_702, "its template differs on every synth");
    journal.step("deploy:Applications", 909, 930, 1_600, Outcome::Deployed);
    journal.progress(
        "deploy:Applications",
        1_100,
        ("Deployment", "Custom::Kubernetes"),
        "CREATE_IN_PROGRESS",
        3,
    );
    journal.run_finished(1_702, 0, 0);
    journal.events()
}

/// A stack failed, was rolled back, and three others were skipped; so did an asset.
pub(crate) fn bad() -> Vec<Event> {
    let mut journal = plan();
    journal.run_started(0, false);
    for n in 0..6 {
        journal.step(&format!("publish:asset{n}"), 0, n, n + 4, Outcome::Deployed);
    }
    let denied = failed(
        "ecr:PutImage",
        "denied: \x1b[31mnot authorized\x1b[0m\nstep 4/9: COPY . .",
        "grant ecr:PutImage to the publishing role",
    );
    journal.step("publish:petsite image", 0, 0, 30, denied);
    journal.never("deploy:Applications", 30, Outcome::Skipped, Some("publish:petsite image"));
    journal.step("deploy:Services", 5, 5, 893, Outcome::Deployed);
    journal.step("gate:iam-roles:Services", 893, 893, 909, found("42 roles usable"));
    let limit = "Resource handler returned message: \"You have reached the maximum number of transit gateways \
                 <5> (Service: Ec2, Status Code: 400, Request ID: 01234567-89ab)\" & more";
    let went = Went {
        outcome: Outcome::RolledBack,
        ..failed(
            "TransitGateway (AWS::EC2::TransitGateway)",
            limit,
            "ask for a higher quota: L-A2478D36 of ec2, or delete transit gateways that are not used",
        )
    };
    journal.begin("deploy:ServicesSecondary", 909, 909);
    journal.progress("deploy:ServicesSecondary", 915, TGW, "CREATE_IN_PROGRESS", 1);
    journal.progress_because("deploy:ServicesSecondary", 930, TGW, "CREATE_FAILED", 1, Some(limit));
    let cancelled = Some("Resource creation cancelled");
    journal.progress_because("deploy:ServicesSecondary", 931, EKS, "CREATE_FAILED", 1, cancelled);
    journal.end("deploy:ServicesSecondary", 1_090, 181, went);
    let because = Some("deploy:ServicesSecondary");
    journal.never("gate:iam-roles:ServicesSecondary", 1_090, Outcome::Skipped, because);
    journal.never("deploy:NetworkRegionPeering", 1_090, Outcome::Skipped, because);
    journal.never("deploy:NetworkRoutesMain", 1_090, Outcome::Skipped, because);
    journal.run_finished(1_090, 0, 1);
    journal.events()
}

/// Killed while a stack was being deployed, resumed an hour later.
pub(crate) fn resumed() -> Vec<Event> {
    const AGAIN: u64 = 4_800;
    let mut journal = plan();
    journal.run_started(0, false);
    assets(&mut journal);
    journal.step("deploy:Services", 5, 5, 893, Outcome::Deployed);
    journal.step("gate:iam-roles:Services", 893, 893, 909, found("42 roles usable"));
    journal.begin("deploy:ServicesSecondary", 909, 909);
    journal.begin("deploy:Applications", 909, 909);
    journal.progress("deploy:ServicesSecondary", 1_200, EKS, "CREATE_IN_PROGRESS", 9);

    journal.run_started(AGAIN, true);
    let already = || Went { resumed: true, ..Outcome::Deployed.into() };
    for n in 0..6 {
        journal.step(&format!("publish:asset{n}"), AGAIN, AGAIN, AGAIN + 1, already());
    }
    journal.step("publish:petsite image", AGAIN, AGAIN, AGAIN + 1, already());
    journal.step("deploy:Services", AGAIN + 1, AGAIN + 1, AGAIN + 3, already());
    journal.step("gate:iam-roles:Services", AGAIN + 3, AGAIN + 3, AGAIN + 4, found("42 roles usable"));
    journal.step("deploy:ServicesSecondary", AGAIN + 4, AGAIN + 4, AGAIN + 200, Outcome::Deployed);
    journal.progress("deploy:ServicesSecondary", AGAIN + 150, EKS, "CREATE_COMPLETE", 80);
    journal.step("deploy:Applications", AGAIN + 4, AGAIN + 4, AGAIN + 6, Outcome::Deployed);
    let end = AGAIN + 205;
    journal.step("gate:iam-roles:ServicesSecondary", AGAIN + 200, AGAIN + 200, end, found("12 roles usable"));
    journal.step("deploy:NetworkRegionPeering", end, end, end + 90, Outcome::Deployed);
    journal.step("deploy:NetworkRoutesMain", end + 90, end + 90, end + 120, Outcome::Deployed);
    journal.run_finished(end + 120, AGAIN, 0);
    journal.events()
}

/// Stopped by a signal.
pub(crate) fn stopped() -> Vec<Event> {
    let mut journal = plan();
    journal.run_started(0, false);
    assets(&mut journal);
    journal.begin("deploy:Services", 5, 5);
    journal.progress("deploy:Services", 20, EKS, "CREATE_IN_PROGRESS", 2);
    journal.progress("deploy:Services", 130, DB, "CREATE_IN_PROGRESS", 9);
    journal.fact(400, Fact::RunStopping { reason: "the build was stopped (SIGTERM)".to_owned() });
    journal.end("deploy:Services", 401, 396, Outcome::Interrupted);
    for id in ["ServicesSecondary", "NetworkRegionPeering", "NetworkRoutesMain", "Applications"] {
        journal.never(&format!("deploy:{id}"), 401, Outcome::Interrupted, None);
    }
    journal.run_finished(401, 0, 4);
    journal.events()
}

/// Stopped while AWS works on stacks, in all the ways in which a run may know of that.
pub(crate) fn left() -> Vec<Event> {
    let mut journal = Journal::default();
    for id in ["Network", "Database", "Queues", "Found", "Lost", "Done", "Refused"] {
        journal.stack(id, "eu-west-1", &[], 60.0);
    }
    journal.deletion("Old", "us-west-2", &[], 60.0);
    journal.stack("Waiting", "eu-west-1", &["deploy:Network"], 60.0);
    journal.run_started(0, false);
    for id in
        ["deploy:Network", "deploy:Database", "deploy:Lost", "deploy:Done", "deploy:Refused", "delete:Old"]
    {
        journal.begin(id, 0, 0);
    }
    journal.accepted("deploy:Network", 1);
    journal.turned("deploy:Network", 16, "CREATE_IN_PROGRESS");
    journal.submitted("deploy:Database", 1, "update");
    journal.accepted("deploy:Lost", 1);
    journal.turned("deploy:Lost", 16, "CREATE_IN_PROGRESS");
    journal.turned("deploy:Lost", 20, "ROLLBACK_IN_PROGRESS");
    journal.accepted("deploy:Done", 1);
    journal.turned("deploy:Done", 30, "CREATE_COMPLETE");
    journal.accepted("delete:Old", 2);
    // What was found going on is somebody else's.
    journal.started("deploy:Found", 0);
    journal.accepted("deploy:Found", 1);
    journal.started("deploy:Queues", 0);
    journal.submitted("deploy:Queues", 1, "create-change-set");
    let refused = failed("CreateStack", "it may not", "let it");
    journal.end("deploy:Refused", 2, 2, refused);
    journal.end("deploy:Done", 31, 31, Outcome::Deployed);
    let expired =
        failed("DescribeStacks", "AWS does not accept the credentials: ExpiredToken", "get credentials");
    journal.end("deploy:Lost", 35, 35, Went { outcome: Outcome::Interrupted, ..expired });
    journal.fact(40, Fact::RunStopping { reason: "SIGTERM".to_owned() });
    for id in ["deploy:Network", "deploy:Database", "deploy:Queues", "deploy:Found", "delete:Old"] {
        journal.end(id, 41, 41, Outcome::Interrupted);
    }
    journal.never("deploy:Waiting", 41, Outcome::Interrupted, None);
    journal.run_finished(41, 0, 1);
    journal.events()
}

/// Nothing to do but a script, in a run of a few seconds.
pub(crate) fn short() -> Vec<Event> {
    let mut journal = Journal::default();
    journal.stack("Prod/Api", "eu-central-1", &[], 0.0);
    journal.other("command", "remove-tags", &["deploy:Prod/Api"]);
    journal.run_started(0, false);
    journal.step("deploy:Prod/Api", 0, 0, 7, Outcome::Deployed);
    journal.step("command:remove-tags", 7, 7, 9, Outcome::Deployed);
    journal.run_finished(9, 0, 0);
    journal.events()
}

/// Many stacks in many phases.
pub(crate) fn many(stacks: usize) -> Vec<Event> {
    let mut journal = Journal::default();
    let ids: Vec<String> = (0..stacks).map(|n| format!("Platform/Team{:02}/Service{n:03}", n % 17)).collect();
    for (n, ids) in ids.chunks(25).enumerate() {
        journal.phase(&format!("wave {n}"), &ids.iter().map(String::as_str).collect::<Vec<_>>());
    }
    for n in 0..90 {
        journal.asset(&format!("asset{n}"));
    }
    for (n, id) in ids.iter().enumerate() {
        let need = n.checked_sub(25).map(|n| format!("deploy:{}", ids[n]));
        let needs: Vec<&str> = need.iter().map(String::as_str).collect();
        journal.stack(id, if n % 3 == 0 { "us-west-2" } else { "us-east-1" }, &needs, 100.0);
    }
    journal.run_started(0, false);
    for n in 0..90_u64 {
        let start = n / 8 * 5;
        journal.step(&format!("publish:asset{n}"), 0, start, start + 3 + n % 3, Outcome::Deployed);
    }
    let mut ends: Vec<u64> = Vec::new();
    for (n, id) in (0_u64..).zip(&ids) {
        let ready = usize::try_from(n).unwrap().checked_sub(25).map_or(60, |n| ends[n]);
        let (start, took) = (ready + n % 4 * 3, 40 + n * 37 % 170);
        ends.push(start + took);
        let outcome = if n % 5 == 3 { Outcome::Unchanged } else { Outcome::Deployed };
        journal.step(&format!("deploy:{id}"), ready, start, start + took, outcome);
    }
    journal.run_finished(ends.into_iter().max().unwrap_or_default(), 0, 0);
    journal.events()
}

/// The phases of a build in which a run has just started.
pub(crate) fn build_so_far() -> Vec<BuildPhase> {
    let phases = [("SUBMITTED", 0.0), ("QUEUED", 2.0), ("PROVISIONING", 14.0), ("INSTALL", 48.2)];
    let done = |(name, duration_s): (&str, f64)| BuildPhase {
        name: name.to_owned(),
        status: Some("SUCCEEDED".to_owned()),
        duration_s,
    };
    let running = BuildPhase { name: "BUILD".to_owned(), status: None, duration_s: 3.0 };
    phases.into_iter().map(done).chain([running]).collect()
}

/// A run in a build.
pub(crate) fn in_build() -> Vec<Event> {
    let mut journal = Journal::default();
    journal.stack("Api", "eu-central-1", &[], 0.0);
    journal.run_started(0, false);
    let build = BuildPhases { build: "workshop:1f2e".to_owned(), phases: build_so_far() };
    journal.fact(0, Fact::BuildPhases(build));
    journal.step("deploy:Api", 0, 0, 7, Outcome::Deployed);
    journal.run_finished(7, 0, 0);
    journal.events()
}

/// Two stacks in each of two regions, and a bake between the regions.
pub(crate) fn rolled_out() -> Vec<Event> {
    let mut journal = Journal::default();
    journal.phase("first", &["Shop", "Data"]);
    journal.phase("others", &["ShopEu", "DataEu"]);
    for id in ["Shop", "Data"] {
        journal.stack(id, "us-east-1", &[], 100.0);
    }
    journal.bake("us-east-1", &["deploy:Shop", "deploy:Data"]);
    for id in ["ShopEu", "DataEu"] {
        journal.stack(id, "eu-west-1", &["gate:bake:us-east-1"], 100.0);
    }
    journal.run_started(0, false);
    journal.step("deploy:Shop", 0, 0, 120, Outcome::Deployed);
    journal.step("deploy:Data", 0, 0, 180, Outcome::Deployed);
    journal.step("gate:bake:us-east-1", 180, 180, 780, found("1 alarm watched, none went off"));
    journal.step("deploy:ShopEu", 780, 780, 900, Outcome::Deployed);
    journal.step("deploy:DataEu", 780, 780, 960, Outcome::Deployed);
    journal.run_finished(960, 0, 0);
    journal.events()
}

/// Stacks are deleted: one keeps a bucket, one was not there, one cannot go, and so what it uses stays.
pub(crate) fn deleted(all: bool) -> Vec<Event> {
    let mut journal = Journal::default();
    journal.phase("applications", &["Applications"]);
    journal.phase("services", &["Services", "ServicesSecondary"]);
    journal.deletion("Applications", "us-east-1", &[], 40.0);
    journal.deletion("ServicesSecondary", "us-west-2", &[], 600.0);
    journal.deletion("Services", "us-east-1", &["delete:Applications"], 600.0);
    journal.run_started(0, false);
    journal.step("delete:ServicesSecondary", 0, 0, 1, Outcome::Unchanged);
    if all {
        let kept = Went { detail: Some("kept: Logs (AWS::S3::Bucket logs-1)"), ..Outcome::Deleted.into() };
        journal.step("delete:Applications", 0, 0, 44, kept);
        journal.step("delete:Services", 44, 44, 700, Outcome::Deleted);
        journal.run_finished(700, 0, 0);
    } else {
        let why = failed(
            "Uploads (AWS::S3::Bucket)",
            "The bucket you tried to delete is not empty; still in the stack: Uploads (AWS::S3::Bucket uploads-1)",
            "its objects are not deleted for you: empty the bucket, then run it again",
        );
        journal.step("delete:Applications", 0, 0, 44, why);
        journal.never("delete:Services", 44, Outcome::Skipped, Some("delete:Applications"));
        journal.run_finished(44, 0, 1);
    }
    journal.events()
}

/// What other schedules would have taken; nothing for a run that did nothing.
pub(crate) fn comparison(record: &Record) -> Option<Comparison> {
    let sequential = PhaseTimes::one_after_another(record);
    // The phases one after the other, each as long as its longest stack.
    let mut phased = PhaseTimes::default();
    for phase in record.phases() {
        let longest = phase.stacks.iter().map(|stack| stack.duration()).max().unwrap_or_default();
        phased.phases.push((phase.name.to_owned(), longest));
        phased.total += longest;
    }
    let bakes = record.steps.iter().filter(|step| step.step.is_bake());
    phased.total += bakes.map(StepRecord::duration).sum::<Duration>();
    (sequential.total > Duration::ZERO).then_some(Comparison { sequential, phased })
}

/// Every kind of run, by name.
pub(crate) fn all() -> Vec<(&'static str, Vec<Event>)> {
    vec![
        ("good", good()),
        ("bad", bad()),
        ("resumed", resumed()),
        ("stopped", stopped()),
        ("left", left()),
        ("short", short()),
        ("in_build", in_build()),
        ("deleted", deleted(true)),
        ("not_deleted", deleted(false)),
        ("continued", continued()),
        ("rolled_out", rolled_out()),
        ("empty", Vec::new()),
    ]
}

/// A stack was continued from the point of its failure.
fn continued() -> Vec<Event> {
    let mut journal = plan();
    journal.run_started(0, false);
    journal.begin("deploy:Services", 5, 5);
    journal.continued("deploy:Services", 300, (12, 14), 250.0);
    journal.end("deploy:Services", 400, 395, Outcome::Deployed);
    journal.run_finished(400, 0, 0);
    journal.events()
}
