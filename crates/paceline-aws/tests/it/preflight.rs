//! Obstacles that are found before a run starts.

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use paceline_aws::{ALLOW_BASE_CREDENTIALS, AwsError, ErrorKind};
use paceline_engine::Outcome;
use paceline_sim::{Bootstrap, Faults, SimOptions};
use serde_json::json;

use crate::app::{App, topic};
use crate::world::World;

async fn refused(world: &World, app: &App) -> AwsError {
    let mut errors = world.refused(app).await.0;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(world.mutations(), [] as [String; 0]);
    errors.remove(0)
}

fn app() -> App {
    App::of("S", &topic("t"))
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_is_not_bootstrapped_is_refused() {
    let world = World::new(SimOptions { bootstrap: Bootstrap::Missing, ..SimOptions::default() });
    // Without a bootstrap there is no role to assume.
    let error = refused(&world, &app()).await;
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.what_to_do().unwrap().contains("cdk bootstrap"), "{error:?}");

    // With the caller's own role, the version is missing.
    let own = json!({"properties": {"assumeRoleArn": null, "cloudFormationExecutionRoleArn": null}});
    let error = refused(&world, &App::new().stack_with("S", &topic("t"), &own)).await;
    assert_eq!(error.kind, ErrorKind::Setup);
    assert_eq!(error.message, "aws://111111111111/us-east-1 is not bootstrapped");
    assert_eq!(
        error.what_to_do().unwrap(),
        "run: paceline bootstrap, or: cdk bootstrap aws://111111111111/us-east-1"
    );
}

#[tokio::test(start_paused = true)]
async fn an_old_bootstrap_is_refused() {
    let world = World::new(SimOptions { bootstrap: Bootstrap::Version(5), ..SimOptions::default() });
    let error = refused(&world, &app()).await;
    assert_eq!(error.kind, ErrorKind::Setup);
    assert!(error.message.contains("version 5, the app needs 6"), "{error:?}");
    assert!(error.what_to_do().unwrap().contains("cdk bootstrap aws://"));
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_refused() {
    let world = World::with_faults(Faults { expired_tokens: true, ..Faults::default() });
    let error = refused(&world, &app()).await;
    assert_eq!(error.kind, ErrorKind::Credentials);
    assert_eq!(error.place.as_deref(), Some("GetCallerIdentity"));
    assert!(error.to_string().contains("ExpiredToken"), "{error:?}");
    assert!(error.what_to_do().unwrap().contains("get credentials"));
}

fn assume_role_denied() -> World {
    let denied = vec![("sts".to_owned(), "AssumeRole".to_owned())];
    World::with_faults(Faults { denied, ..Faults::default() })
}

#[tokio::test(start_paused = true)]
async fn a_role_that_may_not_be_assumed_is_refused_with_two_ways_out() {
    if std::env::var_os(ALLOW_BASE_CREDENTIALS).is_some() {
        return;
    }
    let error = refused(&assume_role_denied(), &app()).await;
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(
        error
            .to_string()
            .starts_with("cannot assume arn:aws:iam::111111111111:role/cdk-hnb659fds-deploy-role")
    );
    let hint = error.what_to_do().unwrap();
    assert!(hint.contains("cdk bootstrap") && hint.contains(ALLOW_BASE_CREDENTIALS), "{hint}");
}

/// Variables belong to the process, so the test runs itself in another process.
#[test]
fn base_credentials_are_used_where_that_is_allowed() {
    if std::env::var_os(ALLOW_BASE_CREDENTIALS).is_none() {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "preflight::base_credentials_are_used_where_that_is_allowed"]);
        let output = child.env(ALLOW_BASE_CREDENTIALS, "true").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
        let world = assume_role_denied();
        world.deploy(&app()).await.check(&[("S", Outcome::Deployed)]);
    });
}

#[tokio::test(start_paused = true)]
async fn every_unusable_environment_is_reported() {
    let elsewhere = |region: &str| {
        json!({"environment": format!("aws://111111111111/{region}"),
            "properties": {"assumeRoleArn": null, "cloudFormationExecutionRoleArn": null}})
    };
    let app = App::new()
        .stack("Here", &topic("t"), &[])
        .stack_with("There", &topic("t"), &elsewhere("eu-west-1"))
        .stack_with("ThereToo", &topic("t"), &elsewhere("eu-west-1"))
        .stack_with("Far", &topic("t"), &elsewhere("ap-south-1"));
    let missing = ["eu-west-1", "ap-south-1"]
        .map(|region| (("111111111111".to_owned(), region.to_owned()), Bootstrap::Missing));
    let world = World::new(SimOptions { environments: missing.into(), ..SimOptions::default() });
    let mut said: Vec<String> =
        world.refused(&app).await.0.into_iter().map(|error| error.to_string()).collect();
    said.sort();
    assert_eq!(
        said,
        [
            "aws://111111111111/ap-south-1 is not bootstrapped",
            "aws://111111111111/eu-west-1 is not bootstrapped"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_is_assumed_once() {
    let world = World::slow();
    let app = (0..5).fold(App::new(), |app, n| app.stack(&format!("S{n}"), &topic("t"), &[]));
    world.deploy(&app).await.check_all(Outcome::Deployed);
    assert_eq!(world.count("AssumeRole"), 1);
}

#[derive(Debug, Clone)]
struct Unplugged(fn() -> ConnectorError);

impl HttpClient for Unplugged {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Unplugged {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err((self.0)()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_network_is_reported_in_one_line() {
    let refused_connection = || {
        let error =
            std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "Connection refused (os error 111)");
        ConnectorError::io(error.into())
    };
    let mut world = World::slow();
    world.wire.http = Some(SharedHttpClient::new(Unplugged(refused_connection)));
    let error = refused(&world, &app()).await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert_eq!(error.message, "AWS cannot be reached: Connection refused (os error 111)");
    assert!(error.what_to_do().unwrap().contains("network"));
}

#[derive(Debug)]
struct NoCredentials(fn() -> CredentialsError);

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err((self.0)()))
    }
}

#[tokio::test(start_paused = true)]
async fn missing_credentials_are_reported_in_one_line() {
    let mut world = World::slow();
    let none = || CredentialsError::not_loaded("no providers in chain provided credentials");
    world.wire.credentials = Some(SharedCredentialsProvider::new(NoCredentials(none)));
    let error = refused(&world, &app()).await;
    assert_eq!(error.kind, ErrorKind::Credentials);
    assert_eq!(error.message, "no AWS credentials were found (no providers in chain provided credentials)");
    assert!(error.what_to_do().unwrap().contains("aws sso login"));
}
