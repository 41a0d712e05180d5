//! The assemblies of the apps that a team's buildspecs deploy.

use camino::Utf8Path;
use paceline_assembly::Assembly;
use paceline_buildspec::understand::{self, Understanding};

use crate::failure::Failure;

/// The assemblies of all apps, with the names of the apps. None if one assembly does not exist.
pub(crate) fn of(
    read: &[(&Utf8Path, Understanding)],
    given: Option<&Utf8Path>,
) -> Result<Option<Vec<(String, Assembly)>>, Failure> {
    let apps: Vec<&understand::App> = read.iter().flat_map(|(_, understood)| &understood.apps).collect();
    if let Some(given) = given {
        let [app] = &apps[..] else {
            return Err(Failure::usage(
                format!("--app names one app, and the buildspec deploys {}", apps.len()),
                "leave --app out: `init` looks for each assembly in the folder of its app",
            ));
        };
        return Ok(Some(vec![(app.name.clone(), Assembly::read(given)?)]));
    }
    let mut found = Vec::new();
    for app in apps {
        let dir = Utf8Path::new(&app.dir).join(&app.assembly);
        if !dir.join("manifest.json").is_file() {
            return Ok(None);
        }
        found.push((app.name.clone(), Assembly::read(dir)?));
    }
    Ok(Some(found))
}
