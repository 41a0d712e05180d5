//! The build of a team today: all of its buildspecs together, with paths relative to one folder.

use paceline_text::shell_word;

use super::{App, Deployment, Line, Runtime, Script, Signal, Understanding, needs_bash};

/// What the buildspecs of a team do, one after the other. Lines count within the file of each app.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExistingPipeline {
    /// The names of the buildspecs; usually one.
    pub files: Vec<String>,
    /// In the order in which they are first used. No two have the same name.
    pub apps: Vec<App>,
    /// In the order in which they run.
    pub deployments: Vec<Deployment>,
    /// The scripts between the deployments, in their order.
    pub scripts: Vec<Script>,
    /// The first signal to an outer stack.
    pub signal: Option<Signal>,
    /// Where environments are bootstrapped.
    pub bootstraps: Vec<Line>,
    /// The runtimes that the builds select.
    pub runtimes: Vec<Runtime>,
}

impl ExistingPipeline {
    /// Puts the buildspecs together in their order. `place` turns a folder relative to the root of the source into one
    /// relative to the configuration.
    pub fn of(
        read: impl IntoIterator<Item = (String, Understanding)>,
        place: impl Fn(&str) -> String,
    ) -> Self {
        let mut build = Self::default();
        for (file, understood) in read {
            build.add(file, understood, &place);
        }
        build
    }

    fn add(&mut self, file: String, understood: Understanding, place: impl Fn(&str) -> String) {
        let (apps, deployments) = (self.apps.len(), self.deployments.len());
        for app in understood.apps {
            let mut app = App { file: file.clone(), dir: place(&app.dir), ..app };
            // Apps of two files may have the same name.
            if self.apps.iter().any(|other| other.name == app.name) {
                app.name = format!("{}-{}", app.name, self.apps.len() + 1);
            }
            self.apps.push(app);
        }
        let moved = understood.deployments.into_iter().map(|it| Deployment { app: apps + it.app, ..it });
        self.deployments.extend(moved);
        let moved = understood.scripts.into_iter();
        self.scripts.extend(moved.map(|it| Script {
            dir: place(&it.dir),
            after: deployments + it.after,
            ..it
        }));
        self.signal = self.signal.take().or_else(|| understood.signals.into_iter().next());
        self.bootstraps.extend(understood.bootstraps);
        self.runtimes.extend(understood.runtimes);
        self.files.push(file);
    }

    /// The buildspecs, for a sentence.
    pub fn file(&self) -> String {
        self.files.join(" and ")
    }

    /// The buildspec that has a deployment.
    pub fn file_of(&self, deployment: &Deployment) -> &str {
        self.apps.get(deployment.app).map_or("", |app| app.file.as_str())
    }
}

impl App {
    /// The command that synthesizes the app, without context; none if another build synthesizes it.
    pub fn synth(&self) -> Option<String> {
        let program = self.program.as_deref();
        let program = program.map(|program| format!(" --app {}", shell_word(program))).unwrap_or_default();
        let output = match self.assembly.as_str() {
            "cdk.out" => String::new(),
            other => format!(" --output {other}"),
        };
        // npm passes options to the script only after `--`.
        let dashes = if self.cli.starts_with("npm ") { " --" } else { "" };
        self.is_synthesized.then(|| format!("{}{dashes} synth --quiet{program}{output}", self.cli))
    }

    /// Whether a command of the app needs bash. `source` alone does not: `.` is the same in every shell.
    pub fn needs_bash(&self) -> bool {
        let setup = self.setup.iter().map(|it| it.text.as_str());
        let mut texts = setup.chain(self.install.iter().chain(&self.build).map(|it| it.text.as_str()));
        texts.any(|text| needs_bash(text) && !text.starts_with("source "))
    }
}

impl Script {
    /// Whether the script needs bash.
    pub fn needs_bash(&self) -> bool {
        needs_bash(&self.text)
    }
}
