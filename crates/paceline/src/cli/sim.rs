//! The arguments of the embedded AWS.

use clap::{Args, Subcommand, ValueEnum};
use paceline_sim::{Bootstrap, Failure, Operation};

#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    #[command(subcommand)]
    pub(crate) command: SimCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// Answer AWS clients on a port of this machine
    Serve(ServeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 4566, value_parser = port)]
    pub(crate) port: u16,
    /// How many seconds pass in the simulated AWS for each real one
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = factor)]
    pub(crate) time_scale: f64,
    /// Whether the images of CDK apps are in ECR already; with `absent`, clients build and push them
    #[arg(long, value_enum, default_value = "present")]
    pub(crate) images: ImagesArg,
    /// The version that every environment is bootstrapped with, or `missing`
    #[arg(long, value_name = "VERSION", default_value = "30", value_parser = bootstrap)]
    pub(crate) bootstrap: Bootstrap,
    /// The account of the credentials that clients come with
    #[arg(long, default_value = "111111111111")]
    pub(crate) account: String,
    /// A resource that fails once, the first time that this is done with it: create, update or delete
    #[arg(long, value_name = "STACK:RESOURCE:OPERATION", value_parser = failure)]
    pub(crate) fail: Vec<Failure>,
    /// Decides what is left to chance
    #[arg(long, default_value_t = 0, value_parser = seed)]
    pub(crate) seed: u64,
    /// Say every request
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ImagesArg {
    Present,
    Absent,
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "write a whole number from 0 to 65535".to_owned())
}

fn factor(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "write a number, such as 10 or 0.5".to_owned())
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "write a whole number, such as 42".to_owned())
}

fn bootstrap(text: &str) -> Result<Bootstrap, String> {
    match text {
        "missing" => Ok(Bootstrap::Missing),
        version => {
            version.parse().map(Bootstrap::Version).map_err(|_| "write a number, or `missing`".to_owned())
        }
    }
}

fn failure(text: &str) -> Result<Failure, String> {
    let mut parts = text.rsplitn(3, ':');
    let (operation, logical_id, stack) = (parts.next(), parts.next(), parts.next());
    let operation = match operation {
        Some("create") => Operation::Create,
        Some("update") => Operation::Update,
        Some("delete") => Operation::Delete,
        _ => return Err("end it with :create, :update or :delete".to_owned()),
    };
    match (stack, logical_id) {
        (Some(stack), Some(logical_id)) if !stack.is_empty() && !logical_id.is_empty() => Ok(Failure {
            stack: stack.to_owned(),
            logical_id: logical_id.to_owned(),
            operation: Some(operation),
            reason: "it was made to fail (--fail)".to_owned(),
            times: 1,
        }),
        _ => Err("write it like MyStack:MyTable:update".to_owned()),
    }
}
