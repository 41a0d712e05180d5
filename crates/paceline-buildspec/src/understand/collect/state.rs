//! The state that the passes share.

use std::collections::{BTreeMap, BTreeSet};

use crate::understand::interpret::{Action, Interpreter, UnknownRegion, shortened};
use crate::understand::read::Sections;
use crate::understand::{App, LeftOut, Line, Understanding};

/// Collects the actions of the interpreter into the meaning of the build.
pub(in crate::understand) fn collect(interpreter: Interpreter<'_>, sections: Sections) -> Understanding {
    let actions = &interpreter.actions;
    let mut collector = Collector {
        tested: actions.iter().filter_map(|action| action.when.as_ref()?.variable.clone()).collect(),
        actions,
        result: Understanding {
            runtimes: sections.runtimes,
            left_out: sections.left_out.into_iter().chain(interpreter.left_out).collect(),
            problems: sections.problems,
            commands: interpreter.calls,
            ..Understanding::default()
        },
        app_of: BTreeMap::new(),
        names: BTreeSet::new(),
        steps: Vec::new(),
        unknown_regions: Vec::new(),
    };
    collector.find_apps();
    collector.set_cdk_cli();
    collector.place_actions();
    collector.sort_steps();
    let mut result = collector.result;
    result.left_out.sort();
    result.left_out.dedup();
    result
}

pub(super) struct Collector<'a> {
    pub(super) actions: &'a [Action],
    /// The variables that conditions test. Each build receives their values, so no app gets fixed ones.
    pub(super) tested: BTreeSet<String>,
    pub(super) result: Understanding,
    /// The app of each action that calls the CDK, by the position of the action.
    pub(super) app_of: BTreeMap<usize, usize>,
    /// The names of apps that are already taken.
    pub(super) names: BTreeSet<String>,
    /// For each app, the commands that build it.
    pub(super) steps: Vec<Vec<BuildStep>>,
    /// For each app, the regions that are only known in the build.
    pub(super) unknown_regions: Vec<Vec<UnknownRegion>>,
}

/// A command that runs before an app is synthesized.
pub(super) struct BuildStep {
    pub(super) installs_packages: bool,
    pub(super) line: Line,
}

impl Collector<'_> {
    /// The positions of the apps that are synthesized in the build and pass the test.
    pub(super) fn synthesized_apps(&self, test: impl Fn(&App) -> bool) -> Vec<usize> {
        let apps = self.result.apps.iter().enumerate();
        apps.filter(|(_, app)| app.is_synthesized && test(app)).map(|(at, _)| at).collect()
    }

    /// The app of the next call of the CDK, or of the last one.
    pub(super) fn next_app(&self, at: usize) -> Option<usize> {
        self.app_of.range(at..).next().or(self.app_of.iter().next_back()).map(|(_, app)| *app)
    }

    pub(super) fn leave_out(&mut self, action: &Action, why: &str) {
        let what = shortened(&action.at.text);
        let why = why.to_owned();
        self.result.left_out.push(LeftOut { line: action.at.line, what, why, may_deploy: false });
    }
}
