//! A topic, an event bus and a webhook hear of a run, and nothing depends on it.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use paceline_aws::{Aws, Notification};
use paceline_config::{Notifications, Occasion, Webhook};
use paceline_sim::{Faults, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, REGION, topic};
use crate::world::World;

const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:deployments";
const SECRET: &str = "T0KEN";

fn notification() -> Notification {
    Notification {
        occasion: Occasion::End,
        deployment: "größe".to_owned(),
        run: "r1".to_owned(),
        message: "größe: the deployment is done & \"well\"".to_owned(),
        detail: json!({ "status": "done" }),
    }
}

async fn connected(world: &World) -> Aws {
    world.connected(&App::of("A", &topic("a"))).await
}

fn to_topic_and_bus() -> Notifications {
    Notifications {
        sns: Some(TOPIC.parse().unwrap()),
        event_bus: Some("deployments".parse().unwrap()),
        ..Notifications::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_and_an_event_bus_hear_the_same() {
    let world = World::new(SimOptions::default());
    let aws = connected(&world).await;
    assert_eq!(aws.notify(&to_topic_and_bus(), &notification()).await, []);
    let messages = world.sim.messages();
    let to = |to: &str| messages.iter().find(|message| message.to == to).unwrap();
    assert_eq!(to(TOPIC).subject, "Paceline: the run of gr??e has ended");
    assert_eq!(to(TOPIC).body, notification().message);
    assert_eq!(to("deployments").subject, "Paceline Run Ended");
    assert_eq!(serde_json::from_str::<Value>(&to("deployments").body).unwrap(), json!({ "status": "done" }));
    // A topic is told in its own region, whatever the region of the run.
    let calls = world.sim.calls();
    let region =
        |operation: &str| calls.iter().find(|call| call.operation == operation).unwrap().region.clone();
    assert_eq!((region("Publish").as_str(), region("PutEvents").as_str()), ("eu-central-1", REGION));
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_told_keeps_nobody_else_from_hearing() {
    let world = World::new(SimOptions::default());
    let aws = connected(&world).await;
    let denied = vec![("sns".to_owned(), "Publish".to_owned())];
    world.sim.set_faults(Faults { denied, ..Faults::default() });
    let errors = aws.notify(&to_topic_and_bus(), &notification()).await;
    assert_eq!(errors.len(), 1);
    let said = errors[0].to_string();
    assert!(said.contains(&format!("the topic {TOPIC} was not notified")), "{said}");
    assert!(said.contains("not authorized"), "{said}");
    assert_eq!(world.sim.messages().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_the_bus_refuses_is_an_error() {
    let world = World::new(SimOptions::default());
    let aws = connected(&world).await;
    let to = Notifications { sns: None, ..to_topic_and_bus() };
    let errors = aws.notify(&to, &Notification { detail: json!("no object"), ..notification() }).await;
    assert!(errors[0].to_string().contains("MalformedDetail"), "{}", errors[0]);
}

/// Passes everything on, but answers requests to the webhook itself.
#[derive(Debug, Clone)]
struct Chat {
    aws: SharedHttpClient,
    status: u16,
    heard: Arc<Mutex<Vec<(String, String)>>>,
}

#[derive(Debug)]
struct ChatConnector(SharedHttpConnector, Chat);

impl HttpClient for Chat {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(ChatConnector(self.aws.http_connector(settings, components), self.clone()))
    }
}

impl HttpConnector for ChatConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !request.uri().starts_with("https://chat.example.com") {
            return self.0.call(request);
        }
        let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        self.1.heard.lock().unwrap().push((request.uri().to_owned(), body));
        let status = self.1.status.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(SECRET))))
    }
}

/// A world with a chat, whose webhook has its URL in a parameter.
fn with_chat(status: u16, url: &str) -> (World, Chat) {
    let mut world = World::new(SimOptions::default());
    let chat = Chat { aws: world.wire.http.clone().unwrap(), status, heard: Arc::default() };
    world.wire.http = Some(SharedHttpClient::new(chat.clone()));
    world.sim.put_parameter(&SimOptions::default().account, REGION, "/deploy/chat", url);
    (world, chat)
}

fn to_chat() -> Notifications {
    let webhook = Webhook {
        parameter: "/deploy/chat".parse().unwrap(),
        template: r#"{"text": "${message}", "run": "${run}"}"#.parse().unwrap(),
    };
    Notifications { webhook: Some(webhook), ..Notifications::default() }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_gets_the_filled_template_at_the_url_of_the_parameter() {
    let (world, chat) = with_chat(200, "https://chat.example.com/hooks/T0KEN?wait=true\n");
    let aws = connected(&world).await;
    assert_eq!(aws.notify(&to_chat(), &notification()).await, []);
    let (url, body) = chat.heard.lock().unwrap().remove(0);
    assert_eq!(url, "https://chat.example.com/hooks/T0KEN?wait=true");
    let expected = json!({ "text": notification().message, "run": "r1" });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn no_error_contains_the_url_of_a_webhook() {
    for (status, url) in [
        (404, "https://chat.example.com/hooks/T0KEN"),
        // Nothing in the simulation answers to this address.
        (200, "https://elsewhere.example.com/hooks/T0KEN"),
        (200, "http://chat.example.com/hooks/T0KEN"),
        (200, "chat T0KEN"),
    ] {
        let (world, _chat) = with_chat(status, url);
        let aws = connected(&world).await;
        let errors = aws.notify(&to_chat(), &notification()).await;
        let said = format!("{} {:?}", errors[0], errors[0]);
        assert!(said.contains("the webhook was not notified"), "{said}");
        assert!(!said.contains(SECRET) && !said.contains("example.com"), "{said}");
    }
}
