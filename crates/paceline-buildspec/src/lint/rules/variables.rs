//! Names of variables that CodeBuild does not accept.

use crate::grammar::{Document, scalar};
use crate::lint::rule::{Checker, rule};

rule!(EXPORTED, "PL321", Error, "a variable that cannot be exported", exported);
rule!(RESERVED, "PL322", Warning, "a name that is reserved for CodeBuild", reserved);

fn exported(document: &Document<'_>, checker: &mut Checker<'_>) {
    let secrets: Vec<&str> = document.secrets().map(|key| key.text.as_str()).collect();
    for node in document.list("env.exported-variables") {
        let Some(name) = scalar(node) else { continue };
        let why = if secrets.contains(&name) {
            "its value comes from Secrets Manager or the Parameter Store"
        } else if name.starts_with("AWS_") {
            "CodeBuild exports no names that start with AWS_"
        } else {
            continue;
        };
        checker.report(node.span.clone()).message(format!("{name} cannot be exported: {why}"));
    }
}

fn reserved(document: &Document<'_>, checker: &mut Checker<'_>) {
    for path in ["env.variables", "env.parameter-store", "env.secrets-manager"] {
        for (key, _) in document.map(path) {
            if key.text.starts_with("CODEBUILD_") {
                let finding = checker.report(key.span.clone());
                finding.message(format!(
                    "CodeBuild reserves names that start with CODEBUILD_, so {} may not keep this value",
                    key.text
                ));
                finding.hint("give it another name");
            }
        }
    }
}
