//! What users get wrong: one line of what happened, one line of what to do, exit code 2, and never a backtrace.

use crate::deploy::tiny_manifest;
use crate::harness::{Place, Ran};
use crate::workshop;

/// An `error:` that says this, followed by a `hint:` that says that.
#[track_caller]
fn refused(ran: &Ran, error: &str, hint: &str) {
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    let said = &ran.stderr;
    let (what, todo) = said.split_once("\n hint: ").unwrap_or_else(|| panic!("no hint in {said}"));
    let what = what.lines().skip_while(|line| line.starts_with("note: ")).collect::<Vec<_>>().join("\n");
    assert!(what.starts_with("error: ") && what.contains(error), "no {error:?} in {said}");
    assert!(todo.contains(hint), "no {hint:?} in {said}");
    assert_eq!(todo.lines().count(), 1, "more than one line of what to do: {said}");
    no_backtrace(ran);
}

#[track_caller]
fn no_backtrace(ran: &Ran) {
    for word in ["panicked", "backtrace", "RUST_"] {
        assert!(!ran.stderr.contains(word), "{word} in {}", ran.stderr);
    }
}

fn plan(place: &Place, app: &str) -> Ran {
    place.paceline(["plan", "--app", app]).run()
}

#[test]
fn a_folder_that_is_not_there() {
    refused(&plan(&Place::new(), "nowhere"), "`nowhere`: there is no such folder", "cdk synth");
    refused(&Place::new().paceline(["plan"]).run(), "`cdk.out`: there is no such folder", "cdk synth");
}

#[test]
fn the_app_in_place_of_its_output() {
    refused(&plan(&Place::new(), &workshop::path("")), "it has no `manifest.json`", "workshop/cdk.out`");
}

#[test]
fn an_empty_folder() {
    let place = Place::new();
    fs_err::create_dir(place.path("empty")).unwrap();
    refused(&plan(&place, "empty"), "`empty`: it has no `manifest.json`", "cdk synth");
}

#[test]
fn a_file_in_place_of_a_folder() {
    refused(&plan(&Place::new(), &workshop::path("cdk.json")), "it is a file, not a folder", "manifest.json");
    refused(
        &plan(&Place::new(), &workshop::path("cdk.out/manifest.json")),
        "it is a file, not a folder",
        "cdk.out",
    );
}

#[test]
fn a_manifest_that_was_cut_short() {
    let place = Place::new();
    let whole = fs_err::read_to_string(workshop::path("cdk.out/manifest.json")).unwrap();
    for length in [0, 1, 300, whole.len() / 2, whole.len() - 2] {
        place.write("cut/manifest.json", &whole[..length]);
        refused(&plan(&place, "cut"), "could not parse `cut/manifest.json` at line ", "cdk synth");
    }
}

#[test]
fn a_template_that_is_not_there() {
    let place = Place::new();
    place.write("cdk.out/manifest.json", &tiny_manifest(&["One"]));
    refused(&plan(&place, "cdk.out"), "One.template.json", "cdk synth");
}

#[test]
fn an_assembly_of_nothing() {
    let place = Place::new();
    place.write("cdk.out/manifest.json", &tiny_manifest(&[]));
    let ran = plan(&place, "cdk.out");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("there is no stack"), "{}", ran.stderr);
    no_backtrace(&ran);
}

/// What is wrong in a configuration is shown with its file, line and column.
#[track_caller]
fn config(text: &str, error: &str, hint: &str) {
    let place = Place::new();
    place.write("mine.yaml", text);
    let call = place.paceline(["plan", "--app", &workshop::path("cdk.out"), "--config", "mine.yaml"]);
    refused(&call.multi_region().run(), error, hint);
}

#[test]
fn a_field_that_does_not_exist() {
    config("version: 1\nphasez: []\n", "mine.yaml:2:1: unknown field `phasez`", "did you mean `phases`?");
    config(
        "version: 1\non-failure:\n  polizy: x\n",
        "mine.yaml:3:3: unknown field `polizy`",
        "did you mean `policy`?",
    );
}

#[test]
fn a_field_that_is_given_twice() {
    config(
        "version: 1\nstrategy: graph\nstrategy: phases\n",
        "mine.yaml:3:1: `strategy` is already set on line 2",
        "keep one of them",
    );
}

#[test]
fn yaml_that_is_not_yaml() {
    config("version: 1\nphases: [\n", "mine.yaml:", "check the indentation");
    config(
        "version: 1\nphases:\n  - name: a\n    stacks: [a\nstrategy: graph\n",
        "mine.yaml:5:",
        "check the indentation",
    );
    config("version: 1\nedges: {from: a\n", "mine.yaml:", "check the indentation");
}

#[test]
fn values_of_the_wrong_type() {
    config("version: 1\nconcurrency: { stacks: many }\n", "mine.yaml:2:24: ", "write a whole number");
    config("version: 1\nphases: services\n", "mine.yaml:2:9: ", "write `[a, b]`");
    config(
        "version: 1\nstrategy: fast\n",
        "mine.yaml:2:11: `fast` is not a strategy",
        "use one of graph, phases",
    );
    config(
        "version: 1\ncodebuild: { timeout: soon }\n",
        "mine.yaml:2:23: `soon` is not a duration",
        "write it like `240m` or `4h`",
    );
    config("version: 2\n", "mine.yaml:1:10: version 2 is not known", "write `version: 1`");
}

#[test]
fn a_configuration_that_is_not_there() {
    let ran = Place::new().paceline(["plan", "--config", "missing.yaml"]).run();
    refused(&ran, "missing.yaml", "--config");
}

#[test]
fn a_stack_that_no_app_has() {
    let phases = "version: 1\nphases:\n  - name: a\n    stacks: [Servces]\n";
    config(phases, "mine.yaml:4:14: phase `a`: no stack is called `Servces`", "did you mean `Services`?");
    let edge = "version: 1\nedges:\n  - { from: Servces, to: S3Replica, because: x }\n";
    config(edge, "no stack is called `Servces`", "did you mean `Services`?");
    let gate = "version: 1\ngates:\n  - { after: Servces, iam-roles: all }\n";
    config(gate, "no stack is called `Servces`", "did you mean `Services`?");
    let place = Place::new();
    let call = |arguments: &[&str]| place.paceline(arguments).args(workshop::app()).multi_region().run();
    refused(&call(&["plan", "--only", "Servces"]), "no stack is called `Servces`", "Services");
    refused(&call(&["plan", "--exclude", "Servces"]), "no stack is called `Servces`", "Services");
    refused(&call(&["explain", "Servces"]), "no stack is called `Servces`", "did you mean `Services`?");
}

#[test]
fn phases_that_contradict_the_graph() {
    let phases =
        "version: 1\nphases:\n  - { name: a, stacks: [Applications] }\n  - { name: b, stacks: [Services] }\n";
    config(
        phases,
        "phase `a` comes before phase `b`, but its stack `Applications` waits for `Services`",
        "phase `b`",
    );
}

#[test]
fn stacks_that_wait_for_each_other() {
    let edge = "version: 1\nedges:\n  - { from: Services, to: Observability, because: test }\n";
    config(edge, "wait for each other in a circle:\n  ", "remove one of the edges");
    let edge = "version: 1\nedges:\n  - { from: Services, to: Services, because: test }\n";
    config(edge, "Services", "");
}

#[test]
fn nothing_left_to_deploy() {
    let ran = Place::new().paceline(["plan", "--exclude", "*"]).args(workshop::app()).run();
    refused(&ran, "there is no stack to deploy", "--exclude");
}

#[test]
fn a_pattern_that_is_none() {
    let ran = Place::new().paceline(["plan", "--only", "Serv["]).args(workshop::app()).run();
    refused(&ran, "`Serv[` is not a pattern", "`*`");
}

#[test]
fn parameters_without_a_value_and_of_no_stack() {
    let deploy = |parameter: &str| {
        let place = Place::new();
        place.paceline(["deploy", "--simulate", "--parameters", parameter]).args(workshop::app()).run()
    };
    refused(&deploy("Size"), "--parameters Size: there is no KEY=VALUE", "--parameters MyStack:Size=3");
    refused(&deploy("=3"), "--parameters =3: there is no KEY=VALUE", "--parameters MyStack:Size=3");
    refused(&deploy("Servces:Size=3"), "no stack is called `Servces`", "paceline plan");
    refused(&deploy("Services:Size=3"), "`Services` has no parameter `Size`", "Parameters");
    refused(&deploy("Size=3"), "no stack has a parameter `Size`", "Parameters");
}

#[test]
fn what_is_far_from_everything_is_no_suggestion() {
    let place = Place::new();
    for arguments in [
        &["deploy", "--reprot-all"][..],
        &["plan", "--excel"],
        &["plain-text"],
        &["plan", "--format", "jpeg"],
    ] {
        let ran = place.paceline(arguments).run().expect(2);
        assert!(!ran.stderr.contains("similar"), "{arguments:?}: {}", ran.stderr);
    }
    let call = |arguments: &[&str]| place.paceline(arguments).args(workshop::app()).multi_region().run();
    refused(
        &call(&["plan", "--only", "Nope"]),
        "no stack is called `Nope`",
        "`paceline plan` lists the stacks",
    );
}

#[test]
fn an_app_that_is_a_command() {
    let ran = Place::new().paceline(["deploy", "-a", "npx ts-node bin/app.ts"]).run();
    refused(&ran, "--app names the folder", "cdk synth --app 'npx ts-node bin/app.ts'");
}

#[test]
fn files_that_cannot_be_written() {
    let place = Place::new();
    place.write("file", "");
    for flag in ["--events", "--outputs", "--report"] {
        let call = place.paceline(["deploy", "--simulate", flag, "file/below"]).args(workshop::app());
        let said = format!("cannot write {flag} file/below: ");
        refused(&call.run(), &said, &format!("give {flag} a path that can be written"));
        let call = place.paceline(["deploy", flag, "file/below"]).args(workshop::app());
        refused(&call.aws_at("http://127.0.0.1:9").run(), &said, "a path that can be written");
        assert_eq!(place.runs(), [""; 0], "nothing is left of a run that was refused");
    }
    fs_err::create_dir_all(place.path("reports/summary.md")).unwrap();
    let call = place.paceline(["deploy", "--simulate", "--report", "reports"]).args(workshop::app());
    refused(&call.run(), "cannot write --report reports: ", "a path that can be written");
}

#[test]
fn a_report_of_a_run_that_never_was() {
    let place = Place::new();
    refused(&place.paceline(["report", "nope"]).run(), "no run and no file called nope", ".paceline/runs");
    place.write("not-events", "hello\n");
    refused(&place.paceline(["report", "not-events"]).run(), "not-events:1: not an event", "--events");
}

#[test]
fn arguments_that_do_not_exist_are_refused_with_what_was_meant() {
    let place = Place::new();
    for (arguments, says) in [
        (&["plam"][..], "plan"),
        (&["plan", "--fromat", "json"], "--format"),
        (&["plan", "--format", "xml"], "mermaid"),
        (&["deploy", "--concurrency", "0"], "'--concurrency <N>': write a whole number, at least 1"),
        (&["deploy", "--concurrency", "many"], "'--concurrency <N>': write a whole number, at least 1"),
        (&["sim", "serve", "--port", "web"], "'--port <PORT>': write a whole number from 0 to 65535"),
        (&["sim", "serve", "--seed", "x"], "'--seed <SEED>': write a whole number"),
        (&["sim", "serve", "--time-scale", "x"], "'--time-scale <X>': write a number"),
        (&["deploy", "--deadline", "soon"], "230m"),
        (&["deploy", "--method", "magic"], "change-set"),
        (&["wait", "iam-role"], "NAMES"),
        (&["deploy", "--exclusivly"], "--exclusively"),
        (&["publish-assets"], "'publish'"),
        (&["sim", "serve", "--port", "99999"], "--port"),
        (&["sim", "serve", "--time-scale", "0", "--port", "0"], "--time-scale"),
    ] {
        let ran = place.paceline(arguments).run().expect(2);
        assert!(
            ran.stderr.starts_with("error: ") && ran.stderr.contains(says),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "");
        no_backtrace(&ran);
    }
}
