//! `paceline sim serve`: answers AWS clients with the embedded AWS.

use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::Timestamp;
use paceline_app::{Failure, interrupt, terminal};
use paceline_engine::ExitCode;
use paceline_sim::serve::{AccessLog, serve};
use paceline_sim::{AlarmState, Call, Faults, Images, SimAlarm, SimOptions, Simulator, VirtualClock};
use tokio::net::TcpListener;

use crate::cli::{ImagesArg, ServeArgs, SimArgs, SimCommand};

pub(crate) fn run(args: &SimArgs) -> Result<ExitCode, Failure> {
    let SimCommand::Serve(args) = &args.command;
    if !(args.time_scale.is_finite() && args.time_scale > 0.0) {
        return Err(Failure::usage(
            "--time-scale must be a number above zero",
            "for example --time-scale 100",
        ));
    }
    if args.calls_per_second.is_some_and(|calls| !(calls.is_finite() && calls >= 1.0)) {
        return Err(Failure::usage(
            "--calls-per-second must be at least 1",
            "for example --calls-per-second 10",
        ));
    }
    // The server runs until a signal stops it, so a signal is a success.
    let stop = interrupt::stop();
    interrupt::to_its_end("the embedded AWS was running", async {
        tokio::select! {
            ended = listen(args) => ended,
            () = stop.requested() => Ok(()),
        }
    })??;
    Ok(ExitCode::Done)
}

async fn listen(args: &ServeArgs) -> Result<(), Failure> {
    let refused = |error: std::io::Error| {
        Failure::usage(format!("cannot listen on port {}: {error}", args.port), "choose another with --port")
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let start = Timestamp::now();
    let alarms = args.alarm.iter().map(|alarm| {
        let after = alarm.after.and_then(|after| start.checked_add(after).ok());
        let named = SimAlarm::named(&alarm.name);
        after.map_or(named.clone(), |at| named.at(at, AlarmState::Alarm))
    });
    let options = SimOptions {
        alarms: alarms.collect(),
        images: match args.images {
            ImagesArg::Present => Images::Present,
            ImagesArg::Absent => Images::Absent,
        },
        bootstrap: args.bootstrap,
        account: args.account.clone(),
        calls_per_second: args.calls_per_second,
        seed: args.seed,
        faults: Faults { failures: args.fail.clone(), builds_fail: args.builds_fail, ..Faults::default() },
        ..SimOptions::default()
    };
    terminal::print(&format!("http://{address}\n"));
    terminal::say(&format!(
        "a simulated AWS on virtual time, {} times as fast; account {}\n\
         use it:  AWS_ENDPOINT_URL=http://{address} AWS_ACCESS_KEY_ID=sim AWS_SECRET_ACCESS_KEY=sim \
         AWS_REGION=us-east-1 paceline deploy --app cdk.out",
        args.time_scale, args.account
    ));
    let clock = VirtualClock::starting_at(start).with_scale(args.time_scale);
    let log = |call: &Call| terminal::say(&call.to_string());
    let log: Option<AccessLog> = args.verbose.then_some(Arc::new(log));
    match serve(listener, Simulator::new(options), clock, log).await {}
}
