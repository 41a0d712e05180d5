//! The purpose of a call in a build that deploys a CDK app.

use super::table::{Fact, base_name, has};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It installs the packages of the folder.
    InstallPackages,
    /// It installs a tool for the whole machine.
    InstallTool,
    /// It installs the CDK CLI for the whole machine, in this version if one is named.
    InstallCdk(Option<String>),
    /// It compiles or tests.
    Build,
    /// It runs a script of the folder's `package.json`.
    PackageScript(String),
    /// It enters an environment for the later commands.
    EnterEnvironment,
    /// It bootstraps environments with a script of the team.
    Bootstrap,
    /// It only prints something.
    Show,
    /// It starts a Docker daemon, or asks for one.
    Docker,
    /// It selects a runtime.
    Runtime,
    /// It signals the result of the build to the address in this variable.
    Signal(String),
    /// It deploys with its own tool, whose calls are not read here.
    DeployItself,
    Other,
}

/// The purpose of a call. The first word is the program.
pub(crate) fn purpose(words: &[String]) -> Purpose {
    let Some(first) = words.first() else { return Purpose::Other };
    let program = base_name(first);
    let arguments = &words[1..];
    let is_given = |word: &str| arguments.iter().any(|argument| argument == word);
    let plain: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    if let Some(variable) = signal(program, arguments) {
        return Purpose::Signal(variable);
    }
    if matches!(program, "npm" | "pnpm" | "yarn" | "bun" | "npx" | "bunx") && deploys_by_file(words) {
        return Purpose::DeployItself;
    }
    let shows = has(words, Fact::Shows) && !(program == "cat" && plain.is_empty());
    if shows || asks_for_version(arguments) {
        return Purpose::Show;
    }
    match program {
        "npm" | "pnpm" | "yarn" | "bun" => {
            return node_packages(program, &plain, is_given("-g") || is_given("--global"));
        }
        "python" | "python3" if is_given("-m") => match plain.first() {
            Some(&"pip") if plain.get(1) == Some(&"install") => return Purpose::InstallPackages,
            Some(&"pip") => return Purpose::Other,
            Some(&("venv" | "virtualenv")) => return Purpose::InstallPackages,
            _ => {}
        },
        "source" | "." if plain.iter().any(|word| word.ends_with("bin/activate")) => {
            return Purpose::EnterEnvironment;
        }
        // Only the team knows what these programs do.
        "lerna" | "nx" | "turbo" | "node" | "ts-node" | "tsx" | "bash" | "sh" if is_given("deploy") => {
            return Purpose::DeployItself;
        }
        "make" | "just" | "task" => {
            let deploys = plain.iter().any(|it| it.contains("deploy") || it.contains("bootstrap"));
            return if deploys { Purpose::DeployItself } else { Purpose::Build };
        }
        "service" | "systemctl" if is_given("docker") => return Purpose::Docker,
        "corepack" => return Purpose::Runtime,
        _ => {}
    }
    let by_fact = [
        (Fact::InstallsPackages, Purpose::InstallPackages),
        (Fact::DeploysItself, Purpose::DeployItself),
        (Fact::Compiles, Purpose::Build),
        (Fact::StartsDocker, Purpose::Docker),
        (Fact::ChecksDocker, Purpose::Docker),
        (Fact::ManagesRuntimes, Purpose::Runtime),
    ];
    let known = by_fact.into_iter().find(|(fact, _)| has(words, *fact));
    match known {
        Some((_, purpose)) => purpose,
        None if deploys_by_file(words) => Purpose::DeployItself,
        None => by_file_name(words),
    }
}

/// Whether the only argument asks for the version of the program.
fn asks_for_version(arguments: &[String]) -> bool {
    matches!(arguments, [only] if matches!(only.as_str(), "--version" | "-v" | "-V" | "version"))
}

/// Whether a script gets the argument `deploy`: `./tool.py deploy`, `scripts/cdk.ts deploy`.
fn deploys_by_file(words: &[String]) -> bool {
    let is_script = |word: &String| has_ending(word, &["sh", "py", "js", "ts", "mjs", "cjs", "rb"]);
    let script = words.iter().position(is_script);
    script.is_some_and(|at| words[at + 1..].iter().any(|word| word == "deploy"))
}

/// Whether the name of a file ends like this.
fn has_ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}

/// The purpose of a script, by its name.
fn by_file_name(words: &[String]) -> Purpose {
    let is_file = |word: &&String| word.contains('/') || has_ending(word, &["sh", "py"]);
    let Some(file) = words.iter().take(2).find(is_file) else { return Purpose::Other };
    let name = file.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    if name.contains("bootstrap") { Purpose::Bootstrap } else { Purpose::Other }
}

fn node_packages(program: &str, plain: &[&str], global: bool) -> Purpose {
    let (first, rest) = plain.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
    let (first, rest) = match (program, first, rest) {
        ("yarn", "global", [_, rest @ ..]) => return tool(rest),
        // `yarn workspace NAME build`
        ("yarn", "workspace" | "workspaces", _) => return Purpose::Build,
        other => (other.1, other.2),
    };
    match first {
        "install" | "i" | "add" if global => tool(rest),
        "ci" | "clean-install" | "install" | "i" => Purpose::InstallPackages,
        "" if program != "npm" => Purpose::InstallPackages,
        "run" | "run-script" => match rest.first() {
            Some(name) => Purpose::PackageScript((*name).to_owned()),
            None => Purpose::Show,
        },
        "test" | "t" => Purpose::Build,
        "config" | "cache" | "set" | "login" | "audit" | "prune" | "link" | "update" | "rebuild" | "add"
        | "exec" | "dlx" => Purpose::Other,
        // `yarn build` is `yarn run build`.
        name if program != "npm" => Purpose::PackageScript(name.to_owned()),
        _ => Purpose::Other,
    }
}

fn tool(packages: &[&str]) -> Purpose {
    let cdk = packages.iter().find_map(|package| {
        let (name, version) = package.split_once('@').map_or((*package, None), |(name, v)| (name, Some(v)));
        (name == "aws-cdk" || name == "cdk")
            .then(|| version.filter(|v| v.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned))
    });
    cdk.map_or(Purpose::InstallTool, Purpose::InstallCdk)
}

/// The variable with the address that a call sends a signal to.
fn signal(program: &str, arguments: &[String]) -> Option<String> {
    if !matches!(program, "curl" | "wget" | "cfn-signal" | "http") {
        return None;
    }
    let is_handle = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["WAIT", "HANDLE", "SIGNAL"].iter().any(|word| name.contains(word))
    };
    let mut names = arguments.iter().filter_map(|argument| argument.strip_prefix('$'));
    names.find(|name| is_handle(name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &Purpose) {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        assert_eq!(purpose(&words), *expected, "{text}");
    }

    #[test]
    fn calls_have_a_purpose() {
        for text in [
            "npm ci",
            "npm install",
            "yarn",
            "yarn install --frozen-lockfile",
            "pnpm i",
            "pip install -r r.txt",
        ] {
            check(text, &Purpose::InstallPackages);
        }
        check("python -m pip install -r requirements.txt", &Purpose::InstallPackages);
        check("npm install -g aws-cdk", &Purpose::InstallCdk(None));
        check("npm i -g aws-cdk@2.173.0", &Purpose::InstallCdk(Some("2.173.0".into())));
        check("npm install -g aws-cdk@latest", &Purpose::InstallCdk(None));
        check("npm install -g typescript", &Purpose::InstallTool);
        check("npm run build", &Purpose::PackageScript("build".into()));
        check("yarn build", &Purpose::PackageScript("build".into()));
        check("npx tsc", &Purpose::Build);
        check("python -m venv .venv", &Purpose::InstallPackages);
        check(". .venv/bin/activate", &Purpose::EnterEnvironment);
        check("./scripts/cdkbootstrap.sh", &Purpose::Bootstrap);
        check("bash scripts/bootstrap.sh us-east-1", &Purpose::Bootstrap);
        check("echo done", &Purpose::Show);
        check("cdk --version", &Purpose::Show);
        check("make deploy", &Purpose::DeployItself);
        check("yarn run ts-node --transpile-only tool.ts deploy --stage x", &Purpose::DeployItself);
        check("python tools/ship.py deploy", &Purpose::DeployItself);
        check("curl -X PUT --data-binary x $WAIT_HANDLE_URL", &Purpose::Signal("WAIT_HANDLE_URL".into()));
        check("curl https://example.com/x", &Purpose::Other);
        check("./az/removeusersimtags.sh", &Purpose::Other);
    }
}
