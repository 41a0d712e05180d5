//! Sends the metrics of a run to where the configuration wants them.

use std::time::Duration;

use paceline_aws::{Aws, MetricDatum};
use paceline_config::{Config, METRIC_NAMESPACE, MetricsTarget, Notifications, Traces};
use paceline_report::{Counts, Metric, Record, emf, metrics};

use crate::app::App;
use crate::settings::RunSettings;
use crate::{build, generation, interrupt, terminal};

/// How long sending may take at the end of a run.
const LONGEST: Duration = Duration::from_secs(5);
/// The same after an interruption, when the process must end soon.
const LONGEST_IF_INTERRUPTED: Duration = Duration::from_secs(1);

/// Who hears of a deployment, and by what name.
#[derive(Debug)]
pub(super) struct Audience {
    /// The name of the CodeBuild project. Outside of a build, the one that the generator would give to it.
    pub(super) deployment: String,
    metrics: MetricsTarget,
    pub(super) notifications: Notifications,
    pub(super) traces: Traces,
}

impl Audience {
    pub(super) fn of(app: &App) -> Self {
        Self::named(&generation::name(app), &app.config)
    }

    /// The same for a run without an app, which has the name `name` outside of a build.
    pub(super) fn named(name: &str, config: &Config) -> Self {
        Self {
            deployment: build::own_project().unwrap_or_else(|| name.to_owned()),
            metrics: config.metrics,
            notifications: config.notifications.clone(),
            traces: config.traces.clone(),
        }
    }

    /// Sends the metrics of a run that has ended. If that fails, a warning says so.
    pub(super) async fn figures(&self, settings: &RunSettings, aws: &Aws, record: &Record, counts: &Counts) {
        let configured = if record.simulated || record.prepares { MetricsTarget::Off } else { self.metrics };
        let target = settings.metrics.map_or(configured, Into::into);
        let Some(at) = record.at.filter(|_| target != MetricsTarget::Off) else { return };
        let metrics = metrics(record, counts, &self.deployment);
        match target {
            MetricsTarget::Off => {}
            MetricsTarget::Emf => terminal::print(&emf(&metrics, METRIC_NAMESPACE, &record.run, at)),
            MetricsTarget::Cloudwatch => {
                let data: Vec<MetricDatum> = metrics.iter().map(|metric| datum(metric, at)).collect();
                let sent = in_time(aws.put_metrics(METRIC_NAMESPACE, &data)).await;
                let problem = match sent {
                    Some(Ok(())) => return,
                    Some(Err(error)) => error.to_string(),
                    None => "there was no answer in time".to_owned(),
                };
                terminal::warn(&format!("the metrics of the run were not sent to CloudWatch: {problem}"));
            }
        }
    }
}

/// Waits for something that is not worth a long wait. `None` if it takes too long.
pub(super) async fn in_time<T>(work: impl Future<Output = T>) -> Option<T> {
    let stop = interrupt::stop();
    let was_interrupted = stop.reason().is_some();
    tokio::pin!(work);
    let limit = if was_interrupted { LONGEST_IF_INTERRUPTED } else { LONGEST };
    tokio::select! {
        biased;
        done = &mut work => Some(done),
        () = tokio::time::sleep(limit) => None,
        () = stop.requested(), if !was_interrupted => None,
    }
}

fn datum(metric: &Metric, at: jiff::Timestamp) -> MetricDatum {
    let dimensions = metric.dimensions().map(|(name, value)| (name.to_owned(), value.to_owned()));
    MetricDatum {
        name: metric.kind.name.to_owned(),
        unit: metric.kind.unit.as_str().to_owned(),
        dimensions: dimensions.collect(),
        values: metric.values.clone(),
        at,
    }
}
