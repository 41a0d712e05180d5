//! Whole buildspecs, and the complete understanding of each.

use std::fmt::Write as _;

use camino::Utf8Path;
use paceline_buildspec::understand::{NoSourceTree, SourceTree, Understanding, When, understand};

/// The `package.json` of the example.
struct Scripts;

impl SourceTree for Scripts {
    fn package_script(&self, dir: &str, name: &str) -> Option<String> {
        let text = match (dir, name) {
            ("", "deploy:network") => "npm run build && cdk deploy Network --require-approval never",
            ("", "deploy:site") => "cd site && cdk deploy Site Edge --require-approval never",
            ("", "build") => "tsc",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

fn when(when: Option<&When>) -> String {
    when.map_or_else(String::new, |when| match &when.variable {
        Some(name) => format!("  [{name} {} {:?}]", if when.equals { "is" } else { "is not" }, when.value),
        None => format!("  [{}]", when.text),
    })
}

fn shown(all: &Understanding) -> String {
    let mut out = String::new();
    for app in &all.apps {
        let how = if app.is_synthesized { app.cli.as_str() } else { "made elsewhere" };
        writeln!(out, "{}: app {} in {:?}: {how} -> {}", app.line, app.name, app.dir, app.assembly).unwrap();
        for it in &app.setup {
            let text = it.text.replace('\n', "\\n");
            writeln!(out, "    {}: setup of {:?}: {text}", it.line, it.sets).unwrap();
        }
        for (what, lines) in [("install", &app.install), ("build", &app.build)] {
            for line in lines {
                writeln!(out, "    {}: {what}: {}", line.line, line.text.replace('\n', "\\n")).unwrap();
            }
        }
        for (key, line) in &app.context {
            writeln!(out, "    {}: context: {key}={}", line.line, line.text).unwrap();
        }
        for (name, value) in &app.env {
            writeln!(out, "    env: {name}={value}").unwrap();
        }
    }
    let mut scripts = all.scripts.iter().peekable();
    for number in 0..=all.deployments.len() {
        while let Some(script) = scripts.next_if(|script| script.after == number) {
            let text = script.text.replace('\n', "\\n");
            let always = if script.always { "  [always]" } else { "" };
            writeln!(
                out,
                "{}: in {:?}: {text}{}{always}",
                script.line,
                script.dir,
                when(script.when.as_ref())
            )
            .unwrap();
            for (name, value) in &script.env {
                writeln!(out, "    env: {name}={value}").unwrap();
            }
        }
        let Some(it) = all.deployments.get(number) else { continue };
        let stacks = if it.stacks.is_empty() { "all".to_owned() } else { it.stacks.join(" ") };
        let mut more = when(it.when.as_ref());
        for (is, word) in [(it.may_fail, "  [may fail]"), (it.background, "  [beside]")] {
            more.push_str(if is { word } else { "" });
        }
        for text in it.parameters.iter().chain(&it.outputs) {
            write!(more, "  {text}").unwrap();
        }
        writeln!(out, "{}: deploy {}: {stacks}{more}", it.line, all.apps[it.app].name).unwrap();
    }
    for signal in &all.signals {
        writeln!(out, "{}: signal: {}", signal.line, signal.variable).unwrap();
    }
    for bootstrap in &all.bootstraps {
        writeln!(out, "{}: bootstrap: {}", bootstrap.line, bootstrap.text).unwrap();
    }
    for runtime in &all.runtimes {
        writeln!(out, "{}: runtime: {} {}", runtime.line, runtime.name, runtime.version).unwrap();
    }
    for left in &all.left_out {
        writeln!(out, "{}: left out: {}: {}", left.line, left.what, left.why).unwrap();
    }
    for problem in &all.problems {
        writeln!(out, "{}: problem: {}: {}", problem.line, problem.what, problem.why).unwrap();
    }
    out
}

#[test]
fn whole_buildspecs_are_understood() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/buildspecs");
    let mut files: Vec<_> = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect();
    files.sort();
    assert!(files.len() > 12, "{files:?}");
    let mut out = String::new();
    for file in files {
        let bytes = fs_err::read(&file).unwrap();
        let name = file.file_name().unwrap();
        let source_tree: &dyn SourceTree =
            if name == "package-scripts.yml" { &Scripts } else { &NoSourceTree };
        writeln!(out, "== {name}\n{}", shown(&understand(&bytes, source_tree))).unwrap();
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../../snapshots" }, {
        insta::assert_snapshot!("understood", out);
    });
}
