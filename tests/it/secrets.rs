//! Secrets that are planted in every source are in nothing that a command writes or prints.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Call, Place, Ran, Sim, until};
use crate::object_store::objects;

const FAST: u32 = 10_000;
const BUCKET: &str = "cdk-hnb659fds-assets-111111111111-us-east-1";

/// The value of `AWS_SECRET_ACCESS_KEY` of every call.
const KEY: &str = "planted0/aws+secret/access+key";
/// The default value of a secret parameter.
const DEFAULT: &str = "planted1-default-of-a-parameter";
/// The value of a secret parameter on the command line.
const GIVEN: &str = "planted2 \"given\" to/a+parameter";
/// A token that the synthesis prints, and that no variable of ours has.
const PRINTED: &str = "planted3printedbythesynthesis";
/// The password in the URL of the repository.
const LOGIN: &str = "planted4intheaddressofgit";
/// Variables of a command and of a buildspec.
const VARIABLE: &str = "planted5-password-of-a-variable";
const OVERRIDE: &str = "planted6-token-of-a-build";
/// How each secret begins in base64.
const PLANTED_IN_BASE64: &str = "cGxhbnRl";
const PLANTED: [&str; 7] = [KEY, DEFAULT, GIVEN, PRINTED, LOGIN, VARIABLE, OVERRIDE];

struct Story {
    place: Place,
    sim: Sim,
    /// The files of the team, which hold the secrets themselves.
    written: BTreeSet<PathBuf>,
    printed: Vec<String>,
    /// The objects of the staging bucket at different times.
    kept: Vec<(String, String)>,
}

impl Story {
    fn new() -> Self {
        let fails = format!("Web:Topic:update=Invalid value {GIVEN} or {DEFAULT} at 'key'");
        let (place, sim) = (Place::new(), Sim::start_with(FAST, &["--fail", &fails]));
        let mut it = Self { place, sim, written: BTreeSet::new(), printed: Vec::new(), kept: Vec::new() };
        let git = |arguments: &[&str]| {
            let mut git = std::process::Command::new("git");
            assert!(git.args(arguments).current_dir(it.place.path("")).status().unwrap().success());
        };
        git(&["init", "-q"]);
        git(&["remote", "add", "origin", &format!("https://robot:{LOGIN}@git.example/shop.git")]);
        it.write("synth.sh", &format!("echo GITHUB_TOKEN={PRINTED}; echo \"key $AWS_SECRET_ACCESS_KEY\"\n"));
        it.write(
            "hold.sh",
            "echo \"the password is $DB_PASSWORD, the key $AWS_SECRET_ACCESS_KEY\"\n\
            printf '%s' \"$DB_PASSWORD\" | base64\ngit remote -v\ntest -e go || exec sleep 600\n",
        );
        let config = format!(
            "version: 1\njournal: {{ bucket: always, history: shared }}\napps:\n  shop:\n    dir: .\n    \
             synth: sh synth.sh\ncommands:\n  - name: hold\n    after: Base\n    run: sh hold.sh\n    \
             env: {{ DB_PASSWORD: {VARIABLE} }}\n"
        );
        it.write("paceline.yaml", &config);
        it.write(
            "buildspec.yml",
            &format!(
                "version: 0.2\nenv:\n  variables:\n    DB_PASSWORD: {VARIABLE}\n  exported-variables: [NPM_TOKEN]\n\
                 phases:\n  build:\n    commands:\n      - echo \"$DB_PASSWORD $NPM_TOKEN\" && git remote -v\n      \
                 - printf '%s' \"$AWS_SECRET_ACCESS_KEY\" >&2\n      - false || echo \"it was $NPM_TOKEN\" && false\n"
            ),
        );
        it.app("one");
        it
    }

    fn write(&mut self, name: &str, text: &str) {
        self.written.insert(self.place.write(name, text));
    }

    /// Base ← Web, with secret parameters.
    fn app(&mut self, version: &str) {
        let topic = json!({ "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": version } });
        let template = json!({
            "Parameters": {
                "Key": { "Type": "String", "NoEcho": true, "Default": DEFAULT },
                "Token": { "Type": "String", "NoEcho": true },
            },
            "Resources": { "Topic": topic },
            "Outputs": { "Leak": { "Value": { "Ref": "Token" } }, "Open": { "Value": "to be seen" } },
        });
        let asset = json!({ "version": "36.0.0", "files": { "f": { "source": { "path": "f.json", "packaging": "file" },
            "destinations": { "d": { "bucketName": BUCKET,
                "objectKey": "f.json", "region": "us-east-1" } } } } });
        self.write("cdk.out/f.json", "{}");
        self.write("cdk.out/Base.assets.json", &asset.to_string());
        let mut artifacts = json!({ "Base.assets":
            { "type": "cdk:asset-manifest", "properties": { "file": "Base.assets.json" } } });
        for (name, after) in [("Base", "Base.assets"), ("Web", "Base")] {
            self.write(&format!("cdk.out/{name}.json"), &template.to_string());
            artifacts[name] = json!({
                "type": "aws:cloudformation:stack",
                "environment": "aws://111111111111/us-east-1",
                "properties": { "templateFile": format!("{name}.json") },
                "dependencies": [after],
            });
        }
        let manifest: Value = json!({ "version": "36.0.0", "artifacts": artifacts });
        self.write("cdk.out/manifest.json", &manifest.to_string());
    }

    fn call(&self, arguments: &[&str]) -> Call<'_> {
        let given = format!("Token={GIVEN}");
        let takes = matches!(arguments[0], "deploy" | "rollback") && !arguments.contains(&"last");
        let call = self
            .place
            .paceline(arguments)
            .args(takes.then_some(["--parameters", &given]).into_iter().flatten());
        call.aws_at(&self.sim.address).env("AWS_SECRET_ACCESS_KEY", KEY).env("NPM_TOKEN", OVERRIDE)
    }

    fn run(&mut self, arguments: &[&str], code: i32) -> Ran {
        let ran = self.call(arguments).run().expect(code);
        self.printed.extend([ran.stdout.clone(), ran.stderr.clone()]);
        ran
    }

    /// Kills a deployment while its command runs.
    fn killed(&mut self) {
        let running = self.call(&["deploy", "--events", "killed.jsonl"]).start("killed.log");
        let events = self.place.path("killed.jsonl");
        until("the command has printed", || {
            fs_err::read_to_string(&events).unwrap_or_default().matches("command.output").count() > 1
        });
        running.signal("KILL");
        running.end();
    }

    /// Keeps what the staging bucket has now. It has an object of this kind.
    #[track_caller]
    fn keep_objects(&mut self, kind: &str) {
        let objects = objects(&self.sim.address, BUCKET);
        assert!(objects.iter().any(|(key, _)| key.contains(kind)), "no {kind} in {objects:?}");
        self.kept.extend(objects);
    }

    fn assert_hidden(&self) {
        let mut files = Vec::new();
        collect(&self.place.path(""), &mut files);
        files.retain(|file| !self.written.contains(file));
        assert!(files.len() > 20, "{files:?}");
        let read = files.iter().map(|file| {
            (file.display().to_string(), String::from_utf8_lossy(&fs_err::read(file).unwrap()).into_owned())
        });
        let printed = self.printed.iter().map(|text| ("a stream".to_owned(), text.clone()));
        for (place, text) in read.chain(printed).chain(self.kept.clone()) {
            for secret in PLANTED {
                // The text may be JSON or HTML, and a line may be cut: the beginning alone must not be there.
                let beginning: String = secret.chars().take(8).collect();
                assert!(!text.contains(&beginning), "{secret} is in {place}:\n{text}");
            }
            assert!(!text.contains(PLANTED_IN_BASE64), "a secret in base64 is in {place}:\n{text}");
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == ".git") {
            continue;
        }
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

#[test]
fn planted_secrets_are_in_no_file_and_no_output_of_any_command() {
    let mut it = Story::new();
    it.place.write("go", "");
    let outs = ["--outputs", "outputs.json", "--report", "report"];
    it.run(&[&["deploy", "--events", "one.jsonl", "--verbose"][..], &outs].concat(), 0);
    it.keep_objects("paceline/runs/");
    let outputs = it.place.json("outputs.json");
    assert_eq!(outputs["Base"], json!({ "Leak": "***", "Open": "to be seen" }));
    it.app("two");
    let failed = it.run(&[&["deploy", "--events", "two.jsonl", "--report", "failed"][..]].concat(), 1);
    assert!(failed.stderr.contains("Invalid value *** or ***"), "{}", failed.stderr);
    it.keep_objects("paceline/captures/");
    it.run(&["rollback", "last", "--yes"], 0);
    fs_err::remove_file(it.place.path("go")).unwrap();
    it.app("three");
    it.killed();
    it.keep_objects("paceline/leases/");
    it.place.write("go", "");
    it.app("four");
    let resumed = it.run(&["deploy", "--resume", "--format", "json"], 0);
    assert!(resumed.stdout.contains("the password is ***, the key ***"), "{}", resumed.stdout);
    assert!(resumed.stdout.contains("https://robot:***@git.example/shop.git"), "{}", resumed.stdout);
    it.run(&["plan"], 0);
    it.run(&["diff"], 0);
    for format in ["html", "markdown", "svg", "junit", "json", "trace", "history"] {
        it.run(&["report", "last", "--format", format], 0);
    }
    let built = it.run(&["run-buildspec", "buildspec.yml", "--env", &format!("NPM_TOKEN={OVERRIDE}")], 1);
    assert!(built.stdout.contains("*** ***\n") && built.stdout.contains("it was ***"), "{}", built.stdout);
    it.keep_objects("paceline/deployed/");
    it.run(&["destroy", "--yes"], 0);
    it.keep_objects("paceline/history/");
    it.assert_hidden();
}

#[test]
fn files_with_parameters_and_outputs_are_readable_by_their_owner_only() {
    let mut it = Story::new();
    it.place.write("go", "");
    it.run(&["deploy", "--events", "events.jsonl", "--outputs", "outputs.json"], 0);
    let mut files = vec![it.place.path("events.jsonl"), it.place.path("outputs.json")];
    collect(&it.place.path(".paceline/runs"), &mut files);
    assert!(files.iter().any(|file| file.ends_with("journal.jsonl")), "{files:?}");
    assert!(files.iter().any(|file| file.extension().is_some_and(|it| it == "template")), "{files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

/// Short lines of a longer secret, base64 with other text before the secret, and an endless line with the secret where it
/// is cut into pieces.
#[test]
fn secrets_in_other_forms_are_hidden_in_the_output_of_a_build() {
    let place = Place::new();
    let commands = [
        r#"printf '%s\n' "$API_TOKEN""#,
        r#"printf 'robot:%s' "$LOGIN_TOKEN" | base64"#,
        r#"head -c 65526 /dev/zero | tr '\0' x; printf '%s' "$LOGIN_TOKEN"; head -c 70000 /dev/zero | tr '\0' y"#,
    ];
    let commands = commands.map(|command| format!("      - |-\n        {command}\n")).concat();
    place.write("buildspec.yml", &format!("version: 0.2\nphases:\n  build:\n    commands:\n{commands}"));
    let build = place.paceline(["run-buildspec", "buildspec.yml"]);
    let build = build.env("API_TOKEN", "horse-9\nbattery\nstaple").env("LOGIN_TOKEN", "planted-login-0815");
    let shown = build.run().expect(0).stdout;
    for part in ["***\n***\n***\n", "cm9ib3Q6***\n", "xxx***yyy"] {
        assert!(shown.contains(part), "no {part:?} in {}", &shown[..shown.len().min(500)]);
    }
    assert!(!shown.contains("battery") && !shown.contains("login-0815"));
}
