//! Finds the commands that synthesize a CDK app, from the files in its folder.

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{LARGEST_BY_HAND, read_regular_text};
use paceline_buildspec::understand::SourceTree;
use serde_json::Value;

/// The files of package managers, each with the command that installs from it. The first file that exists counts.
const INSTALLS: [(&str, &str); 8] = [
    ("package-lock.json", "npm ci"),
    ("npm-shrinkwrap.json", "npm ci"),
    ("yarn.lock", "yarn install --frozen-lockfile"),
    ("pnpm-lock.yaml", "pnpm install --frozen-lockfile"),
    ("poetry.lock", "poetry install"),
    ("requirements.txt", "pip install -r requirements.txt"),
    ("package.json", "npm install"),
    ("go.mod", "go mod download"),
];

/// A CDK app on the disk.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) assembly: Utf8PathBuf,
    /// The command that installs its packages, to be run in this folder.
    pub(crate) install: Option<String>,
    /// The command that synthesizes it, to be run in this folder.
    pub(crate) synth: Option<String>,
    pub(crate) is_cdk_app: bool,
    /// Whether the assembly is committed: it exists and no `.gitignore` excludes it.
    pub(crate) is_committed: bool,
    /// Whether npm installs its packages: it has a `package.json`, and no lock file of another package manager.
    pub(crate) has_npm: bool,
}

/// Examines a folder that is an assembly or a CDK app.
pub(crate) fn find(given: &Utf8Path) -> Project {
    let is_assembly = given.join("manifest.json").exists();
    let is_app = given.join("cdk.json").is_file();
    let folder = match given.parent() {
        _ if is_app => given.to_owned(),
        Some(parent) if !parent.as_str().is_empty() => parent.to_owned(),
        _ => ".".into(),
    };
    let settings = json(&folder.join("cdk.json"));
    let output = settings.as_ref().and_then(|it| it["output"].as_str()).unwrap_or("cdk.out");
    let assembly = match (is_assembly || !is_app, folder.as_str()) {
        (true, _) => given.to_owned(),
        (false, ".") => output.into(),
        (false, _) => folder.join(output),
    };
    let name = assembly.file_name().unwrap_or("cdk.out").to_owned();
    let ignored = [folder.join(".gitignore"), ".gitignore".into()].iter().any(|file| {
        let text = read_regular_text(file, LARGEST_BY_HAND).unwrap_or_default();
        text.lines().any(|line| line.trim().trim_matches('/').rsplit('/').next() == Some(name.as_str()))
    });
    Project {
        install: settings.as_ref().and_then(|_| install(&folder)),
        synth: settings.as_ref().map(|settings| synth(&folder, settings)),
        is_cdk_app: is_app,
        is_committed: is_assembly && !ignored,
        has_npm: folder.join("package.json").is_file()
            && !["yarn.lock", "pnpm-lock.yaml"].iter().any(|lock| folder.join(lock).is_file()),
        assembly,
    }
}

fn install(folder: &Utf8Path) -> Option<String> {
    let (_, command) = INSTALLS.iter().find(|(lock, _)| folder.join(lock).is_file())?;
    Some(in_folder(folder, command))
}

fn synth(folder: &Utf8Path, settings: &Value) -> String {
    let scripts = json(&folder.join("package.json")).map(|it| it["scripts"].clone()).unwrap_or_default();
    let program = settings["app"].as_str().unwrap_or_default();
    // These programs run TypeScript without compiling it first.
    let compiles = ["ts-node", "tsx", "bun"].iter().all(|word| !program.contains(word));
    let build = (compiles && scripts["build"].is_string()).then_some("npm run build");
    let package = json(&folder.join("package.json")).unwrap_or_default();
    let depends =
        ["dependencies", "devDependencies"].iter().any(|list| package[*list]["aws-cdk"].is_string());
    let synth = match (scripts["synth"].is_string(), depends) {
        (true, _) => "npm run synth",
        (false, true) => "npx cdk synth --quiet",
        // Without a version, each build could get another CLI.
        (false, false) => "npx --yes aws-cdk@2 synth --quiet",
    };
    in_folder(folder, &build.into_iter().chain([synth]).collect::<Vec<_>>().join(" && "))
}

fn in_folder(folder: &Utf8Path, command: &str) -> String {
    if folder == "." { command.to_owned() } else { format!("(cd {folder} && {command})") }
}

fn json(path: &Utf8Path) -> Option<Value> {
    serde_json::from_str(&read_regular_text(path, LARGEST_BY_HAND).ok()?).ok()
}

/// The scripts of the `package.json` files in this folder and below it.
pub(crate) struct PackageScripts;

impl SourceTree for PackageScripts {
    fn package_script(&self, dir: &str, name: &str) -> Option<String> {
        let package = json(&Utf8Path::new(dir).join("package.json"))?;
        Some(package["scripts"][name].as_str()?.to_owned())
    }

    fn is_folder(&self, dir: &str) -> Option<bool> {
        Some(Utf8Path::new(dir).is_dir())
    }
}
