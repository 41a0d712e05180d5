//! Whole-program tests: the `paceline` binary, run as a user runs it. Each test says one thing that holds.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]
#![expect(clippy::disallowed_methods, reason = "what a test starts it ends itself")]

mod approved;
mod apps;
mod assemblies;
mod aws_json;
mod aws_refusals;
mod bootstrap;
mod borrowed;
mod chain;
mod changed;
mod context;
mod deploy;
mod destroy;
mod diff;
mod doctor;
mod edited;
mod elsewhere;
mod fake_aws;
mod fan_out;
mod first;
mod fis_workshop;
mod forecast;
mod freshness;
mod generate;
mod generated_role;
mod guide;
mod harness;
mod help;
mod history;
mod importers;
mod init;
mod interrupted;
mod late;
mod lease;
mod lint;
mod list;
mod metrics;
mod mistakes;
mod object_store;
mod outcome;
mod pipeline;
mod plan;
mod preflight;
mod prepared;
mod project;
mod relax;
mod repeated;
mod report;
mod rollback;
mod rollout;
mod run_buildspec;
mod schemas;
mod secrets;
mod simulate;
mod sleep;
#[path = "../../crates/paceline-buildspec/tests/it/states.rs"]
mod states;
mod stops;
mod synth;
#[path = "../../xtask/src/synthetic.rs"]
mod synthetic;
mod templates;
mod terminal;
mod traces;
mod undo;
mod unsigned;
mod wait;
mod wait_handle;
mod watch;
mod why_waiting;
mod workshop;
