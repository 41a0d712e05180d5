//! The arguments of the embedded AWS.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use paceline_config::parse_duration;
use paceline_sim::{Bootstrap, Failure};

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
    /// How many simulated seconds pass in a real second
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = factor)]
    pub(crate) time_scale: f64,
    /// Whether ECR has the images of CDK apps already. If they are `absent`, clients build and push them
    #[arg(long, value_enum, default_value = "present")]
    pub(crate) images: ImagesArg,
    /// The bootstrap version of every environment, or `missing`
    #[arg(long, value_name = "VERSION", default_value = "30")]
    pub(crate) bootstrap: Bootstrap,
    /// The account of the clients' credentials
    #[arg(long, default_value = "111111111111")]
    pub(crate) account: String,
    /// Let a resource fail once, the first time that it is created, updated or deleted, perhaps with this reason
    #[arg(long, value_name = "STACK:RESOURCE:OPERATION[=REASON]")]
    pub(crate) fail: Vec<Failure>,
    /// Let the commands of every CodeBuild build fail
    #[arg(long)]
    pub(crate) builds_fail: bool,
    /// An alarm of CloudWatch in every account and region. It goes off after this simulated time, if one is given
    #[arg(long, value_name = "NAME[@TIME]", value_parser = alarm)]
    pub(crate) alarm: Vec<AlarmArg>,
    /// The most calls of CloudFormation a second in each account and region, besides the documented rates
    #[arg(long, value_name = "N", value_parser = factor)]
    pub(crate) calls_per_second: Option<f64>,
    /// The seed of all random values
    #[arg(long, default_value_t = 0, value_parser = seed)]
    pub(crate) seed: u64,
    /// Show every request
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// An alarm, and when it goes off.
#[derive(Debug, Clone)]
pub(crate) struct AlarmArg {
    pub(crate) name: String,
    pub(crate) after: Option<Duration>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ImagesArg {
    Present,
    Absent,
}

fn alarm(text: &str) -> Result<AlarmArg, String> {
    let (name, after) = match text.rsplit_once('@') {
        Some((name, time)) => {
            let time = parse_duration(time).ok_or_else(|| "write the time like 10m or 90s".to_owned())?;
            (name, Some(time))
        }
        None => (text, None),
    };
    if name.is_empty() {
        return Err("write it like my-alarm or my-alarm@10m".to_owned());
    }
    Ok(AlarmArg { name: name.to_owned(), after })
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
