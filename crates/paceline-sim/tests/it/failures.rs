//! The handling of resources that fail.

use std::time::Duration;

use paceline_sim::{Durations, Failure, Faults, Operation, SimOptions};
use serde_json::json;

use crate::support::{Aws, parameter, with_template};

fn failing(id: &str, operation: Option<Operation>, times: u32) -> Faults {
    let failure = Failure {
        stack: "S".to_owned(),
        logical_id: id.to_owned(),
        operation,
        reason: "The role defined for the function cannot be assumed by Lambda.".to_owned(),
        times,
    };
    Faults { failures: vec![failure], ..Faults::default() }
}

fn aws_with(faults: Faults) -> Aws {
    let durations = ["T::Slow::Slow", "T::Fast::Fast"]
        .iter()
        .zip([60, 5])
        .fold(Durations::typical(), |durations, (kind, seconds)| {
            durations.with(kind, Operation::Create, Duration::from_secs(seconds))
        });
    Aws::new(SimOptions { faults, durations, throttling: false, ..SimOptions::default() })
}

#[test]
fn a_failed_creation_cancels_the_rest_and_rolls_back() {
    let aws = aws_with(failing("Bad", None, 1));
    let template = json!({"Resources": {
        "Done": parameter("/done", "x"),
        "Bad": {"Type": "T::Fast::Fast", "DependsOn": "Done"},
        "Slow": {"Type": "T::Slow::Slow"},
        "Never": {"Type": "T::Fast::Fast", "DependsOn": "Bad"},
    }});
    aws.create("S", &template);
    assert_eq!(aws.settle("S"), "ROLLBACK_COMPLETE");
    let events = aws.events("S");
    let failed: Vec<&String> = events.iter().filter(|event| event.contains("CREATE_FAILED")).collect();
    assert_eq!(
        failed,
        [
            "Bad CREATE_FAILED The role defined for the function cannot be assumed by Lambda.",
            "Slow CREATE_FAILED Resource creation cancelled",
        ]
    );
    let rollback = "S ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Bad, Slow]. Rollback requested by user.";
    assert!(events.iter().any(|event| event == rollback), "{events:?}");
    assert!(!events.iter().any(|event| event.starts_with("Never ")));
    assert_eq!(aws.parameter("/done"), None, "what was created is taken back");

    let body = template.to_string();
    let refused = aws.refused("UpdateStack", &with_template("S", &body));
    assert!(refused.ends_with("is in ROLLBACK_COMPLETE state and can not be updated."), "{refused}");
    aws.cfn("DeleteStack", &[("StackName", "S")]);
    aws.settle("S");
    aws.create("S", &template);
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE", "the fault was for one time");
}

#[test]
fn without_rollback_other_branches_finish_and_an_update_continues() {
    let aws = aws_with(failing("Bad", None, 1));
    let template = json!({"Resources": {
        "Bad": {"Type": "T::Fast::Fast"},
        "After": {"Type": "T::Fast::Fast", "DependsOn": "Bad"},
        "Slow": {"Type": "T::Slow::Slow"},
        "Last": {"Type": "T::Fast::Fast", "DependsOn": "Slow"},
    }})
    .to_string();
    let mut request = with_template("S", &template);
    request.push(("DisableRollback", "true"));
    aws.cfn("CreateStack", &request);
    assert_eq!(aws.settle("S"), "CREATE_FAILED");
    let before = aws.events("S");
    assert!(before.contains(&"Last CREATE_COMPLETE".to_owned()), "the other branch went on to its end");
    assert!(!before.iter().any(|event| event.starts_with("After ")));
    let refused = aws.refused("UpdateStack", &with_template("S", &template));
    assert!(refused.contains("non-terminal [CREATE_FAILED] state"), "{refused}");
    let slow = aws.physical("S", "Slow");
    aws.cfn("UpdateStack", &request);
    assert_eq!(aws.settle("S"), "UPDATE_COMPLETE");
    assert_eq!(aws.physical("S", "Slow"), slow);
    let more = &aws.events("S")[before.len()..];
    assert!(more.contains(&"After CREATE_COMPLETE".to_owned()));
    assert!(!more.iter().any(|event| event.starts_with("Slow ")), "what is complete is not touched");
}

#[test]
fn a_creation_that_says_do_nothing_cannot_be_continued() {
    let aws = aws_with(failing("Bad", None, 1));
    let template = json!({"Resources": {"Bad": {"Type": "T::Fast::Fast"}}}).to_string();
    let mut request = with_template("S", &template);
    request.push(("OnFailure", "DO_NOTHING"));
    aws.cfn("CreateStack", &request);
    assert_eq!(aws.settle("S"), "CREATE_FAILED");
    *request.last_mut().unwrap() = ("DisableRollback", "true");
    let refused = aws.refused("UpdateStack", &request);
    assert!(refused.contains("because it contains [on-failure: DO_NOTHING]"), "{refused}");
}

#[test]
fn a_continued_creation_that_fails_again_is_deleted_by_its_rollback() {
    let aws = aws_with(failing("Bad", None, 9));
    let template =
        json!({"Resources": {"Good": {"Type": "T::Fast::Fast"}, "Bad": {"Type": "T::Fast::Fast"}}});
    let template = template.to_string();
    let mut request = with_template("S", &template);
    request.push(("DisableRollback", "true"));
    aws.cfn("CreateStack", &request);
    assert_eq!(aws.settle("S"), "CREATE_FAILED");
    aws.cfn("UpdateStack", &request);
    assert_eq!(aws.settle("S"), "UPDATE_FAILED");
    aws.cfn("RollbackStack", &[("StackName", "S")]);
    assert_eq!(aws.settle("S"), "DELETE_COMPLETE");
}

#[test]
fn nothing_is_replaced_while_rollback_is_disabled() {
    let aws = aws_with(Faults::default());
    let template = |name: &str| json!({"Resources": {"P": parameter(name, "v")}});
    aws.create("S", &template("/one"));
    aws.settle("S");
    let body = template("/two").to_string();
    let mut request = with_template("S", &body);
    request.push(("DisableRollback", "true"));
    aws.cfn("UpdateStack", &request);
    assert_eq!(aws.settle("S"), "UPDATE_FAILED");
    let no = "P UPDATE_FAILED Replacement type updates not supported on stack with disable-rollback.";
    assert!(aws.events("S").iter().any(|event| event == no), "{:?}", aws.events("S"));
    aws.cfn("RollbackStack", &[("StackName", "S")]);
    assert_eq!(aws.settle("S"), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(aws.parameter("/one").as_deref(), Some("v"));
}

#[test]
fn rolling_back_a_failed_creation_deletes_the_stack() {
    let aws = aws_with(failing("Bad", None, 9));
    let template = json!({"Resources": {"Bad": {"Type": "T::Fast::Fast"}}}).to_string();
    let mut request = with_template("S", &template);
    request.push(("OnFailure", "DO_NOTHING"));
    aws.cfn("CreateStack", &request);
    aws.settle("S");
    aws.cfn("RollbackStack", &[("StackName", "S")]);
    assert_eq!(aws.settle("S"), "DELETE_COMPLETE");
    *request.last_mut().unwrap() = ("OnFailure", "DELETE");
    aws.cfn("CreateStack", &request);
    assert_eq!(aws.settle("S"), "DELETE_COMPLETE");
}

#[test]
fn a_failed_update_is_rolled_back() {
    let aws = aws_with(Faults::default());
    let template = |value: &str, bad: &str| {
        json!({"Resources": {
            "P": parameter("/p", value),
            "Bad": {"Type": "T::Fast::Fast", "DependsOn": "P", "Properties": {"x": bad}},
        }})
    };
    aws.create("S", &template("old", "1"));
    aws.settle("S");
    aws.sim.set_faults(failing("Bad", Some(Operation::Update), 1));
    let mut update = template("new", "2");
    update["Resources"]["Extra"] = parameter("/extra", "x");
    aws.update("S", &update);
    assert_eq!(aws.settle("S"), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(aws.parameter("/p").as_deref(), Some("old"));
    assert_eq!(aws.parameter("/extra"), None);
    assert!(aws.cfn("GetTemplate", &[("StackName", "S")]).contains("&quot;old&quot;"));
    aws.update("S", &update);
    assert_eq!(aws.settle("S"), "UPDATE_COMPLETE");
    assert_eq!(aws.parameter("/p").as_deref(), Some("new"));
}

#[test]
fn a_rollback_that_fails_can_be_continued() {
    let aws = aws_with(Faults::default());
    let template = |value: &str| {
        json!({"Resources": {
            "A": {"Type": "T::Fast::Fast", "Properties": {"x": value}},
            "B": {"Type": "T::Fast::Fast", "Properties": {"x": value}, "DependsOn": "A"},
        }})
    };
    aws.create("S", &template("1"));
    aws.settle("S");
    let mut faults = failing("B", Some(Operation::Update), 1);
    faults.failures.extend(failing("A", Some(Operation::Update), 2).failures);
    // `A` has to work once before `B` fails. Then the rollback of `A` fails.
    let (b, a) = (faults.failures.remove(0), faults.failures.remove(0));
    aws.sim.set_faults(Faults { failures: vec![b], ..Faults::default() });
    aws.update("S", &template("2"));
    aws.until("S", "UPDATE_ROLLBACK_IN_PROGRESS");
    aws.sim.set_faults(Faults { failures: vec![a], ..Faults::default() });
    assert_eq!(aws.settle("S"), "UPDATE_ROLLBACK_FAILED");
    aws.cfn("ContinueUpdateRollback", &[("StackName", "S")]);
    assert_eq!(aws.settle("S"), "UPDATE_ROLLBACK_FAILED");
    aws.cfn("ContinueUpdateRollback", &[("StackName", "S"), ("ResourcesToSkip.member.1", "A")]);
    assert_eq!(aws.settle("S"), "UPDATE_ROLLBACK_COMPLETE");
}

#[test]
fn a_failed_deletion_can_retain_what_it_cannot_delete() {
    let aws = aws_with(failing("Stuck", Some(Operation::Delete), 9));
    aws.create("S", &json!({"Resources": {"Stuck": {"Type": "T::Fast::Fast"}, "P": parameter("/p", "x")}}));
    aws.settle("S");
    aws.cfn("DeleteStack", &[("StackName", "S")]);
    assert_eq!(aws.settle("S"), "DELETE_FAILED");
    assert_eq!(aws.parameter("/p"), None);
    aws.cfn("DeleteStack", &[("StackName", "S"), ("RetainResources.member.1", "Stuck")]);
    assert_eq!(aws.settle("S"), "DELETE_COMPLETE");
}

#[test]
fn a_stack_can_be_deleted_during_its_creation() {
    let aws = aws_with(Faults::default());
    aws.create("S", &json!({"Resources": {"P": parameter("/p", "x"), "Slow": {"Type": "T::Slow::Slow"}}}));
    aws.pass(Duration::from_secs(30));
    assert_eq!(aws.parameter("/p").as_deref(), Some("x"));
    aws.cfn("DeleteStack", &[("StackName", "S")]);
    assert_eq!(aws.settle("S"), "DELETE_COMPLETE");
    assert_eq!(aws.parameter("/p"), None);
}

#[test]
fn faults_are_reported_as_aws_reports_them() {
    let aws = aws_with(Faults { expired_tokens: true, ..Faults::default() });
    let (status, body) = aws.query_in("us-east-1", "cloudformation", "DescribeStacks", &[]);
    assert_eq!((status, body.contains("<Code>ExpiredToken</Code>")), (403, true));
    aws.sim.set_faults(Faults {
        denied: vec![("cloudformation".into(), "ListStacks".into())],
        ..Faults::default()
    });
    let (status, body) = aws.query_in("us-east-1", "cloudformation", "ListStacks", &[]);
    assert_eq!(
        (status, body.contains("is not authorized to perform: cloudformation:ListStacks")),
        (403, true)
    );
    aws.sim.set_faults(Faults { server_errors: 1.0, ..Faults::default() });
    assert_eq!(aws.query_in("us-east-1", "cloudformation", "ListStacks", &[]).0, 500);
    aws.sim.set_faults(Faults { throttle: 1.0, ..Faults::default() });
    assert_eq!(aws.refused("ListStacks", &[]), "Throttling: Rate exceeded");
}
