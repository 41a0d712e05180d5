//! The stacks of a plan as a list, as `cdk ls` prints it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use paceline_text::{Documented as _, documented, json_document};
use serde_json::{Value, json};

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

documented! {
    /// A stack. It has its id alone if neither its environment nor its dependencies were asked for.
    struct ListedDocument<'a> {
        /// The hierarchical id.
        id: &'a str,
        /// The name of the CloudFormation stack, with `--long`.
        name: Option<&'a str>,
        /// Where it is deployed, with `--long`.
        environment: Option<EnvironmentDocument<'a>>,
        /// The stacks that it waits for, with `--show-dependencies`.
        dependencies: Option<Vec<DependencyDocument<'a>>>,
    }

    /// An environment, as the CDK writes it.
    struct EnvironmentDocument<'a> {
        /// The account, or unknown-account.
        account: &'a str,
        /// The region, or unknown-region.
        region: &'a str,
        /// Both, such as aws://111122223333/eu-west-1.
        name: String,
    }

    /// A stack that another one waits for.
    struct DependencyDocument<'a> {
        /// The hierarchical id.
        id: &'a str,
    }
}

/// The same as JSON, as `cdk ls` prints it: ids alone, or objects with more about each stack.
pub fn list_json(plan: &Plan, contents: ListContents) -> String {
    if !(contents.long || contents.dependencies) {
        return json_document(&plan.stacks.iter().map(|stack| &stack.id).collect::<Vec<_>>());
    }
    let of = |stack| ListedDocument::of(stack, contents);
    json_document(&plan.stacks.iter().map(of).collect::<Vec<_>>())
}

/// The JSON Schema of the list.
pub fn list_schema() -> Value {
    let stack = json!({ "anyOf": [str::schema(), ListedDocument::schema()] });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stacks that paceline ls lists",
        "description": "The stacks in the order of the plan: ids, or objects if more was asked for.",
        "type": "array",
        "items": stack,
    })
}

impl<'a> ListedDocument<'a> {
    fn of(stack: &'a PlannedStack, contents: ListContents) -> Self {
        let (account, region) = environment(stack);
        let name = format!("aws://{account}/{region}");
        let needs = needs(stack).into_iter().map(|id| DependencyDocument { id });
        Self {
            id: &stack.id,
            name: contents.long.then_some(&stack.name),
            environment: contents.long.then_some(EnvironmentDocument { account, region, name }),
            dependencies: contents.dependencies.then(|| needs.collect()),
        }
    }
}

/// As the CDK writes environments that are not known before the deployment.
fn environment(stack: &PlannedStack) -> (&str, &str) {
    let account = stack.account.as_deref().unwrap_or("unknown-account");
    (account, stack.region.as_deref().unwrap_or("unknown-region"))
}

fn needs(stack: &PlannedStack) -> BTreeSet<&str> {
    stack.depends_on.iter().map(|edge| edge.to.as_str()).collect()
}
