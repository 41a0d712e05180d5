//! Secrets that others can read: in the source, in the log, in a bucket.

use super::secret_values::{is_aws_secret, is_literal, is_secret_name, may_be_secret, secret_by_form};
use crate::grammar::{Document, scalar};
use crate::lint::rule::{Checker, rule};
use crate::shell::{Call, WordPart};

rule!(NAMED, "PL301", Error, "a secret in a plain variable", named);
rule!(BY_FORM, "PL302", Error, "a key in the text of the buildspec", by_form);
rule!(PRINTED, "PL303", Warning, "a secret that is printed", printed);
rule!(TRACED, "PL304", Warning, "commands that are printed with the secrets in them", traced);
rule!(ARGUMENT, "PL305", Warning, "a password as an argument", argument);
rule!(IN_ADDRESS, "PL307", Warning, "a secret in an address", in_address);
rule!(COPIED, "PL306", Warning, "a file with secrets that is copied to a bucket", copied);

const KEEP: &str = "store it in Secrets Manager and list it in `env.secrets-manager`";

fn named(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (key, node) in document.map("env.variables") {
        let Some(value) = scalar(node) else { continue };
        let is_key = is_aws_secret(&key.text) && is_literal(value);
        let is_secret = is_secret_name(&key.text) && may_be_secret(value);
        if (is_key || is_secret) && secret_by_form(value).is_none() {
            let finding = checker.report(document.first_line(node.span.clone()));
            finding.message(format!("the name {} says that it is a secret, and everyone who can read the source or the build can read it here", key.text));
            finding.hint(KEEP);
        }
    }
}

fn by_form(document: &Document<'_>, checker: &mut Checker<'_>) {
    let text = document.text();
    let mut at = 0;
    while let Some((span, what)) = text.get(at..).and_then(secret_by_form) {
        checker
            .report(at + span.start..at + span.end)
            .message(format!("this looks like {what}"))
            .hint(format!("{KEEP}, and replace it, because the history of the source keeps it"));
        at += span.end.max(1);
    }
}

/// Finds addresses that contain a secret. Errors print the address, git stores it in its configuration, and
/// every process of the build can read it.
fn in_address(document: &Document<'_>, checker: &mut Checker<'_>) {
    let secrets: Vec<&str> = document.secrets().map(|key| key.text.as_str()).collect();
    let is_secret = |name: &str| secrets.contains(&name) || is_secret_name(name);
    for (item, call) in document.calls() {
        let word = call.words.iter().find_map(|word| {
            let text = word.shown();
            let (_, rest) = text.split_once("://")?;
            let (login, _) = rest.split_once('@')?;
            let login = login.split('/').next().filter(|it| it.len() == login.len())?;
            let named = word.parts.iter().find_map(|part| match part {
                WordPart::Variable { name } if is_secret(name) && login.contains(&format!("${name}")) => {
                    Some(name)
                }
                _ => None,
            });
            // A password follows the name of the user.
            let literal = login.split_once(':').is_some_and(|(_, secret)| may_be_secret(secret));
            match named {
                Some(name) => Some((word, name.clone())),
                None => literal.then(|| (word, "a password".to_owned())),
            }
        });
        if let Some((word, what)) = word {
            let finding = checker.report(document.first_line(item.source(&word.span)));
            finding.message(format!(
                "{what} is a part of this address: errors print it, git stores it, and every process can read it"
            ));
            finding.hint(
                "git: `git-credential-helper: yes`, or a credential helper; curl: a header from a file",
            );
        }
    }
}

/// Whether the output of a call is in the log: it is not piped, redirected or part of another word.
fn is_shown(call: &Call<'_>) -> bool {
    let goes_elsewhere = call.redirects.iter().any(|redirect| {
        matches!(redirect.operator, ">" | ">>" | "&>" | "&>>" | ">|")
            && !redirect.target.is("/dev/stderr")
            && !redirect.target.is("/dev/stdout")
    });
    !call.context.piped && !call.context.captured && !goes_elsewhere
}

fn printed(document: &Document<'_>, checker: &mut Checker<'_>) {
    let secrets: Vec<&str> = document.secrets().map(|key| key.text.as_str()).collect();
    let is_secret = |name: &str| secrets.contains(&name) || is_secret_name(name);
    for (item, call) in document.calls().filter(|(_, call)| is_shown(call)) {
        let span = document.first_line(item.source(&call.span));
        let arguments = call.arguments();
        match call.program() {
            "echo" | "printf" => {
                // `${X:+set}` and `${#X}` do not print the value.
                let printed =
                    call.words[1..].iter().flat_map(|word| word.parts.iter().map(move |part| (word, part)));
                let secret = printed.filter_map(|(word, part)| match part {
                    WordPart::Variable { name } if is_secret(name) => Some((word, name)),
                    _ => None,
                });
                let source = &item.text;
                let secret = secret.filter(|(word, name)| {
                    let text = source.get(word.span.clone()).unwrap_or_default();
                    !text.contains(&format!("${{#{name}}}")) && !text.contains(&format!("${{{name}:+"))
                });
                if let Some((_, name)) = secret.into_iter().next() {
                    let finding = checker.report(span);
                    finding.message(format!("this prints {name} into the log"));
                    finding.hint("CodeBuild masks a secret only where it appears exactly as stored");
                }
            }
            "cat" | "head" | "tail" | "less" | "more" => {
                if let Some(file) = arguments.iter().find(|file| is_secret_file(file)) {
                    checker
                        .report(span)
                        .message(format!("this prints {file} into the log"))
                        .hint("remove it");
                }
            }
            "env" | "printenv" if !secrets.is_empty() && arguments.is_empty() => {
                let finding = checker.report(span);
                finding.message("this prints every variable into the log, with the secrets");
                finding.hint("print only the variables that you need: env | grep ^CODEBUILD_");
            }
            _ => {}
        }
    }
}

fn is_secret_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    (name == ".env"
        || name.starts_with(".env.")
            && !["example", "sample", "template", "dist"].iter().any(|end| name.ends_with(end)))
        || matches!(name, ".npmrc" | ".netrc" | ".pgpass" | "id_rsa" | "id_ed25519" | ".dockerconfigjson")
        || path.ends_with(".aws/credentials")
        || path.ends_with(".docker/config.json")
        || std::path::Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "pem" || extension == "p12" || extension == "pfx")
            && !name.contains("cert")
            && !name.contains("bundle")
            && !name.contains("ca")
}

fn traced(document: &Document<'_>, checker: &mut Checker<'_>) {
    if document.secrets().next().is_none() {
        return;
    }
    for (item, call) in document.calls().filter(|(_, call)| call.program() == "set") {
        let traces = call.arguments().iter().any(|word| {
            word == "xtrace"
                || word
                    .strip_prefix('-')
                    .is_some_and(|letters| letters.contains('x') && !letters.starts_with('-'))
        });
        if traces {
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding.message("this prints every command with the values of its variables, with the secrets");
            finding.hint("remove it, or switch it off with `set +x` around the commands that use secrets");
        }
    }
}

fn argument(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (item, call) in document.calls().filter(|(_, call)| call.is(&["docker", "login"])) {
        let given = call.words[1..].windows(2).find(|pair| pair[0].is("-p") || pair[0].is("--password"));
        let joined = call.words[1..].iter().find(|word| word.shown().starts_with("--password="));
        if given.is_some() || joined.is_some() {
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding.message("every process of the build can read this password, and errors print it");
            finding.hint("pipe it: … | docker login --username … --password-stdin …");
        }
    }
}

fn copied(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (item, call) in
        document.calls().filter(|(_, call)| call.is(&["aws", "s3", "cp"]) || call.is(&["aws", "s3", "mv"]))
    {
        let paths: Vec<&String> =
            call.arguments().iter().skip(2).filter(|word| !word.starts_with('-')).collect();
        let [from, to] = &paths[..] else { continue };
        if is_secret_file(from) && to.starts_with("s3://") {
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding.message(format!(
                "{from} contains secrets, and everyone who can read the bucket can read them"
            ));
            finding.hint("store secrets in Secrets Manager or in the Parameter Store");
        }
    }
}
