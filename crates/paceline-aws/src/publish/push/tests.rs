//! Publishes images with a program that misbehaves as docker may. ECR is simulated, and the time is real.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{ImageAsset, ImageDestination, ImageSource};
use paceline_engine::{Ended, Outcome};
use paceline_sim::{Images as SimImages, SimHttpClient, SimOptions, Simulator, VirtualClock};
use tempfile::TempDir;

use crate::call::RetryNotices;
use crate::error::{AwsError, ErrorKind};
use crate::publish::{AssetTarget, ImagePublisher, Images, publish_image};
use crate::sdk::Wire;
use crate::session::Sessions;
use crate::target::Target;

const ACCOUNT: &str = "111111111111";

/// Like docker, keeps its logins in a file that it reads and rewrites, and pushes only with a login.
const GOOD: [(&str, &str); 4] = [
    ("build", "true"),
    ("tag", "true"),
    (
        "login",
        r#"cat > password; before=$(cat logins 2> /dev/null); sleep 0.03; printf '%s\n%s' "$before" "$5" > logins"#,
    ),
    ("push", r#"grep -qx "${2%%/*}" logins || { echo "no basic auth credentials" >&2; exit 1; }"#),
];

/// A docker for one test, with the folder that it works in.
struct FakeDocker {
    folder: TempDir,
    said: Arc<Mutex<Vec<String>>>,
}

impl FakeDocker {
    /// A docker in which these scripts replace the usual ones, by command.
    fn with(other: &[(&str, &str)]) -> Self {
        let this = Self { folder: TempDir::new().unwrap(), said: Arc::default() };
        let others = |name: &str| other.iter().find(|(other, _)| *other == name).map(|(_, script)| *script);
        let mut script = "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho \"$@\" >> calls\ncase $1 in\n".to_owned();
        for (name, good) in GOOD {
            script.extend([name, ") ", others(name).unwrap_or(good), ";;\n"]);
        }
        script.push_str("esac\n");
        let path = this.path("docker");
        fs_err::write(&path, script).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        fs_err::create_dir(this.path("image")).unwrap();
        this
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join(name)
    }

    /// The commands with which it was run.
    fn calls(&self) -> Vec<String> {
        let calls = fs_err::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    }

    /// Publishes one image to each region, all at the same time.
    async fn publish(&self, regions: &[&str]) -> Vec<Result<Ended, AwsError>> {
        let sim = Simulator::new(SimOptions { images: SimImages::Absent, ..SimOptions::default() });
        let clock = VirtualClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
        let http = SimHttpClient::new(sim, clock).with_latency(Duration::ZERO);
        let credentials = Credentials::new("AKIASIMULATED", "simulated", None, None, "test");
        let said = Arc::clone(&self.said);
        let wire = Wire {
            http: Some(SharedHttpClient::new(http)),
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            notices: RetryNotices::new(move |line| said.lock().unwrap().push(line.to_owned())),
            ..Wire::default()
        };
        let sessions = Sessions::open(&wire, "us-east-1").await.unwrap();
        let mut publisher = ImagePublisher::new(Images::Docker, Some(self.path("docker").into()));
        publisher.pusher.first_pause = Duration::from_millis(1);
        let asset = ImageAsset {
            display_name: None,
            source: ImageSource { directory: Some(self.path("image")), ..ImageSource::default() },
            destinations: BTreeMap::new(),
        };
        let each =
            regions.iter().map(|region| {
                let target = Target { account: ACCOUNT.to_owned(), region: (*region).to_owned() };
                let config = sessions.base().to_builder().region(Region::new((*region).to_owned())).build();
                let place = AssetTarget { caller: sessions.caller(&target), target, config };
                let to = ImageDestination {
                    repository: format!("cdk-hnb659fds-container-assets-{ACCOUNT}-{region}"),
                    tag: "tag".to_owned(),
                    region: None,
                    role: None,
                };
                let (publisher, asset) = (&publisher, &asset);
                async move {
                    publish_image(publisher, None, &place, "image", asset, &to, Utf8Path::new(".")).await
                }
            });
        futures_util::future::join_all(each).await
    }

    /// The error of publishing one image.
    async fn error(&self) -> AwsError {
        self.publish(&["us-east-1"]).await.remove(0).expect_err("the image was published")
    }

    async fn publishes(&self) {
        let ended = self.publish(&["us-east-1"]).await.remove(0).unwrap();
        assert_eq!(ended.outcome, Outcome::Deployed);
    }
}

#[tokio::test]
async fn no_login_of_several_registries_is_lost() {
    let docker = FakeDocker::with(&[]);
    for ended in docker.publish(&["us-east-1", "eu-west-1", "ap-south-1"]).await {
        assert_eq!(ended.unwrap().outcome, Outcome::Deployed);
    }
    let count = |name: &str| docker.calls().iter().filter(|call| *call == name).count();
    assert_eq!((count("build"), count("login"), count("push")), (1, 3, 3));
}

#[tokio::test]
async fn a_login_that_somebody_else_overwrote_is_made_again() {
    let push = r#"[ -e again ] || { touch again; rm logins; }; grep -q "${2%%/*}" logins || { echo "no basic auth credentials" >&2; exit 1; }"#;
    let docker = FakeDocker::with(&[("push", push)]);
    docker.publishes().await;
    assert_eq!(docker.calls(), ["build", "login", "tag", "push", "login", "push"].map(str::to_owned));
    assert_eq!(docker.said.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_login_that_ends_before_it_reads_its_password_keeps_its_message() {
    let docker = FakeDocker::with(&[("login", "exec 0<&-; echo 'unknown shorthand flag: p' >&2; exit 125")]);
    let error = docker.error().await;
    assert_eq!(error.message, "it ended with exit status: 125: unknown shorthand flag: p");
    assert_eq!(error.place.unwrap(), format!("{} login", docker.path("docker")));
    assert_eq!(error.hint, None);
}

#[tokio::test]
async fn a_helper_that_stores_no_login_signs_in_itself() {
    let login = "echo \"$5\" > logins; echo 'error storing credentials - err: exit status 1, out: `not implemented`' >&2; exit 1";
    FakeDocker::with(&[("login", login)]).publishes().await;
}

#[tokio::test]
async fn only_errors_of_the_network_are_tried_again() {
    let once = |name: &str, words: &str, good: &str| {
        format!("[ -e {name} ] || {{ touch {name}; echo '{words}' >&2; exit 1; }}; {good}")
    };
    let login = once("in", "Get https://x/v2/: net/http: TLS handshake timeout", GOOD[2].1);
    let push = once("out", "error pushing image: dial tcp 10.0.0.1:443: i/o timeout", GOOD[3].1);
    let docker = FakeDocker::with(&[("login", &login), ("push", &push)]);
    docker.publishes().await;
    assert_eq!(docker.calls().len(), 6, "{:?}", docker.calls());

    let down = "echo 'Cannot connect to the Docker daemon at tcp://x: connection refused. Is the docker daemon running?' >&2; exit 1";
    let docker = FakeDocker::with(&[("build", down)]);
    assert!(docker.error().await.hint.unwrap().starts_with("start Docker"));
    let docker = FakeDocker::with(&[("push", down)]);
    assert!(docker.error().await.hint.unwrap().starts_with("start Docker"));
    assert_eq!(docker.calls().iter().filter(|call| *call == "push").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_hangs_is_ended() {
    // The paused clock jumps ahead while the test waits only for a program.
    let docker = FakeDocker::with(&[("login", "sleep 600")]);
    let before = Instant::now();
    let error = docker.error().await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert_eq!(error.message, "it did not end within 60 s, and was ended");
    assert!(before.elapsed() < Duration::from_mins(5), "it was waited for");
}

#[tokio::test]
async fn the_output_of_docker_fills_no_pipe() {
    let much = "head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' '\\n' >&2; cat > password";
    let login = format!("{much}; echo \"$5\" > logins");
    FakeDocker::with(&[("build", much), ("login", &login)]).publishes().await;
}

#[tokio::test]
async fn the_error_names_the_missing_program() {
    let docker = FakeDocker::with(&[]);
    fs_err::remove_file(docker.path("docker")).unwrap();
    let error = docker.error().await;
    assert!(error.message.ends_with("is not there"), "{error:?}");
    assert!(error.hint.unwrap().contains("CDK_DOCKER"));
}
