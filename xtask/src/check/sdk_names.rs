//! Checks that only the crates for AWS name the AWS SDK. All other crates build without it, which is much faster.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::tokens::{Token, tokens};
use super::{Finding, Package, line_of, rust_files};

/// The crates that may name the SDK.
const ALLOWED: [&str; 2] = ["paceline-aws", "paceline-sim"];
/// The beginnings of the names of the SDK's crates, as source code writes them.
const PREFIXES: [&str; 8] = [
    "aws_config",
    "aws_credential_types",
    "aws_runtime",
    "aws_sdk_",
    "aws_sigv4",
    "aws_smithy_",
    "aws_types",
    "aws_lc_",
];

/// The findings in a crate that may not name the SDK.
pub(super) fn check(root: &Path, package: &Package) -> Result<Vec<Finding>> {
    if ALLOWED.contains(&package.name.as_str()) {
        return Ok(Vec::new());
    }
    let hint = || {
        format!(
            "move the code to paceline-aws and call it there; only {} may name the SDK",
            ALLOWED.join(" and ")
        )
    };
    let mut findings = Vec::new();
    let manifest = package.folder.join("Cargo.toml");
    let text = fs_err::read_to_string(root.join(&manifest))?;
    for name in package.dependencies.iter().chain(&package.test_dependencies).filter(|name| is_sdk(name)) {
        findings.push(Finding {
            file: manifest.clone(),
            line: line_of(&text, name),
            what: format!("{} depends on `{name}`, a crate of the AWS SDK", package.name),
            hint: hint(),
        });
    }
    for folder in ["src", "tests"] {
        for file in rust_files(&root.join(&package.folder).join(folder))? {
            let named = names(&fs_err::read_to_string(&file)?);
            for (line, name) in named.with_context(|| file.display().to_string())? {
                findings.push(Finding {
                    file: file.strip_prefix(root).unwrap_or(&file).to_owned(),
                    line,
                    what: format!("`{name}` is a name of the AWS SDK, which {} must not know", package.name),
                    hint: hint(),
                });
            }
        }
    }
    Ok(findings)
}

/// The names of the SDK in a source file, each with its line.
fn names(source: &str) -> Result<Vec<(usize, String)>> {
    let tokens = tokens(source)?;
    let named = tokens.iter().filter_map(|token| Some((token.line, Token::word(token)?)));
    Ok(named.filter(|(_, word)| is_sdk(word)).map(|(line, word)| (line, word.to_owned())).collect())
}

fn is_sdk(name: &str) -> bool {
    let name = name.replace('-', "_");
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &[(usize, &str)]) {
        let found = names(source).unwrap_or_else(|error| panic!("{error}"));
        let found: Vec<(usize, &str)> = found.iter().map(|(line, name)| (*line, name.as_str())).collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn names_are_found_where_they_are_used() {
        check(
            "use aws_sdk_s3::Client;\nfn f(x: aws_smithy_types::Blob) {}",
            &[(1, "aws_sdk_s3"), (2, "aws_smithy_types")],
        );
        check("let c = aws_config::load();", &[(1, "aws_config")]);
    }

    #[test]
    fn texts_comments_and_names_of_ours_are_no_names_of_the_sdk() {
        check("// aws_sdk_s3\nlet a = \"aws_config\"; let aws_account = paceline_aws::endpoint();", &[]);
    }

    #[test]
    fn dependencies_are_named_with_hyphens() {
        assert!(is_sdk("aws-sdk-s3") && is_sdk("aws-config") && !is_sdk("paceline-aws"));
    }
}
