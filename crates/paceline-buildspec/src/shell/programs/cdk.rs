//! Reads calls of the CDK CLI: the way in which it is called, and its arguments.

use super::table::base_name;

/// A call of the CDK CLI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CdkCall {
    /// The words up to the name of the CLI, such as `npx cdk`.
    pub(crate) cli: String,
    pub(crate) command: String,
    /// All words after the command.
    pub(crate) arguments: Vec<String>,
    /// The names of stacks or, for `bootstrap`, of environments.
    pub(crate) names: Vec<String>,
    pub(crate) all: bool,
    pub(crate) context: Vec<String>,
    pub(crate) parameters: Vec<String>,
    pub(crate) app: Option<String>,
    /// The folder in which the assembly is written.
    pub(crate) output: Option<String>,
    pub(crate) outputs_file: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) hotswap: bool,
}

/// Programs that run the programs of packages.
const RUNNERS: &[&str] = &[
    "npx",
    "bunx",
    "pnpx",
    "npm",
    "yarn",
    "pnpm",
    "bun",
    "poetry",
    "pipenv",
    "uv",
    "aws-vault",
    "dotenv",
    "cross-env",
];

/// Options with a value. AWS CDK CLI reference: `cdk deploy`, `cdk synth`, `cdk bootstrap`, and the global
/// options.
const WITH_VALUE: &[&str] = &[
    "-c",
    "--context",
    "-a",
    "--app",
    "-o",
    "--output",
    "-O",
    "--outputs-file",
    "--parameters",
    "--profile",
    "--region",
    "--require-approval",
    "--concurrency",
    "-r",
    "--role-arn",
    "--toolkit-stack-name",
    "-t",
    "--tags",
    "--change-set-name",
    "-m",
    "--method",
    "--progress",
    "-E",
    "--build-exclude",
    "--notification-arns",
    "-p",
    "--plugin",
    "--proxy",
    "--ca-bundle-path",
    "--qualifier",
    "-b",
    "--bootstrap-bucket-name",
    "--toolkit-bucket-name",
    "--trust",
    "--trust-for-lookup",
    "--untrust",
    "--template",
    "--bootstrap-kms-key-id",
    "--cloudformation-execution-policies",
    "--custom-permissions-boundary",
    "--asset-build-concurrency",
    "--unstable",
    "--deployment-method",
];

/// The call of the CDK CLI in these words, if they are a call of it. The first word is the program.
pub(crate) fn read(words: &[String]) -> Option<CdkCall> {
    let first = words.first()?;
    let at = if is_cli(first) {
        0
    } else if RUNNERS.contains(&base_name(first)) {
        // The words before the CLI must only select the program, unlike those of `npm install aws-cdk`.
        let installs =
            ["install", "i", "add", "ci", "remove", "uninstall", "view", "info", "update", "upgrade"];
        let found = words.iter().skip(1).position(|word| is_cli(word))? + 1;
        if words[1..found].iter().any(|word| installs.contains(&word.as_str())) {
            return None;
        }
        found
    } else {
        return None;
    };
    let mut call = CdkCall { cli: words[..=at].join(" "), ..CdkCall::default() };
    let rest = &words[at + 1..];
    let mut rest = rest[rest.iter().take_while(|word| *word == "--").count()..].iter();
    while let Some(word) = rest.next() {
        if !word.starts_with('-') {
            if call.command.is_empty() {
                call.command.clone_from(word);
                call.arguments = rest.as_slice().to_vec();
            } else if word != "true" && word != "false" {
                call.names.push(word.clone());
            }
            continue;
        }
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ if WITH_VALUE.contains(&word.as_str()) => (word.as_str(), rest.next().cloned()),
            _ => (word.as_str(), None),
        };
        let Some(value) = value else {
            call.all |= option == "--all";
            call.hotswap |= option.starts_with("--hotswap");
            continue;
        };
        match option {
            "-c" | "--context" => call.context.push(value),
            "--parameters" => call.parameters.push(value),
            "-a" | "--app" => call.app = Some(value),
            "-o" | "--output" => call.output = Some(value),
            "-O" | "--outputs-file" => call.outputs_file = Some(value),
            "--profile" => call.profile = Some(value),
            "--region" => call.region = Some(value),
            "--all" => call.all = value != "false",
            _ => {}
        }
    }
    if call.command == "synthesize" {
        "synth".clone_into(&mut call.command);
    }
    Some(call)
}

fn is_cli(word: &str) -> bool {
    let name = base_name(word);
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    (name == "cdk" || name == "aws-cdk") && !word.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Option<CdkCall> {
        read(&text.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[track_caller]
    fn check(text: &str, cli: &str, command: &str, names: &[&str]) {
        let call = call(text).unwrap_or_else(|| panic!("{text} is no call"));
        assert_eq!((call.cli.as_str(), call.command.as_str()), (cli, command), "{text}");
        assert_eq!(call.names, names, "{text}");
    }

    #[test]
    fn the_cli_is_found_in_every_form_of_call() {
        check("cdk deploy A B --require-approval never", "cdk", "deploy", &["A", "B"]);
        check("npx cdk deploy -c a=b A", "npx cdk", "deploy", &["A"]);
        check("npx --yes aws-cdk@2.1 synth", "npx --yes aws-cdk@2.1", "synth", &[]);
        check("npm run cdk -- deploy A", "npm run cdk", "deploy", &["A"]);
        check("yarn cdk deploy --all", "yarn cdk", "deploy", &[]);
        check("yarn workspace infra cdk deploy A", "yarn workspace infra cdk", "deploy", &["A"]);
        check("./node_modules/.bin/cdk deploy A", "./node_modules/.bin/cdk", "deploy", &["A"]);
        check("poetry run cdk synthesize", "poetry run cdk", "synth", &[]);
        check("cdk --app cdk.out deploy --ci true A", "cdk", "deploy", &["A"]);
        for other in ["npm install aws-cdk", "npm i -g aws-cdk@2", "npx tsc", "yarn add aws-cdk", "echo cdk"]
        {
            assert_eq!(call(other), None, "{other}");
        }
    }

    #[test]
    fn options_are_read() {
        let text = "cdk deploy A --context a=b -c c=d --context=e=f -O out.json --parameters P=1 --all --region eu-west-1";
        let call = call(text).unwrap();
        assert_eq!(call.context, ["a=b", "c=d", "e=f"]);
        assert_eq!(
            (call.outputs_file.as_deref(), call.region.as_deref()),
            (Some("out.json"), Some("eu-west-1"))
        );
        assert_eq!((call.parameters.len(), call.all), (1, true));
    }
}
