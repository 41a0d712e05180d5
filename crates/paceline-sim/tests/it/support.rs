//! Sends requests that look signed, and reads the answers.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use paceline_sim::{SimOptions, Simulator};
use serde_json::{Value, json};

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const ACCOUNT: &str = "111111111111";
/// The number of times that a test lets time pass while it waits for something.
const MOST_STEPS: usize = 100_000;

pub(crate) struct Aws {
    pub(crate) sim: Simulator,
    now: Cell<Timestamp>,
    key: String,
}

pub(crate) fn signed(service: &str, region: &str, key: &str) -> http::request::Builder {
    let scope = format!("Credential={key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host");
    Request::builder().header("authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"))
}

pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| out + &format!("%{byte:02X}"))
}

impl Aws {
    pub(crate) fn new(options: SimOptions) -> Self {
        let sim = Simulator::new(options);
        Self { sim, now: Cell::new("2026-01-01T00:00:00Z".parse().unwrap()), key: "AKIDBASE".to_owned() }
    }

    /// A simulator without throttling.
    pub(crate) fn calm() -> Self {
        Self::new(SimOptions { throttling: false, ..SimOptions::default() })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now.get()
    }

    pub(crate) fn pass(&self, duration: Duration) {
        self.now.set(self.now.get() + SignedDuration::try_from(duration).unwrap());
    }

    pub(crate) fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.sim.handle(request, self.now.get())
    }

    /// Sends a request of a query protocol to a region.
    pub(crate) fn query_in(
        &self,
        region: &str,
        service: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> (u16, String) {
        let mut body = format!("Action={action}");
        for (key, value) in parameters {
            body.extend(["&", &encoded(key), "=", &encoded(value)]);
        }
        let request = signed(service, region, &self.key).method("POST").uri("/").body(body.into()).unwrap();
        let response = self.send(request);
        (response.status().as_u16(), String::from_utf8(response.into_body().to_vec()).unwrap())
    }

    /// Sends a CloudFormation request that has to succeed.
    pub(crate) fn cfn(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let (status, body) = self.query_in(REGION, "cloudformation", action, parameters);
        assert_eq!(status, 200, "{action} failed: {body}");
        body
    }

    /// Sends a CloudFormation request that has to fail, and returns its error as `Code: message`.
    pub(crate) fn refused(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let (status, body) = self.query_in(REGION, "cloudformation", action, parameters);
        assert_eq!(status, 400, "{action} did not fail: {body}");
        format!("{}: {}", field(&body, "Code"), field(&body, "Message"))
    }

    pub(crate) fn json(&self, target: &str, body: &Value) -> (u16, Value) {
        let service = if target.starts_with("AmazonSSM") { "ssm" } else { "ecr" };
        let request = signed(service, REGION, &self.key)
            .method("POST")
            .uri("/")
            .header("x-amz-target", target)
            .body(body.to_string().into())
            .unwrap();
        let response = self.send(request);
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    /// The value of an SSM parameter. `None` if it does not exist.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let (_, body) = self.json("AmazonSSM.GetParameter", &json!({"Name": name}));
        body["Parameter"]["Value"].as_str().map(str::to_owned)
    }

    pub(crate) fn create(&self, name: &str, template: &Value) {
        let template = template.to_string();
        self.cfn("CreateStack", &with_template(name, &template));
    }

    pub(crate) fn update(&self, name: &str, template: &Value) {
        let template = template.to_string();
        self.cfn("UpdateStack", &with_template(name, &template));
    }

    /// Lets time pass until nothing is due, and returns the status of a stack.
    pub(crate) fn settle(&self, name: &str) -> String {
        for _ in 0..MOST_STEPS {
            let Some(due) = self.sim.next_due() else { return self.status(name) };
            self.now.set(self.now.get().max(due));
            self.sim.advance(due);
        }
        panic!("something is always due");
    }

    /// The physical id of a resource.
    pub(crate) fn physical(&self, stack: &str, logical: &str) -> String {
        let body = self.cfn("DescribeStackResources", &[("StackName", stack)]);
        let resources = members(&body, "StackResources");
        let found = resources.iter().find(|it| field(it, "LogicalResourceId") == logical);
        field(found.expect("the stack has this resource"), "PhysicalResourceId")
    }

    /// Lets time pass until a stack has this status.
    pub(crate) fn until(&self, name: &str, status: &str) {
        for _ in 0..MOST_STEPS {
            if self.status(name) == status {
                return;
            }
            let due = self.sim.next_due().expect("the status never comes");
            self.now.set(self.now.get().max(due));
            self.sim.advance(due);
        }
        panic!("{name} is never in {status}, but in {}", self.status(name));
    }

    pub(crate) fn status(&self, name: &str) -> String {
        let all = self.sim.stacks();
        let last = all.iter().rfind(|stack| stack.name == name || stack.id == name);
        last.map(|stack| stack.status.clone()).unwrap_or_default()
    }

    /// The events of a stack, oldest first, as `LogicalId STATUS reason`.
    pub(crate) fn events(&self, name: &str) -> Vec<String> {
        let body = self.cfn("DescribeStackEvents", &[("StackName", name)]);
        let mut events: Vec<String> = members(&body, "StackEvents")
            .iter()
            .map(|event| {
                let line = ["LogicalResourceId", "ResourceStatus", "ResourceStatusReason"]
                    .map(|key| field(event, key));
                line.join(" ").trim_end().to_owned()
            })
            .collect();
        events.reverse();
        events
    }
}

/// The parameters of a request with a template and `CAPABILITY_NAMED_IAM`.
pub(crate) fn with_template<'a>(name: &'a str, template: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("StackName", name), ("TemplateBody", template), ("Capabilities.member.1", "CAPABILITY_NAMED_IAM")]
}

/// The text of the first element of this name, or nothing.
pub(crate) fn field(xml: &str, name: &str) -> String {
    let between =
        xml.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    between
        .map(|(text, _)| text.replace("&quot;", "\"").replace("&gt;", ">").replace("&amp;", "&"))
        .unwrap_or_default()
}

/// The members of a list of flat structures.
pub(crate) fn members(xml: &str, list: &str) -> Vec<String> {
    let list = field(xml, list);
    list.split("</member>").filter_map(|member| Some(member.split_once("<member>")?.1.to_owned())).collect()
}

/// A template's resource for an SSM parameter.
pub(crate) fn parameter(name: &str, value: &str) -> Value {
    json!({"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": name, "Value": value}})
}
