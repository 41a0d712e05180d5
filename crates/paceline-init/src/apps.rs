//! The apps of a configuration: where they are, and how they are made.

use paceline_buildspec::understand::{App, ExistingPipeline, Line};
use paceline_text::shell_word;
use paceline_yaml::inline;

use crate::AppFolder;
use crate::out::Out;

/// An app of which only the assembly is known.
pub(crate) fn one(out: &mut Out, app: &AppFolder) {
    out.blank();
    match (&app.synth, app.is_committed) {
        (Some(_), true) => out.comment(
            "The synthesized app. It is part of the repository, and deployed as it is. To have it made before each \
             deployment, uncomment what makes it.",
        ),
        (Some(_), false) => out.comment(
            "The synthesized app, and what makes it, from the root of the repository: before each deployment, and in \
             a build. `install` is skipped while the lock file is the one that was installed from.",
        ),
        (None, _) => out.comment("The synthesized app. A build is given it, or finds it in the repository."),
    }
    out.line(&format!("app: {}", inline::word(&app.assembly)));
    let commented = if app.is_committed { "# " } else { "" };
    for (field, command) in [("install", &app.install), ("synth", &app.synth)] {
        if let Some(command) = command {
            out.line(&format!("{commented}{field}: {}", inline::command(command)));
        }
    }
}

/// The apps that a build makes.
pub(crate) fn of_build(out: &mut Out, build: &ExistingPipeline) {
    out.blank();
    match &build.apps[..] {
        [] => {}
        [app] => alone(out, app),
        apps => {
            out.comment(
                "The apps, each in its folder. They are synthesized once, side by side, and not again for every \
                 stack; `install` is skipped while the lock file is the one that was installed from. The id of a \
                 stack is app/stack.",
            );
            out.line("apps:");
            for app in apps {
                let whose = if build.files.len() > 1 { format!("{}, ", app.file) } else { String::new() };
                out.line(&format!("  {}: # {whose}line {}", inline::word(&app.name), app.line));
                several(out, app, apps);
            }
        }
    }
    for bootstrap in &build.bootstraps {
        out.blank();
        out.comment(&format!(
            "Line {} bootstraps: `{}`. `paceline bootstrap` does that for every environment that needs it; run it \
             once, or before `paceline deploy`.",
            bootstrap.line,
            one_line(&bootstrap.text)
        ));
    }
}

/// One app: its commands are one script of the generated buildspec, in the order in which they were.
fn alone(out: &mut Out, app: &App) {
    let assembly = in_folder(&app.dir, &app.assembly);
    let Some(synth) = app.synth() else {
        out.comment(&format!("The app is synthesized elsewhere; line {} deploys what is there.", app.line));
        return out.line(&format!("app: {}", inline::word(&assembly)));
    };
    out.comment(&format!(
        "The app of line {}, and what makes it before a deployment: once, and not again for every stack.",
        app.line
    ));
    out.line(&format!("app: {}", inline::word(&assembly)));
    let call = format!("{synth}{}", context(app, |_| true));
    // Scripts of their own, where nothing that is set up in one is needed in the other.
    let last = app.install.iter().map(|line| line.order).max();
    let is_apart = last.is_some_and(|last| app.build.iter().all(|line| line.order > last));
    let made: Vec<Line> = if is_apart && app.setup.is_empty() {
        out.line(&format!(
            "install: {}",
            inline::script(&in_its_folder(app, lines(app, &app.install, None)), 2)
        ));
        app.build.clone()
    } else {
        app.install.iter().chain(&app.build).cloned().collect()
    };
    let script = in_its_folder(app, lines(app, &made, Some(&call)));
    out.line(&format!("synth: {}", inline::script(&script, 2)));
}

/// A script in the environment and the folder of the app. What follows it in a build is in the folder it was in.
fn in_its_folder(app: &App, mut lines: Vec<String>) -> String {
    for (name, value) in app.env.iter().rev() {
        lines.insert(0, format!("export {name}={}", shell_word(value)));
    }
    if !app.dir.is_empty() {
        lines.insert(0, format!("cd {}", shell_word(&app.dir)));
        lines = std::iter::once("(".to_owned())
            .chain(lines.into_iter().map(|line| indented(&line)))
            .chain([")".to_owned()])
            .collect();
    }
    lines.join("\n")
}

fn several(out: &mut Out, app: &App, all: &[App]) {
    out.line(&format!("    dir: {}", inline::word(if app.dir.is_empty() { "." } else { &app.dir })));
    if app.assembly != "cdk.out" {
        out.line(&format!("    assembly: {}", inline::word(&app.assembly)));
    }
    let Some(synth) = app.synth() else { return };
    for (field, own) in [("install", &app.install), ("build", &app.build)] {
        if own.is_empty() {
            continue;
        }
        let own: Vec<Line> = own.iter().map(|line| one_at_a_time(line, app, all)).collect();
        out.line(&format!("    {field}: {}{}", in_shell(&lines(app, &own, None), app, 6), at(&own)));
    }
    let for_shell = app.context.values().any(|line| line.text.contains('$'));
    // What goes through bash is told everything there.
    let whole = app.needs_bash() && !app.setup.is_empty();
    let call = format!("{synth}{}", context(app, |value| whole || value.contains('$')));
    out.line(&format!("    synth: {}", in_shell(&lines(app, &[], Some(&call)), app, 6)));
    let mut known = app.context.iter().filter(|(_, line)| !whole && !line.text.contains('$')).peekable();
    if known.peek().is_some() {
        let pairs: Vec<String> = known
            .clone()
            .map(|(key, line)| format!("{}: {}", inline::word(key), inline::word(&line.text)))
            .collect();
        let line = known.peek().map_or(app.line, |(_, line)| line.line);
        out.line(&format!("    context: {{ {} }} # line {line}", pairs.join(", ")));
    }
    if for_shell {
        out.note(
            app.line,
            format!(
                "app `{}`: part of its context is only known in the build, and is left to the shell",
                app.name
            ),
        );
    }
    if !app.env.is_empty() {
        let pairs: Vec<String> = app
            .env
            .iter()
            .map(|(name, value)| format!("{}: {}", inline::word(name), inline::quoted(value)))
            .collect();
        out.line(&format!("    env: {{ {} }}", pairs.join(", ")));
    }
}

/// Commands that stop at the first that fails, in a shell that understands them.
fn in_shell(lines: &[String], app: &App, indent: usize) -> String {
    let bash = app.needs_bash();
    match lines {
        [only] if !bash => inline::script(only, indent),
        lines if bash => {
            inline::script(&format!("bash -euo pipefail <<'END'\n{}\nEND", lines.join("\n")), indent)
        }
        lines => inline::script(&format!("set -e\n{}", lines.join("\n")), indent),
    }
}

/// Commands in the order in which they were, with what they need before them and the call at the end.
fn lines(app: &App, own: &[Line], call: Option<&str>) -> Vec<String> {
    let texts = || own.iter().map(|line| line.text.as_str()).chain(call);
    // What is needed may need something before it in its turn.
    let mut said: Vec<&str> = texts().collect();
    let mut all: Vec<(usize, &str)> = own.iter().map(|line| (line.order, line.text.as_str())).collect();
    for setup in app.setup.iter().rev() {
        let is_used = |name: &String| said.iter().any(|text| uses(text, name));
        if setup.sets.is_empty() || setup.text.contains("export ") || setup.sets.iter().any(is_used) {
            said.push(&setup.text);
            all.push((setup.order, &setup.text));
        }
    }
    all.sort_by_key(|(order, _)| *order);
    // What sets something and does more stands in both lists.
    all.dedup_by(|(_, after), (_, before)| after == before);
    all.into_iter().map(|(_, text)| posix(text)).chain(call.map(str::to_owned)).collect()
}

fn uses(text: &str, name: &str) -> bool {
    text.contains(&format!("${name}")) || text.contains(&format!("${{{name}"))
}

/// A command that several apps run in a folder above theirs is run by one at a time.
fn one_at_a_time(line: &Line, app: &App, all: &[App]) -> Line {
    let has_it = |it: &&App| it.install.iter().chain(&it.build).any(|other| other.line == line.line);
    let inner = line.text.strip_prefix("(cd ").and_then(|text| text.strip_suffix(')'));
    let Some((to, command)) = inner.and_then(|text| text.split_once(" && ")) else { return line.clone() };
    let others = all.iter().filter(|it| it.dir != app.dir).filter(has_it).count();
    if others == 0 || line.text.contains('\n') {
        return line.clone();
    }
    // What installs afresh takes away what another app is being built with.
    let once = if command.starts_with("npm ci") {
        format!("{{ [ -d node_modules ] || {command}; }}")
    } else {
        command.to_owned()
    };
    let script = shell_word(&format!("cd {to} && {once}"));
    Line { text: format!("flock {to} sh -c {script}"), ..line.clone() }
}

/// `source` is bash's word for `.`.
fn posix(text: &str) -> String {
    text.strip_prefix("source ").map_or_else(|| text.to_owned(), |rest| format!(". {rest}"))
}

fn at(lines: &[Line]) -> String {
    match lines {
        [only] if !only.text.contains('\n') => format!(" # line {}", only.line),
        _ => String::new(),
    }
}

/// The context as options.
fn context(app: &App, is_meant: impl Fn(&str) -> bool) -> String {
    let meant = app.context.iter().filter(|(_, line)| is_meant(&line.text));
    let options = meant.map(|(key, line)| double_quoted(&format!("{key}={}", line.text)));
    options.flat_map(|option| [" --context ".to_owned(), option]).collect()
}

/// In quotes that let the shell fill in variables.
fn double_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if text.chars().all(plain) {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('`', "\\`");
    format!("\"{escaped}\"")
}

fn in_folder(dir: &str, file: &str) -> String {
    if dir.is_empty() { file.to_owned() } else { format!("{dir}/{file}") }
}

fn indented(text: &str) -> String {
    // Not what is in a here-document: its end stands at the start of its line.
    if text.contains("<<") { text.to_owned() } else { format!("  {}", text.replace('\n', "\n  ")) }
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
