//! The JSON Schema of an event. `docs/events.md` says which kind of event has which of the fields.

use std::collections::BTreeMap;

use paceline_text::{Documented, object_schema, property_schema};
use serde_json::{Value, json};

use super::{Fact, Limit, Outcome, RetryClass, SCHEMA, StepKind, UsualSource};

type Property = (&'static str, bool, Value);

/// The JSON Schema of an event, which is one line of `--events FILE` and of `--format json`.
pub fn json_schema() -> Value {
    let about = "An event of a run of Paceline: one line. Times are in seconds. Every event has the first fields; which \
                 kind has which of the others is in docs/events.md. A newer version may add kinds and fields.";
    let properties = [every_event(), of_step(), of_stack(), of_run()].concat();
    let mut schema = object_schema(&[about], properties);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Event of a run of Paceline");
    schema["properties"]["schema"]["const"] = json!(SCHEMA);
    schema
}

fn every_event() -> Vec<Property> {
    vec![
        field::<u32>("schema", "The version of this format."),
        field::<String>("run", "The name of the run; empty for `paceline watch` of stacks."),
        field::<u64>("seq", "Counts from 1 without gaps within the run."),
        field::<String>("at", "When it happened: RFC 3339 with milliseconds, in UTC."),
        field::<String>("event", &format!("The kind of event: {}.", words(Fact::KINDS))),
    ]
}

fn of_step() -> Vec<Property> {
    let [waited, kept, cause] = [waited(), kept(), cause()];
    let outcomes = Outcome::ALL.iter().map(|outcome| outcome.as_str());
    let classes = RetryClass::KNOWN.iter().map(RetryClass::as_str);
    [
        ref_of_step(false),
        vec![
            part("waited", "The limits that the step waited for.", list_of(&waited)),
            optional::<String>("outcome", &format!("How the step ended: {}.", words(outcomes))),
            part("cause", "The first cause of a failure.", cause),
            optional::<String>(
                "because",
                "The id of the step because of which it was skipped, or must wait again.",
            ),
            optional::<String>("detail", "What the step found, in a few words."),
            optional::<f64>("duration_s", "How long the step or this part of the run took."),
            optional::<f64>("queued_s", "How long the step was ready before it started."),
            optional::<bool>(
                "resumed",
                "Whether the run is resumed, or had done the step before an interruption.",
            ),
            optional::<BTreeMap<String, String>>("outputs", "The outputs of the stack."),
            optional::<String>("reason", "Why: of a retry, a stop, a status of a resource, an approval."),
            optional::<String>("class", &format!("What went wrong before a retry: {}.", words(classes))),
            optional::<u32>("attempt", "The attempt that follows; the first retry is 2."),
            optional::<f64>("wait_s", "The pause before the attempt."),
            optional::<bool>("refused", "Whether AWS refused the call before the retry and did nothing."),
            optional::<Vec<String>>("after", "The ids of the steps that must end before the retry."),
            part("kept", "What a retry does not have to do again.", kept),
            optional::<String>("message", "The warning, in one sentence."),
            part("stuck", "The resource that takes much longer than usual.", stuck()),
            optional::<String>("line", "The line that a command printed."),
        ],
    ]
    .concat()
}

fn of_stack() -> Vec<Property> {
    vec![
        optional::<String>("operation", "The call that changes the stack, such as create or update."),
        optional::<String>("token", "The client request token of the call."),
        optional::<String>("stack_id", "The id of the stack in AWS."),
        optional::<String>("logical_id", "The logical id of the resource, or the name of the stack itself."),
        optional::<String>("resource_type", "The type of the resource."),
        optional::<String>("status", "The status of the resource, such as CREATE_COMPLETE."),
        optional::<usize>("done", "The number of resources of the stack that are complete."),
        optional::<usize>("total", "The number of resources of the stack."),
        optional::<bool>(
            "unconfirmed",
            "Whether the event may belong to an operation that the step did not start.",
        ),
        optional::<String>(
            "happened_at",
            "When the resource changed, as CloudFormation says: RFC 3339 in UTC.",
        ),
    ]
}

fn of_run() -> Vec<Property> {
    let phase = object_schema(
        &["A phase of the plan, or of a CodeBuild build."],
        [
            field::<String>("name", "Its name."),
            optional::<Vec<String>>("stacks", "The ids of its stacks."),
            optional::<String>("status", "How the phase of the build ended; missing while it runs."),
            optional::<f64>("duration_s", "How long the phase of the build took so far."),
        ],
    );
    vec![
        optional::<String>("paceline", "The version of Paceline."),
        optional::<String>("app", "The folder of the assembly, as it was given."),
        optional::<String>("plan", "The digest of the plan."),
        optional::<u64>("order", "The number of this start among all starts in a folder of runs."),
        optional::<String>("endpoint", "The endpoint, if it is not AWS itself."),
        optional::<String>("undoes", "The run that this run rolls back."),
        optional::<bool>("prepares", "Whether the run only prepares a deployment."),
        optional::<String>("executes", "The prepared run whose change sets this run executes."),
        optional::<bool>("simulated", "Whether the run is simulated."),
        optional::<f64>("lease_wait_s", "How long the run waited for the leases of other runs."),
        optional::<String>("strategy", "What decides when a stack may start: graph or phases."),
        part("phases", "The phases of the plan or of the build, in their order.", list_of(&phase)),
        part("steps", "Every step of the run, after those that it needs.", list_of(&planned_step())),
        part(
            "settings",
            "The settings of the run, to say what has changed when it is resumed.",
            json!({ "type": "object" }),
        ),
        optional::<String>("rule", "What the policy refuses and somebody let through."),
        optional::<String>("by", "The ARN of the caller who let it through."),
        optional::<Vec<String>>("what", "What was let through, one sentence each."),
        optional::<String>("build", "The id of the CodeBuild build."),
        optional::<usize>("running", "The number of steps that are being performed."),
        optional::<BTreeMap<String, u64>>("operations", "How often AWS asked for fewer calls, by operation."),
        optional::<BTreeMap<String, usize>>("stacks", "How many stacks ended in which outcome."),
        optional::<u32>("exit_code", "The exit code of the command."),
        optional::<Vec<String>>("waits_for", "The stacks that a sleeping run waits for."),
    ]
}

/// The fields that name a step.
fn ref_of_step(is_required: bool) -> Vec<Property> {
    let kinds = StepKind::KNOWN.iter().map(StepKind::as_str);
    let mut named = vec![
        field::<String>("step", "The id of the step, such as deploy:Services."),
        field::<String>("kind", &format!("What the step does: {}.", words(kinds))),
        field::<String>("title", "The name of the step for people."),
    ];
    for (_, required, _) in &mut named {
        *required = is_required;
    }
    named.extend([
        optional::<String>("asset", "The kind of asset that is published: file or image."),
        optional::<String>("stack", "The id of the stack."),
        optional::<String>("stack_name", "The CloudFormation name of the stack."),
        optional::<String>("account", "The account."),
        optional::<String>("region", "The region."),
        optional::<String>("phase", "The phase of the stack."),
    ]);
    named
}

fn planned_step() -> Value {
    let planned = [
        field::<Vec<String>>("needs", "The ids of the steps that it needs."),
        field::<f64>("expected_s", "The forecast of its duration."),
        optional::<String>("content", "The start of the digest of the stack or the asset."),
        optional::<String>("identity", "The digest of everything that decides what the step does."),
    ];
    object_schema(&["A step of the plan."], ref_of_step(true).into_iter().chain(planned))
}

fn waited() -> Value {
    let limits = words(Limit::KNOWN.iter().map(Limit::as_str));
    object_schema(
        &["A limit that a step waited for."],
        [field::<String>("limit", &format!("The limit: {limits}.")), field::<f64>("waited_s", "The time.")],
    )
}

fn kept() -> Value {
    object_schema(
        &["The finished resources of a stack that is continued from the point of its failure."],
        [
            field::<usize>("resources", "The number of resources that stay as they are."),
            field::<usize>("of", "The number of resources of the stack."),
            field::<f64>("saved_s", "The time that their work took."),
        ],
    )
}

fn cause() -> Value {
    object_schema(
        &["The first cause of a failure."],
        [
            optional::<String>("at", "The resource or the call that failed."),
            field::<String>("message", "The error."),
            optional::<String>("hint", "What to do about it."),
            optional::<bool>("preflight", "Whether nothing had been changed yet."),
            optional::<String>("source", "The place in the app's source that made the resource."),
            part("service", "What the service of the resource says.", service()),
        ],
    )
}

fn stuck() -> Value {
    let sources = words(UsualSource::KNOWN.iter().map(UsualSource::as_str));
    object_schema(
        &["A resource that takes much longer than usual."],
        [
            field::<String>("logical_id", "The logical id."),
            field::<String>("resource_type", "The type."),
            optional::<String>("physical_id", "The physical id, if it has one already."),
            field::<String>("status", "The status, such as CREATE_IN_PROGRESS."),
            field::<f64>("taken_s", "The time that it has taken so far."),
            field::<f64>("usual_s", "The time that it usually takes."),
            field::<String>("usual_from", &format!("The source of the usual time: {sources}.")),
            field::<usize>("samples", "The number of earlier times; 0 for the table."),
            part("service", "What the service of the resource says.", service()),
        ],
    )
}

fn service() -> Value {
    let reason = object_schema(
        &["A reason that a service gives."],
        [
            field::<String>("reason", "The reason."),
            field::<usize>("count", "How often the service gives it."),
        ],
    );
    object_schema(
        &["What a service says about a resource."],
        [
            field::<String>("name", "The name of the service."),
            optional::<String>("state", "The state of the resource."),
            part("reasons", "The newest distinct reasons, the newest first.", list_of(&reason)),
            optional::<String>("not_asked", "Why the service could not be asked."),
        ],
    )
}

fn field<T: Documented>(name: &'static str, doc: &str) -> Property {
    property_schema::<T>(name, &[doc])
}

fn optional<T: Documented>(name: &'static str, doc: &str) -> Property {
    field::<Option<T>>(name, doc)
}

/// An optional field with a schema of its own.
fn part(name: &'static str, doc: &str, mut schema: Value) -> Property {
    schema["description"] = json!(doc);
    (name, false, schema)
}

fn list_of(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(", ")
}
