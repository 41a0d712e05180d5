//! Connects the embedded AWS: it enters as the HTTP client of the AWS SDK, and nowhere else.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use jiff::Timestamp;
use paceline_assembly::Assembly;
use paceline_aws::{AwsOptions, Commands, Images, Wire};
use paceline_sim::{SimHttpClient, SimOptions, Simulator, VirtualClock};

/// Building and pushing an image takes this long in a simulation: an estimate.
const IMAGE_TIME: Duration = Duration::from_secs(150);

/// The simulator's clock, by which the credentials that it hands out expire.
#[derive(Debug)]
struct SimulatedTime(VirtualClock);

impl TimeSource for SimulatedTime {
    fn now(&self) -> SystemTime {
        self.0.system_time()
    }
}

/// A simulated AWS, and the time that it starts at.
#[derive(Debug)]
pub(crate) struct Simulation {
    wire: Wire,
    clock: VirtualClock,
}

impl Simulation {
    /// A fresh AWS whose base credentials belong to the account of the app's first stack. Must be made on the
    /// runtime that runs it.
    pub(crate) fn new(assembly: &Assembly, start: Timestamp) -> Self {
        let mut options = SimOptions { images: paceline_sim::Images::Absent, ..SimOptions::default() };
        if let Some(account) = assembly.stacks.iter().find_map(|stack| stack.environment.account.clone()) {
            options.account = account;
        }
        let clock = VirtualClock::starting_at(start);
        let http = SimHttpClient::new(Simulator::new(options), clock);
        let credentials = Credentials::new("AKIASIMULATED", "simulated", None, None, "simulation");
        let wire = Wire {
            http: Some(SharedHttpClient::new(http)),
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            time: Some(SharedTimeSource::new(SimulatedTime(clock))),
        };
        Self { wire, clock }
    }

    /// The options with which runs reach it.
    pub(crate) fn options(&self, options: AwsOptions) -> AwsOptions {
        AwsOptions {
            wire: self.wire.clone(),
            images: Images::Pretended(IMAGE_TIME),
            commands: Commands::Pretend,
            ..options
        }
    }

    /// The time there.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
