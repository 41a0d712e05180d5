//! A plan that was saved is deployed as it was approved, or refused before anything is touched.

use crate::deploy::tiny_manifest;
use crate::harness::{Place, Ran, Sim};

const FAST: u32 = 10_000;
const CONFIG: &str = "version: 1\ncommands:\n  - { name: seed, after: One, run: sh seed.sh }\n";

struct Approved {
    place: Place,
    sim: Sim,
}

/// An app of two stacks, with a command after the first one.
pub(crate) fn command_app(place: &Place) {
    place.write("cdk.out/manifest.json", &tiny_manifest(&["One", "Two"]));
    template(place, "One", "1");
    template(place, "Two", "1");
    place.write("seed.sh", "echo seeded >> seeded");
    place.write("paceline.yaml", CONFIG);
}

fn template(place: &Place, stack: &str, seconds: &str) {
    let queue = format!(r#"{{"Type":"AWS::SQS::Queue","Properties":{{"DelaySeconds":{seconds}}}}}"#);
    let template = format!(r#"{{"Resources":{{"Q":{queue}}}}}"#);
    place.write(&format!("cdk.out/{stack}.template.json"), &template);
}

impl Approved {
    /// Two stacks and a command, of which the plan was saved with these arguments.
    fn new(arguments: &[&str]) -> Self {
        let it = Self { place: Place::new(), sim: Sim::start(FAST) };
        command_app(&it.place);
        let ran = it.place.paceline(["plan", "--save", "approved.json"]).args(arguments).run().expect(0);
        assert!(ran.stderr.contains("the plan is saved in approved.json"), "{}", ran.stderr);
        assert!(ran.stdout.contains("Critical path"), "{}", ran.stdout);
        it
    }

    fn template(&self, stack: &str, seconds: &str) {
        template(&self.place, stack, seconds);
    }

    fn deploy(&self, arguments: &[&str]) -> Ran {
        let call = self.place.paceline(["deploy", "--plan", "approved.json", "--outputs", "outputs.json"]);
        call.args(arguments).aws_at(&self.sim.address).run()
    }

    /// The deployment is refused, says this, and has touched nothing.
    #[track_caller]
    fn refused(&self, arguments: &[&str], why: &str) {
        let ran = self.deploy(arguments).expect(3);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert!(ran.stderr.contains("`paceline plan --save approved.json`"), "{}", ran.stderr);
        assert_eq!(self.place.runs(), [""; 0]);
        assert!(!self.place.path("seeded").exists());
    }
}

#[test]
fn what_was_approved_is_deployed() {
    let it = Approved::new(&[]);
    let ran = it.deploy(&[]).expect(0);
    assert_eq!(it.place.read("seeded"), "seeded\n", "{}", ran.stderr);
    assert_eq!(it.place.runs().len(), 1);
    // Nothing has changed: it may be deployed again.
    it.deploy(&[]).expect(0);
}

#[test]
fn an_approved_selection_is_deployed_without_naming_it_again() {
    let it = Approved::new(&["--only", "One"]);
    it.deploy(&["--events", "events.jsonl"]).expect(0);
    let events = it.place.read("events.jsonl");
    assert!(events.contains("deploy:One") && !events.contains("deploy:Two"));
    let other = Approved::new(&["--only", "One"]);
    other.refused(&["--only", "Two"], "the stack `One` would not be deployed: --only does not name it");
}

#[test]
fn an_edited_template_is_refused_and_its_stack_named() {
    let it = Approved::new(&[]);
    it.template("Two", "2");
    it.refused(&[], "the template of `Two` has changed");
}

#[test]
fn an_edited_command_or_script_is_refused() {
    let it = Approved::new(&[]);
    it.place.write("paceline.yaml", &CONFIG.replace("sh seed.sh", "sh seed.sh --all"));
    it.refused(&[], "the command `seed`, or a script that it starts, has changed");
    it.place.write("paceline.yaml", CONFIG);
    it.place.write("seed.sh", "echo other >> seeded");
    it.refused(&[], "the command `seed`, or a script that it starts, has changed");
}

#[test]
fn a_changed_configuration_is_refused() {
    let it = Approved::new(&[]);
    it.place.write("paceline.yaml", &format!("{CONFIG}concurrency: {{ stacks: 1 }}\n"));
    it.refused(&[], "`concurrency` has changed");
    let edge = "edges:\n  - { from: Two, to: One, because: it calls it }\n";
    it.place.write("paceline.yaml", &format!("{CONFIG}{edge}"));
    it.refused(&[], "the stack `Two` waits for One too");
}

#[test]
fn a_file_that_is_no_plan_of_this_version_is_an_error() {
    let it = Approved::new(&[]);
    let saved = it.place.read("approved.json");
    for (text, said) in [
        (saved.replace("\"paceline-plan\": 1", "\"paceline-plan\": 2"), "it is a saved plan of format 2"),
        (saved[..saved.len() / 2].to_owned(), "it is a saved plan that was damaged or edited"),
        (saved.replace("sh seed.sh", "sh other.sh"), "it is a saved plan that was damaged or edited"),
        ("{}".to_owned(), "it is not a saved plan"),
    ] {
        it.place.write("approved.json", &text);
        let ran = it.deploy(&[]).expect(2);
        assert!(ran.stderr.starts_with(&format!("error: approved.json: {said}")), "{}", ran.stderr);
    }
    fs_err::remove_file(it.place.path("approved.json")).unwrap();
    it.deploy(&[]).expect(2);
    assert_eq!(it.place.runs(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_a_saved_plan() {
    use std::os::unix::fs::PermissionsExt as _;

    let it = Approved::new(&[]);
    let mode = it.place.path("approved.json").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
