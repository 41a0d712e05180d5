//! OpenTelemetry traces of a run: what a collector gets.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::approved::command_app;
use crate::fake_aws::{FakeAws, Request, Silence};
use crate::harness::{Place, Sim};

const FAST: u32 = 10_000;

/// A collector that keeps the requests, and answers with this status.
struct Collector {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Collector {
    fn start(status: u16) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let server = FakeAws::answering(move |request| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
            (status, "{}".to_owned())
        });
        Self { address: server.address, requests }
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn spans(&self) -> Vec<Value> {
        self.requests().iter().flat_map(|request| spans(&request.body)).collect()
    }
}

fn spans(body: &str) -> Vec<Value> {
    let body: Value = serde_json::from_str(body).unwrap();
    body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

fn names(spans: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = spans.iter().map(|span| span["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn app(more: &str) -> Place {
    let place = Place::new();
    command_app(&place);
    let config = place.read("paceline.yaml");
    place.write("paceline.yaml", &format!("{config}{more}"));
    place
}

#[test]
fn a_run_is_sent_to_the_collector_of_the_configuration() {
    let (collector, sim) = (Collector::start(200), Sim::start(FAST));
    let place = app(&format!("traces: {{ endpoint: \"{}\", service-name: shop }}\n", collector.address));
    place
        .paceline(["deploy"])
        .aws_at(&sim.address)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=k3y%2B1")
        .run()
        .expect(0);
    let requests = collector.requests();
    for request in &requests {
        assert_eq!(request.line.trim_end(), "POST /v1/traces HTTP/1.1");
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("api-key"), Some("k3y+1"));
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"], "shop");
    }
    let sent = collector.spans();
    assert_eq!(names(&sent), ["command seed", "deploy One", "deploy Two", "run"]);
    // The report of the run is the same trace.
    let report = place.paceline(["report", "last", "--format", "otlp"]).run().expect(0).stdout;
    let mut reported = spans(&report);
    let by_id = |span: &Value| span["spanId"].as_str().unwrap().to_owned();
    let mut sent = sent;
    reported.sort_by_key(by_id);
    sent.sort_by_key(by_id);
    assert_eq!(sent, reported);
}

#[test]
fn the_standard_variables_name_a_collector_too_and_without_any_nothing_is_sent() {
    let (collector, sim) = (Collector::start(200), Sim::start(FAST));
    app("").paceline(["deploy"]).aws_at(&sim.address).run().expect(0);
    let simulated = app(&format!("traces: {{ endpoint: \"{}\" }}\n", collector.address));
    simulated.paceline(["deploy", "--simulate"]).run().expect(0);
    assert_eq!(collector.requests().len(), 0);
    let traces = format!("{}/in/traces", collector.address);
    let (place, fresh) = (app(""), Sim::start(FAST));
    let call = place.paceline(["deploy"]).aws_at(&fresh.address);
    call.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &traces).run().expect(0);
    assert!(collector.requests().iter().all(|request| request.line.trim_end() == "POST /in/traces HTTP/1.1"));
    assert_eq!(names(&collector.spans()), ["command seed", "deploy One", "deploy Two", "run"]);
}

#[test]
fn a_collector_that_refuses_is_one_warning_and_no_failure() {
    let refusing = Collector::start(401);
    // Nothing listens there: the port was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (_silence, wait) = Silence::new();
    let silent = FakeAws::answering(move |_| {
        wait();
        (200, String::new())
    });
    let host = |address: &str| address.trim_start_matches("http://").to_owned();
    for (host, why) in [
        (host(&refusing.address), "answered with HTTP status 401"),
        (free, "did not answer"),
        (host(&silent.address), "did not answer"),
    ] {
        let (place, sim) = (app(&format!("traces: {{ endpoint: \"http://{host}\" }}\n")), Sim::start(FAST));
        let ran = place.paceline(["deploy"]).aws_at(&sim.address).run().expect(0);
        assert_eq!(ran.stderr.matches("the traces of the run are incomplete").count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("the collector at {host} {why}")), "{}", ran.stderr);
    }
}

#[test]
fn a_failure_is_in_its_span_without_the_secrets_in_it() {
    let (collector, sim) = (Collector::start(200), Sim::start(FAST));
    let place = app(&format!("traces: {{ endpoint: \"{}\" }}\n", collector.address));
    let config = place.read("paceline.yaml");
    let with_secret = "run: sh seed.sh, env: { DB_PASSWORD: t0psecret-99 }";
    place.write("paceline.yaml", &config.replace("run: sh seed.sh", with_secret));
    place.write("seed.sh", "echo \"the password $DB_PASSWORD is wrong\" >&2\nexit 1\n");
    place.paceline(["deploy"]).aws_at(&sim.address).run().expect(1);
    let spans = collector.spans();
    let failed = spans.iter().find(|span| span["name"] == "command seed").unwrap();
    assert_eq!(failed["status"]["code"], 2);
    let message = failed["status"]["message"].as_str().unwrap();
    assert!(message.contains("is wrong"), "{message}");
    assert!(collector.requests().iter().all(|request| !request.body.contains("t0psecret-99")));
    let run = spans.iter().find(|span| span["name"] == "run").unwrap();
    assert_eq!(run["status"]["code"], 2);
}
