//! An assembly that is older than its sources is said to be so.

use std::time::{Duration, SystemTime};

use crate::deploy::tiny_manifest;
use crate::harness::{Place, Sim};

const MINUTE: Duration = Duration::from_mins(1);

/// An app whose assembly was made long ago, and from what there was then.
struct App {
    place: Place,
    made: SystemTime,
}

impl App {
    fn new() -> Self {
        let app = Self { place: Place::new(), made: SystemTime::UNIX_EPOCH + 1_000_000 * MINUTE };
        app.place.write("cdk.out/manifest.json", &tiny_manifest(&["Shop"]));
        app.place.write("cdk.out/Shop.template.json", r#"{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}"#);
        app.date("cdk.out/manifest.json", 0);
        for (file, minutes) in [("cdk.json", -100), ("package.json", -100), ("lib/shop.ts", -1)] {
            app.write(file, minutes);
        }
        app
    }

    /// Writes a file so many minutes after the assembly.
    fn write(&self, file: &str, minutes: i32) {
        self.place.write(file, "{}");
        self.date(file, minutes);
    }

    fn date(&self, file: &str, minutes: i32) {
        let by = MINUTE * minutes.unsigned_abs();
        let at = if minutes < 0 { self.made - by } else { self.made + by };
        let file = std::fs::File::options().write(true).open(self.place.path(file)).unwrap();
        file.set_modified(at).unwrap();
    }

    /// What `plan` warns of.
    fn warns(&self) -> Option<String> {
        warning(&self.place.paceline(["plan"]).run().expect(0).stderr)
    }
}

fn warning(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines().filter(|line| line.contains("is older than"));
    let warning = lines.next().map(ToOwned::to_owned);
    assert_eq!(lines.next(), None, "it is said once");
    warning
}

#[test]
fn an_edited_source_is_named_with_how_much_newer_it_is_and_what_to_do() {
    let app = App::new();
    assert_eq!(app.warns(), None);
    app.write("lib/shop.ts", 12);
    let unknown = "warning: cdk.out is older than lib/shop.ts (12 min): run `npx cdk synth`, or set `synth:` in \
                   paceline.yaml";
    assert_eq!(app.warns().unwrap(), unknown);
    app.write("lib/cart.ts", 5);
    app.write("cdk.json", 3 * 24 * 60);
    let ran = app.place.paceline(["explain", "Shop"]).run().expect(0);
    let warned = warning(&ran.stderr).unwrap();
    assert!(warned.contains("older than cdk.json (3 days) and 2 more files: run"), "{warned}");
}

#[test]
fn every_command_that_takes_an_assembly_as_it_is_says_so() {
    let (app, sim) = (App::new(), Sim::start(1000));
    app.write("lib/shop.ts", 12);
    for command in [
        &["deploy"][..],
        &["deploy", "--app", "cdk.out"],
        &["deploy", "--simulate"],
        &["deploy", "--dry-run"],
        &["plan", "--format", "json"],
        &["destroy", "--yes"],
    ] {
        let ran = app.place.paceline(command).aws_at(&sim.address).run().expect(0);
        let warned = warning(&ran.stderr).unwrap_or_else(|| panic!("{command:?}: {}", ran.stderr));
        assert!(warned.ends_with("or set `synth:` in paceline.yaml"), "{warned}");
    }
}

#[test]
fn where_the_command_is_known_it_is_named() {
    let (app, sim) = (App::new(), Sim::start(1000));
    app.write("lib/shop.ts", 12);
    app.place.write("paceline.yaml", "synth: touch cdk.out/manifest.json\n");
    for flags in [&["--no-synth"][..], &["--app", "cdk.out"], &["--simulate"]] {
        let ran = app.place.paceline(["deploy"]).args(flags).aws_at(&sim.address).run().expect(0);
        let warned = warning(&ran.stderr).unwrap();
        assert!(warned.ends_with("lib/shop.ts (12 min): run `paceline synth`"), "{warned}");
    }
    let ran = app.place.paceline(["deploy"]).aws_at(&sim.address).run().expect(0);
    assert_eq!(warning(&ran.stderr), None);
}

#[test]
fn a_synthesis_that_writes_elsewhere_is_found_out() {
    let (app, sim) = (App::new(), Sim::start(1000));
    app.write("lib/shop.ts", 12);
    app.place.write("paceline.yaml", "synth: mkdir -p build && cp -r cdk.out build/\n");
    let ran = app.place.paceline(["deploy"]).aws_at(&sim.address).run().expect(0);
    let warned = warning(&ran.stderr).unwrap();
    assert!(warned.ends_with("its `synth` command has just run, and has not written it"), "{warned}");
}

#[test]
fn each_of_several_apps_is_looked_at() {
    let app = App::new();
    app.write("shop/lib/shop.ts", 12);
    let config = "apps:\n  shop: { dir: shop, assembly: ../cdk.out }\n  other: { dir: other }\n";
    app.place.write("paceline.yaml", config);
    app.place.write("other/cdk.out/manifest.json", &tiny_manifest(&["Other"]));
    app.place.write("other/cdk.out/Other.template.json", "{}");
    let warned = app.warns().unwrap();
    assert!(warned.starts_with("warning: app `shop`: cdk.out is older than shop/lib/shop.ts"), "{warned}");
    assert!(
        warned.ends_with("run `cdk synth` in shop, or give the app a `synth:` in paceline.yaml"),
        "{warned}"
    );
}

#[test]
fn what_no_assembly_is_made_from_is_no_source() {
    let app = App::new();
    app.place.write(".gitignore", "*.js\n/cdk.out\ngenerated/\n");
    for file in [
        ".git/HEAD",
        ".paceline/history.jsonl",
        "README.md",
        "buildspec.yml",
        "buildspecs/shop.yml",
        "cdk.out/asset.1/index.ts",
        "cdk.out.before/manifest.json",
        "events.jsonl",
        "generated/types.ts",
        "guide/cdk.json",
        "guide/lib/guide.ts",
        "lib/shop.js",
        "lib/shop.test.ts",
        "node_modules/x/index.ts",
        "outputs.json",
        "paceline.yaml",
        "reports/index.html",
        "test/shop.ts",
    ] {
        app.write(file, 12);
    }
    assert_eq!(app.warns(), None);
    // What this run itself has written the last time.
    app.write("told/report.html", 12);
    let ran = app.place.paceline(["deploy", "--dry-run", "--report", "told"]).run().expect(0);
    assert_eq!(warning(&ran.stderr), None);
}

#[test]
fn an_assembly_is_held_against_its_own_app_alone() {
    let app = App::new();
    app.write("lib/shop.ts", 12);
    // One that was kept, deeper in the folder of an app that makes another.
    for file in ["manifest.json", "Shop.template.json"] {
        app.place.write(&format!("kept/first/{file}"), &app.place.read(&format!("cdk.out/{file}")));
    }
    app.date("kept/first/manifest.json", 0);
    let call = || app.place.paceline(["plan", "--app", "kept/first"]).run().expect(0);
    assert_eq!(warning(&call().stderr), None);
    app.place.write("cdk.json", r#"{"output":"kept/first"}"#);
    app.date("cdk.json", -100);
    let warned = warning(&call().stderr).unwrap();
    assert!(warned.starts_with("warning: kept/first is older than lib/shop.ts (12 min)"), "{warned}");
}

/// The assembly of such a repository is committed: nothing leaves it out.
#[test]
fn a_checkout_that_has_just_written_everything_says_nothing() {
    let app = App::new();
    for file in ["cdk.json", "package.json", "cdk.out/Shop.template.json", "lib/shop.ts"] {
        app.date(file, 0);
    }
    app.place.write("lib/shop.ts", "{}");
    let at = app.made + Duration::from_millis(1500);
    let file = std::fs::File::options().write(true).open(app.place.path("lib/shop.ts")).unwrap();
    file.set_modified(at).unwrap();
    assert!(app.warns().unwrap().contains("lib/shop.ts (1 s)"), "without a repository it is an edit");
    app.write(".git/index", 0);
    assert_eq!(app.warns(), None);
    // What a later pull has written is no edit either, but what comes after it is.
    app.write("lib/shop.ts", 5);
    app.write(".git/index", 5);
    assert_eq!(app.warns(), None);
    app.write("lib/shop.ts", 7);
    assert!(app.warns().unwrap().contains("lib/shop.ts (7 min)"));
    // What is left out was not written by git.
    app.place.write(".gitignore", "cdk.out\n");
    app.write(".git/index", 10);
    assert!(app.warns().unwrap().contains("lib/shop.ts (7 min)"));
}

#[cfg(unix)]
#[test]
fn links_and_odd_files_are_left_alone() {
    let app = App::new();
    std::os::unix::fs::symlink("..", app.place.path("lib/up")).unwrap();
    std::os::unix::fs::symlink("nowhere", app.place.path("lib/dangling")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(app.place.path("lib/fifo")).status().unwrap();
    assert!(fifo.success());
    assert_eq!(app.warns(), None);
    app.write("lib/\u{1b}[31m\nred.ts", 12);
    assert!(app.warns().unwrap().contains("older than lib/?[31m?red.ts (12 min)"));
}
