//! An outer stack that waits hears once how a deployment ended, whichever way it ends.

use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::deploy::tiny_manifest;
use crate::fake_aws::{Answer, FakeAws, Request, Silence};
use crate::harness::{Call, Events, Place, Ran, Sim, until};

const FAST: u32 = 1000;
/// What only the presigned URL has.
const SECRET: &str = "Sig%2Fnature%3D";

/// The wait condition's side: answers, and keeps what it is sent.
pub(crate) struct Outer {
    server: FakeAws,
    signals: Arc<Mutex<Vec<Request>>>,
}

impl Outer {
    /// `answer` is given how many signals there were before.
    fn start(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        let signals = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&signals);
        let server = FakeAws::answering(move |request| {
            let before = {
                let mut kept = kept.lock().unwrap();
                kept.push(request.clone());
                kept.len() - 1
            };
            answer(before)
        });
        Self { server, signals }
    }

    pub(crate) fn good() -> Self {
        Self::start(|_| (200, String::new()))
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/arn%3Aaws%3Astack/handle?Expires=1&Signature={SECRET}", self.server.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.signals.lock().unwrap().clone()
    }

    fn bodies(&self) -> Vec<Value> {
        self.requests().iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect()
    }

    /// There was one signal, with this status; its reason is given back.
    #[track_caller]
    pub(crate) fn once(&self, status: &str) -> String {
        let bodies = self.bodies();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        assert_eq!(bodies[0]["Status"], status, "{bodies:?}");
        bodies[0]["Reason"].as_str().unwrap().to_owned()
    }
}

/// An app of a queue, and more configuration.
fn app(place: &Place, config: &str) {
    place.write("cdk.out/manifest.json", &tiny_manifest(&["One"]));
    place.write("cdk.out/One.template.json", r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#);
    place.write("paceline.yaml", config);
}

fn deploy<'a>(place: &'a Place, sim: &Sim, outer: &Outer) -> Call<'a> {
    place
        .paceline(["deploy", "--events", "events.jsonl"])
        .aws_at(&sim.address)
        .env("WAIT_HANDLE_URL", &outer.url())
}

#[track_caller]
fn assert_no_secret(place: &Place, ran: &Ran) {
    let marks = place.list(".paceline/signals");
    let kept = marks.iter().map(|name| place.read(&format!(".paceline/signals/{name}")));
    let events = fs_err::read_to_string(place.path("events.jsonl")).unwrap_or_default();
    for text in kept.chain([ran.stdout.clone(), ran.stderr.clone(), events]) {
        assert!(!text.contains(SECRET) && !text.contains("Signature="), "{text}");
    }
}

#[test]
fn success_is_signalled_once_in_the_documented_form() {
    let (place, sim, outer) = (Place::new(), Sim::start(FAST), Outer::good());
    app(&place, "");
    let ran = deploy(&place, &sim, &outer).run().expect(0);
    assert_eq!(outer.once("SUCCESS"), "the deployment is done");
    let request = &outer.requests()[0];
    assert_eq!(
        request.line.trim_end(),
        format!("PUT /arn%3Aaws%3Astack/handle?Expires=1&Signature={SECRET} HTTP/1.1")
    );
    assert_eq!(request.header("content-type").unwrap_or_default(), "");
    assert_eq!(request.header("authorization"), None);
    let body = &outer.bodies()[0];
    assert_eq!(body["Data"], "1 deployed, 0 unchanged, 0 failed");
    assert!(body["UniqueId"].as_str().unwrap().chars().all(|c| c.is_ascii_alphanumeric()), "{body}");
    assert_no_secret(&place, &ran);

    let again = deploy(&place, &sim, &outer).run().expect(0);
    assert_eq!(outer.bodies().len(), 1, "nobody waits twice");
    assert!(again.stderr.contains("was signalled before"), "{}", again.stderr);
}

#[test]
fn a_failure_is_signalled_with_its_first_cause_in_one_line() {
    let (place, sim, outer) = (Place::new(), Sim::start(FAST), Outer::good());
    app(&place, "commands: [{ name: tidy, after: One, run: 'echo no broom; exit 3' }]");
    let ran = deploy(&place, &sim, &outer).run().expect(1);
    let reason = outer.once("FAILURE");
    assert!(reason.contains("tidy") && reason.contains("no broom") && !reason.contains('\n'), "{reason}");
    assert_eq!(outer.bodies()[0]["Data"], "1 deployed, 0 unchanged, 0 failed");
    assert_no_secret(&place, &ran);
}

#[test]
fn what_is_wrong_before_the_run_is_signalled_too() {
    let sim = Sim::start_with(FAST, &["--bootstrap", "5"]);
    let check = |config: &str, code: i32, part: &str| {
        let (place, outer) = (Place::new(), Outer::good());
        app(&place, config);
        let ran = deploy(&place, &sim, &outer).run().expect(code);
        let reason = outer.once("FAILURE");
        assert!(reason.contains(part), "{reason}");
        assert_no_secret(&place, &ran);
    };
    check("stratgy: graph", 2, "paceline.yaml:1:1");
    check("app: nowhere", 2, "nowhere");
    check("apps: { a: { dir: ., synth: 'echo no node; exit 3' } }", 2, "no node");

    let (place, outer) = (Place::new(), Outer::good());
    let call = place.paceline(["deploy", "--only", "Services"]).args(crate::workshop::app());
    call.aws_at(&sim.address).env("WAIT_HANDLE_URL", &outer.url()).run().expect(3);
    let reason = outer.once("FAILURE");
    assert!(reason.contains("is bootstrapped with version 5"), "{reason}");
}

#[test]
fn what_is_only_shown_or_rehearsed_is_not_signalled() {
    let (place, sim, outer) = (Place::new(), Sim::start(FAST), Outer::good());
    app(&place, "");
    for flag in ["--simulate", "--dry-run"] {
        deploy(&place, &sim, &outer).args([flag]).run().expect(0);
    }
    assert_eq!(outer.bodies().len(), 0);
}

#[test]
fn a_signal_that_gets_no_answer_at_first_is_sent_again() {
    let outer = Outer::start(|before| if before < 1 { (503, String::new()) } else { (200, String::new()) });
    let place = Place::new();
    let ran = place.paceline(["signal", "--success"]).env("WAIT_HANDLE_URL", &outer.url()).run().expect(0);
    let bodies = outer.bodies();
    assert_eq!(bodies.len(), 2, "{}", ran.stderr);
    assert_eq!(bodies[0], bodies[1]);
}

#[test]
fn a_deployment_that_nobody_hears_of_has_failed() {
    let refusal = "<Error><Code>SignatureDoesNotMatch</Code><Message>it does not</Message></Error>";
    let outer = Outer::start(move |_| (403, refusal.to_owned()));
    let (place, sim) = (Place::new(), Sim::start(FAST));
    app(&place, "");
    let ran = deploy(&place, &sim, &outer).run().expect(1);
    assert!(ran.stderr.contains("error: the wait condition could not be signalled"), "{}", ran.stderr);
    assert!(ran.stderr.contains("SignatureDoesNotMatch") && ran.stderr.contains(" hint: "), "{}", ran.stderr);
    assert_no_secret(&place, &ran);
    assert_eq!(outer.bodies().len(), 1, "what is refused is not asked for again");

    place.write("paceline.yaml", "stratgy: graph");
    deploy(&place, &sim, &outer).run().expect(2);
    assert_eq!(outer.bodies().len(), 2, "what did not arrive is sent again");
}

#[test]
fn an_outer_stack_that_does_not_wait_any_more_fails_nothing() {
    let refusal = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    let outer = Outer::start(move |_| (403, refusal.to_owned()));
    let (place, sim) = (Place::new(), Sim::start(FAST));
    app(&place, "");
    let ran = deploy(&place, &sim, &outer).run().expect(0);
    assert!(ran.stderr.contains("its URL has expired"), "{}", ran.stderr);
}

#[test]
fn a_kill_before_the_answer_sends_again_what_counts_once() {
    // The first signal arrives, and its answer does not.
    let (_silence, wait) = Silence::new();
    let outer = Outer::start(move |before| {
        if before == 0 {
            wait();
        }
        (200, String::new())
    });
    let (place, sim) = (Place::new(), Sim::start(FAST));
    app(&place, "");
    let running = deploy(&place, &sim, &outer).start("first.log");
    until("the signal has arrived", || outer.requests().len() == 1);
    running.signal("KILL");
    running.end();
    deploy(&place, &sim, &outer).run().expect(0);
    let bodies = outer.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0]["UniqueId"], bodies[1]["UniqueId"]);
    deploy(&place, &sim, &outer).run().expect(0);
    assert_eq!(outer.bodies().len(), 2);
}

/// What an interrupted deployment says, and its continuation by the same command.
fn interrupted(config: &str, in_a_build: bool) -> (String, Outer, Ran) {
    let (place, sim, outer) = (Place::new(), Sim::start(FAST), Outer::good());
    let command =
        "commands: [{ name: slow, after: One, run: 'test -e go || { touch running; exec sleep 60; }' }]";
    app(&place, &format!("{command}\n{config}"));
    let call = || {
        let call = deploy(&place, &sim, &outer);
        if in_a_build { call.env("CODEBUILD_BUILD_ID", "p:1") } else { call }
    };
    let running = call().start("first.log");
    until("the command runs", || place.path("running").exists());
    running.signal("TERM");
    let (code, first) = running.end();
    assert_eq!(code, Some(4), "{first}");
    let events = place.path("events.jsonl");
    assert_eq!(Events::count(&events, "run.finished"), 1);
    place.write("go", "");
    let second = call().run().expect(0);
    (first, outer, second)
}

#[test]
fn an_interrupted_deployment_that_is_gone_on_with_is_signalled_at_its_end() {
    for (config, in_a_build) in [("", false), ("signal: { when-interrupted: false }", true)] {
        let (first, outer, _) = interrupted(config, in_a_build);
        assert!(first.contains("is not signalled: the same command continues"), "{first}");
        outer.once("SUCCESS");
    }
}

#[test]
fn an_interrupted_deployment_that_nobody_goes_on_with_is_a_failure_and_signalled_once() {
    for (config, in_a_build) in [("", true), ("signal: { when-interrupted: true }", false)] {
        let (_, outer, second) = interrupted(config, in_a_build);
        let reason = outer.once("FAILURE");
        assert!(reason.contains("SIGTERM"), "{reason}");
        assert!(second.stderr.contains("was signalled before"), "{}", second.stderr);
    }
}

#[test]
fn a_deployment_that_another_process_is_at_is_left_to_it() {
    let (place, sim, outer) = (Place::new(), Sim::start(1), Outer::good());
    app(&place, "");
    let first = deploy(&place, &sim, &outer).start("first.log");
    until("the first has started", || Events::count(&place.path("events.jsonl"), "step.started") > 0);
    deploy(&place, &sim, &outer).run().expect(3);
    assert_eq!(outer.bodies().len(), 0);
    first.signal("KILL");
    first.end();
}

#[test]
fn a_variable_that_is_no_url_is_refused_and_not_shown() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    app(&place, "signal: { wait-handle: HANDLE }");
    for secret in ["s3cret", "https://s3cret", "https:///s3cret", "ftp://s3cret/handle", "https://s3 cret/x"]
    {
        let ran = place.paceline(["deploy"]).aws_at(&sim.address).env("HANDLE", secret).run().expect(2);
        let said = "error: HANDLE is not the URL of a wait condition handle\n hint: ";
        assert!(ran.stderr.starts_with(said) && !ran.stderr.contains("cret"), "{}", ran.stderr);
    }
}

#[test]
fn a_script_signals_what_a_deployment_does_not() {
    let (place, sim, outer) = (Place::new(), Sim::start(FAST), Outer::good());
    app(&place, "");
    let signal = |arguments: &[&str]| {
        place.paceline(["signal"]).args(arguments).env("WAIT_HANDLE_URL", &outer.url()).run()
    };
    signal(&["--failure", "--reason", "npm ci\nfailed"]).expect(0);
    assert_eq!(outer.once("FAILURE"), "npm ci failed");
    let ran = deploy(&place, &sim, &outer).run().expect(0);
    assert!(
        ran.stderr.contains("was signalled before, so it is not signalled again: failure"),
        "{}",
        ran.stderr
    );
    signal(&["--success"]).expect(0);
    assert_eq!(outer.bodies().len(), 1);

    for wrong in [&[][..], &["--success", "--failure"]] {
        assert_eq!(signal(wrong).code, 2);
    }
    let nobody = place.paceline(["signal", "--success"]).run().expect(0);
    assert_eq!(nobody.stderr, "nobody waits: WAIT_HANDLE_URL is not set\n");
}

#[test]
fn an_interrupted_synthesis_is_told_like_an_interrupted_run() {
    for (in_a_build, told) in [(true, 1), (false, 0)] {
        let (place, outer) = (Place::new(), Outer::good());
        place.write("paceline.yaml", "apps: { a: { dir: ., synth: 'touch up; exec sleep 60' } }");
        let call =
            place.paceline(["deploy"]).aws_at("http://127.0.0.1:9").env("WAIT_HANDLE_URL", &outer.url());
        let call = if in_a_build { call.env("CODEBUILD_BUILD_ID", "p:1") } else { call };
        let running = call.start("log");
        until("the app is synthesized", || place.path("up").exists());
        running.signal("TERM");
        let (code, said) = running.end();
        assert_eq!((code, outer.bodies().len()), (Some(4), told), "{said}");
        if in_a_build {
            let reason = "Interrupted while the app was being synthesized. Nothing was deployed.";
            assert_eq!(outer.once("FAILURE"), reason);
        }
    }
}

#[test]
fn a_signal_without_an_answer_is_not_waited_for_after_an_interruption() {
    let (_silence, wait) = Silence::new();
    let outer = Outer::start(move |_| {
        wait();
        (200, String::new())
    });
    let (place, sim) = (Place::new(), Sim::start(FAST));
    app(&place, "");
    let running = deploy(&place, &sim, &outer).start("log");
    until("the signal has arrived", || outer.requests().len() == 1);
    running.signal("TERM");
    let (code, said) = running.end();
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("may not have been signalled"), "{said}");
}
