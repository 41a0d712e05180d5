//! How a run ended is what its exit code and its words say: whatever became of the reports, and of what was refused.

use std::fs::OpenOptions;
use std::process::Stdio;

use serde_json::Value;

use crate::deploy::tiny_manifest;
use crate::fake_aws::{self, Answer, FakeAws};
use crate::harness::{Call, Events, Place, Sim, until};

const FAST: u32 = 10_000;

fn queue(place: &Place, stacks: &[&str]) {
    place.write("cdk.out/manifest.json", &tiny_manifest(stacks));
    for stack in stacks {
        let template = r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue"}},"Outputs":{"O":{"Value":"v"}}}"#;
        place.write(&format!("cdk.out/{stack}.template.json"), template);
    }
}

/// A stack and a command after it that ends with this exit code, or never.
fn with_command(place: &Place, run: &str) {
    queue(place, &["One"]);
    let command = format!("version: 1\ncommands:\n  - {{ name: last, after: One, run: '{run}' }}\n");
    place.write("paceline.yaml", &command);
}

/// The runs that end in each way, with their exit codes.
const ENDINGS: [(&str, i32); 3] = [("true", 0), ("exit 9", 1), ("exec sleep 600", 4)];

fn deploy<'a>(place: &'a Place, sim: &Sim) -> Call<'a> {
    place.paceline(["deploy"]).aws_at(&sim.address)
}

/// A run that is to end with this exit code.
fn ending<'a>(place: &'a Place, sim: &Sim, code: i32) -> Call<'a> {
    let deadline: &[&str] = if code == 4 { &["--deadline", "1s"] } else { &[] };
    deploy(place, sim).args(deadline)
}

#[test]
fn a_report_that_cannot_be_written_is_told_of_once_and_changes_no_outcome() {
    for (run, code) in ENDINGS {
        for option in ["--events", "--outputs"] {
            let (place, sim) = (Place::new(), Sim::start(FAST));
            with_command(&place, run);
            let ran = ending(&place, &sim, code).args([option, "/dev/full"]).run().expect(code);
            let told = ran
                .stderr
                .lines()
                .filter(|line| line.contains("cannot be written any more, and stays incomplete"));
            assert_eq!(told.count(), 1, "{option}: {}", ran.stderr);
            assert!(std::path::Path::new("/dev/full").metadata().is_ok_and(|it| !it.is_file()));
        }
    }
}

#[test]
fn a_folder_of_reports_that_goes_away_changes_no_outcome() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    with_command(&place, "rm -r reports out; touch reports out");
    let options = ["--report", "reports", "--outputs", "out/outputs.json", "--events", "out/events.jsonl"];
    let ran = deploy(&place, &sim).args(options).run().expect(0);
    assert!(ran.stderr.contains("the folder of reports reports cannot be written"), "{}", ran.stderr);
}

#[test]
fn nobody_has_to_listen() {
    for (run, code) in ENDINGS {
        let (place, sim) = (Place::new(), Sim::start(FAST));
        with_command(&place, run);
        let (reader, gone) = std::io::pipe().unwrap();
        drop(reader);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        for stream in [Stdio::from(gone), Stdio::from(full)] {
            let status = ending(&place, &sim, code).status_saying_to(stream);
            assert_eq!(status, code, "{run}");
        }
    }
}

#[test]
fn data_that_cannot_be_printed_is_an_error_and_a_reader_that_goes_away_is_none() {
    let place = Place::new();
    queue(&place, &["One"]);
    place.paceline(["plan", "--format", "json"]).run_unread().expect(0);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = place.paceline(["plan", "--format", "json"]).run_printing_to(full);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with("error: the output cannot be printed"), "{}", ran.stderr);
}

/// The lines from this one on.
#[track_caller]
fn from<'a>(said: &'a str, start: &str) -> Vec<&'a str> {
    let lines: Vec<&str> = said.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.starts_with(start))
        .unwrap_or_else(|| panic!("no {start:?} in {said}"));
    lines[at..].to_vec()
}

#[test]
fn a_log_has_the_hint_about_a_failure_once_at_the_end() {
    let place = Place::new();
    queue(&place, &["One"]);
    let aws = aws(|_| Some(denied()));
    let ran = place.paceline(["deploy"]).aws_at(&aws.address).env("CURSOR_AGENT", "1").run().expect(3);
    let (before, end) = ran.stderr.split_once("What went wrong").expect(&ran.stderr);
    let hints = |text: &str| text.matches("hint: give the role in use this permission").count();
    assert_eq!((hints(before), hints(end)), (0, 1), "{}", ran.stderr);
}

#[test]
fn a_failed_run_ends_with_its_cause_what_to_do_and_where_to_read_more() {
    let place = Place::new();
    queue(&place, &["One", "Two", "Three"]);
    let edges = "version: 1\nedges:\n  - { from: Two, to: One, because: it says so }\n  - { from: Three, to: Two, because: so }\n\
                 commands:\n  - { name: last, after: Three, run: 'true' }\n";
    place.write("paceline.yaml", edges);
    let aws = aws(|stack| (stack == "Two").then(denied));
    let ran = place.paceline(["deploy", "--report", "reports"]).aws_at(&aws.address).run().expect(1);
    let [run] = place.runs().try_into().unwrap();
    assert_eq!(
        from(&ran.stderr, "Failed:"),
        [
            &format!(
                "Failed: 1 of 3 stacks done in {}",
                ran.stderr.rsplit(" done in ").next().unwrap().lines().next().unwrap()
            ),
            "",
            "What went wrong",
            from(&ran.stderr, "  Two (us-east-1): failed after ")[0],
            "    CreateStack: AccessDenied: not authorized to perform: cloudformation:CreateStack",
            "    hint: give the role in use this permission",
            "",
            "When the cause is removed, run the same command again: stacks that are done stay as they are",
            &format!("Journal: .paceline/runs/{run}/journal.jsonl"),
            "Reports: reports",
        ]
    );
    assert!(!ran.stderr.contains("Where the time went"), "{}", ran.stderr);
    assert!(ran.stderr.contains("command last, because Two failed"), "{}", ran.stderr);
    for report in ["summary.md", "timeline.html"] {
        assert!(
            place.read(&format!("reports/{report}")).contains("command last, because Two failed"),
            "{report}"
        );
    }
}

#[test]
fn a_run_of_which_only_a_command_failed_says_so() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    with_command(&place, "exit 9");
    let ran = deploy(&place, &sim).run().expect(1);
    assert!(ran.stderr.contains("\nFailed: command last failed in a run of "), "{}", ran.stderr);
    assert!(ran.stderr.contains("; the stack is done\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains(" 1 deployed, command last failed, in "), "{}", ran.stderr);
}

#[test]
fn quiet_says_nothing_of_a_run_that_is_done_and_the_end_of_others() {
    for (run, code) in ENDINGS {
        let (place, sim) = (Place::new(), Sim::start(FAST));
        with_command(&place, run);
        let ran = ending(&place, &sim, code).args(["--quiet"]).run().expect(code);
        match code {
            0 => assert_eq!(ran.stderr, ""),
            1 => assert_eq!(from(&ran.stderr, "Failed:")[2], "What went wrong"),
            _ => assert!(ran.stderr.contains("\nTo continue the run"), "{}", ran.stderr),
        }
        assert!(!ran.stderr.contains("\nStacks\n"), "{}", ran.stderr);
    }
}

#[test]
fn a_profile_that_does_not_exist_is_named() {
    let place = Place::new();
    queue(&place, &["One"]);
    let ran =
        place.paceline(["deploy"]).env("AWS_PROFILE", "nope").env("AWS_REGION", "us-east-1").run().expect(3);
    let config = place.path(".aws/config");
    let said = format!("for profile `nope` (AWS_PROFILE): there is no such profile in {}", config.display());
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    // As the CDK CLI has it: before credentials in the environment.
    let call = place.paceline(["deploy", "--profile", "nope"]).aws_at("http://127.0.0.1:1");
    let ran = call.run().expect(3);
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
}

#[test]
fn the_file_of_events_holds_both_parts_of_a_run_and_nothing_of_another() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    with_command(&place, "test -e go || exec sleep 600");
    // What an earlier run has left.
    place.write("events.jsonl", "{\"run\":\"another\"}\n");
    let call = || place.paceline(["deploy", "--events", "events.jsonl", "--outputs", "outputs.json"]);
    let running = call().aws_at(&sim.address).start("first.log");
    let path = place.path("events.jsonl");
    until("the command has started", || {
        let text = fs_err::read_to_string(&path).unwrap_or_default();
        text.lines().any(|line| line.contains("step.started") && line.contains("\"kind\":\"command\""))
    });
    running.signal("KILL");
    running.end();
    // A kill may have come between the two files, and in the middle of a line.
    let lines: Vec<String> = place.read("events.jsonl").lines().map(str::to_owned).collect();
    place.write("events.jsonl", &format!("{}\n{{\"sch", lines[..lines.len() - 2].join("\n")));
    place.write("go", "");
    call().aws_at(&sim.address).run().expect(0);
    let events = Events::read(&path);
    let seqs: Vec<u64> = events.0.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<u64>>());
    assert_eq!(events.of("run.started").count(), 2);
    assert!(events.0.iter().all(|event| event["run"] == events.0[0]["run"]));
    let [run] = place.runs().try_into().unwrap();
    assert_eq!(place.read(&format!(".paceline/runs/{run}/journal.jsonl")), place.read("events.jsonl"));
    assert_eq!(place.json("outputs.json")["One"]["O"], "v");
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_what_a_run_leaves_behind() {
    use std::os::unix::fs::PermissionsExt as _;
    let (place, sim) = (Place::new(), Sim::start(FAST));
    with_command(&place, "true");
    place.write("events.jsonl", "readable");
    place.write("outputs.json", "readable");
    let options = ["--events", "events.jsonl", "--outputs", "outputs.json", "--report", "reports"];
    deploy(&place, &sim).args(options).run().expect(0);
    let [run] = place.runs().try_into().unwrap();
    let mode = |path: &str| place.path(path).metadata().unwrap().permissions().mode() & 0o777;
    let journal = format!(".paceline/runs/{run}/journal.jsonl");
    for file in ["events.jsonl", "outputs.json", "reports/junit.xml", "reports/timeline.html", &journal] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    for folder in [".paceline/runs".to_owned(), format!(".paceline/runs/{run}"), "reports".to_owned()] {
        assert_eq!(mode(&folder), 0o700, "{folder}");
    }
}

/// An AWS in which stacks are complete as soon as they are made, and in which `refused` says what may not be made.
fn aws(refused: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> FakeAws {
    let made = std::sync::Mutex::new(std::collections::BTreeMap::<String, String>::new());
    FakeAws::answering(move |request| {
        let field = |name: &str| {
            let start = format!("{name}=");
            let found = request.body.split('&').find_map(|pair| pair.strip_prefix(&start));
            found.unwrap_or_default().replace("%3A", ":").replace("%2F", "/")
        };
        let (operation, stack, token) = (field("Action"), field("StackName"), field("ClientRequestToken"));
        let mut made = made.lock().unwrap();
        let id = |name: &str| format!("arn:aws:cloudformation:us-east-1:111111111111:stack/{name}/1");
        match operation.as_str() {
            "GetCallerIdentity" => fake_aws::caller(),
            "DescribeStacks" => {
                let stacks: String = made
                    .keys()
                    .filter(|name| stack.is_empty() || **name == stack || id(name) == stack)
                    .map(|name| {
                        format!(
                            "<member><StackId>{}</StackId><StackName>{name}</StackName>\
                             <StackStatus>CREATE_COMPLETE</StackStatus>\
                             <CreationTime>2026-01-01T00:00:00Z</CreationTime></member>",
                            id(name)
                        )
                    })
                    .collect::<Vec<_>>()
                    .concat();
                fake_aws::result("DescribeStacks", &format!("<Stacks>{stacks}</Stacks>"))
            }
            "CreateStack" => {
                if let Some(answer) = refused(&stack) {
                    return answer;
                }
                made.insert(stack.clone(), token);
                fake_aws::result("CreateStack", &format!("<StackId>{}</StackId>", id(&stack)))
            }
            "DescribeStackEvents" => {
                let name = made.keys().find(|name| request.body.contains(name.as_str())).cloned();
                let name = name.unwrap_or_default();
                let token = made.get(&name).cloned().unwrap_or_default();
                let event = |number: u32, status: &str| {
                    format!(
                        "<member><StackId>{id}</StackId><EventId>{name}{number}</EventId>\
                         <StackName>{name}</StackName><LogicalResourceId>{name}</LogicalResourceId>\
                         <PhysicalResourceId>{id}</PhysicalResourceId>\
                         <ResourceType>AWS::CloudFormation::Stack</ResourceType>\
                         <Timestamp>2026-01-01T00:00:0{number}Z</Timestamp><ResourceStatus>{status}</ResourceStatus>\
                         <ClientRequestToken>{token}</ClientRequestToken></member>",
                        id = id(&name)
                    )
                };
                let events = event(2, "CREATE_COMPLETE") + &event(1, "CREATE_IN_PROGRESS");
                fake_aws::result("DescribeStackEvents", &format!("<StackEvents>{events}</StackEvents>"))
            }
            other => fake_aws::error(403, "AccessDenied", other),
        }
    })
}

fn denied() -> Answer {
    fake_aws::error(403, "AccessDenied", "not authorized to perform: cloudformation:CreateStack")
}

#[test]
fn what_is_refused_after_something_was_deployed_is_a_failure() {
    let place = Place::new();
    queue(&place, &["One", "Two"]);
    place.write("paceline.yaml", "version: 1\nedges: [{ from: Two, to: One, because: it says so }]\n");
    let aws = aws(|stack| (stack == "Two").then(denied));
    let ran = place.paceline(["deploy", "--report", "reports"]).aws_at(&aws.address).run().expect(1);
    assert!(ran.stderr.contains("Failed: 1 of 2 stacks done"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("before anything was touched"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: give the role in use this permission"), "{}", ran.stderr);
    for report in ["summary.md", "timeline.html"] {
        assert!(!place.read(&format!("reports/{report}")).contains("before anything was touched"));
    }
}

#[test]
fn what_is_refused_before_anything_was_touched_says_so() {
    let place = Place::new();
    queue(&place, &["One", "Two"]);
    let aws = aws(|_| Some(denied()));
    let ran = place.paceline(["deploy"]).aws_at(&aws.address).run().expect(3);
    assert!(ran.stderr.contains("Refused before anything was touched"), "{}", ran.stderr);
}

#[test]
fn names_of_an_assembly_do_not_control_the_terminal_in_errors_either() {
    const HOSTILE: &str = "\\u001b[31m\\nerror: forged\\n hint: run me\\u202e\\u2028x";
    let place = Place::new();
    let manifest = |text: &str| place.write("cdk.out/manifest.json", text);
    let stack = |fields: &str| {
        format!(
            r#"{{"version":"36.0.0","artifacts":{{"A":{{"type":"aws:cloudformation:stack",
                "environment":"aws://111111111111/us-east-1","properties":{{"templateFile":"A.template.json"}},
                {fields}}}}}}}"#
        )
    };
    place.write("cdk.out/A.template.json", r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#);
    let missing = r#""missing":[{"key":"KEY","provider":"KEY","props":{}}],"artifacts""#;
    let annotation = r#""metadata":{"/A":[{"type":"aws:cdk:error","data":"KEY"}]}"#;
    let cases = [
        stack(r#""displayName":"A""#).replace("aws://111111111111/us-east-1", "aws://KEY/us"),
        stack(r#""displayName":"A""#).replace("A.template.json", "KEY.template.json"),
        stack(r#""displayName":"A""#).replace(r#""artifacts""#, missing),
        stack(annotation),
        stack(r#""dependencies":["KEY"]"#),
    ];
    for case in cases {
        manifest(&case.replace("KEY", HOSTILE));
        for command in ["plan", "deploy"] {
            let ran = place.paceline([command]).aws_at("http://127.0.0.1:9").run();
            assert!(ran.code != 0 || command == "plan", "{case}");
            let bad = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2028}".contains(c);
            assert!(!ran.stderr.contains(bad), "{:?}", ran.stderr);
            let lines: Vec<&str> = ran.stderr.lines().collect();
            let errors = lines.iter().filter(|line| line.starts_with("error: ")).count();
            assert_eq!(errors, usize::from(ran.code != 0), "{}", ran.stderr);
            assert!(!lines.iter().any(|line| line.starts_with(" hint: run me")), "{}", ran.stderr);
        }
    }
}

#[test]
fn names_of_an_assembly_do_not_control_the_terminal_in_plans_and_runs() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    queue(&place, &["One"]);
    let manifest = place.read("cdk.out/manifest.json");
    let named = manifest.replace(
        r#""type":"aws:cloudformation:stack""#,
        r#""type":"aws:cloudformation:stack","displayName":"x\u001b[2J\u202ey""#,
    );
    assert_ne!(named, manifest);
    place.write("cdk.out/manifest.json", &named);
    for format in ["text", "mermaid", "dot"] {
        let ran = place.paceline(["plan", "--format", format]).run().expect(0);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{202e}']), "{:?}", ran.stdout);
    }
    let json: Value = place.paceline(["plan", "--format", "json"]).run().expect(0).stdout_json();
    assert_eq!(json["stacks"][0]["id"], "x\u{1b}[2J\u{202e}y", "data is as it is");
    let ran = deploy(&place, &sim).run().expect(0);
    assert!(!ran.stderr.contains(['\u{1b}', '\u{202e}']), "{:?}", ran.stderr);
}
