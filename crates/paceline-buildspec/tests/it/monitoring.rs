//! The dashboard and the alarms for the metrics of runs, and the rights to send them.

use paceline_buildspec::{Generation, yaml};
use paceline_config::MetricsTarget;
use serde_json::{Value, json};

use crate::project::everything;
use crate::{file, workshop};

fn resources(generation: &Generation) -> Value {
    yaml::parse(&file(generation, ".project.yaml")).unwrap().to_json()["Resources"].take()
}

fn with(metrics: MetricsTarget) -> Generation {
    Generation { metrics, ..workshop() }
}

fn of_type<'a>(resources: &'a Value, kind: &str) -> Vec<&'a Value> {
    resources.as_object().unwrap().values().filter(|it| it["Type"] == kind).collect()
}

fn statement(resources: &Value, sid: &str) -> Option<Value> {
    let policy = &resources["ServiceRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    policy["Statement"].as_array().unwrap().iter().find(|it| it["Sid"] == sid).cloned()
}

#[test]
fn without_metrics_there_is_no_dashboard_no_alarm_and_no_right() {
    let resources = resources(&with(MetricsTarget::Off));
    assert!(of_type(&resources, "AWS::CloudWatch::Dashboard").is_empty());
    assert!(of_type(&resources, "AWS::CloudWatch::Alarm").is_empty());
    assert_eq!(statement(&resources, "SendMetrics"), None);
}

#[test]
fn builds_may_write_metrics_to_one_namespace() {
    let sent = statement(&resources(&with(MetricsTarget::Cloudwatch)), "SendMetrics").unwrap();
    assert_eq!(sent["Action"], json!(["cloudwatch:PutMetricData"]));
    assert_eq!(sent["Condition"], json!({ "StringEquals": { "cloudwatch:namespace": "Paceline" } }));
    // CloudWatch Logs takes the metrics out of the log.
    assert_eq!(statement(&resources(&with(MetricsTarget::Emf)), "SendMetrics"), None);
}

/// The names of the metrics that a dashboard shows, each with the names of its dimensions.
fn shown(body: &Value) -> Vec<(String, Vec<String>)> {
    let mut shown = Vec::new();
    let widgets = body["widgets"].as_array().unwrap();
    for metric in widgets.iter().flat_map(|widget| widget["properties"]["metrics"].as_array().unwrap()) {
        if let Some(search) = metric[0]["expression"].as_str() {
            let between = |from: &str, to: &str| search.split(from).nth(1).unwrap().split(to).next().unwrap();
            let dimensions = between("{Paceline,", "}").split(',').map(str::to_owned).collect();
            shown.push((between("MetricName=\"", "\"").to_owned(), dimensions));
        } else {
            assert_eq!(metric[0], "Paceline");
            shown
                .push((metric[1].as_str().unwrap().to_owned(), vec![metric[2].as_str().unwrap().to_owned()]));
        }
    }
    shown
}

#[test]
fn the_dashboard_and_the_alarms_use_metrics_that_are_documented() {
    let page = include_str!("../../../../docs/metrics.md");
    let is_documented = |name: &str, dimensions: &[String]| {
        let dimensions: Vec<String> = dimensions.iter().map(|name| format!("`{name}`")).collect();
        page.lines().any(|row| {
            row.starts_with(&format!("| `{name}` |"))
                && row.contains(&format!("| {} |", dimensions.join(", ")))
        })
    };
    let resources = resources(&with(MetricsTarget::Emf));
    let body = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let shown = shown(&serde_json::from_str(body).unwrap());
    for (name, dimensions) in &shown {
        assert!(is_documented(name, dimensions), "{name} {dimensions:?}");
    }
    for row in page.lines().filter(|line| line.starts_with("| `") && line.contains("`Deployment`")) {
        let name = row.split('`').nth(1).unwrap();
        assert!(shown.iter().any(|(shown, _)| shown == name), "{name} is not on the dashboard");
    }
    let alarms = of_type(&resources, "AWS::CloudWatch::Alarm");
    assert_eq!(alarms.len(), 3);
    for alarm in alarms {
        let properties = &alarm["Properties"];
        let dimensions: Vec<String> = properties["Dimensions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dimension| dimension["Name"].as_str().unwrap().to_owned())
            .collect();
        assert!(is_documented(properties["MetricName"].as_str().unwrap(), &dimensions), "{alarm}");
        assert_eq!(properties["Dimensions"][0]["Value"], "workshop");
        assert_eq!(properties.get("AlarmActions"), None);
    }
}

#[test]
fn nothing_but_the_region_is_substituted_in_the_dashboard() {
    let resources = resources(&with(MetricsTarget::Cloudwatch));
    let body = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let substituted: Vec<&str> = body
        .split("${")
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap())
        .filter(|name| !name.starts_with('!'))
        .collect();
    assert!(!substituted.is_empty() && substituted.iter().all(|name| *name == "AWS::Region"));
}

#[test]
fn alarms_and_runs_notify_the_same_topic() {
    let resources = resources(&everything());
    let topic = "arn:aws:sns:eu-west-1:111122223333:deployments";
    for alarm in of_type(&resources, "AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["Properties"]["AlarmActions"], json!([topic]));
    }
    let may = |sid: &str| {
        let statement = statement(&resources, sid).unwrap();
        (statement["Action"][0].clone(), statement["Resource"][0]["Fn::Sub"].clone())
    };
    assert_eq!(may("NotifyTopic"), (json!("sns:Publish"), json!(topic)));
    let bus = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/deployments";
    assert_eq!(may("NotifyEventBus"), (json!("events:PutEvents"), json!(bus)));
    let parameter = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/deploy/chat";
    assert_eq!(may("ReadWebhook"), (json!("ssm:GetParameter"), json!(parameter)));
}
