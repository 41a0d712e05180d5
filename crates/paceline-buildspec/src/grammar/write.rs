//! A [`Buildspec`] as canonical YAML: documented order, defaults left out, flags in the documented words.

use std::collections::BTreeMap;

use super::{ArtifactSet, TaskEnvironment, Version};
use super::{
    Artifacts, Batch, Builds, Buildspec, Cache, Environment, Matrix, Phase, Phases, Proxy, Report, Task,
};
use crate::yaml::{self, Yaml};

impl Buildspec {
    pub fn to_yaml(&self) -> String {
        let version = Yaml::Plain(self.version.as_str().to_owned());
        let map = Entries::default()
            .with("version", version)
            .some("run-as", self.run_as.as_deref().map(Yaml::text))
            .filled("env", environment(&self.env))
            .filled("proxy", proxy(self.proxy))
            .some("batch", self.batch.as_ref().map(batch))
            .with("phases", phases(&self.phases))
            .filled(
                "reports",
                Yaml::Map(self.reports.iter().map(|(name, r)| (name.clone(), report(r))).collect()),
            )
            .some("artifacts", self.artifacts.as_ref().map(artifacts))
            .some("cache", self.cache.as_ref().map(cache));
        yaml::to_string(&map.done())
    }
}

/// A map under construction. Entries without content are left out.
#[derive(Default)]
struct Entries(Vec<(String, Yaml)>);

impl Entries {
    fn with(mut self, key: &str, value: Yaml) -> Self {
        self.0.push((key.to_owned(), value));
        self
    }

    fn some(self, key: &str, value: Option<Yaml>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    fn text(self, key: &str, value: Option<&String>) -> Self {
        self.some(key, value.map(Yaml::text))
    }

    fn filled(self, key: &str, value: Yaml) -> Self {
        match &value {
            Yaml::Map(entries) if entries.is_empty() => self,
            Yaml::List(items) if items.is_empty() => self,
            _ => self.with(key, value),
        }
    }

    fn yes(self, key: &str, flag: bool) -> Self {
        if flag { self.with(key, Yaml::yes_no(true)) } else { self }
    }

    /// A flag of the batch section, which is documented with `true` and `false`. The other sections use `yes`
    /// and `no`.
    fn true_(self, key: &str, flag: bool) -> Self {
        if flag { self.with(key, Yaml::Plain("true".to_owned())) } else { self }
    }

    fn done(self) -> Yaml {
        Yaml::Map(self.0)
    }
}

fn texts(map: &BTreeMap<String, String>) -> Yaml {
    Yaml::Map(map.iter().map(|(key, value)| (key.clone(), Yaml::text(value))).collect())
}

fn environment(env: &Environment) -> Yaml {
    Entries::default()
        .some("shell", env.shell.map(|shell| Yaml::text(shell.as_str())))
        .filled("variables", texts(&env.variables))
        .filled("parameter-store", texts(&env.parameter_store))
        .filled("secrets-manager", texts(&env.secrets_manager))
        .filled("exported-variables", Yaml::texts(&env.exported_variables))
        .yes("git-credential-helper", env.git_credential_helper)
        .done()
}

fn proxy(proxy: Proxy) -> Yaml {
    Entries::default().yes("upload-artifacts", proxy.upload_artifacts).yes("logs", proxy.logs).done()
}

fn phases(phases: &Phases) -> Yaml {
    Yaml::Map(phases.iter().map(|(name, p)| (name.to_string(), phase(p))).collect())
}

fn phase(phase: &Phase) -> Yaml {
    Entries::default()
        .text("run-as", phase.run_as.as_ref())
        .some("on-failure", phase.on_failure.as_ref().map(|on_failure| Yaml::text(on_failure.to_string())))
        .filled("runtime-versions", texts(&phase.runtime_versions))
        .filled("commands", Yaml::texts(&phase.commands))
        .filled("finally", Yaml::texts(&phase.finally))
        .done()
}

fn report(report: &Report) -> Yaml {
    Entries::default()
        .with("files", Yaml::texts(&report.files))
        .text("base-directory", report.base_directory.as_ref())
        .yes("discard-paths", report.discard_paths)
        .with("file-format", Yaml::text(report.file_format.as_str()))
        .done()
}

fn artifacts(artifacts: &Artifacts) -> Yaml {
    let secondary =
        artifacts.secondary.iter().map(|(name, set)| (name.clone(), artifact_set(set).done())).collect();
    artifact_set(&artifacts.set).filled("secondary-artifacts", Yaml::Map(secondary)).done()
}

fn artifact_set(set: &ArtifactSet) -> Entries {
    Entries::default()
        .with("files", Yaml::texts(&set.files))
        .text("name", set.name.as_ref())
        .yes("discard-paths", set.discard_paths)
        .text("base-directory", set.base_directory.as_ref())
        .filled("exclude-paths", Yaml::texts(&set.exclude_paths))
        .yes("enable-symlinks", set.enable_symlinks)
        .text("s3-prefix", set.s3_prefix.as_ref())
}

fn cache(cache: &Cache) -> Yaml {
    Entries::default()
        .text("key", cache.key.as_ref())
        .filled("fallback-keys", Yaml::texts(&cache.fallback_keys))
        .some("action", cache.action.map(|action| Yaml::text(action.as_str())))
        .with("paths", Yaml::texts(&cache.paths))
        .done()
}

fn batch(batch: &Batch) -> Yaml {
    let tasks = |tasks: &[Task]| Yaml::List(tasks.iter().map(task).collect());
    let (key, builds) = match &batch.builds {
        Builds::Graph(list) => ("build-graph", tasks(list)),
        Builds::List(list) => ("build-list", tasks(list)),
        Builds::Matrix(of) => ("build-matrix", matrix(of)),
        Builds::Fanout(of) => {
            let parallelism = Yaml::Plain(of.parallelism.to_string());
            let map = Entries::default()
                .with("parallelism", parallelism)
                .true_("ignore-failure", of.ignore_failure);
            ("build-fanout", map.done())
        }
    };
    Entries::default().true_("fast-fail", batch.fast_fail).with(key, builds).done()
}

fn task(task: &Task) -> Yaml {
    Entries::default()
        .with("identifier", Yaml::text(&task.identifier))
        .text("buildspec", task.buildspec.as_ref())
        .true_("debug-session", task.debug_session)
        .true_("ignore-failure", task.ignore_failure)
        .filled("depend-on", Yaml::texts(&task.depend_on))
        .filled("env", task_environment(&task.env))
        .done()
}

fn task_environment(env: &TaskEnvironment) -> Yaml {
    Entries::default()
        .text("compute-type", env.compute_type.as_ref())
        .text("fleet", env.fleet.as_ref())
        .text("image", env.image.as_ref())
        .true_("privileged-mode", env.privileged_mode)
        .text("type", env.kind.as_ref())
        .filled("variables", texts(&env.variables))
        .done()
}

fn matrix(matrix: &Matrix) -> Yaml {
    let fixed = Entries::default()
        .true_("privileged-mode", matrix.privileged_mode)
        .text("type", matrix.kind.as_ref());
    let variables =
        matrix.variables.iter().map(|(name, values)| (name.clone(), Yaml::texts(values))).collect();
    let varying = Entries::default()
        .filled("compute-type", Yaml::texts(&matrix.compute_types))
        .filled("image", Yaml::texts(&matrix.images))
        .filled("variables", Yaml::Map(variables));
    let fixed = Entries::default().true_("ignore-failure", matrix.ignore_failure).filled("env", fixed.done());
    let varying =
        Entries::default().filled("buildspec", Yaml::texts(&matrix.buildspecs)).filled("env", varying.done());
    Entries::default().filled("static", fixed.done()).filled("dynamic", varying.done()).done()
}

impl Version {
    pub(super) const ALL: [Self; 2] = [Self::V0_1, Self::V0_2];
}
