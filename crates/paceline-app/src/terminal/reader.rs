//! Who reads what is written: a person at a terminal, or a log and whoever reads it afterwards.
//!
//! A log gets short output: nothing is drawn again, nothing has colours, progress is a line every few minutes, and the hint
//! about a failure comes once, at the end of the run.

/// The variables that builds set.
const BUILDS: [&str; 2] = ["CI", "CODEBUILD_BUILD_ID"];

/// The variables that coding agents set for the commands that they run, each with the source that says so.
const AGENTS: [(&str, &str); 7] = [
    ("AI_AGENT", "any agent: https://github.com/vercel/vercel/tree/main/packages/detect-agent"),
    (
        "CLAUDECODE",
        "Claude Code: https://github.com/aws/aws-cdk-cli/blob/main/packages/aws-cdk/lib/cli/util/detect-agent.ts",
    ),
    ("CODEX_SANDBOX", "Codex: https://github.com/openai/codex/blob/main/codex-rs/core/src/spawn.rs"),
    (
        "CODEX_SANDBOX_NETWORK_DISABLED",
        "Codex: https://github.com/openai/codex/blob/main/codex-rs/core/src/spawn.rs",
    ),
    (
        "CODEX_THREAD_ID",
        "Codex: https://github.com/aws/aws-cdk-cli/blob/main/packages/aws-cdk/lib/cli/util/detect-agent.ts",
    ),
    (
        "CURSOR_AGENT",
        "Cursor: https://github.com/aws/aws-cdk-cli/blob/main/packages/aws-cdk/lib/cli/util/detect-agent.ts",
    ),
    ("GEMINI_CLI", "Gemini CLI: https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/shell.md"),
];

/// Whether the output is for a log: in a build, and if an agent has started the command.
pub(super) fn is_log() -> bool {
    let agents = AGENTS.iter().map(|(variable, _)| *variable);
    BUILDS.into_iter().chain(agents).any(is_set)
}

/// Whether a variable has a value.
pub(super) fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_documented() {
        let page = include_str!("../../../../docs/json.md");
        for variable in BUILDS.into_iter().chain(AGENTS.map(|(variable, _)| variable)) {
            assert!(page.contains(&format!("`{variable}`")), "{variable}");
        }
    }
}
