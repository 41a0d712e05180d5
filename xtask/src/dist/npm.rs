//! The npm packages: `paceline` with the launcher and the types, and one package for each platform with its program.
//!
//! npm installs the package of its platform only: the others are optional dependencies that name another `os` or `cpu`.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use xshell::Shell;

use super::archive::{Entry, tar_gz};
use super::contents::{Contents, File};
use super::release::{ABOUT, Binary, Release};
use super::typescript;
use crate::schemas::SCHEMAS;

/// The archives, as `npm install FILE` takes them.
pub(super) fn packages(sh: &Shell, release: &Release, contents: &Contents) -> Result<Vec<File>> {
    let mut packages = vec![main(sh, release, contents)?];
    for binary in &release.binaries {
        packages.push(platform(release, contents, binary)?);
    }
    Ok(packages)
}

fn main(sh: &Shell, release: &Release, contents: &Contents) -> Result<File> {
    let version = &release.version;
    let optional: Map<String, Value> =
        release.binaries.iter().map(|binary| (name(binary), Value::from(version.as_str()))).collect();
    let manifest = json!({
        "name": "paceline",
        "version": version,
        "description": ABOUT,
        "license": "Apache-2.0",
        "keywords": ["aws", "cdk", "cloudformation", "codebuild", "deploy"],
        "bin": { "paceline": "bin/paceline.js" },
        "main": "index.js",
        "types": "index.d.ts",
        "engines": { "node": ">=18" },
        "optionalDependencies": optional,
    });
    let manifest = format!("{manifest:#}\n");
    let mut types = "/** The path of the program of this platform. An error says why there is none. */\n\
                     export function binary(): string;\n"
        .to_owned();
    let mut schemas = Vec::new();
    for published in &SCHEMAS {
        let path = published.path();
        let text = sh.read_file(&path)?;
        let schema: Value = serde_json::from_str(&text).with_context(|| format!("{path} is no JSON"))?;
        let _ = write!(types, "\n{}", typescript::declaration(published.ty, &schema));
        schemas.push((format!("package/schema/{}", published.file()), text));
    }
    let mut entries = vec![
        Entry::file("package/package.json", manifest.as_bytes()),
        Entry::file("package/README.md", include_bytes!("npm/README.md")),
        Entry::file("package/LICENSE", &contents.license),
        Entry::file("package/CHANGELOG.md", &contents.changelog),
        Entry::file("package/index.js", include_bytes!("npm/index.js")),
        Entry::file("package/index.d.ts", types.as_bytes()),
        Entry::program("package/bin/paceline.js", include_bytes!("npm/paceline.js")),
    ];
    entries.extend(schemas.iter().map(|(path, text)| Entry::file(path, text.as_bytes())));
    Ok((format!("paceline-{version}.tgz"), tar_gz(release, entries)?))
}

fn platform(release: &Release, contents: &Contents, binary: &Binary) -> Result<File> {
    let (version, cpu) = (&release.version, binary.target.cpu);
    let manifest = json!({
        "name": name(binary),
        "version": version,
        "description": format!("The program of paceline for Linux on {cpu}"),
        "license": "Apache-2.0",
        "os": ["linux"],
        "cpu": [cpu],
        "preferUnplugged": true,
    });
    let manifest = format!("{manifest:#}\n");
    let entries = vec![
        Entry::file("package/package.json", manifest.as_bytes()),
        Entry::file("package/LICENSE", &contents.license),
        Entry::file("package/THIRD-PARTY.txt", &contents.third_party),
        Entry::program("package/paceline", &binary.bytes),
    ];
    Ok((format!("paceline-linux-{cpu}-{version}.tgz"), tar_gz(release, entries)?))
}

/// The name of a platform's package. The launcher makes the same name from `process.platform` and `process.arch`.
fn name(binary: &Binary) -> String {
    format!("@paceline/linux-{}", binary.target.cpu)
}
