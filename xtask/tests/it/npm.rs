//! The npm packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packed::{Packed, example, has, run, skipped, succeed};

/// An npm project that has installed these packages from their files, without a registry.
fn project(packed: &Packed, files: &[PathBuf]) -> PathBuf {
    let project = packed.path("project");
    fs_err::create_dir_all(&project).unwrap();
    fs_err::write(project.join("package.json"), "{ \"private\": true }\n").unwrap();
    let install = ["install", "--save-dev", "--offline", "--no-audit", "--no-fund"];
    succeed(node(packed, &project, "npm").args(install).args(files));
    project
}

/// A program of Node in the folder, with nothing of this user's settings and cache.
fn node(packed: &Packed, folder: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env("npm_config_cache", packed.path("cache"))
        .env("HOME", packed.path("home"));
    command.env("npm_config_update_notifier", "false").env("NO_COLOR", "1");
    command
}

#[test]
fn an_app_is_planned_after_an_installation_from_the_files() {
    if !has(&["node", "npm"]) {
        return;
    }
    let packed = match Packed::new() {
        Ok(packed) => packed,
        Err(why) => return skipped(&why),
    };
    let files = [packed.file("paceline-linux-", ".tgz"), packed.main()];
    let project = project(&packed, &files);
    for name in ["cdk.out", "paceline.yaml"] {
        std::os::unix::fs::symlink(example().join(name), project.join(name)).unwrap();
    }
    let npx = |arguments: &[&str]| {
        let mut npx = node(&packed, &project, "npx");
        npx.args(["--offline", "paceline"]).args(arguments);
        npx
    };
    assert_eq!(succeed(&mut npx(&["--version"])), format!("paceline {}\n", env!("CARGO_PKG_VERSION")));
    let plan = succeed(npx(&["plan"]).env("ENABLE_MULTI_REGION", "true"));
    assert!(plan.contains("Plan: 14 stacks"), "{plan}");
    // The launcher passes the exit code on.
    let refused = run(&mut npx(&["plan", "--app", "nothing"]));
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    // The lock file pins the content of the program.
    let lock: serde_json::Value =
        serde_json::from_str(&fs_err::read_to_string(project.join("package-lock.json")).unwrap()).unwrap();
    let cpu = if cfg!(target_arch = "x86_64") { "x64" } else { "arm64" };
    let pinned = &lock["packages"][&format!("node_modules/@paceline/linux-{cpu}")]["integrity"];
    assert!(pinned.as_str().is_some_and(|it| it.starts_with("sha512-")), "{lock:#}");
}

#[test]
fn a_missing_platform_package_is_one_clear_error() {
    if !has(&["node", "npm"]) {
        return;
    }
    let packed = match Packed::new() {
        Ok(packed) => packed,
        Err(why) => return skipped(&why),
    };
    let project = project(&packed, &[packed.main()]);
    let ran = run(node(&packed, &project, "npx").args(["--offline", "paceline", "plan"]));
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert!(stderr.starts_with("error: the package @paceline/linux-"), "{stderr}");
    assert!(stderr.contains(" hint: npm install --include=optional paceline@"), "{stderr}");
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
}
