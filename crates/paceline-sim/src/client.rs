//! The simulator as an HTTP client of the AWS SDK.

use std::io;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use paceline_plan::pace::CALL;

use crate::clock::VirtualClock;
use crate::simulator::{Lost, Simulator};
use crate::world::Call;

/// Answers the SDK's requests from a simulator, after a moment of virtual time.
///
/// Plug it in with `aws_config::from_env().http_client(client)`.
#[derive(Debug, Clone)]
pub struct SimHttpClient {
    simulator: Simulator,
    clock: VirtualClock,
    latency: Duration,
    upload: Duration,
}

impl SimHttpClient {
    /// A client of this simulator. It reads the time from this clock, and each request takes 20 virtual
    /// milliseconds.
    pub fn new(simulator: Simulator, clock: VirtualClock) -> Self {
        Self { simulator, clock, latency: CALL, upload: Duration::ZERO }
    }

    /// Sets the virtual time that the upload of an object takes.
    #[must_use]
    pub fn with_upload(mut self, upload: Duration) -> Self {
        self.upload = upload;
        self
    }

    /// Sets the virtual time that a request takes.
    #[must_use]
    pub fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }
}

impl HttpClient for SimHttpClient {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SimHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.answer(request).await })
    }
}

impl SimHttpClient {
    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = self.receive(request).await?;
        let (response, _) = self.carry_out(request).await;
        Self::deliver(response)
    }

    /// Waits for the latency, and returns the request with its whole body.
    pub(crate) async fn receive(&self, request: HttpRequest) -> Result<http::Request<Bytes>, ConnectorError> {
        tokio::time::sleep(self.clock.real(self.latency)).await;
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
        Ok(http::Request::from_parts(parts, body))
    }

    pub(crate) async fn carry_out(&self, request: http::Request<Bytes>) -> (http::Response<Bytes>, Call) {
        let (response, call) = self.simulator.handle_logged(request, self.now());
        if call.service == "s3" && call.operation == "PutObject" {
            tokio::time::sleep(self.clock.real(self.upload)).await;
        }
        (response, call)
    }

    pub(crate) fn deliver(response: http::Response<Bytes>) -> Result<HttpResponse, ConnectorError> {
        if response.extensions().get::<Lost>().is_some() {
            let lost = io::Error::new(io::ErrorKind::ConnectionReset, "connection reset before the answer");
            return Err(ConnectorError::io(lost.into()));
        }
        let response = response.map(SdkBody::from);
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
