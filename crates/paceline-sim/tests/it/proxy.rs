//! A proxy that can disturb calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use paceline_sim::{Calls, Mishap, Passed, Proxy, SimHttpClient, SimOptions, Simulator, VirtualClock};
use serde_json::json;

use crate::support::{encoded, field, parameter, with_template};

/// A caller behind a proxy.
#[derive(Clone)]
struct Caller {
    proxy: Proxy,
    sim: Simulator,
    direct: SimHttpClient,
}

/// A status and a body.
type Answer = Result<(u16, String), ConnectorError>;

fn request(service: &str, action: &str, parameters: &[(&str, &str)]) -> HttpRequest {
    let mut body = format!("Action={action}");
    for (key, value) in parameters {
        body.extend(["&", &encoded(key), "=", &encoded(value)]);
    }
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST").unwrap();
    request.set_uri("https://aws.invalid/").unwrap();
    let scope = format!("Credential=AKID/20260101/us-east-1/{service}/aws4_request");
    request.headers_mut().insert("authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"));
    request
}

impl Caller {
    fn new() -> Self {
        let sim = Simulator::new(SimOptions::default());
        let clock = VirtualClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
        let direct = SimHttpClient::new(sim.clone(), clock);
        Self { proxy: Proxy::new(direct.clone()), sim, direct }
    }

    async fn ask(&self, service: &str, action: &str, parameters: &[(&str, &str)]) -> Answer {
        let answer = self.proxy.call(request(service, action, parameters)).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body();
        Ok((status, String::from_utf8(body.bytes().unwrap().to_vec()).unwrap()))
    }

    async fn who(&self) -> Answer {
        self.ask("sts", "GetCallerIdentity", &[]).await
    }

    async fn create(&self, name: &str) -> Answer {
        let template = json!({"Resources": {"P": parameter(name, "value")}}).to_string();
        self.ask("cloudformation", "CreateStack", &with_template(name, &template)).await
    }

    async fn status(&self, name: &str) -> String {
        let (_, body) = self.ask("cloudformation", "DescribeStacks", &[("StackName", name)]).await.unwrap();
        field(&body, "StackStatus")
    }

    fn struck(&self) -> Vec<String> {
        let line = |Passed { call, nth, mishap }| {
            format!("{} {nth}: {}", call.operation, mishap.unwrap_or_default())
        };
        self.proxy.struck().into_iter().map(line).collect()
    }
}

/// Whether no answer comes within an hour.
async fn hangs(call: impl Future<Output = Answer>) -> bool {
    tokio::time::timeout(Duration::from_hours(1), call).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_mishap_goes_through() {
    let caller = Caller::new();
    assert_eq!(caller.who().await.unwrap().0, 200);
    let passed = caller.proxy.passed();
    assert_eq!((passed[0].call.operation.as_str(), passed[0].call.status), ("GetCallerIdentity", 200));
    assert_eq!(passed[0].mishap, None);
}

#[tokio::test(start_paused = true)]
async fn a_call_can_stay_unanswered_whether_or_not_it_is_carried_out() {
    let caller = Caller::new();
    caller.proxy.on(Calls::of("CreateStack").stack("Done"), Mishap::never_answered());
    caller.proxy.on(Calls::of("CreateStack").stack("Lost"), Mishap::never_answered().request_lost());
    assert!(hangs(caller.create("Done")).await);
    assert!(hangs(caller.create("Lost")).await);
    let names: Vec<String> = caller.sim.stacks().into_iter().map(|stack| stack.name).collect();
    assert_eq!(names, ["Done"]);
    let statuses: Vec<u16> = caller.proxy.passed().iter().map(|passed| passed.call.status).collect();
    assert_eq!(statuses, [200, 0]);
    assert_eq!(
        caller.struck(),
        ["CreateStack 1: never answered, carried out", "CreateStack 1: never answered, not carried out"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_replaced_by_that_of_a_bad_network() {
    let caller = Caller::new();
    let sent = |mishap: Mishap| {
        let caller = caller.clone();
        async move {
            caller.proxy.clear();
            caller.proxy.on("GetCallerIdentity", mishap);
            caller.who().await
        }
    };
    let (status, page) = sent(Mishap::html()).await.unwrap();
    assert!(status == 200 && page.starts_with("<!DOCTYPE html>"), "{page}");
    assert_eq!(sent(Mishap::empty()).await.unwrap(), (200, String::new()));
    let (status, half) = sent(Mishap::truncated()).await.unwrap();
    assert!(status == 200 && half.starts_with("<GetCaller") && !half.contains("RequestId"), "{half}");
    assert_eq!(sent(Mishap::proxy_login()).await.unwrap().0, 407);
    assert_eq!(sent(Mishap::bad_gateway()).await.unwrap().0, 502);
    assert!(sent(Mishap::reset()).await.unwrap_err().is_io());
    let seen = caller.sim.calls().len();
    assert_eq!(seen, 4, "neither 407 nor 502 came from AWS");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_written_in_the_protocol_of_its_service() {
    let caller = Caller::new();
    caller.proxy.on(Calls::to("sts"), Mishap::request_expired());
    caller.proxy.on(Calls::to("ssm"), Mishap::throttled());
    let (status, body) = caller.who().await.unwrap();
    assert_eq!((status, field(&body, "Code").as_str()), (400, "RequestExpired"));
    let (status, body) = caller.ask("ssm", "", &[]).await.unwrap();
    assert!(status == 400 && body.contains("ThrottlingException"), "{body}");
}

#[tokio::test(start_paused = true)]
async fn calls_are_selected_by_number_count_and_time() {
    let caller = Caller::new();
    caller.proxy.on(Calls::of("GetCallerIdentity").nth(2), Mishap::bad_gateway());
    caller.proxy.on(Calls::of("GetCallerIdentity").from(4).times(2), Mishap::bad_gateway());
    let minute = Duration::from_mins(1);
    caller.proxy.on(Calls::of("GetCallerIdentity").from(7).lasting(minute), Mishap::bad_gateway());
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(caller.who().await.unwrap().0);
        tokio::time::sleep(Duration::from_secs(25)).await;
    }
    assert_eq!(statuses, [200, 502, 200, 502, 502, 200, 502, 502, 502, 200, 200]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_the_past_describes_an_earlier_state() {
    let caller = Caller::new();
    caller.proxy.on(Calls::of("DescribeStacks").nth(2), Mishap::from_the_past(Duration::from_secs(39)));
    caller.create("S").await.unwrap();
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(caller.status("S").await, "CREATE_COMPLETE");
    assert_eq!(caller.status("S").await, "CREATE_IN_PROGRESS");
    assert_eq!(caller.status("S").await, "CREATE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn a_change_is_refused_or_carried_out_by_the_past_state() {
    let caller = Caller::new();
    caller.proxy.on("UpdateStack", Mishap::from_the_past(Duration::from_secs(39)));
    caller.create("S").await.unwrap();
    tokio::time::sleep(Duration::from_secs(40)).await;
    let template = json!({"Resources": {"P": parameter("S", "other")}}).to_string();
    let update = async || {
        let parameters = with_template("S", &template);
        caller.ask("cloudformation", "UpdateStack", &parameters).await.unwrap()
    };
    let (status, body) = update().await;
    assert!(status == 400 && body.contains("CREATE_IN_PROGRESS"), "{body}");
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(update().await.0, 200);
    assert_eq!(caller.status("S").await, "UPDATE_IN_PROGRESS");
}

#[tokio::test(start_paused = true)]
async fn a_second_actor_acts_before_and_after_a_call() {
    let caller = Caller::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let act = |when: &'static str| {
        let (told, sim, direct) = (Arc::clone(&told), caller.sim.clone(), caller.direct.clone());
        move |call: paceline_sim::Call| {
            let (told, sim, direct) = (Arc::clone(&told), sim.clone(), direct.clone());
            async move {
                direct.call(request("sts", "GetCallerIdentity", &[])).await.unwrap();
                told.lock().unwrap().push(format!(
                    "{when} {}: {} stacks",
                    call.operation,
                    sim.stacks().len()
                ));
            }
        }
    };
    caller.proxy.before("CreateStack", act("before"));
    caller.proxy.after("CreateStack", act("after"));
    caller.create("S").await.unwrap();
    assert_eq!(*told.lock().unwrap(), ["before CreateStack: 0 stacks", "after CreateStack: 1 stacks"]);
    assert_eq!(caller.proxy.passed().len(), 1, "who acts in between does not go through the proxy");
}
