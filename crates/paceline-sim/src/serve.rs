//! The simulator on a socket.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::clock::VirtualClock;
use crate::simulator::{Lost, Simulator};
use crate::world::Call;

/// A function that is called with every request.
pub type AccessLog = Arc<dyn Fn(&Call) + Send + Sync>;

impl fmt::Display for Call {
    /// Writes a line for an access log: `<virtual time> <service> <operation> <region> <status>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, service, operation, region, status, error, stack, .. } = self;
        write!(f, "{at:.3} {service} {operation} {region} {status}")?;
        error.iter().chain(stack).try_for_each(|more| write!(f, " {more}"))
    }
}

/// Answers requests until the future is dropped.
///
/// An error in one connection ends only that connection. An error in accepting a connection, such as too many
/// open files, does not end the server.
pub async fn serve(
    listener: TcpListener,
    simulator: Simulator,
    clock: VirtualClock,
    log: Option<AccessLog>,
) -> Infallible {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (simulator, log) = (simulator.clone(), log.clone());
        tokio::spawn(connection(stream, simulator, clock, log));
    }
}

async fn connection(stream: TcpStream, simulator: Simulator, clock: VirtualClock, log: Option<AccessLog>) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (simulator, log) = (simulator.clone(), log.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body: Bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let request = http::Request::from_parts(parts, body);
            let (response, call) = simulator.handle_logged(request, clock.now());
            if let Some(log) = log {
                log(&call);
            }
            if response.extensions().get::<Lost>().is_some() {
                // An error here closes the connection without an answer.
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            Ok(response.map(Full::new))
        }
    });
    let http = hyper::server::conn::http1::Builder::new();
    // The server does not care about a client that disconnects early.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}
