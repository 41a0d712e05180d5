//! Updates, with and without change sets.

use std::time::Duration;

use serde_json::json;

use crate::support::{Aws, field, members, parameter, with_template};

#[test]
fn an_update_touches_only_what_changed() {
    let aws = Aws::calm();
    aws.create("S", &json!({"Resources": {
        "Same": parameter("/same", "x"), "Changed": parameter("/changed", "1"), "Removed": parameter("/removed", "x"),
        "Renamed": parameter("/old", "x"),
    }}));
    aws.settle("S");
    let before = aws.events("S").len();
    aws.update("S", &json!({"Resources": {
        "Same": parameter("/same", "x"), "Changed": parameter("/changed", "2"), "Added": parameter("/added", "x"),
        "Renamed": parameter("/new", "x"),
    }}));
    assert_eq!(aws.settle("S"), "UPDATE_COMPLETE");
    let events = &aws.events("S")[before..];
    assert!(!events.iter().any(|event| event.starts_with("Same ")));
    let at = |event: &str| {
        events
            .iter()
            .position(|line| line.starts_with(event))
            .unwrap_or_else(|| panic!("{event}: {events:?}"))
    };
    assert!(at("Changed UPDATE_COMPLETE") < at("S UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"));
    assert!(at("S UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") < at("Removed DELETE_COMPLETE"));
    assert!(
        at("Renamed UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource")
            < at("Renamed DELETE_COMPLETE")
    );
    let values = ["/changed", "/added", "/removed", "/old", "/new"].map(|name| aws.parameter(name).is_some());
    assert_eq!(values, [true, true, false, false, true]);
    let described = aws.cfn("DescribeStackResources", &[("StackName", "S")]);
    assert_eq!(members(&described, "StackResources").len(), 4, "{described}");
}

#[test]
fn an_update_can_be_cancelled() {
    let aws = Aws::calm();
    aws.create("S", &json!({"Resources": {"P": parameter("/p", "1"), "Q": {"Type": "AWS::SNS::Topic"}}}));
    aws.settle("S");
    aws.update("S", &json!({"Resources": {"P": parameter("/p", "2"), "Q": {"Type": "AWS::SNS::Topic"}, "D": {"Type": "AWS::RDS::DBInstance", "DependsOn": "P"}}}));
    aws.pass(Duration::from_mins(1));
    assert_eq!(aws.parameter("/p").as_deref(), Some("2"));
    aws.cfn("CancelUpdateStack", &[("StackName", "S")]);
    assert_eq!(aws.settle("S"), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(aws.parameter("/p").as_deref(), Some("1"));
    let refused = aws.refused("CancelUpdateStack", &[("StackName", "S")]);
    assert!(
        refused.contains(
            "CancelUpdateStack cannot be called from current stack status UPDATE_ROLLBACK_COMPLETE"
        )
    );
}

#[test]
fn a_creation_ends_at_its_time_limit() {
    let template = json!({"Resources": {"D": {"Type": "AWS::RDS::DBInstance"}}}).to_string();
    let with = |name: &'static str, more: &[(&'static str, &'static str)]| {
        let aws = Aws::calm();
        let mut request = with_template(name, &template);
        request.extend_from_slice(more);
        aws.cfn("CreateStack", &request);
        (aws.settle(name), aws)
    };
    let (status, aws) = with("S", &[("TimeoutInMinutes", "2")]);
    assert_eq!(status, "ROLLBACK_COMPLETE");
    let events = aws.cfn("DescribeStackEvents", &[("StackName", "S")]);
    assert!(
        events.contains("Stack creation time exceeded the specified timeout. Rollback requested by user."),
        "{events}"
    );
    assert!(events.contains("Resource creation cancelled"), "{events}");
    assert_eq!(with("S", &[("TimeoutInMinutes", "2"), ("OnFailure", "DO_NOTHING")]).0, "CREATE_FAILED");
    assert_eq!(with("S", &[("TimeoutInMinutes", "600")]).0, "CREATE_COMPLETE");
    let mut request = with_template("T", &template);
    request.push(("TimeoutInMinutes", "0"));
    assert!(aws.refused("CreateStack", &request).contains("'timeoutInMinutes' failed to satisfy"));
}

#[test]
fn a_change_set_shows_its_changes_and_makes_them() {
    let aws = Aws::calm();
    aws.create("S", &json!({"Resources": {"A": parameter("/a", "1"), "B": parameter("/b", "1")}}));
    aws.settle("S");
    let template = json!({"Resources": {"A": parameter("/a", "2"), "C": parameter("/c", "1")}}).to_string();
    let mut request = with_template("S", &template);
    request.push(("ChangeSetName", "one"));
    let arn = field(&aws.cfn("CreateChangeSet", &request), "Id");
    let describe = |name: &str| aws.cfn("DescribeChangeSet", &[("ChangeSetName", name), ("StackName", "S")]);
    assert_eq!(field(&describe("one"), "Status"), "CREATE_IN_PROGRESS");
    let refused = aws.refused("ExecuteChangeSet", &[("ChangeSetName", &arn)]);
    assert!(refused.starts_with("InvalidChangeSetStatus"), "{refused}");
    aws.settle("S");
    let described = describe(&arn);
    assert_eq!(
        (field(&described, "Status"), field(&described, "ExecutionStatus")),
        ("CREATE_COMPLETE".into(), "AVAILABLE".into())
    );
    let changes: Vec<String> = members(&described, "Changes")
        .iter()
        .map(|change| field(change, "Action") + " " + &field(change, "LogicalResourceId"))
        .filter(|change| change.len() > 1)
        .collect();
    assert_eq!(changes, ["Modify A", "Add C", "Remove B"]);
    let mut other = with_template("S", &template);
    other.push(("ChangeSetName", "two"));
    aws.cfn("CreateChangeSet", &other);
    let execute = [("ChangeSetName", arn.as_str()), ("ClientRequestToken", "t")];
    aws.cfn("ExecuteChangeSet", &execute);
    aws.cfn("ExecuteChangeSet", &execute);
    let (status, body) = aws.query_in(
        "us-east-1",
        "cloudformation",
        "DescribeChangeSet",
        &[("ChangeSetName", "two"), ("StackName", "S")],
    );
    assert_eq!(
        (status, field(&body, "Code")),
        (404, "ChangeSetNotFound".into()),
        "executing one deletes the others"
    );
    assert_eq!(aws.settle("S"), "UPDATE_COMPLETE");
    assert_eq!(aws.events("S").iter().filter(|event| event.starts_with("S UPDATE_COMPLETE")).count(), 2);
    // The same template once more changes nothing.
    aws.cfn("CreateChangeSet", &request);
    aws.settle("S");
    let described = describe("one");
    assert_eq!(field(&described, "Status"), "FAILED");
    assert!(
        field(&described, "StatusReason").starts_with("The submitted information didn't contain changes.")
    );
}

#[test]
fn a_change_set_can_create_a_stack() {
    let aws = Aws::calm();
    let template = json!({"Resources": {"A": parameter("/a", "1")}}).to_string();
    let mut request = with_template("S", &template);
    request.extend([("ChangeSetName", "one"), ("ClientToken", "t")]);
    assert_eq!(aws.refused("CreateChangeSet", &request), "ValidationError: Stack [S] does not exist");
    request.push(("ChangeSetType", "CREATE"));
    let first = aws.cfn("CreateChangeSet", &request);
    assert_eq!(field(&aws.cfn("CreateChangeSet", &request), "Id"), field(&first, "Id"));
    assert_eq!(aws.status("S"), "REVIEW_IN_PROGRESS");
    aws.settle("S");
    aws.cfn("ExecuteChangeSet", &[("ChangeSetName", "one"), ("StackName", "S")]);
    assert_eq!(aws.settle("S"), "CREATE_COMPLETE");
}

#[test]
fn an_update_can_keep_earlier_parameter_values() {
    let aws = Aws::calm();
    let template = json!({
        "Parameters": {"V": {"Type": "String", "Default": "default"}},
        "Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/p", "Value": {"Ref": "V"}}}},
    });
    let body = template.to_string();
    let mut request = with_template("S", &body);
    request
        .extend([("Parameters.member.1.ParameterKey", "V"), ("Parameters.member.1.ParameterValue", "given")]);
    aws.cfn("CreateStack", &request);
    aws.settle("S");
    let keep = [
        ("StackName", "S"),
        ("UsePreviousTemplate", "true"),
        ("Parameters.member.1.ParameterKey", "V"),
        ("Parameters.member.1.UsePreviousValue", "true"),
    ];
    assert_eq!(aws.refused("UpdateStack", &keep), "ValidationError: No updates are to be performed.");
    let mut tagged = keep.to_vec();
    tagged.extend([("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]);
    aws.cfn("UpdateStack", &tagged);
    assert_eq!(aws.settle("S"), "UPDATE_COMPLETE");
    assert_eq!(aws.parameter("/p").as_deref(), Some("given"));
    let unknown = [
        ("StackName", "S"),
        ("UsePreviousTemplate", "true"),
        ("Parameters.member.1.ParameterKey", "Q"),
        ("Parameters.member.1.ParameterValue", "1"),
    ];
    assert_eq!(
        aws.refused("UpdateStack", &unknown),
        "ValidationError: Parameters: [Q] do not exist in the template"
    );
}

#[test]
fn an_update_makes_the_change_sets_of_the_stack_obsolete() {
    let aws = Aws::calm();
    let template = |value| json!({"Resources": {"A": parameter("/a", value)}});
    aws.create("S", &template("1"));
    aws.settle("S");
    let two = template("2").to_string();
    let mut request = with_template("S", &two);
    request.push(("ChangeSetName", "one"));
    aws.cfn("CreateChangeSet", &request);
    aws.settle("S");
    aws.update("S", &template("3"));
    let named = [("ChangeSetName", "one"), ("StackName", "S")];
    let refusal = aws.refused("ExecuteChangeSet", &named);
    assert!(refusal.starts_with("InvalidChangeSetStatus: "), "{refusal}");
    assert!(
        refusal.ends_with("cannot be executed in its current execution status of [OBSOLETE]"),
        "{refusal}"
    );
    assert_eq!(field(&aws.cfn("ListChangeSets", &[("StackName", "S")]), "ExecutionStatus"), "OBSOLETE");
}

#[test]
fn the_rollback_of_a_cancelled_update_carries_the_token_of_the_cancellation() {
    let aws = Aws::calm();
    let template = |value| json!({"Resources": {"A": parameter("/a", value)}}).to_string();
    aws.cfn("CreateStack", &with_template("S", &template("1")));
    aws.settle("S");
    let two = template("2");
    let mut request = with_template("S", &two);
    request.push(("ClientRequestToken", "theirs"));
    aws.cfn("UpdateStack", &request);
    aws.cfn("CancelUpdateStack", &[("StackName", "S"), ("ClientRequestToken", "mine")]);
    assert_eq!(aws.settle("S"), "UPDATE_ROLLBACK_COMPLETE");
    let events = members(&aws.cfn("DescribeStackEvents", &[("StackName", "S")]), "StackEvents");
    let token = |status: &str| {
        let event = events.iter().find(|event| {
            field(event, "ResourceStatus") == status && field(event, "LogicalResourceId") == "S"
        });
        field(event.unwrap(), "ClientRequestToken")
    };
    assert_eq!(token("UPDATE_IN_PROGRESS"), "theirs");
    assert_eq!(token("UPDATE_ROLLBACK_COMPLETE"), "mine");
}

#[test]
fn a_stack_can_be_named_by_its_one_alias_until_the_alias_is_removed() {
    let aws = Aws::calm();
    let template = json!({"Resources": {"A": parameter("/a", "1")}});
    aws.create("S", &template);
    aws.create("Other", &json!({"Resources": {"A": parameter("/b", "1")}}));
    aws.settle("S");
    aws.cfn("SetAlias", &[("StackName", "S"), ("AliasName", "Second")]);
    let shown = aws.cfn("DescribeStacks", &[("StackName", "Second")]);
    assert_eq!(
        (field(&shown, "StackName"), field(&shown, "AliasName")),
        ("S".to_owned(), "Second".to_owned())
    );
    for (stack, alias) in [("Other", "Second"), ("Other", "S"), ("S", "Third"), ("Nobody", "Third")] {
        aws.refused("SetAlias", &[("StackName", stack), ("AliasName", alias)]);
    }
    let text = template.to_string();
    assert_eq!(
        aws.refused("CreateStack", &with_template("Second", &text)),
        "AlreadyExistsException: Stack [Second] already exists"
    );
    aws.cfn("RemoveAlias", &[("AliasName", "Second")]);
    aws.refused("DescribeStacks", &[("StackName", "Second")]);
    aws.refused("RemoveAlias", &[("AliasName", "Second")]);
}
