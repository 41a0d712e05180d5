//! The rules by subject, and the list of all rules.
//!
//! A rule is a static, made by [`rule!`](super::rule::rule), with a code, a severity, a title and a function
//! that checks a document. A new rule needs four things: the static in the file of its subject, a line in
//! [`RULES`], a page in `docs/lint` and a test in `tests/it/lint`.
//!
//! Codes are grouped by hundreds: 0 the comments of the linter itself, 1 the file and its grammar, 2 the
//! shell, 3 secrets and Docker, 4 cache, time and phases, 5 the CDK and package managers. A code is never
//! used again for another rule.

pub(super) mod allowances;
mod batch;
mod cache;
mod cdk;
mod docker;
mod folders;
pub(super) mod grammar;
mod machine;
mod option_files;
mod packages;
mod phases;
mod runner;
mod runtimes;
mod scripts;
mod secret_values;
mod secrets;
mod sessions;
mod shell;
mod status;
mod time;
mod values;
mod variables;

use super::rule::Rule;

/// Every rule, in the order of the codes.
pub static RULES: &[&Rule] = &[
    &allowances::UNUSED,
    &allowances::UNKNOWN,
    &grammar::UNREADABLE,
    &grammar::DUPLICATE,
    &grammar::VALUE,
    &grammar::MISSING,
    &grammar::UNKNOWN_KEY,
    &grammar::COLON,
    &grammar::MISPLACED,
    &grammar::OLD_VERSION,
    &grammar::EMPTY,
    &batch::GRAPH,
    &values::RUNTIME_NUMBER,
    &values::CHANGED_VALUE,
    &values::FOLDED,
    &values::NOT_EXPANDED,
    &values::LINE_ENDS,
    &shell::BASH_SYNTAX,
    &status::SWALLOWED,
    &status::PIPE,
    &scripts::OPTIONS,
    &scripts::DEFINITIONS,
    &scripts::EXIT,
    &shell::SYNTAX,
    &shell::SHEBANG,
    &folders::ENTERED_TWICE,
    &secrets::NAMED,
    &secrets::BY_FORM,
    &secrets::PRINTED,
    &secrets::TRACED,
    &secrets::ARGUMENT,
    &secrets::COPIED,
    &secrets::IN_ADDRESS,
    &docker::PRIVILEGED,
    &docker::UNPRIVILEGED,
    &docker::DAEMON,
    &variables::EXPORTED,
    &variables::RESERVED,
    &cache::FALLBACK,
    &cache::CONSTANT_KEY,
    &cache::NODE_MODULES,
    &cache::NOT_EXPANDED,
    &time::TOO_LONG,
    &sessions::SHORT,
    &phases::UNGUARDED,
    &phases::RETRY,
    &phases::UNSUPPORTED,
    &runtimes::LATEST,
    &runtimes::MISSING,
    &runtimes::NAME,
    &machine::SLOW_IMAGE,
    &machine::OLD_KERNEL,
    &phases::REPORTS,
    &cdk::APPROVAL,
    &cdk::ONE_BY_ONE,
    &packages::UNPINNED,
    &packages::NPM_INSTALL,
    &packages::QUESTION,
    &packages::GET_LOGIN,
    &cdk::FORGIVEN,
    &cdk::OVERWRITTEN,
    &runner::MISSING,
];

/// The rule with this code, in upper or lower case.
pub fn with_code(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(code)).copied()
}
