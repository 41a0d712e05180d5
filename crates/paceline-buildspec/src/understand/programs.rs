//! What the programs of a build are for.

/// What a call is for, as far as a takeover is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// Installs the packages of the folder.
    Install,
    /// Installs a tool for the whole machine.
    Tool,
    /// Installs the CDK CLI for the whole machine, and which version if one is named.
    Cli(Option<String>),
    /// Compiles or tests.
    Build,
    /// Runs a script of the folder's `package.json`.
    PackageScript(String),
    /// Enters an environment that every later command is to run in.
    Environment,
    /// Bootstraps environments by a script of the team's own.
    Bootstrap,
    /// Only says or shows something.
    Says,
    /// Starts or asks for a Docker daemon.
    Daemon,
    /// Chooses a runtime.
    Runtime,
    /// Tells whoever waits how the build ended: the variable with the address.
    Signal(String),
    /// Deploys with a tool of its own, which cannot be read here.
    Opaque,
    /// Anything else.
    Other,
}

const SAYS: &[&str] = &[
    "echo", "printf", "date", "true", ":", "ls", "pwd", "set", "which", "type", "whoami", "id", "env",
    "printenv", "uname", "df", "free", "tree", "cat", "head", "tail", "wait", "exit", "trap", "shopt",
    "hostname", "umask", "sleep", "return", "break", "continue", "[", "test",
];

/// The role of a call whose first word is the program.
pub(super) fn role(words: &[String]) -> Role {
    let Some(first) = words.first() else { return Role::Other };
    let program = first.rsplit('/').next().unwrap_or_default();
    let arguments = &words[1..];
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let plain: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    if let Some(variable) = signal(program, arguments) {
        return Role::Signal(variable);
    }
    if matches!(program, "npm" | "pnpm" | "yarn" | "bun" | "npx" | "bunx") && deploys_by_file(words) {
        return Role::Opaque;
    }
    if SAYS.contains(&program) && !(program == "cat" && plain.is_empty()) {
        return Role::Says;
    }
    if matches!(arguments, [only] if matches!(only.as_str(), "--version" | "-v" | "-V" | "version")) {
        return Role::Says;
    }
    match program {
        "npm" | "pnpm" | "yarn" | "bun" => node_packages(program, &plain, has("-g") || has("--global")),
        "npx" | "bunx" => match plain.first() {
            Some(&("tsc" | "jest" | "eslint" | "projen" | "nx" | "turbo" | "vitest")) => Role::Build,
            _ => Role::Other,
        },
        "pip" | "pip3" => pip(&plain),
        "python" | "python3" => match &plain[..] {
            _ if has("-m") && plain.first() == Some(&"pip") => pip(&plain[1..]),
            _ if has("-m") && matches!(plain.first(), Some(&("venv" | "virtualenv"))) => Role::Install,
            _ if deploys_by_file(words) => Role::Opaque,
            _ => named(words),
        },
        "virtualenv" => Role::Install,
        "source" | "." if plain.iter().any(|word| word.ends_with("bin/activate")) => Role::Environment,
        "poetry" | "pipenv" | "bundle" | "uv" | "composer"
            if matches!(plain.first(), Some(&("install" | "sync"))) =>
        {
            Role::Install
        }
        "dotnet" if plain.first() == Some(&"restore") => Role::Install,
        "go" if plain.first() == Some(&"mod") => Role::Install,
        // What these run, only the team knows.
        "lerna" | "nx" | "turbo" | "node" | "ts-node" | "tsx" | "bash" | "sh" if has("deploy") => {
            Role::Opaque
        }
        "tsc" | "jest" | "eslint" | "webpack" | "esbuild" | "vitest" | "pytest" | "flake8" | "mypy"
        | "ruff" | "mvn" | "gradle" | "gradlew" | "mvnw" | "dotnet" | "go" | "cargo" | "lerna" | "nx"
        | "turbo" => Role::Build,
        "make" | "just" | "task" => match &plain[..] {
            targets if targets.iter().any(|it| it.contains("deploy") || it.contains("bootstrap")) => {
                Role::Opaque
            }
            _ => Role::Build,
        },
        "dockerd" | "dockerd-entrypoint.sh" => Role::Daemon,
        "docker" if matches!(plain.first(), Some(&("info" | "ps" | "version"))) => Role::Daemon,
        "service" | "systemctl" if has("docker") => Role::Daemon,
        "nvm" | "n" | "pyenv" | "fnm" | "volta" | "asdf" | "mise" | "corepack" => Role::Runtime,
        "sam" if matches!(plain.first(), Some(&"deploy")) => Role::Opaque,
        "sls" | "serverless" | "terraform" | "pulumi" | "sst" | "amplify" | "copilot" => Role::Opaque,
        _ if deploys_by_file(words) => Role::Opaque,
        _ => named(words),
    }
}

/// Whether a script is told to deploy: `./tool.py deploy`, `scripts/cdk.ts deploy`.
fn deploys_by_file(words: &[String]) -> bool {
    let is_script = |word: &String| has_ending(word, &["sh", "py", "js", "ts", "mjs", "cjs", "rb"]);
    let script = words.iter().position(is_script);
    script.is_some_and(|at| words[at + 1..].iter().any(|word| word == "deploy"))
}

/// Whether the name of a file ends like this.
fn has_ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}

/// The role of a script by its name alone.
fn named(words: &[String]) -> Role {
    let is_file = |word: &&String| word.contains('/') || has_ending(word, &["sh", "py"]);
    let Some(file) = words.iter().take(2).find(is_file) else { return Role::Other };
    let name = file.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    if name.contains("bootstrap") { Role::Bootstrap } else { Role::Other }
}

fn node_packages(program: &str, plain: &[&str], global: bool) -> Role {
    let (first, rest) = plain.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
    let (first, rest) = match (program, first, rest) {
        ("yarn", "global", [_, rest @ ..]) => return tool(rest),
        // `yarn workspace NAME build`
        ("yarn", "workspace" | "workspaces", _) => return Role::Build,
        other => (other.1, other.2),
    };
    match first {
        "install" | "i" | "add" if global => tool(rest),
        "ci" | "clean-install" | "install" | "i" => Role::Install,
        "" if program != "npm" => Role::Install,
        "run" | "run-script" => match rest.first() {
            Some(name) => Role::PackageScript((*name).to_owned()),
            None => Role::Says,
        },
        "test" | "t" => Role::Build,
        "config" | "cache" | "set" | "login" | "audit" | "prune" | "link" | "update" | "rebuild" | "add"
        | "exec" | "dlx" => Role::Other,
        // `yarn build` is `yarn run build`.
        name if program != "npm" => Role::PackageScript(name.to_owned()),
        _ => Role::Other,
    }
}

fn tool(packages: &[&str]) -> Role {
    let cdk = packages.iter().find_map(|package| {
        let (name, version) = package.split_once('@').map_or((*package, None), |(name, v)| (name, Some(v)));
        (name == "aws-cdk" || name == "cdk")
            .then(|| version.filter(|v| v.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned))
    });
    cdk.map_or(Role::Tool, Role::Cli)
}

fn pip(plain: &[&str]) -> Role {
    match plain.first() {
        Some(&"install") => Role::Install,
        _ => Role::Other,
    }
}

/// The variable with the address that a call signals to.
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
    fn check(text: &str, expected: &Role) {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        assert_eq!(role(&words), *expected, "{text}");
    }

    #[test]
    fn programs_have_roles() {
        for text in [
            "npm ci",
            "npm install",
            "yarn",
            "yarn install --frozen-lockfile",
            "pnpm i",
            "pip install -r r.txt",
        ] {
            check(text, &Role::Install);
        }
        check("python -m pip install -r requirements.txt", &Role::Install);
        check("npm install -g aws-cdk", &Role::Cli(None));
        check("npm i -g aws-cdk@2.173.0", &Role::Cli(Some("2.173.0".into())));
        check("npm install -g aws-cdk@latest", &Role::Cli(None));
        check("npm install -g typescript", &Role::Tool);
        check("npm run build", &Role::PackageScript("build".into()));
        check("yarn build", &Role::PackageScript("build".into()));
        check("npx tsc", &Role::Build);
        check("python -m venv .venv", &Role::Install);
        check(". .venv/bin/activate", &Role::Environment);
        check("./scripts/cdkbootstrap.sh", &Role::Bootstrap);
        check("bash scripts/bootstrap.sh us-east-1", &Role::Bootstrap);
        check("echo done", &Role::Says);
        check("cdk --version", &Role::Says);
        check("make deploy", &Role::Opaque);
        check("yarn run ts-node --transpile-only tool.ts deploy --stage x", &Role::Opaque);
        check("python tools/ship.py deploy", &Role::Opaque);
        check("curl -X PUT --data-binary x $WAIT_HANDLE_URL", &Role::Signal("WAIT_HANDLE_URL".into()));
        check("curl https://example.com/x", &Role::Other);
        check("./az/removeusersimtags.sh", &Role::Other);
    }
}
