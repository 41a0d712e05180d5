//! The deployments that are compared.

use super::app::App;
use super::program::Program::{self, Cdk, CdkDirect, Paceline, PacelineChangeSets};

/// One deployment.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// The deployment in a sentence.
    pub(super) says: &'static str,
    pub(super) app: App,
    pub(super) start: Start,
    /// The most stack operations at a time.
    pub(super) concurrency: usize,
    /// Arguments for `paceline sim serve`.
    pub(super) server: &'static [&'static str],
    pub(super) programs: &'static [Program],
}

/// The state of AWS when a program starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// No stack exists. Each run has an AWS of its own.
    Empty,
    /// All stacks exist in the version before. The programs update them in turn.
    Earlier,
    /// All stacks exist in this version.
    Same,
}

const BOTH: &[Program] = &[Cdk, Paceline];
const SINGLE: App = App { stacks: 0, regions: 1, chain: 0, images: 0 };

pub(super) const CASES: &[Case] = &[
    Case {
        name: "chain",
        says: "4 stacks that wait for each other are updated",
        app: App { stacks: 4, chain: 4, ..SINGLE },
        start: Start::Earlier,
        concurrency: 10,
        server: &[],
        programs: &[Cdk, CdkDirect, Paceline, PacelineChangeSets],
    },
    Case {
        name: "updates",
        says: "100 stacks in 4 regions are updated",
        app: App { stacks: 100, regions: 4, ..SINGLE },
        start: Start::Earlier,
        concurrency: 100,
        server: &[],
        programs: &[Cdk, CdkDirect, Paceline, PacelineChangeSets],
    },
    Case {
        name: "order",
        says: "8 single stacks and a chain of 4 are updated, 2 at a time; the chain comes last in the manifest",
        app: App { stacks: 12, chain: 4, ..SINGLE },
        start: Start::Earlier,
        concurrency: 2,
        server: &[],
        programs: BOTH,
    },
    Case {
        name: "unchanged",
        says: "400 stacks in 4 regions, of which none has changed",
        app: App { stacks: 400, regions: 4, ..SINGLE },
        start: Start::Same,
        concurrency: 100,
        // Only the deployment before the runs waits for operations.
        server: &["--time-scale", "1000"],
        programs: BOTH,
    },
    Case {
        name: "throttled",
        says: "100 stacks in 1 region are updated, where AWS answers 10 calls of CloudFormation a second",
        app: App { stacks: 100, ..SINGLE },
        start: Start::Earlier,
        concurrency: 100,
        server: &["--calls-per-second", "10"],
        programs: BOTH,
    },
    Case {
        name: "failure",
        says: "20 stacks without dependencies are created, 8 at a time, and one of the first fails",
        app: App { stacks: 20, ..SINGLE },
        start: Start::Empty,
        concurrency: 8,
        server: &["--fail", "Service003:Value:create"],
        programs: BOTH,
    },
    Case {
        name: "images",
        says: "3 stacks with an image each and 5 stacks without are created; a stand-in for docker builds each image in 10 s",
        app: App { stacks: 8, images: 3, ..SINGLE },
        start: Start::Empty,
        concurrency: 10,
        server: &["--images", "absent"],
        programs: BOTH,
    },
    Case {
        name: "large",
        says: "1,000 stacks in 4 regions are created",
        app: App { stacks: 1000, regions: 4, ..SINGLE },
        start: Start::Empty,
        concurrency: 100,
        server: &[],
        programs: &[Paceline],
    },
];
