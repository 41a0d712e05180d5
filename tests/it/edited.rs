//! What was edited, or changed by somebody else, between an interruption and going on.

use crate::deploy::tiny_manifest;
use crate::harness::{Place, Ran, Sim, until};

const FAST: u32 = 10_000;

/// A stack, a script that follows it and writes a line into `seeded`, and a command that holds the run up until `go`
/// is there.
struct Seeded {
    place: Place,
    sim: Sim,
}

impl Seeded {
    fn new() -> Self {
        let seeded = Self { place: Place::new(), sim: Sim::start(FAST) };
        seeded.place.write("cdk.out/manifest.json", &tiny_manifest(&["One"]));
        seeded.template("1");
        seeded.script("echo seeded >> seeded");
        seeded.config("");
        seeded
    }

    fn template(&self, seconds: &str) {
        let queue = format!(r#"{{"Type":"AWS::SQS::Queue","Properties":{{"DelaySeconds":{seconds}}}}}"#);
        self.place.write("cdk.out/One.template.json", &format!(r#"{{"Resources":{{"Q":{queue}}}}}"#));
    }

    fn script(&self, text: &str) {
        self.place.write("seed.sh", text);
    }

    fn config(&self, more: &str) {
        let text = format!(
            "version: 1\ncommands:\n  - {{ name: seed, after: One, run: sh seed.sh{more} }}\n  \
             - {{ name: hold, after: 'command:seed', run: 'test -e go || exec sleep 600' }}\n"
        );
        self.place.write("paceline.yaml", &text);
    }

    /// Stops the run when the script has run.
    fn interrupted(&self) {
        let call = self.place.paceline(["deploy", "--events", "first.jsonl"]).aws_at(&self.sim.address);
        let running = call.start("first.log");
        let held = self.place.path("first.jsonl");
        until("the script has run, and the run is held up", || started(&held) == 2);
        running.signal("TERM");
        let (code, said) = running.end();
        assert_eq!((code, self.seeded()), (Some(4), 1), "{said}");
    }

    fn goes_on(&self) -> Ran {
        self.place.write("go", "");
        self.place.paceline(["deploy"]).aws_at(&self.sim.address).run().expect(0)
    }

    /// How often the script has run.
    fn seeded(&self) -> usize {
        self.place.read("seeded").lines().count()
    }
}

/// How many commands were started.
fn started(events: &std::path::Path) -> usize {
    let text = fs_err::read_to_string(events).unwrap_or_default();
    let is_start = |line: &&str| line.contains("step.started") && line.contains("\"kind\":\"command\"");
    text.lines().filter(is_start).count()
}

#[test]
fn a_command_that_has_run_is_not_run_again() {
    let it = Seeded::new();
    it.interrupted();
    let ran = it.goes_on();
    assert!(ran.stderr.contains("continuing the interrupted run"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("runs again"), "{}", ran.stderr);
    assert_eq!(it.seeded(), 1);
}

#[test]
fn a_command_that_was_edited_runs_again_and_it_is_said() {
    let edits: [fn(&Seeded); 3] = [
        |it| it.config(", env: { STAGE: prod }"),
        |it| it.config(", retries: 1"),
        |it| it.script("echo seeded better >> seeded"),
    ];
    for edit in edits {
        let it = Seeded::new();
        it.interrupted();
        edit(&it);
        let ran = it.goes_on();
        assert!(ran.stderr.contains("continuing the interrupted run"), "{}", ran.stderr);
        assert!(ran.stderr.contains("the command `seed` runs again: it was edited"), "{}", ran.stderr);
        assert_eq!(it.seeded(), 2);
    }
}

#[test]
fn a_command_runs_again_when_another_plan_was_deployed_in_between() {
    let it = Seeded::new();
    it.interrupted();
    it.template("2");
    let between = it.goes_on();
    assert!(!between.stderr.contains("continuing the interrupted"), "{}", between.stderr);
    assert_eq!(it.seeded(), 2);
    it.template("1");
    let ran = it.goes_on();
    assert!(ran.stderr.contains("the command `seed` runs again: another run"), "{}", ran.stderr);
    assert_eq!(it.seeded(), 3);
    assert_eq!(it.place.runs().len(), 2, "it is the first run that went on");
}

/// Runs are named by the clock, which was wrong for one that has ended.
#[test]
fn a_run_that_is_dated_in_the_future_hides_no_interruption() {
    let it = Seeded::new();
    it.goes_on();
    fs_err::remove_file(it.place.path("go")).unwrap();
    fs_err::remove_file(it.place.path("seeded")).unwrap();
    let [ended] = it.place.runs().try_into().unwrap();
    let runs = it.place.path(".paceline/runs");
    fs_err::rename(runs.join(&ended), runs.join(format!("2099{}", &ended[4..]))).unwrap();
    it.interrupted();
    it.goes_on();
    assert_eq!(it.seeded(), 1);
}
