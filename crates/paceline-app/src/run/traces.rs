//! Sends the spans of a run to a collector of OpenTelemetry traces, where the configuration or the environment names one.
//!
//! Spans are sent beside the run, several in one request. The run never waits for them, except for a few seconds at its end.
//! If the collector does not answer, one warning says so.

use std::sync::Arc;
use std::time::Duration;

use paceline_aws::{Aws, Collector};
use paceline_config::Traces;
use paceline_engine::Event;
use paceline_report::{RunSpan, RunSpans, Service, request};
use paceline_text::{percent_decode, secrets};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::figures::in_time;
use crate::terminal;

/// The most spans that wait for the collector. More are dropped.
const MOST_WAITING: usize = 4096;
/// The most spans of one request.
const BATCH: usize = 256;
/// How long a span waits for others.
const PAUSE: Duration = Duration::from_secs(5);
/// After so many requests without an answer, nothing more is sent.
const MOST_FAILURES: usize = 3;

/// The path of traces at a collector (OpenTelemetry specification, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

/// The spans of one process of a run.
pub(super) struct RunTraces {
    /// `None` if nobody is to get them.
    sending: Option<Sending>,
}

struct Sending {
    spans: RunSpans,
    queue: mpsc::Sender<RunSpan>,
    task: JoinHandle<()>,
}

impl RunTraces {
    /// A simulated run sends nothing. `earlier` has the events of the run before its interruption.
    pub(super) fn open(
        settings: &Traces,
        deployment: &str,
        aws: &Arc<Aws>,
        is_simulated: bool,
        earlier: &[Event],
    ) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let destination = if is_simulated { None } else { Destination::of(settings, deployment, &variable) };
        let sending = destination.map(|destination| {
            let mut spans = RunSpans::default();
            for event in earlier {
                spans.apply(event);
            }
            let (queue, waiting) = mpsc::channel(MOST_WAITING);
            let task = tokio::spawn(send_all(Arc::clone(aws), destination, waiting));
            Sending { spans, queue, task }
        });
        Self { sending }
    }

    /// Sends the spans that end with an event.
    pub(super) fn event(&mut self, event: &Event) {
        let Some(sending) = &mut self.sending else { return };
        for span in sending.spans.apply(event) {
            // A full queue means that the collector is slow. The run goes on without this span.
            let _ = sending.queue.try_send(span);
        }
    }

    /// Waits for the last spans.
    pub(super) async fn finish(self) {
        let Some(Sending { queue, mut task, .. }) = self.sending else { return };
        drop(queue);
        if in_time(&mut task).await.is_none() {
            task.abort();
            terminal::warn("the traces of the run are incomplete: the collector did not answer in time");
        }
    }
}

/// Where spans are sent, and by whom.
#[derive(Debug)]
struct Destination {
    collector: Collector,
    service: Service,
}

impl Destination {
    /// The destination that the environment and the configuration name. The environment counts more.
    fn of(settings: &Traces, deployment: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        let below = |base: &str| format!("{}{PATH}", base.trim().trim_end_matches('/'));
        let (named_by, url) = if let Some(url) = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url.trim().to_owned())
        } else if let Some(base) = variable("OTEL_EXPORTER_OTLP_ENDPOINT") {
            ("OTEL_EXPORTER_OTLP_ENDPOINT", below(&base))
        } else {
            ("traces.endpoint", below(settings.endpoint.as_ref()?.as_str()))
        };
        let headers = variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS");
        let headers = headers.or_else(|| variable("OTEL_EXPORTER_OTLP_HEADERS")).unwrap_or_default();
        let headers = headers_of(&headers);
        for (_, value) in &headers {
            secrets::hide(value);
        }
        let Some(collector) = Collector::new(&url, headers) else {
            terminal::warn(&format!(
                "no traces are sent: {named_by} is not a URL such as http://localhost:4318"
            ));
            return None;
        };
        let name = variable("OTEL_SERVICE_NAME").or_else(|| settings.service_name.clone());
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Some(Self {
            collector,
            service: Service { name: name.unwrap_or_else(|| deployment.to_owned()), version },
        })
    }
}

/// The headers in `name=value,name=value`. Values may be percent-encoded (OpenTelemetry specification, "OTLP Exporter").
fn headers_of(text: &str) -> Vec<(String, String)> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let headers =
        pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), percent_decode(value.trim(), false)));
    headers.filter(|(name, _)| !name.is_empty()).collect()
}

async fn send_all(aws: Arc<Aws>, to: Destination, mut waiting: mpsc::Receiver<RunSpan>) {
    let mut failures = 0;
    while let Some(first) = waiting.recv().await {
        let mut batch = vec![first];
        let more = async {
            while batch.len() < BATCH {
                let Some(span) = waiting.recv().await else { break };
                batch.push(span);
            }
        };
        // What has arrived when the time is over is sent.
        let _ = tokio::time::timeout(PAUSE, more).await;
        let body = request(&batch, &to.service);
        if let Err(error) = aws.send_traces(&to.collector, body).await {
            if failures == 0 {
                terminal::warn(&format!("the traces of the run are incomplete: {}", error.message));
            }
            failures += 1;
            if failures == MOST_FAILURES {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[track_caller]
    fn check(file: Option<&str>, environment: &[(&str, &str)], host: Option<&str>, name: &str) {
        let environment: BTreeMap<&str, &str> = environment.iter().copied().collect();
        let settings = Traces { endpoint: file.map(|url| url.parse().unwrap()), service_name: None };
        let variable = |name: &str| environment.get(name).map(|value| (*value).to_owned());
        let found = Destination::of(&settings, "shop", &variable);
        assert_eq!(found.as_ref().map(|it| it.collector.host()), host);
        if let Some(found) = found {
            assert_eq!(found.service.name, name);
        }
    }

    #[test]
    fn nothing_is_sent_unless_an_endpoint_is_set() {
        check(None, &[], None, "");
        check(None, &[("OTEL_SERVICE_NAME", "x")], None, "");
        check(Some("http://a:4318"), &[("OTEL_SDK_DISABLED", "true")], None, "");
        check(None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318")], None, "");
    }

    #[test]
    fn the_environment_counts_more_than_the_file() {
        check(Some("http://a:4318"), &[], Some("a:4318"), "shop");
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://b:4318/");
        check(Some("http://a:4318"), &[base], Some("b:4318"), "shop");
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/traces");
        check(Some("http://a:4318"), &[base, own, ("OTEL_SERVICE_NAME", "mine")], Some("c"), "mine");
    }

    #[test]
    fn headers_are_read_as_the_specification_writes_them() {
        let expected =
            [("api-key", "a b"), ("x", "1=2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(headers_of("Api-Key=a%20b, x=1=2,,=v,plain"), expected);
        assert_eq!(percent_decode("100%", false), "100%");
    }
}
