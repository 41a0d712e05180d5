//! The templates, and the filters that quote every value.
//!
//! The delimiters do not occur in YAML, JSON and shells. An unknown variable, filter or template is an error.
//! The filter depends on the language around the value: `yaml`, `key`, `json`, `sh`, `ts`, `comment`, or
//! `block` for the lines of a script.

use std::sync::LazyLock;

use tera::{Context, Delimiters, Kwargs, State, Tera, TeraResult, Value};

use crate::shell::shell_word;
use crate::yaml;

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../templates/", $name)))),*]
    };
}

/// The templates, which are compiled into the program.
pub(super) const TEMPLATES: &[(&str, &str)] = templates![
    "buildspec.yml.tera",
    "project.cfn.yml.tera",
    "project.ts.tera",
    "resources.cfn.yml.tera",
    "scripts/check-generated.sh.tera",
    "scripts/deadline.sh.tera",
    "scripts/deploy.sh.tera",
    "scripts/destroy.sh.tera",
    "scripts/fetch-runner.sh.tera",
    "scripts/has-assembly.sh.tera",
    "scripts/keep-plan.sh.tera",
    "scripts/lint.sh.tera",
    "scripts/plan.sh.tera",
    "scripts/prelude.sh.tera",
    "scripts/results.sh.tera",
    "scripts/save-plan.sh.tera",
    "scripts/signal.sh.tera",
    "scripts/source-prelude.sh.tera",
    "scripts/synth.sh.tera",
    "scripts/take-plan.sh.tera",
    "scripts/write-prelude.sh.tera",
];

static TERA: LazyLock<TeraResult<Tera>> = LazyLock::new(load);

pub(super) fn render(name: &str, context: &impl serde::Serialize) -> TeraResult<String> {
    let tera = TERA.as_ref().map_err(tera::Error::message)?;
    tera.render(name, &Context::from_serialize(context)?)
}

fn load() -> TeraResult<Tera> {
    let mut tera = Tera::new();
    tera.set_delimiters(Delimiters {
        block_start: "<%".into(),
        block_end: "%>".into(),
        variable_start: "<{".into(),
        variable_end: "}>".into(),
        comment_start: "<#".into(),
        comment_end: "#>".into(),
    })?;
    // None of the templates is HTML.
    tera.autoescape_on(Vec::<&str>::new());
    tera.register_filter("yaml", |text: &str, _: Kwargs, _: &State| yaml::scalar(text));
    tera.register_filter("key", |text: &str, _: Kwargs, _: &State| yaml::key(text));
    tera.register_filter("json", |value: &Value, _: Kwargs, _: &State| -> TeraResult<String> {
        serde_json::to_string(value)
            .map_err(|error| tera::Error::chain("cannot write a value as JSON", error))
    });
    tera.register_filter("sh", |text: &str, _: Kwargs, _: &State| shell_word(text));
    tera.register_filter("ts", |text: &str, _: Kwargs, _: &State| ts_string(text));
    tera.register_filter("ts_sub", |text: &str, _: Kwargs, _: &State| ts_with_pseudo_parameters(text));
    tera.register_filter("comment", |text: &str, _: Kwargs, _: &State| one_line(text));
    tera.register_filter("block", |text: &str, kwargs: Kwargs, _: &State| -> TeraResult<String> {
        Ok(indent(text, kwargs.must_get("indent")?))
    });
    tera.add_raw_templates(TEMPLATES.to_vec())?;
    Ok(tera)
}

/// A string literal of TypeScript.
fn ts_string(text: &str) -> String {
    format!("'{}'", ts_escaped(text, '\''))
}

/// A text with pseudo parameters of CloudFormation, such as `${AWS::Region}`, as an expression of the CDK.
fn ts_with_pseudo_parameters(text: &str) -> String {
    if !text.contains("${AWS::") {
        return ts_string(text);
    }
    let mut parts = text.split("${AWS::");
    let mut template = ts_escaped(parts.next().unwrap_or_default(), '`');
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        let constant = match name {
            "AccountId" => "ACCOUNT_ID",
            "Region" => "REGION",
            _ => "PARTITION",
        };
        template.extend(["${Aws.", constant, "}"]);
        template.push_str(&ts_escaped(rest, '`'));
    }
    format!("`{template}`")
}

fn ts_escaped(text: &str, quote: char) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            c if c == '\\' || c == quote || (c == '$' && quote == '`') => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The indented lines of a block. The template adds the line feed at the end.
fn indent(text: &str, width: usize) -> String {
    let pad = " ".repeat(width);
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_loads() {
        load().unwrap();
    }

    /// The values that need no filter: words that are quoted already, numbers, or names from this crate.
    const RAW: [&str; 19] = [
        "arguments",
        "check",
        "class",
        "compute",
        "config",
        "docker_server.compute",
        "generated",
        "loop.index",
        "margin_minutes",
        "mode",
        "npm.install",
        "plan_artifact",
        "project.environment.hostKernel",
        "retention",
        "role.variable",
        "runner_minutes",
        "stack_minutes",
        "synth",
        "synth_hint",
    ];

    #[test]
    fn every_value_goes_through_a_filter() {
        for (name, text) in TEMPLATES {
            for expression in text.split("<{").skip(1).map(|rest| rest.split("}>").next().unwrap().trim()) {
                let filtered = expression.contains(" | ");
                assert!(filtered || RAW.contains(&expression), "{name}: {expression}");
            }
        }
    }
}
