//! A dashboard and alarms for the metrics that the runner sends. `docs/metrics.md` describes the metrics.

use paceline_config::METRIC_NAMESPACE;
use serde::Serialize;
use serde_json::{Value, json};

use super::Project;

/// What shows the metrics of a deployment, and what watches over them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Monitoring {
    /// The name of the dashboard. Dashboards are not in a Region, so it has `${AWS::Region}` in it.
    pub dashboard_name: String,
    /// The JSON of the dashboard, with `${AWS::Region}` in it.
    pub dashboard_body: String,
    pub alarms: Vec<Alarm>,
    /// The ARN of the topic that alarms notify.
    pub topic: Option<String>,
}

/// An alarm on a metric that is 0 as long as all is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// The logical id.
    pub id: &'static str,
    pub description: String,
    pub namespace: &'static str,
    pub metric: &'static str,
    /// The dimensions by which CloudWatch finds the metric: all of them.
    pub dimensions: Vec<(&'static str, String)>,
}

/// How many seconds one point of a graph and one look of an alarm cover.
pub const PERIOD: u32 = 300;

/// The dashboard and the alarms of a project.
pub fn monitoring(project: &Project, topic: Option<&str>) -> Monitoring {
    Monitoring {
        dashboard_name: format!("{}-deployments-${{AWS::Region}}", project.name),
        dashboard_body: dashboard(&project.name),
        alarms: alarms(&project.name),
        topic: topic.map(str::to_owned),
    }
}

fn alarms(deployment: &str) -> Vec<Alarm> {
    let alarm = |id, metric, description: &str, more: Option<(&'static str, &str)>| Alarm {
        id,
        description: format!("{deployment}: {description}"),
        namespace: METRIC_NAMESPACE,
        metric,
        dimensions: std::iter::once(("Deployment", deployment.to_owned()))
            .chain(more.map(|(name, value)| (name, value.to_owned())))
            .collect(),
    };
    vec![
        alarm("FailedRunAlarm", "Runs", "a deployment failed", Some(("Outcome", "failed"))),
        alarm(
            "IamConsistencyAlarm",
            "IamConsistencyFailures",
            "a resource used an IAM role before it was usable",
            None,
        ),
        alarm("ResourceTimeoutAlarm", "ResourceTimeouts", "a resource took longer than it may", None),
    ]
}

/// The dashboard: two columns of graphs, each twelve units wide (CloudWatch API reference, "Dashboard body structure and
/// syntax"). Each widget has a line of its own.
fn dashboard(deployment: &str) -> String {
    let widgets = [
        lines(
            deployment,
            "Duration of a run and its critical path",
            &["RunDuration", "CriticalPath"],
            "Maximum",
        ),
        lines(deployment, "Time saved, against one stack after another", &["TimeSaved"], "Maximum"),
        search(deployment, "Runs by outcome", "Runs", "Outcome", "Sum"),
        search(deployment, "Stacks by outcome", "Stacks", "Outcome", "Sum"),
        search(deployment, "Duration of stacks", "StackDuration", "Stack", "Maximum"),
        search(deployment, "Phases of the build before the run", "BuildPhaseDuration", "Phase", "Maximum"),
        lines(deployment, "Time that gates waited for IAM roles", &["IamRoleWait"], "Sum"),
        lines(
            deployment,
            "Success indicators",
            &["IamConsistencyFailures", "ResourceTimeouts", "ParallelCompletions"],
            "Sum",
        ),
        search(deployment, "Retries by class", "Retries", "Class", "Sum"),
        search(deployment, "Throttled calls by operation", "Throttles", "Operation", "Sum"),
        search(deployment, "Stack events by resource type", "StackEvents", "ResourceType", "Sum"),
    ];
    let placed = (0..).zip(widgets).map(|(at, mut widget)| {
        widget["x"] = json!(at % 2 * 12);
        widget["y"] = json!(at / 2 * 6);
        widget.to_string()
    });
    // Four weeks, because deployments are rare.
    format!("{{ \"start\": \"-P4W\", \"widgets\": [\n{}\n] }}", placed.collect::<Vec<_>>().join(",\n"))
}

/// A graph of metrics of the deployment as a whole.
fn lines(deployment: &str, title: &str, metrics: &[&str], statistic: &str) -> Value {
    let metrics: Vec<Value> =
        metrics.iter().map(|metric| json!([METRIC_NAMESPACE, metric, "Deployment", deployment])).collect();
    widget(title, &metrics, statistic)
}

/// A graph of one metric, with a line for each value of its second dimension.
fn search(deployment: &str, title: &str, metric: &str, dimension: &str, statistic: &str) -> Value {
    let expression = format!(
        "SEARCH('{{{METRIC_NAMESPACE},Deployment,{dimension}}} MetricName=\"{metric}\" Deployment=\"{deployment}\"', \
         '{statistic}', {PERIOD})"
    );
    // The label is for CloudWatch to fill in, and `${!` keeps Fn::Sub from it.
    let label = format!("${{!PROP('Dim.{dimension}')}}");
    widget(title, &[json!([{ "expression": expression, "label": label, "id": "each" }])], statistic)
}

fn widget(title: &str, metrics: &[Value], statistic: &str) -> Value {
    json!({
        "type": "metric",
        "width": 12,
        "height": 6,
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "metrics": metrics,
            "stat": statistic,
            "period": PERIOD,
            "view": "timeSeries",
        },
    })
}
