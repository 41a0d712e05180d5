//! Checks templates with cfn-lint, where it is installed.

use std::io::Write as _;
use std::process::Command;

/// Checks templates, each with the name of its file.
#[track_caller]
pub(crate) fn check(templates: &[(String, String)]) {
    let Some(cfn_lint) = crate::tool("cfn-lint", "CFN_LINT") else {
        let _ = writeln!(std::io::stderr().lock(), "\nSKIPPED: cfn-lint is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let paths = templates.iter().map(|(name, text)| {
        let path = folder.path().join(name);
        fs_err::write(&path, text).unwrap();
        path
    });
    let checked = Command::new(cfn_lint)
        .args(["--format", "parseable", "--regions", "us-east-1", "--"])
        .args(paths)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    // Versions from before September 2026 do not know this property.
    let found: Vec<&str> =
        said.lines().filter(|line| line.contains(".yaml:") && !line.contains("'HostKernel'")).collect();
    assert!(found.is_empty(), "{said}");
    assert!(
        checked.status.success() || said.contains("'HostKernel'"),
        "{said}{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}
