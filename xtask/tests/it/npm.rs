//! The npm packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packed::{Packed, Sim, example, packed, run, succeed};

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

/// The installed `paceline` with arguments.
fn npx(packed: &Packed, project: &Path, arguments: &[&str]) -> Command {
    let mut npx = node(packed, project, "npx");
    npx.args(["--offline", "paceline"]).args(arguments);
    npx
}

#[test]
fn an_app_is_planned_after_an_installation_from_the_files() {
    let Some(packed) = packed(&["node", "npm"]) else { return };
    let files = [packed.file("paceline-linux-", ".tgz"), packed.main()];
    let project = project(&packed, &files);
    for name in ["cdk.out", "paceline.yaml"] {
        std::os::unix::fs::symlink(example().join(name), project.join(name)).unwrap();
    }
    let npx = |arguments: &[&str]| npx(&packed, &project, arguments);
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
fn a_generated_build_deploys_with_the_program_that_the_lock_file_pins() {
    let Some(packed) = packed(&["node", "npm", "bash"]) else { return };
    let files = [packed.file("paceline-linux-", ".tgz"), packed.main()];
    let project = project(&packed, &files);
    succeed(Command::new("cp").arg("-r").arg(example().join("cdk.out")).arg(&project));
    let paceline = |arguments: &[&str]| npx(&packed, &project, arguments);
    // The folder has a package.json, so the builds of the new configuration use npm.
    succeed(&mut paceline(&["init"]));
    let config = fs_err::read_to_string(project.join("paceline.yaml")).unwrap();
    assert!(config.lines().any(|line| line == "runner: { from: npm }"), "{config}");
    // Without gates, which wait in real time.
    fs_err::write(project.join("paceline.yaml"), "app: cdk.out\nrunner: { from: npm }\n").unwrap();
    let generated = run(&mut paceline(&["gen", "--name", "shop"]));
    assert!(generated.status.success(), "{generated:?}");
    assert!(!String::from_utf8_lossy(&generated.stderr).contains("runner"), "{generated:?}");

    // A build has the source, and Node. It installs the rest.
    fs_err::remove_dir_all(project.join("node_modules")).unwrap();
    let home = packed.path("build");
    let sim = Sim::start(&packed);
    let mut build = Command::new(packed.path("paceline"));
    build.args(["run-buildspec", "buildspecs/shop.yml", "--env"]);
    build.arg(format!("PACELINE_HOME={}", home.display())).current_dir(&project);
    build.env("npm_config_cache", packed.path("cache")).env("npm_config_offline", "true");
    build.env("AWS_ENDPOINT_URL", &sim.address).env("AWS_REGION", "us-east-1");
    build.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let log = succeed(&mut build);
    assert!(log.contains("the deployment is complete"), "{log}");
    assert!(
        fs_err::read(home.join("bin/paceline")).unwrap() == fs_err::read(packed.path("paceline")).unwrap()
    );

    // Without the package, the build says what to do.
    succeed(node(&packed, &project, "npm").args([
        "uninstall",
        "--offline",
        "--no-audit",
        "--no-fund",
        "paceline",
    ]));
    let ran = run(&mut build);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert!(stderr.contains("hint: run npm install --save-dev paceline"), "{stderr}");
}

#[test]
fn a_missing_platform_package_is_one_clear_error() {
    let Some(packed) = packed(&["node", "npm"]) else { return };
    let project = project(&packed, &[packed.main()]);
    let ran = run(&mut npx(&packed, &project, &["plan"]));
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert!(stderr.starts_with("error: the package @paceline/linux-"), "{stderr}");
    assert!(stderr.contains(" hint: npm install --include=optional paceline@"), "{stderr}");
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
}
