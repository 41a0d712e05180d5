//! Runs a state machine of Step Functions: as much of the Amazon States Language as the generated one uses.
//!
//! Anything else in a definition fails the test that runs it.

use serde_json::{Map, Value, json};

/// The end of an execution.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ended {
    Succeeded(Value),
    /// The error, and the input of the state that failed.
    Failed(String, Value),
}

/// Does the work of a task: its resource and its parameters. The error has the name that a catcher looks for.
pub(crate) type Perform<'a> = dyn FnMut(&str, &Value) -> Result<Value, String> + 'a;

/// The most bytes that a state passes on (Step Functions Developer Guide, "Quotas").
const MOST_BYTES: usize = 262_144;

/// Runs a state machine with this input.
pub(crate) fn run(machine: &Value, input: Value, perform: &mut Perform<'_>) -> Ended {
    let mut name = text(&machine["StartAt"]).to_owned();
    let mut data = input;
    // More steps than any generated machine has.
    for _ in 0..10_000 {
        let state = &machine["States"][&name];
        assert!(data.to_string().len() <= MOST_BYTES, "the input of {name} is too large");
        match step(state, data, &Value::Null, perform) {
            Step::Next(next, output) => (name, data) = (next, output),
            Step::End(ended) => return ended,
        }
    }
    panic!("the state machine does not end");
}

enum Step {
    Next(String, Value),
    End(Ended),
}

fn step(state: &Value, input: Value, context: &Value, perform: &mut Perform<'_>) -> Step {
    match text(&state["Type"]) {
        "Pass" => {
            let result = match (state.get("Result"), state.get("Parameters")) {
                (Some(result), None) => result.clone(),
                (None, Some(template)) => filled(template, &input, context),
                (None, None) => input.clone(),
                other => panic!("{other:?}"),
            };
            let output = placed(state, input, result);
            ahead(state, output)
        }
        "Choice" => {
            let chosen = state["Choices"].as_array().unwrap().iter().find(|rule| applies(rule, &input));
            let next = chosen.map_or(&state["Default"], |rule| &rule["Next"]);
            Step::Next(text(next).to_owned(), input)
        }
        "Fail" => Step::End(Ended::Failed(text(&state["Error"]).to_owned(), input)),
        "Map" => {
            let items = look_up(text(&state["ItemsPath"]), &input).unwrap().as_array().unwrap().clone();
            let processor = &state["ItemProcessor"];
            let mut results = Vec::new();
            for (index, item) in items.into_iter().enumerate() {
                let context = json!({ "Map": { "Item": { "Value": item, "Index": index } } });
                let given = state.get("ItemSelector").map_or(item, |it| filled(it, &input, &context));
                match run(processor, given, perform) {
                    Ended::Succeeded(result) => results.push(result),
                    // Without tolerated failures, one failed item fails the state.
                    failed @ Ended::Failed(..) => return Step::End(failed),
                }
            }
            let output = placed(state, input, results.into());
            ahead(state, output)
        }
        "Task" => {
            let parameters = filled(&state["Parameters"], &input, context);
            match perform(text(&state["Resource"]), &parameters) {
                Ok(result) => {
                    let result =
                        state.get("ResultSelector").map_or(result.clone(), |it| filled(it, &result, context));
                    let output = placed(state, input, result);
                    ahead(state, output)
                }
                Err(error) => {
                    let catches = state["Catch"].as_array().map(Vec::as_slice).unwrap_or_default();
                    let takes = |catch: &&Value| {
                        let errors = catch["ErrorEquals"].as_array().unwrap();
                        errors.iter().any(|it| it == "States.ALL" || it == error.as_str())
                    };
                    match catches.iter().find(takes) {
                        Some(catch) => {
                            let caught = json!({ "Error": error, "Cause": "{}" });
                            Step::Next(text(&catch["Next"]).to_owned(), placed(catch, input, caught))
                        }
                        None => Step::End(Ended::Failed(error, input)),
                    }
                }
            }
        }
        other => panic!("a state of the type {other}"),
    }
}

fn ahead(state: &Value, output: Value) -> Step {
    match state.get("Next") {
        Some(next) => Step::Next(text(next).to_owned(), output),
        None => Step::End(Ended::Succeeded(output)),
    }
}

fn applies(rule: &Value, input: &Value) -> bool {
    let found = look_up(text(&rule["Variable"]), input);
    if let Some(expected) = rule.get("IsString") {
        return found.is_some_and(|value| value.is_string()) == expected.as_bool().unwrap();
    }
    // A variable that is not there is an error at run time.
    found.unwrap() == rule["BooleanEquals"]
}

/// Puts a result where `ResultPath` says.
fn placed(state: &Value, mut input: Value, result: Value) -> Value {
    let Some(path) = state.get("ResultPath") else { return result };
    let key = text(path).strip_prefix("$.").unwrap();
    assert!(!key.contains(['.', '[']), "{key}");
    input.as_object_mut().unwrap().insert(key.to_owned(), result);
    input
}

/// A template with the values of its paths: keys that end in `.$`.
fn filled(template: &Value, input: &Value, context: &Value) -> Value {
    match template {
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| match key.strip_suffix(".$") {
                Some(key) => (key.to_owned(), evaluated(text(value), input, context)),
                None => (key.clone(), filled(value, input, context)),
            };
            Value::Object(entries.iter().map(entry).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| filled(item, input, context)).collect(),
        other => other.clone(),
    }
}

/// The value of a path or of an intrinsic function.
fn evaluated(expression: &str, input: &Value, context: &Value) -> Value {
    let of = |path: &str| {
        let found = match path.strip_prefix("$$") {
            Some(rest) => look_up(&format!("${rest}"), context),
            None => look_up(path, input),
        };
        found.unwrap_or_else(|| panic!("{path} is not in {input}"))
    };
    if let Some(arguments) = expression.strip_prefix("States.Array(").and_then(|it| it.strip_suffix(')')) {
        return arguments.split(", ").map(of).collect();
    }
    if let Some(arguments) =
        expression.strip_prefix("States.ArrayContains(").and_then(|it| it.strip_suffix(')'))
    {
        let (path, wanted) = arguments.split_once(", ").unwrap();
        let wanted = wanted.trim_matches('\'');
        return of(path).as_array().unwrap().iter().any(|value| value == wanted).into();
    }
    of(expression)
}

/// The value at a path such as `$.a.b` or `$.a[*].b`.
fn look_up(path: &str, value: &Value) -> Option<Value> {
    let rest = path.strip_prefix('$').unwrap();
    if let Some((before, after)) = rest.split_once("[*]") {
        let list = look_up(&format!("${before}"), value)?;
        let found = list.as_array()?.iter().map(|item| look_up(&format!("${after}"), item));
        return found.collect::<Option<Vec<_>>>().map(Value::from);
    }
    let mut found = value;
    for key in rest.split('.').filter(|key| !key.is_empty()) {
        found = found.get(key)?;
    }
    Some(found.clone())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text, and not {value}"))
}
