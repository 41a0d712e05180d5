//! The stacks of a plan as a list, as `cdk ls` prints it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::model::{Plan, PlannedStack};
use paceline_yaml::inline::word;

/// What a list says about each stack.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListContents {
    /// The name and the environment, too.
    pub long: bool,
    /// The stacks that it waits for, too.
    pub dependencies: bool,
}

/// The ids of the stacks, one a line; with more about each, YAML.
pub fn list(plan: &Plan, contents: ListContents) -> String {
    let mut text = String::new();
    for stack in &plan.stacks {
        if !(contents.long || contents.dependencies) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", stack.id);
            continue;
        }
        let _ = writeln!(text, "- id: {}", word(&stack.id));
        if contents.long {
            let (account, region) = environment(stack);
            let _ = writeln!(text, "  name: {}\n  environment:", word(&stack.name));
            let _ = writeln!(text, "    account: {}\n    region: {}", word(account), word(region));
            let _ = writeln!(text, "    name: {}", word(&format!("aws://{account}/{region}")));
        }
        if contents.dependencies {
            let needs = needs(stack);
            let _ = writeln!(text, "  dependencies:{}", if needs.is_empty() { " []" } else { "" });
            for id in needs {
                let _ = writeln!(text, "    - id: {}", word(id));
            }
        }
    }
    text
}

/// The same as JSON.
pub fn list_json(plan: &Plan, contents: ListContents) -> String {
    let of = |stack: &PlannedStack| {
        if !(contents.long || contents.dependencies) {
            return json!(stack.id);
        }
        let mut shown = Map::from_iter([("id".to_owned(), json!(stack.id))]);
        if contents.long {
            let (account, region) = environment(stack);
            let name = format!("aws://{account}/{region}");
            shown.insert("name".to_owned(), json!(stack.name));
            shown.insert(
                "environment".to_owned(),
                json!({"account": account, "region": region, "name": name}),
            );
        }
        if contents.dependencies {
            let needs: Vec<Value> = needs(stack).into_iter().map(|id| json!({"id": id})).collect();
            shown.insert("dependencies".to_owned(), json!(needs));
        }
        Value::Object(shown)
    };
    let all = Value::Array(plan.stacks.iter().map(of).collect());
    format!("{all:#}\n")
}

/// As the CDK writes environments that are not known before the deployment.
fn environment(stack: &PlannedStack) -> (&str, &str) {
    let account = stack.account.as_deref().unwrap_or("unknown-account");
    (account, stack.region.as_deref().unwrap_or("unknown-region"))
}

fn needs(stack: &PlannedStack) -> BTreeSet<&str> {
    stack.depends_on.iter().map(|edge| edge.to.as_str()).collect()
}
