//! The metrics of a run, from its events alone.

use std::collections::BTreeMap;

use paceline_engine::event::{BuildPhase, BuildPhases, Event, Fact, Outcome, RetryClass};
use paceline_report::{Counts, Metric, MetricKind, Record, emf, metrics};

use crate::journal::{Journal, Went};
use crate::runs;

fn of(events: &[Event]) -> Vec<Metric> {
    let (mut record, mut counts) = (Record::default(), Counts::default());
    for event in events {
        record.apply(event);
        counts.apply(event);
    }
    metrics(&record, &counts, "workshop")
}

/// The values of a metric whose last dimension has this value.
#[track_caller]
fn values(metrics: &[Metric], name: &str, last: &str) -> Vec<f64> {
    let is_it = |metric: &&Metric| {
        metric.kind.name == name && metric.dimensions.last().is_some_and(|value| value == last)
    };
    metrics.iter().filter(is_it).flat_map(|metric| metric.values.clone()).collect()
}

/// A metric of the deployment as a whole.
#[track_caller]
fn of_deployment(metrics: &[Metric], name: &str) -> Vec<f64> {
    values(metrics, name, "workshop")
}

fn lines(metrics: &[Metric]) -> String {
    let line = |metric: &Metric| {
        let dimensions: Vec<String> =
            metric.dimensions().skip(1).map(|(name, value)| format!("{name}={value}")).collect();
        let values: Vec<String> = metric.values.iter().map(ToString::to_string).collect();
        format!(
            "{} {} {} {}\n",
            metric.kind.name,
            dimensions.join(","),
            values.join(" "),
            metric.kind.unit.as_str()
        )
    };
    metrics.iter().map(line).collect()
}

#[test]
fn a_good_run_says_how_long_it_took_and_what_that_saved() {
    insta::assert_snapshot!(lines(&of(&runs::good())), @"
    RunDuration  1702 Seconds
    CriticalPath  1679 Seconds
    TimeSaved  619 Seconds
    Runs Outcome=done 1 Count
    Stacks Outcome=deployed 4 Count
    Stacks Outcome=unchanged 1 Count
    StackDuration Region=us-east-1 888 170 670 Seconds
    StackDuration Region=us-west-2 591 Seconds
    StackDuration Stack=Applications 670 Seconds
    StackDuration Stack=NetworkRegionPeering 170 Seconds
    StackDuration Stack=Services 888 Seconds
    StackDuration Stack=ServicesSecondary 591 Seconds
    IamRoleWait  24 Seconds
    IamConsistencyFailures  0 Count
    ResourceTimeouts  0 Count
    ParallelCompletions  3 Count
    Retries Class=unknown 2 Count
    StackEvents ResourceType=AWS::EKS::Cluster 2 Count
    StackEvents ResourceType=AWS::RDS::DBCluster 2 Count
    StackEvents ResourceType=Custom::Kubernetes 1 Count
    ");
}

#[test]
fn a_failed_run_says_how_many_stacks_ended_how_and_saves_no_time() {
    let metrics = of(&runs::bad());
    assert_eq!(values(&metrics, "Runs", "failed"), [1.0]);
    assert_eq!(values(&metrics, "Stacks", "rolled-back"), [1.0]);
    assert_eq!(values(&metrics, "Stacks", "skipped"), [3.0]);
    assert_eq!(values(&metrics, "TimeSaved", "workshop"), [0.0; 0]);
    assert_eq!(of_deployment(&metrics, "RunDuration").len(), 1);
}

#[test]
fn a_run_that_has_not_ended_has_no_metrics() {
    let mut events = runs::good();
    events.pop();
    assert_eq!(of(&events), []);
    assert_eq!(of(&[]), []);
}

/// Two stacks, of which `B` needs `A`, and a third one that needs nothing.
fn three() -> Journal {
    let mut journal = Journal::default();
    journal.stack("A", "eu-west-1", &[], 60.0);
    journal.stack("B", "eu-west-1", &["deploy:A"], 60.0);
    journal.stack("C", "us-east-1", &[], 60.0);
    journal
}

/// The first process of a run.
fn interrupted() -> Journal {
    let mut journal = three();
    journal.run_started(0, false);
    journal.step("deploy:A", 0, 0, 60, Outcome::Deployed);
    journal.step("deploy:B", 60, 60, 70, Outcome::Interrupted);
    journal.retried("deploy:A", 10, 2, "DescribeStacks: no answer");
    journal.run_finished(70, 0, 4);
    journal
}

#[test]
fn what_an_earlier_process_did_is_not_counted_again() {
    let interrupted = of(&interrupted().events());
    assert_eq!(values(&interrupted, "Runs", "interrupted"), [1.0]);
    assert_eq!(values(&interrupted, "Stacks", "deployed"), [1.0]);
    assert_eq!(values(&interrupted, "RunDuration", "workshop"), [0.0; 0]);
    assert_eq!(values(&interrupted, "Retries", "unknown"), [1.0]);

    let mut journal = self::interrupted();
    journal.run_started(1000, true);
    journal.step("deploy:A", 1001, 1001, 1001, Went { resumed: true, ..Outcome::Deployed.into() });
    journal.step("deploy:B", 1001, 1001, 1050, Outcome::Deployed);
    journal.step("deploy:C", 1001, 1001, 1030, Outcome::Deployed);
    journal.run_finished(1060, 1000, 0);
    let resumed = of(&journal.events());
    assert_eq!(values(&resumed, "Runs", "done"), [1.0]);
    assert_eq!(values(&resumed, "Stacks", "deployed"), [2.0]);
    assert_eq!(values(&resumed, "StackDuration", "A"), [0.0; 0]);
    assert_eq!(values(&resumed, "StackDuration", "C"), [29.0]);
    assert_eq!(values(&resumed, "Retries", "unknown"), [0.0; 0]);
    // The duration of the run covers both processes, without the time between them.
    assert_eq!(of_deployment(&resumed, "RunDuration"), [130.0]);
}

#[test]
fn only_stacks_that_shared_their_time_with_another_one_are_parallel_completions() {
    let mut journal = three();
    journal.run_started(0, false);
    journal.step("deploy:A", 0, 0, 60, Outcome::Deployed);
    journal.step("deploy:C", 0, 0, 50, Outcome::Deployed);
    journal.step("deploy:B", 60, 60, 90, Outcome::Deployed);
    journal.run_finished(90, 0, 0);
    let metrics = of(&journal.events());
    assert_eq!(of_deployment(&metrics, "ParallelCompletions"), [2.0]);
    assert_eq!(of_deployment(&metrics, "CriticalPath"), [90.0]);
    assert_eq!(of_deployment(&metrics, "TimeSaved"), [50.0]);
}

#[test]
fn a_bake_is_no_time_that_another_order_would_have_saved() {
    assert_eq!(of_deployment(&of(&runs::rolled_out()), "TimeSaved"), [240.0]);
}

#[test]
fn failures_of_new_roles_and_timeouts_are_told_by_the_reasons_of_resources() {
    let mut journal = three();
    journal.run_started(0, false);
    journal.step("deploy:A", 0, 0, 60, Outcome::Deployed);
    for (at, resource, reason) in [
        (10, "Function", "The role defined for the function cannot be assumed by Lambda."),
        (20, "Wait", "WaitCondition timed out. Received 0 conditions when expecting 1"),
        (30, "Bucket", "Resource creation cancelled"),
        (40, "Name", "it exists already"),
    ] {
        journal.progress_because("deploy:A", at, (resource, "AWS::X::Y"), "CREATE_FAILED", 0, Some(reason));
    }
    journal.run_finished(90, 0, 0);
    let metrics = of(&journal.events());
    assert_eq!(of_deployment(&metrics, "IamConsistencyFailures"), [1.0]);
    assert_eq!(of_deployment(&metrics, "ResourceTimeouts"), [1.0]);
    assert_eq!(values(&metrics, "StackEvents", "AWS::X::Y"), [4.0]);
}

#[test]
fn retries_have_a_class_throttles_an_operation_and_builds_phases() {
    let mut journal = three();
    journal.run_started(0, false);
    journal.step("deploy:A", 0, 0, 60, Outcome::Deployed);
    journal.retried("deploy:A", 10, 2, "CreateStack: Rate exceeded");
    journal.retried("deploy:A", 11, 3, "CreateStack: Rate exceeded");
    let phase = |name: &str, status: Option<&str>, duration_s| BuildPhase {
        name: name.to_owned(),
        status: status.map(str::to_owned),
        duration_s,
    };
    let phases = vec![phase("PROVISIONING", Some("SUCCEEDED"), 17.5), phase("BUILD", None, 3.0)];
    journal.fact(1, Fact::BuildPhases(BuildPhases { build: "workshop:1f2e".to_owned(), phases }));
    let operations = BTreeMap::from([("DescribeStacks".to_owned(), 3), ("CreateStack".to_owned(), 2)]);
    journal.fact(90, Fact::CallsThrottled { operations });
    journal.run_finished(90, 0, 0);
    let mut events = journal.events();
    for event in &mut events {
        if let Fact::StepRetried(retried) = &mut event.fact {
            retried.class = Some(RetryClass::Throttled);
        }
    }
    let metrics = of(&events);
    assert_eq!(values(&metrics, "Retries", "throttled"), [2.0]);
    assert_eq!(values(&metrics, "Throttles", "DescribeStacks"), [3.0]);
    assert_eq!(values(&metrics, "Throttles", "CreateStack"), [2.0]);
    assert_eq!(values(&metrics, "BuildPhaseDuration", "PROVISIONING"), [17.5]);
    // The phase that the run is a part of has not ended.
    assert_eq!(values(&metrics, "BuildPhaseDuration", "BUILD"), [0.0; 0]);
}

#[test]
fn a_large_run_has_few_metrics() {
    let mut journal = Journal::default();
    let names: Vec<String> = (0..300).map(|n| format!("Stack{n}")).collect();
    for name in &names {
        journal.stack(name, "eu-west-1", &[], 60.0);
    }
    journal.run_started(0, false);
    for (n, name) in names.iter().enumerate() {
        let id = format!("deploy:{name}");
        journal.step(&id, 0, 0, 60, Outcome::Deployed);
        let kind = format!("Custom::T{n}");
        journal.progress(&id, 10, ("R", kind.as_str()), "CREATE_IN_PROGRESS", 0);
    }
    journal.run_finished(90, 0, 0);
    let metrics = of(&journal.events());
    assert!(metrics.len() < 100, "{}", metrics.len());
    assert_eq!(values(&metrics, "StackDuration", "eu-west-1").len(), 300);
    assert_eq!(values(&metrics, "StackEvents", "Other"), [250.0]);
}

#[test]
fn dimensions_are_what_cloudwatch_takes() {
    let mut journal = Journal::default();
    journal.stack("Größe\u{7}", "eu-west-1", &[], 60.0);
    journal.run_started(0, false);
    journal.step("deploy:Größe\u{7}", 0, 0, 60, Outcome::Deployed);
    journal.run_finished(90, 0, 0);
    assert_eq!(values(&of(&journal.events()), "StackDuration", "Gr??e?"), [60.0]);
}

#[test]
fn each_line_of_the_embedded_format_is_an_object_whose_metrics_have_the_same_dimensions() {
    let at = "2026-01-01T00:00:00Z".parse().unwrap();
    let metrics = of(&runs::good());
    let text = emf(&metrics, "Paceline", "r1", at);
    let mut found = 0;
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["_aws"]["Timestamp"], 1_767_225_600_000_i64);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "Paceline");
        for dimension in directive["Dimensions"][0].as_array().unwrap() {
            assert!(line[dimension.as_str().unwrap()].is_string(), "{line}");
        }
        for metric in directive["Metrics"].as_array().unwrap() {
            let value = &line[metric["Name"].as_str().unwrap()];
            found += value.as_array().map_or(1, Vec::len);
            assert!(value.is_number() || value.as_array().is_some_and(|it| it.len() <= 100), "{line}");
        }
    }
    assert_eq!(found, metrics.iter().map(|metric| metric.values.len()).sum::<usize>());
    insta::assert_snapshot!(text.lines().next().unwrap(), @r#"{"CriticalPath":1679.0,"Deployment":"workshop","IamConsistencyFailures":0.0,"IamRoleWait":24.0,"ParallelCompletions":3.0,"ResourceTimeouts":0.0,"Run":"r1","RunDuration":1702.0,"TimeSaved":619.0,"_aws":{"CloudWatchMetrics":[{"Dimensions":[["Deployment"]],"Metrics":[{"Name":"RunDuration","Unit":"Seconds"},{"Name":"CriticalPath","Unit":"Seconds"},{"Name":"TimeSaved","Unit":"Seconds"},{"Name":"IamRoleWait","Unit":"Seconds"},{"Name":"IamConsistencyFailures","Unit":"Count"},{"Name":"ResourceTimeouts","Unit":"Count"},{"Name":"ParallelCompletions","Unit":"Count"}],"Namespace":"Paceline"}],"Timestamp":1767225600000}}"#);
}

#[test]
fn every_metric_is_documented_with_its_unit_and_its_dimensions() {
    let page = include_str!("../../../../docs/metrics.md");
    for kind in MetricKind::ALL {
        let dimensions: Vec<String> = kind.dimensions.iter().map(|name| format!("`{name}`")).collect();
        let row = format!("| `{}` | {} | {} |", kind.name, kind.unit.as_str(), dimensions.join(", "));
        assert!(page.contains(&row), "{row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `") && line.contains("`Deployment`"));
    assert_eq!(rows.count(), MetricKind::ALL.len());
}
