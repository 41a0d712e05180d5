//! One attempt at a build: its phases, and the phases that follow a failure.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Instant;

use camino::Utf8PathBuf;
use paceline_buildspec::grammar::{Buildspec, OnFailure, Phase, PhaseName, Version};
use regex_lite::Regex;

use super::script::{self, Carried, Scripts};
use super::shown::Shown;
use super::{Output, PhaseRun, Progress, RunError, RunOptions, State, environment};

/// The number of retries for `RETRY` without a count (User Guide, "Build specification reference").
const RETRIES: u8 = 3;

/// The settings that are the same for every attempt.
pub(super) struct Setting<'a> {
    buildspec: &'a Buildspec,
    options: &'a RunOptions,
    shell: &'static str,
    environment: BTreeMap<OsString, OsString>,
    patterns: BTreeMap<PhaseName, Regex>,
    temporary: tempfile::TempDir,
}

/// The number of retries that each phase has caused.
#[derive(Debug, Default)]
pub(super) struct Retries(BTreeMap<PhaseName, u8>);

/// The end of an attempt.
pub(super) struct Ended {
    pub(super) phases: Vec<PhaseRun>,
    pub(super) environment: BTreeMap<OsString, OsString>,
    /// True if a phase asks for another attempt.
    pub(super) again: bool,
}

impl<'a> Setting<'a> {
    pub(super) async fn new(buildspec: &'a Buildspec, options: &'a RunOptions) -> Result<Self, RunError> {
        let mut patterns = BTreeMap::new();
        for (name, phase) in buildspec.phases.iter() {
            if let Some(OnFailure::Retry { pattern: Some(pattern), .. }) = &phase.on_failure {
                let regex = Regex::new(pattern)
                    .map_err(|source| RunError::Pattern { pattern: pattern.clone(), source })?;
                patterns.insert(name, regex);
            }
        }
        Ok(Self {
            buildspec,
            options,
            shell: script::program(buildspec.env.shell)?,
            environment: environment::initial(buildspec, options).await?,
            patterns,
            temporary: tempfile::tempdir().map_err(RunError::Temporary)?,
        })
    }

    fn carried(&self) -> Carried {
        Carried {
            environment: self.environment.clone(),
            dir: self.options.source.clone().into_std_path_buf(),
        }
    }
}

/// Runs the build once, starting from its initial environment.
pub(super) async fn run(
    setting: &Setting<'_>,
    retries: &mut Retries,
    report: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Ended, RunError> {
    let folder = Utf8PathBuf::from_path_buf(setting.temporary.path().to_owned())
        .map_err(|_| RunError::Temporary(std::io::Error::other("the temporary folder's name is no text")))?;
    let RunOptions { output, processes, stop, grace, .. } = setting.options;
    let shown = match output {
        Output::Shown => Some(Shown::start().map_err(RunError::Temporary)?),
        Output::File(_) => None,
    };
    let (shell, shown) = (setting.shell, shown.as_ref());
    let scripts = Scripts { shell, output, shown, processes, stop, grace: *grace, folder: &folder };
    let mut build = Running { setting, scripts, carried: setting.carried(), succeeding: true };
    let ended = build.phases(retries, report).await;
    // Background processes end with the build, even if the build fails.
    processes.kill_left();
    let (phases, again) = ended?;
    Ok(Ended { phases, environment: build.carried.environment, again: again && !stop.is_cancelled() })
}

/// Returns whether no phase follows the failed phase.
fn ends_build(failed: PhaseName, phase: &Phase) -> bool {
    match &phase.on_failure {
        Some(OnFailure::Continue) => false,
        Some(OnFailure::Abort | OnFailure::Retry { .. }) => true,
        None => failed != PhaseName::Build,
    }
}

impl Retries {
    /// Returns whether a failed phase makes the build run again. CodeBuild documents that it retries the
    /// build and not the phase, so everything runs again.
    fn again(&mut self, name: PhaseName, phase: &Phase, pattern: Option<&Regex>, message: &str) -> bool {
        let Some(OnFailure::Retry { count, .. }) = &phase.on_failure else { return false };
        let used = self.0.entry(name).or_default();
        if *used >= count.unwrap_or(RETRIES) || pattern.is_some_and(|pattern| !pattern.is_match(message)) {
            return false;
        }
        *used += 1;
        true
    }
}

impl PhaseRun {
    fn start(name: PhaseName) -> Self {
        Self { name: name.as_str(), state: State::Succeeded, took: std::time::Duration::ZERO, failure: None }
    }
}

struct Running<'a> {
    setting: &'a Setting<'a>,
    scripts: Scripts<'a>,
    carried: Carried,
    succeeding: bool,
}

impl Running<'_> {
    /// Runs the phases in their order. Also returns whether one of them asks for another attempt.
    ///
    /// After a failed phase, these rules decide: nothing follows `install` and `pre_build` [R], `post_build`
    /// follows `build`, everything follows `CONTINUE`, and nothing follows `ABORT`. After `CONTINUE` the
    /// build stays failed [R].
    async fn phases(
        &mut self,
        retries: &mut Retries,
        report: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<(Vec<PhaseRun>, bool), RunError> {
        let (mut phases, mut over, mut again) = (Vec::new(), false, false);
        for (name, phase) in self.setting.buildspec.phases.iter() {
            if over || self.setting.options.stop.is_cancelled() {
                phases.push(PhaseRun { state: State::Skipped, ..PhaseRun::start(name) });
                continue;
            }
            report(Progress::Phase(name));
            let ran = self.phase(name, phase, report).await?;
            if ran.state == State::Failed {
                let message = ran.failure.clone().unwrap_or_default();
                again = retries.again(name, phase, self.setting.patterns.get(&name), &message);
                over |= again || ends_build(name, phase);
            }
            phases.push(ran);
        }
        Ok((phases, again))
    }

    /// Runs a phase. `finally` runs even if the commands failed. The phase succeeds if both succeeded.
    async fn phase(
        &mut self,
        name: PhaseName,
        phase: &Phase,
        report: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<PhaseRun, RunError> {
        let started = Instant::now();
        let mut failure = self.commands(&phase.commands, report).await?;
        self.succeeding &= failure.is_none();
        let finally = self.commands(&phase.finally, report).await?;
        self.succeeding &= finally.is_none();
        failure = failure.or(finally);
        let state = match &failure {
            _ if self.setting.options.stop.is_cancelled() => State::Stopped,
            Some(_) => State::Failed,
            None => State::Succeeded,
        };
        Ok(PhaseRun { name: name.as_str(), state, took: started.elapsed(), failure })
    }

    /// Runs commands until one fails, and returns how it failed. Nothing is started after a stop.
    async fn commands(
        &mut self,
        commands: &[String],
        report: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Option<String>, RunError> {
        for command in commands {
            if self.setting.options.stop.is_cancelled() {
                return Ok(None);
            }
            report(Progress::Command(command));
            let succeeding = if self.succeeding { "1" } else { "0" };
            self.carried.environment.insert("CODEBUILD_BUILD_SUCCEEDING".into(), succeeding.into());
            // In version 0.1 every command starts with the initial environment.
            if self.setting.buildspec.version == Version::V0_1 {
                let environment = std::mem::take(&mut self.carried.environment);
                self.carried = self.setting.carried();
                self.carried
                    .environment
                    .extend(environment.into_iter().filter(|(name, _)| name == "CODEBUILD_BUILD_SUCCEEDING"));
            }
            let code = self.scripts.run(command, &mut self.carried).await?;
            if code == Some(0) || self.setting.options.stop.is_cancelled() {
                continue;
            }
            // These are CodeBuild's words, because patterns of `on-failure` are written for them.
            let how = code.map_or_else(|| "signal".to_owned(), |code| format!("exit status {code}"));
            let failure = format!("Command did not exit successfully {} {how}", command.trim_end());
            report(Progress::Failed(&how));
            return Ok(Some(failure));
        }
        Ok(None)
    }
}
