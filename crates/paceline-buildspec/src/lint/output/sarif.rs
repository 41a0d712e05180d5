//! Findings as SARIF 2.1.0, for code scanning.

use paceline_text::path_in_url;
use serde_json::{Value, json};

use crate::lint::finding::{Edit, Finding};
use crate::lint::{LintReport, RULES, Rule};
use crate::yaml::Lines;

/// One run with every rule and every finding.
pub fn sarif(reports: &[LintReport]) -> String {
    let rules: Vec<Value> = RULES.iter().map(|rule| descriptor(rule)).collect();
    let results: Vec<Value> = reports
        .iter()
        .flat_map(|report| {
            let lines = Lines::of(&report.text);
            report.findings.iter().map(move |finding| result(report, finding, &lines)).collect::<Vec<_>>()
        })
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "paceline",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            // Columns count characters, not UTF-16 code units.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.title },
        "help": { "text": rule.page, "markdown": rule.page },
        "defaultConfiguration": { "level": rule.severity.as_str() },
        "properties": { "tags": ["codebuild"] },
    })
}

fn result(report: &LintReport, finding: &Finding, lines: &Lines<'_>) -> Value {
    let text = match &finding.hint {
        Some(hint) => format!("{}. Hint: {hint}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": RULES.iter().position(|rule| rule.code == finding.code),
        "level": finding.severity.as_str(),
        "message": { "text": text },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&report.file) },
            "region": region(lines, finding.span.start, finding.span.end),
        } }],
    });
    if !finding.fix.is_empty() {
        let replacement = |edit: &Edit| {
            json!({
                "deletedRegion": region(lines, edit.start, edit.end),
                "insertedContent": { "text": edit.text },
            })
        };
        let replacements: Vec<Value> = finding.fix.iter().map(replacement).collect();
        result["fixes"] = json!([{
            "description": { "text": finding.hint.as_ref().unwrap_or(&finding.message) },
            "artifactChanges": [{
                "artifactLocation": { "uri": uri(&report.file) },
                "replacements": replacements,
            }],
        }]);
    }
    result
}

fn region(lines: &Lines<'_>, start: usize, end: usize) -> Value {
    let (start, end) = (lines.at(start), lines.at(end));
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

/// A path as a relative reference. Characters that a URI does not allow are escaped.
fn uri(path: &str) -> String {
    path_in_url(&path.strip_prefix("./").unwrap_or(path).replace('\\', "/"))
}
