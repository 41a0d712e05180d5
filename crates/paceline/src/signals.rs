//! Signals: the first asks the run to stop, the second ends the process.

use paceline_engine::{Stop, exit};

/// Stops the run at the first signal and ends the process at the second.
pub(crate) fn stop_on_signals(stop: Stop) {
    tokio::spawn(async move {
        let name = next_signal().await;
        stop.request(format!("{name}: nothing new starts; once more to leave at once"));
        next_signal().await;
        #[expect(clippy::exit, reason = "the user asked twice; the journal is complete at any moment")]
        std::process::exit(exit::INTERRUPTED.into());
    });
}

#[cfg(unix)]
pub(crate) async fn next_signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

#[cfg(not(unix))]
pub(crate) async fn next_signal() -> &'static str {
    match tokio::signal::ctrl_c().await {
        Ok(()) => "Ctrl-C",
        Err(_) => std::future::pending().await,
    }
}
