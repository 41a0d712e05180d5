//! The Debian package.

use std::process::Command;

use crate::packed::{packed, succeed};

#[test]
fn the_package_installs_a_program_with_its_manual_and_completions() {
    let Some(packed) = packed(&["dpkg", "dpkg-deb"]) else { return };
    let deb = packed.file("paceline_", ".deb");
    let control = succeed(Command::new("dpkg-deb").arg("--field").arg(&deb));
    assert!(control.starts_with("Package: paceline\n"), "{control}");

    let root = packed.path("root");
    fs_err::create_dir_all(root.join("var/lib/dpkg/updates")).unwrap();
    fs_err::create_dir_all(root.join("var/lib/dpkg/info")).unwrap();
    fs_err::write(root.join("var/lib/dpkg/status"), "").unwrap();
    // No root rights are needed, and nothing of this system is touched.
    let mut dpkg = Command::new("dpkg");
    dpkg.arg(format!("--root={}", root.display()));
    dpkg.args(["--force-not-root", "--force-bad-path", "--log=/dev/null", "--install"]).arg(&deb);
    succeed(dpkg.env("DPKG_FRONTEND_LOCKED", "1"));
    let listed =
        succeed(Command::new("dpkg").arg(format!("--root={}", root.display())).args(["-L", "paceline"]));
    for file in [
        "/usr/bin/paceline",
        "/usr/share/man/man1/paceline-deploy.1.gz",
        "/usr/share/bash-completion/completions/paceline",
        "/usr/share/doc/paceline/copyright",
    ] {
        assert!(listed.lines().any(|line| line == file), "{file}: {listed}");
    }
    let version = succeed(Command::new(root.join("usr/bin/paceline")).arg("--version"));
    assert_eq!(version, format!("paceline {}\n", env!("CARGO_PKG_VERSION")));
}
