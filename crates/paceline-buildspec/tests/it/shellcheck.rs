//! The generated scripts pass shellcheck, if it is installed.

use std::io::Write as _;
use std::process::Command;

use paceline_buildspec::{Apps, Buildspec, Generation};

use crate::{files, installed, synthesized, workshop};

#[test]
fn generated_scripts_pass_shellcheck() {
    if Command::new("shellcheck").arg("--version").output().is_err() {
        let _ = writeln!(std::io::stderr().lock(), "\nSKIPPED: shellcheck is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut odd = Generation { apps: Apps::One("it's a folder".into()), ..workshop() };
    odd.codebuild.batch = Some(paceline_config::BatchBy::Regions);
    let mut scripts = Vec::new();
    let pipelines = crate::pipeline::every_kind();
    for generation in [workshop(), synthesized(), installed(), odd].into_iter().chain(pipelines) {
        for file in files(&generation)
            .iter()
            .filter(|file| camino::Utf8Path::new(&file.path).extension() == Some("yml"))
        {
            let phases = Buildspec::read(&file.contents).unwrap().buildspec.phases;
            let phases = [phases.install, phases.pre_build, phases.build, phases.post_build];
            for command in phases.into_iter().flatten().flat_map(|phase| phase.commands) {
                let path = folder.path().join(format!("{}-{}.sh", file.path, scripts.len()));
                fs_err::write(&path, format!("#!/bin/bash\n{command}\n")).unwrap();
                scripts.push(path);
            }
        }
    }
    assert!(scripts.len() > 20, "{}", scripts.len());
    let checked = Command::new("shellcheck")
        .args(["--shell=bash", "--format=gcc", "--exclude=SC1090,SC1091"])
        .args(&scripts)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{said}");
}
