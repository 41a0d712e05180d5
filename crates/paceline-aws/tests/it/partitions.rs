//! Whole runs in other partitions of AWS, which have ARNs, endpoints and credentials of their own.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_assembly::Stack;
use paceline_aws::{Images, KeptRuns, Watching, deployed};
use paceline_engine::Outcome;
use paceline_plan::RollbackOptions;
use paceline_sim::{Images as SimImages, SimAlarm, SimOptions};
use serde_json::{Value, json};

use crate::app::{ACCOUNT, App, role, topic};
use crate::rollbacks::Runs;
use crate::world::{How, RUN, World};

/// An app in two regions: a template in S3, a role behind a gate, a file, an image, and a stack whose account only the
/// credentials tell.
fn app(first: &str, second: &str, label: &str) -> App {
    let there = |account: &str, region: &str| -> Value {
        let role = |what: &str| {
            format!(
                "arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/cdk-hnb659fds-{what}-role-{ACCOUNT}-{region}"
            )
        };
        json!({
            "environment": format!("aws://{account}/{region}"),
            "properties": {
                "assumeRoleArn": role("deploy"),
                "cloudFormationExecutionRoleArn": role("cfn-exec"),
                "lookupRole": {"arn": role("lookup")},
            },
        })
    };
    let mut template = topic(label);
    template["Resources"]["Role"] = role();
    let (bucket, key) = (format!("cdk-hnb659fds-assets-{ACCOUNT}-{first}"), format!("{label}.json"));
    let mut from_s3 = there(ACCOUNT, first);
    from_s3["properties"]["stackTemplateAssetObjectUrl"] = json!(format!("s3://{bucket}/{key}"));
    let publishing = |what: &str| {
        format!(
            "arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/cdk-hnb659fds-{what}-publishing-role-{ACCOUNT}-{first}"
        )
    };
    let manifest = json!({
        "version": "36.0.0",
        "files": {"template": {
            "source": {"path": "Roles.template.json", "packaging": "file"},
            "destinations": {"d": {"bucketName": bucket, "objectKey": key, "region": first,
                "assumeRoleArn": publishing("file")}},
        }},
        "dockerImages": {"image": {
            "source": {"directory": "."},
            "destinations": {"d": {"repositoryName": format!("cdk-hnb659fds-container-assets-{ACCOUNT}-{first}"),
                "imageTag": "t", "region": first, "assumeRoleArn": publishing("image")}},
        }},
    });
    let mut app = App::new().stack_with("Roles", &template, &from_s3).assets("Roles", &manifest);
    app.write("Dockerfile", "FROM scratch\n");
    app.stack_with("Unknown", &topic(label), &there("unknown-account", first)).stack_with(
        "Elsewhere",
        &topic(label),
        &there(ACCOUNT, second),
    )
}

/// Deploys an app, updates it, rolls that back, reads it in every way, and deletes it.
async fn whole_life(first: &str, second: &str, config: &'static str) -> World {
    let world = World::new(SimOptions { images: SimImages::Absent, ..SimOptions::default() });
    world.sim.set_alarm(SimAlarm::named("errors"));
    let runs = Runs::new();
    let how = || How {
        config,
        images: Images::Pretended { build: Duration::ZERO, push: Duration::ZERO },
        records: true,
        copies: Some(Vec::new()),
        ..How::default()
    };
    world.run(&app(first, second, "one"), how()).await.check_all(Outcome::Deployed);
    let app = app(first, second, "two");
    let ran = world.run(&app, How { captures: Some(runs.path().to_owned()), ..how() }).await;
    ran.check_all(Outcome::Deployed);
    runs.rollback(&ran.events, &RollbackOptions::new(RUN))
        .run(&world)
        .await
        .unwrap()
        .check_all(Outcome::Deployed);
    let assembly = app.read();
    let stacks: Vec<&Stack> = assembly.stacks.iter().collect();
    assert_eq!(Box::pin(deployed(&world.wire, &stacks)).await.unwrap().stacks.len(), 3);
    assert_eq!(Box::pin(Watching::stacks(&world.wire, &stacks)).await.unwrap().named_stacks().len(), 3);
    let kept = Box::pin(KeptRuns::open(&world.wire, &assembly)).await.unwrap();
    assert!(!kept.list(world.now()).await.unwrap().is_empty());
    world.run(&app, How { deletes: true, ..how() }).await.check_all(Outcome::Deleted);
    world
}

/// Checks that every call went to the partition: by its region and its endpoint.
fn check(world: &World, regions: [&str; 2], domain: &str) {
    let calls = world.sim.calls();
    let called: BTreeSet<&str> = calls.iter().map(|call| call.service.as_str()).collect();
    for service in ["cloudformation", "ecr", "iam", "monitoring", "s3", "ssm", "sts"] {
        assert!(called.contains(service), "{service}: {called:?}");
    }
    let astray =
        calls.iter().filter(|it| !regions.contains(&it.region.as_str()) || !it.host.ends_with(domain));
    let astray: BTreeSet<_> = astray.map(|it| (&it.host, &it.region, &it.operation)).collect();
    assert!(astray.is_empty(), "{astray:?}");
}

#[tokio::test(start_paused = true)]
async fn a_whole_run_in_china_calls_nothing_outside() {
    let config = "gates: [{ after: Roles, iam-roles: all }]\nrollout: { first: cn-north-1, alarms: errors }";
    let world = whole_life("cn-north-1", "cn-northwest-1", config).await;
    check(&world, ["cn-north-1", "cn-northwest-1"], ".amazonaws.com.cn");
}

#[tokio::test(start_paused = true)]
async fn a_whole_run_in_govcloud_calls_nothing_outside() {
    let config =
        "gates: [{ after: Roles, iam-roles: all }]\nrollout: { first: us-gov-west-1, alarms: errors }";
    let world = whole_life("us-gov-west-1", "us-gov-east-1", config).await;
    check(&world, ["us-gov-west-1", "us-gov-east-1"], ".amazonaws.com");
}
