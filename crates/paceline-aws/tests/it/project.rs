//! The generated CodeBuild project is created, compared field by field, and updated.

use paceline_aws::{Applied, Projects};
use paceline_buildspec::project::Project;
use serde_json::{Value, json};

use crate::app::REGION;
use crate::world::World;

pub(crate) fn role() -> String {
    "arn:aws:iam::111111111111:role/build".to_owned()
}

/// A project with a value in every field of the model.
fn full() -> Value {
    json!({
        "name": "app",
        "description": "Deploys it",
        "source": {"type": "GITHUB", "location": "https://github.com/o/r", "gitCloneDepth": 1, "buildspec": "b.yml"},
        "artifacts": {
            "type": "S3", "location": "bucket", "namespaceType": "BUILD_ID", "name": "app", "packaging": "ZIP"},
        "cache": {"type": "LOCAL", "modes": ["LOCAL_DOCKER_LAYER_CACHE", "LOCAL_CUSTOM_CACHE"]},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "hostKernel": "LINUX_KERNEL_6",
            "computeType": "BUILD_GENERAL1_XLARGE",
            "environmentVariables": [{"name": "A", "value": "/p", "type": "PARAMETER_STORE"}],
            "privilegedMode": true,
            "imagePullCredentialsType": "CODEBUILD",
        },
        "serviceRole": role(),
        "timeoutInMinutes": 240,
        "queuedTimeoutInMinutes": 480,
        "autoRetryLimit": 1,
        "tags": [{"key": "team", "value": "a"}],
        "vpcConfig": {"vpcId": "vpc-1", "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]},
        "logsConfig": {"cloudWatchLogs": {"status": "ENABLED", "groupName": "/aws/codebuild/app"}},
    })
}

fn read(value: &Value) -> Project {
    serde_json::from_value(value.clone()).unwrap()
}

pub(crate) fn project() -> Project {
    read(&full())
}

/// Paths in the project, each with another value.
fn changed() -> Vec<(&'static str, Value)> {
    vec![
        ("description", json!("other")),
        ("source.location", json!("https://github.com/o/other")),
        ("source.gitCloneDepth", json!(3)),
        ("source.buildspec", json!("other.yml")),
        ("artifacts.location", json!("other")),
        ("artifacts.namespaceType", json!("NONE")),
        ("artifacts.name", json!("other")),
        ("artifacts.packaging", json!("NONE")),
        ("cache.modes", json!(["LOCAL_SOURCE_CACHE"])),
        ("environment.image", json!("aws/codebuild/standard:8.0")),
        ("environment.hostKernel", json!("LINUX_KERNEL_4")),
        ("environment.computeType", json!("BUILD_GENERAL1_SMALL")),
        ("environment.environmentVariables", json!([{"name": "A", "value": "v", "type": "PLAINTEXT"}])),
        ("environment.imagePullCredentialsType", json!("SERVICE_ROLE")),
        ("serviceRole", json!("arn:aws:iam::111111111111:role/other")),
        ("timeoutInMinutes", json!(60)),
        ("queuedTimeoutInMinutes", json!(60)),
        ("autoRetryLimit", json!(2)),
        ("tags", json!([{"key": "team", "value": "b"}])),
        ("vpcConfig.subnets", json!(["subnet-1", "subnet-2"])),
        ("logsConfig.cloudWatchLogs.groupName", json!("/other")),
        ("logsConfig.cloudWatchLogs.status", json!("DISABLED")),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_field_arrives_is_compared_and_is_updated() {
    let world = World::slow();
    let projects = Projects::connect(&world.wire, REGION).await.unwrap();
    assert_eq!(projects.diff(&project()).await.unwrap(), None, "it is not there");
    assert_eq!(Box::pin(projects.apply(&project(), None)).await.unwrap(), Applied::Created);
    assert_eq!(projects.diff(&project()).await.unwrap(), Some(Vec::new()));
    assert_eq!(Box::pin(projects.apply(&project(), None)).await.unwrap(), Applied::Unchanged);
    for (place, value) in changed() {
        let mut wanted = full();
        *wanted.pointer_mut(&format!("/{}", place.replace('.', "/"))).unwrap() = value;
        let wanted = read(&wanted);
        let fields: Vec<String> =
            projects.diff(&wanted).await.unwrap().unwrap().into_iter().map(|it| it.field).collect();
        assert_eq!(fields, [place]);
        assert_eq!(Box::pin(projects.apply(&wanted, None)).await.unwrap(), Applied::Updated, "{place}");
        assert_eq!(projects.diff(&wanted).await.unwrap(), Some(Vec::new()), "{place}");
        Box::pin(projects.apply(&project(), None)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn settings_that_are_no_longer_wanted_are_removed() {
    let world = World::slow();
    let projects = Projects::connect(&world.wire, REGION).await.unwrap();
    Box::pin(projects.apply(&project(), None)).await.unwrap();
    for (field, instead) in [
        ("cache", json!({"type": "NO_CACHE"})),
        ("artifacts", json!({"type": "NO_ARTIFACTS"})),
        ("tags", json!([])),
        ("vpcConfig", Value::Null),
    ] {
        let mut wanted = full();
        wanted[field] = instead;
        let wanted = read(&wanted);
        Box::pin(projects.apply(&project(), None)).await.unwrap();
        assert_ne!(projects.diff(&wanted).await.unwrap(), Some(Vec::new()), "{field} differs");
        Box::pin(projects.apply(&wanted, None)).await.unwrap();
        assert_eq!(projects.diff(&wanted).await.unwrap(), Some(Vec::new()), "{field}");
    }
}
