//! Serves the simulator on a loopback port, so that other clients can try it.

#![expect(clippy::print_stdout, reason = "the access log is this program's output")]

use std::sync::Arc;

use paceline_sim::{Bootstrap, Images, SimOptions, Simulator, VirtualClock, serve};

fn main() -> std::io::Result<()> {
    let argument = |name: &str| {
        let mut arguments = std::env::args().skip_while(|argument| argument != name);
        arguments.nth(1)
    };
    let port = argument("--port").and_then(|port| port.parse().ok()).unwrap_or(4566_u16);
    let scale = argument("--scale").and_then(|scale| scale.parse().ok()).unwrap_or(1.0);
    let mut options = SimOptions::default();
    if let Some(account) = argument("--account") {
        options.account = account;
    }
    if std::env::args().any(|argument| argument == "--no-assets") {
        options.check_assets = false;
    }
    if std::env::args().any(|argument| argument == "--images-absent") {
        options.images = Images::Absent;
    }
    if std::env::args().any(|argument| argument == "--not-bootstrapped") {
        options.bootstrap = Bootstrap::Missing;
    }
    options.throttling = !std::env::args().any(|argument| argument == "--no-throttling");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        // Clients compare the expiry of credentials with their own clocks, so virtual time starts at the real
        // time.
        let clock = VirtualClock::starting_at(jiff::Timestamp::now());
        let log: serve::AccessLog = Arc::new(|call| println!("{call}"));
        match serve::serve(listener, Simulator::new(options), clock.with_scale(scale), Some(log)).await {}
    })
}
