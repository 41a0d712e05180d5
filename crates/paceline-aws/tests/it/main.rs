//! Deploys assemblies to a simulated AWS and deletes them there, with the real clients, plan and engine on
//! virtual time.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]
#![expect(clippy::disallowed_methods, reason = "what a test starts it ends itself")]

mod account_quotas;
mod aliases;
mod app;
mod assets;
mod builds;
mod calls;
mod captures;
mod colleague;
mod colleague_sweep;
mod copies;
mod custom_resources;
mod deletes;
mod deployed;
mod deploys;
mod early;
mod failures;
mod faults;
mod fis_workshop;
mod from_failure;
mod gates;
mod graph;
mod importers;
mod inputs;
mod interrupts;
mod leases;
mod limits;
mod macros;
mod metrics;
mod notify;
mod pace;
mod partitions;
mod past;
mod polls;
mod preflight;
mod prepared;
mod prewarm;
mod project;
mod protection;
mod quotas;
mod records;
mod resumes;
mod reviews;
mod rights;
mod rollback_random;
mod rollbacks;
mod rollout;
mod secrets;
mod sessions;
mod signal;
mod simulated_rights;
mod spoiled;
mod stack_options;
mod states;
mod stuck;
mod survey;
mod sweep;
mod taken_names;
mod watches;
mod why;
mod world;
