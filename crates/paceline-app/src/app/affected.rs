//! Other assemblies of an app, and the stacks that differ from them.

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::Assembly;
use paceline_plan::{Affected, PlanOptions, affected};
use tempfile::TempDir;

use super::App;
use super::parameters::give_to;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::Selection;

impl App {
    /// The options that make this app's plan, with the stacks that a command line chooses.
    pub fn selected(&self, selection: &Selection, fail_fast: bool) -> Result<PlanOptions, Failure> {
        let mut options = self.options(Some(selection), fail_fast);
        if let Some(base) = &selection.affected_by {
            let dir = Utf8Path::new(base);
            let other = if dir.is_dir() { other_assembly(self, dir)? } else { committed(self, base)? };
            options.affected =
                Some(Affected { base: base.clone(), stacks: affected(&self.assembly, &other) });
        }
        Ok(options)
    }
}

/// The assembly in a folder. For several apps, those in a folder that has the same folders as that of the configuration.
pub(crate) fn other_assembly(app: &App, dir: &Utf8Path) -> Result<Assembly, Failure> {
    let mut base = if app.config.apps.is_empty() {
        Assembly::read_incomplete(dir)?
    } else {
        let mut assemblies = Vec::new();
        for (name, it) in &app.config.apps {
            assemblies.push((name.clone(), Assembly::read_incomplete(dir.join(&it.dir).join(&it.assembly))?));
        }
        Assembly::of_apps(assemblies)
    };
    give_to(&mut base.stacks, &app.parameters);
    app.overrides.give_to(&mut base.stacks);
    Ok(base)
}

/// The assembly of the app, or the assemblies of its apps, as they are in a commit.
fn committed(app: &App, commit: &str) -> Result<Assembly, Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("cannot write the assembly of `{commit}`: {error}");
        Failure::usage(message, "free some space in the temporary folder, or name another with TMPDIR")
    };
    let folder = TempDir::new().map_err(failed)?;
    let base = Utf8PathBuf::from_path_buf(folder.path().join("base")).map_err(|_| {
        Failure::usage("the name of the temporary folder is not UTF-8", "name another with TMPDIR")
    })?;
    let folders: Vec<(Utf8PathBuf, Utf8PathBuf)> = if app.config.apps.is_empty() {
        vec![(app.dir.clone(), base.clone())]
    } else {
        let of_each = app.config.apps.values().map(|it| it.dir.join(&it.assembly));
        of_each.map(|path| (app.dir.join(&path), base.join(&path))).collect()
    };
    for (from, to) in folders {
        fs_err::create_dir_all(&to).map_err(failed)?;
        let reading = paceline_host::committed(&from, commit, &to);
        interrupt::until_stopped("an earlier assembly was being read", reading)??;
    }
    other_assembly(app, &base)
}
