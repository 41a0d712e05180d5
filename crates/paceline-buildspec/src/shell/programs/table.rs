//! The table of programs that builds call, and the facts about each.
//!
//! Lint rules and the reader of existing buildspecs look up programs here. A new program is one row.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use self::Fact::{
    ChecksDocker, Compiles, Declares, DeploysItself, Downloads, Filters, Harmless, InstallsPackages,
    ManagesRuntimes, MayNeedDocker, NeedsDocker, PassesOn, PlacesFiles, Prepares, Prints, Releases, Runtime,
    SetsVariables, Shows, StartsDocker, Tests, WorksOnce, WorksWithoutDocker,
};

/// A fact about a program, or about one of its subcommands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    /// It only prints something, or changes nothing that a later command needs.
    Shows,
    /// It cannot fail, or its failure has no consequences.
    Harmless,
    /// Its status answers a question.
    Tests,
    /// It prints a text that another program may test.
    Prints,
    /// It prints a part of its input.
    Filters,
    /// It keeps or shows its input, and succeeds whatever the input is.
    PassesOn,
    /// It prepares files, folders or variables for the commands after it.
    Prepares,
    /// A builtin that declares variables.
    Declares,
    /// A builtin that sets variables by its arguments.
    SetsVariables,
    /// It fetches a file from the network.
    Downloads,
    /// It can put a program into the build.
    PlacesFiles,
    /// It compiles, tests or checks the source.
    Compiles,
    /// It installs the packages that the source depends on.
    InstallsPackages,
    /// It needs this runtime of the build image.
    Runtime(&'static str),
    /// It selects or installs runtimes.
    ManagesRuntimes,
    /// It needs a Docker daemon.
    NeedsDocker,
    /// It runs other programs, which may need a Docker daemon.
    MayNeedDocker,
    /// A subcommand that needs no daemon.
    WorksWithoutDocker,
    /// It starts a Docker daemon.
    StartsDocker,
    /// It waits for a Docker daemon, or asks for its state.
    ChecksDocker,
    /// It deploys with its own tool, which is not read here.
    DeploysItself,
    /// It publishes or deploys something, which must not happen after a failed build.
    Releases,
    /// It fails, or does more, when it runs again after a success.
    WorksOnce,
}

/// Each row is a program, or a program with its subcommand. Sorted.
const PROGRAMS: &[(&str, &[Fact])] = &[
    (".", &[SetsVariables, MayNeedDocker]),
    (":", &[Harmless, Shows]),
    ("[", &[Harmless, Shows, Tests]),
    ("act", &[NeedsDocker]),
    ("alias", &[Harmless]),
    ("amplify", &[MayNeedDocker, DeploysItself]),
    ("ansible-playbook", &[MayNeedDocker]),
    ("asdf", &[ManagesRuntimes]),
    ("awk", &[Filters]),
    ("aws", &[PlacesFiles]),
    ("aws cloudformation deploy", &[Releases]),
    ("aws cloudfront create-invalidation", &[Releases]),
    ("aws deploy create-deployment", &[Releases]),
    ("aws ecs update-service", &[Releases]),
    ("aws lambda publish-version", &[Releases]),
    ("aws lambda update-function-code", &[Releases]),
    ("aws s3 cp", &[Releases]),
    ("aws s3 sync", &[Releases]),
    ("basename", &[Harmless]),
    ("bash", &[PassesOn, MayNeedDocker]),
    ("bazel", &[MayNeedDocker]),
    ("break", &[Harmless, Shows]),
    ("bundle", &[MayNeedDocker, Runtime("ruby")]),
    ("bundle install", &[InstallsPackages]),
    ("bundle sync", &[InstallsPackages]),
    ("bunx eslint", &[Compiles]),
    ("bunx jest", &[Compiles]),
    ("bunx nx", &[Compiles]),
    ("bunx projen", &[Compiles]),
    ("bunx tsc", &[Compiles]),
    ("bunx turbo", &[Compiles]),
    ("bunx vitest", &[Compiles]),
    ("cargo", &[PlacesFiles, MayNeedDocker, Compiles]),
    ("cargo publish", &[WorksOnce]),
    ("cat", &[Harmless, Shows, PassesOn, Prints]),
    ("cd", &[Prepares]),
    ("cdk", &[MayNeedDocker, Runtime("nodejs")]),
    ("chmod", &[Prepares, PlacesFiles]),
    ("cmp", &[Tests]),
    ("composer", &[Runtime("php")]),
    ("composer install", &[InstallsPackages]),
    ("composer sync", &[InstallsPackages]),
    ("continue", &[Harmless, Shows]),
    ("copilot", &[MayNeedDocker, DeploysItself]),
    ("cp", &[Prepares, PlacesFiles]),
    ("curl", &[Downloads, PlacesFiles]),
    ("cut", &[Filters, Prints]),
    ("date", &[Harmless, Shows]),
    ("declare", &[Harmless, Prepares, Declares]),
    ("df", &[Harmless, Shows]),
    ("diff", &[Tests]),
    ("dirname", &[Harmless]),
    ("docker", &[PlacesFiles, NeedsDocker]),
    ("docker context", &[WorksWithoutDocker]),
    ("docker help", &[WorksWithoutDocker]),
    ("docker info", &[ChecksDocker]),
    ("docker login", &[WorksWithoutDocker]),
    ("docker logout", &[WorksWithoutDocker]),
    ("docker ps", &[ChecksDocker]),
    ("docker push", &[Releases]),
    ("docker version", &[WorksWithoutDocker, ChecksDocker]),
    ("docker-compose", &[NeedsDocker]),
    ("dockerd", &[NeedsDocker, StartsDocker]),
    ("dockerd-entrypoint.sh", &[StartsDocker]),
    ("dotnet", &[MayNeedDocker, Runtime("dotnet"), Compiles]),
    ("dotnet restore", &[InstallsPackages]),
    ("du", &[Harmless]),
    ("earthly", &[NeedsDocker]),
    ("echo", &[Harmless, Shows, Prints, Prepares]),
    ("egrep", &[Tests]),
    ("env", &[Harmless, Shows]),
    ("envsubst", &[Filters]),
    ("esbuild", &[Compiles]),
    ("eslint", &[Compiles]),
    ("eval", &[SetsVariables, MayNeedDocker]),
    ("exec", &[Harmless]),
    ("exit", &[Harmless, Shows]),
    ("export", &[Harmless, Prepares, Declares]),
    ("false", &[Harmless, Tests]),
    ("fgrep", &[Tests]),
    ("find", &[Filters]),
    ("flake8", &[Compiles]),
    ("fnm", &[ManagesRuntimes]),
    ("free", &[Harmless, Shows]),
    ("gem", &[Runtime("ruby")]),
    ("getopts", &[SetsVariables]),
    ("gh release create", &[WorksOnce]),
    ("git", &[Prints]),
    ("git push", &[Releases]),
    ("git tag", &[WorksOnce]),
    ("go", &[MayNeedDocker, Runtime("golang"), Compiles]),
    ("go mod", &[InstallsPackages]),
    ("goenv", &[ManagesRuntimes]),
    ("gradle", &[MayNeedDocker, Runtime("java"), Compiles]),
    ("gradlew", &[Compiles]),
    ("grep", &[Filters, Tests]),
    ("hash", &[Harmless, Tests]),
    ("head", &[Harmless, Shows, Filters, Prints]),
    ("helm upgrade", &[Releases]),
    ("hostname", &[Harmless, Shows]),
    ("id", &[Harmless, Shows]),
    ("install", &[PlacesFiles]),
    ("java", &[Runtime("java")]),
    ("javac", &[Runtime("java")]),
    ("jest", &[Compiles]),
    ("jq", &[Harmless, Filters]),
    ("just", &[MayNeedDocker]),
    ("k3d", &[NeedsDocker]),
    ("kill", &[Harmless]),
    ("kind", &[NeedsDocker]),
    ("kubectl apply", &[Releases]),
    ("kubectl set", &[Releases]),
    ("lerna", &[MayNeedDocker, Compiles]),
    ("let", &[Harmless, SetsVariables]),
    ("ln", &[Prepares, PlacesFiles]),
    ("local", &[Harmless, Prepares, Declares]),
    ("ls", &[Harmless, Shows, Prints]),
    ("make", &[MayNeedDocker]),
    ("mapfile", &[SetsVariables]),
    ("minikube", &[NeedsDocker]),
    ("mise", &[ManagesRuntimes]),
    ("mkdir", &[Prepares]),
    ("mv", &[Prepares, PlacesFiles]),
    ("mvn", &[MayNeedDocker, Runtime("java"), Compiles]),
    ("mvnw", &[MayNeedDocker, Compiles]),
    ("mypy", &[Compiles]),
    ("n", &[ManagesRuntimes]),
    ("node", &[MayNeedDocker, Runtime("nodejs")]),
    ("npm", &[MayNeedDocker, Runtime("nodejs")]),
    ("npm publish", &[Releases, WorksOnce]),
    ("npm version", &[WorksOnce]),
    ("nproc", &[Harmless]),
    ("npx", &[MayNeedDocker, Runtime("nodejs")]),
    ("npx eslint", &[Compiles]),
    ("npx jest", &[Compiles]),
    ("npx nx", &[Compiles]),
    ("npx projen", &[Compiles]),
    ("npx tsc", &[Compiles]),
    ("npx turbo", &[Compiles]),
    ("npx vitest", &[Compiles]),
    ("nvm", &[ManagesRuntimes]),
    ("nx", &[MayNeedDocker, Compiles]),
    ("paceline", &[MayNeedDocker]),
    ("paceline deploy", &[Releases]),
    ("pack", &[MayNeedDocker]),
    ("php", &[MayNeedDocker, Runtime("php")]),
    ("phpenv", &[ManagesRuntimes]),
    ("pip", &[Runtime("python")]),
    ("pip install", &[InstallsPackages]),
    ("pip3", &[Runtime("python")]),
    ("pip3 install", &[InstallsPackages]),
    ("pipenv install", &[InstallsPackages]),
    ("pipenv sync", &[InstallsPackages]),
    ("pnpm", &[MayNeedDocker, Runtime("nodejs")]),
    ("poetry", &[Runtime("python")]),
    ("poetry install", &[InstallsPackages]),
    ("poetry sync", &[InstallsPackages]),
    ("popd", &[Harmless, Prepares]),
    ("printenv", &[Harmless, Shows]),
    ("printf", &[Harmless, Shows, Prints, Prepares]),
    ("pulumi", &[MayNeedDocker, DeploysItself]),
    ("pushd", &[Prepares]),
    ("pwd", &[Harmless, Shows]),
    ("pyenv", &[ManagesRuntimes]),
    ("pytest", &[MayNeedDocker, Runtime("python"), Compiles]),
    ("python", &[MayNeedDocker, Runtime("python")]),
    ("python3", &[MayNeedDocker, Runtime("python")]),
    ("rake", &[MayNeedDocker, Runtime("ruby")]),
    ("rbenv", &[ManagesRuntimes]),
    ("read", &[Harmless, SetsVariables]),
    ("readarray", &[SetsVariables]),
    ("readonly", &[Harmless, Prepares, Declares]),
    ("return", &[Harmless, Shows]),
    ("rm", &[Prepares]),
    ("ruby", &[MayNeedDocker, Runtime("ruby")]),
    ("ruff", &[Compiles]),
    ("sam", &[MayNeedDocker]),
    ("sam deploy", &[DeploysItself, Releases]),
    ("sbt", &[MayNeedDocker]),
    ("sed", &[PassesOn, Filters]),
    ("serverless", &[MayNeedDocker, DeploysItself]),
    ("serverless deploy", &[Releases]),
    ("service docker start", &[StartsDocker]),
    ("set", &[Harmless, Shows, Prepares, SetsVariables]),
    ("sh", &[PassesOn, MayNeedDocker]),
    ("shift", &[Harmless, SetsVariables]),
    ("shopt", &[Harmless, Shows]),
    ("skaffold", &[MayNeedDocker]),
    ("sleep", &[Harmless, Shows, Prepares]),
    ("sls", &[MayNeedDocker, DeploysItself]),
    ("sls deploy", &[Releases]),
    ("sort", &[Filters, Prints]),
    ("source", &[SetsVariables, MayNeedDocker]),
    ("sst", &[DeploysItself]),
    ("systemctl start docker", &[StartsDocker]),
    ("systemctl start docker.service", &[StartsDocker]),
    ("systemctl start docker.socket", &[StartsDocker]),
    ("tail", &[Harmless, Shows, PassesOn, Filters, Prints]),
    ("tar", &[Prepares, PlacesFiles]),
    ("task", &[MayNeedDocker]),
    ("tee", &[PassesOn, Filters]),
    ("terraform", &[MayNeedDocker, DeploysItself]),
    ("terraform apply", &[Releases]),
    ("test", &[Harmless, Shows, Tests]),
    ("touch", &[Prepares]),
    ("tox", &[MayNeedDocker]),
    ("tr", &[Filters, Prints]),
    ("trap", &[Harmless, Shows]),
    ("tree", &[Shows]),
    ("true", &[Harmless, Shows]),
    ("ts", &[PassesOn]),
    ("tsc", &[Compiles]),
    ("turbo", &[MayNeedDocker, Compiles]),
    ("twine upload", &[Releases, WorksOnce]),
    ("type", &[Harmless, Shows, Tests]),
    ("typeset", &[Declares]),
    ("ulimit", &[Harmless]),
    ("umask", &[Harmless, Shows]),
    ("uname", &[Harmless, Shows]),
    ("uniq", &[Filters]),
    ("unset", &[Harmless, Prepares, SetsVariables]),
    ("unzip", &[Prepares, PlacesFiles]),
    ("uv install", &[InstallsPackages]),
    ("uv sync", &[InstallsPackages]),
    ("virtualenv", &[InstallsPackages]),
    ("vitest", &[Compiles]),
    ("volta", &[ManagesRuntimes]),
    ("wait", &[Harmless, Shows, Prepares]),
    ("wc", &[Filters]),
    ("webpack", &[Compiles]),
    ("wget", &[Downloads, PlacesFiles]),
    ("which", &[Harmless, Shows, Tests]),
    ("whoami", &[Harmless, Shows]),
    ("xargs", &[Filters]),
    ("yarn", &[MayNeedDocker, Runtime("nodejs")]),
    ("yarn publish", &[Releases, WorksOnce]),
    ("yes", &[Filters]),
];

/// The rows of each program: the words of the subcommand and the facts.
static BY_PROGRAM: LazyLock<BTreeMap<&str, Vec<Row>>> = LazyLock::new(|| {
    let mut rows: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for (words, facts) in PROGRAMS {
        let mut words = words.split(' ');
        let program = words.next().unwrap_or_default();
        rows.entry(program).or_default().push(Row { subcommand: words.collect(), facts });
    }
    rows
});

struct Row {
    subcommand: Vec<&'static str>,
    facts: &'static [Fact],
}

/// The facts that hold for a call. The first word is the program, which may have a folder before its name.
pub(crate) fn facts(words: &[String]) -> impl Iterator<Item = Fact> {
    let (program, arguments) =
        words.split_first().map_or(("", words), |(first, rest)| (base_name(first), rest));
    let rows = BY_PROGRAM.get(program).map(Vec::as_slice).unwrap_or_default();
    let rows = rows.iter().filter(|row| starts_with(arguments, &row.subcommand));
    rows.flat_map(|row| row.facts).copied()
}

pub(crate) fn has(words: &[String], fact: Fact) -> bool {
    facts(words).any(|known| known == fact)
}

/// The fact for a program alone, whatever its arguments are.
pub(crate) fn program_has(program: &str, fact: Fact) -> bool {
    has(&[program.to_owned()], fact)
}

/// Whether the arguments start with these words. Options between them are skipped.
pub(crate) fn starts_with(arguments: &[String], words: &[&str]) -> bool {
    let mut expected = words.iter().peekable();
    for argument in arguments {
        match expected.peek() {
            None => return true,
            Some(word) if argument == **word => drop(expected.next()),
            Some(_) if argument.starts_with('-') => {}
            Some(_) => return false,
        }
    }
    expected.peek().is_none()
}

/// The name of a program without its folder.
pub(crate) fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn rows_are_sorted_and_each_program_has_one() {
        let key = |words: &'static str| (words.split(' ').next(), words.split(' ').count(), words);
        assert!(PROGRAMS.is_sorted_by(|(a, _), (b, _)| key(a) < key(b)));
    }

    #[test]
    fn a_subcommand_also_has_the_facts_of_its_program() {
        let known: Vec<Fact> = facts(&words("/usr/bin/docker --debug push x")).collect();
        assert!(known.contains(&NeedsDocker) && known.contains(&Releases), "{known:?}");
        assert!(!has(&words("docker build push"), Releases));
        assert!(!has(&words("docker"), Releases) && !has(&words("unheard-of"), Harmless));
    }
}
