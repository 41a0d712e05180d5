//! Turns the understanding of buildspecs into the values that a configuration is written from.

use camino::Utf8Path;
use paceline_assembly::Assembly;
use paceline_buildspec::understand::{self, Understanding, needs_bash};
use paceline_plan::starter::{Deployment, Line, Maker, Practice, Runtime, Script, Setup, When};
use paceline_text::shell_word;

use crate::failure::Failure;

/// Combines the buildspecs, in their order. `place` makes a folder relative to the folder of the configuration.
pub(crate) fn practice(read: &[(&Utf8Path, Understanding)], place: impl Fn(&str) -> String) -> Practice {
    let files = read.iter().map(|(file, _)| file.to_string()).collect();
    let mut practice = Practice { files, ..Practice::default() };
    for (file, understood) in read {
        let (apps, deployments) = (practice.apps.len(), practice.deployments.len());
        for app in &understood.apps {
            let mut made = Maker { file: file.to_string(), ..maker(app, &place) };
            // Apps of two files may have the same name.
            if practice.apps.iter().any(|other| other.name == made.name) {
                made.name = format!("{}-{}", made.name, practice.apps.len() + 1);
            }
            practice.apps.push(made);
        }
        practice.deployments.extend(understood.deployments.iter().map(|it| Deployment {
            line: it.line,
            app: apps + it.app,
            stacks: it.stacks.clone(),
            when: it.when.as_ref().map(when),
            beside: it.background,
            may_fail: it.may_fail,
        }));
        practice.scripts.extend(understood.scripts.iter().map(|it| Script {
            line: it.line,
            dir: place(&it.dir),
            text: it.text.clone(),
            after: deployments + it.after,
            when: it.when.as_ref().map(when),
            always: it.always,
            env: it.env.clone(),
            bash: needs_bash(&it.text),
        }));
        let signal =
            understood.signals.first().map(|it| Line { line: it.line, order: 0, text: it.variable.clone() });
        practice.signal = practice.signal.or(signal);
        practice.bootstraps.extend(lines(&understood.bootstraps));
        practice.runtimes.extend(understood.runtimes.iter().map(|it| Runtime {
            line: it.line,
            name: it.name.clone(),
            version: it.version.clone(),
        }));
    }
    practice
}

fn maker(app: &understand::App, place: impl Fn(&str) -> String) -> Maker {
    let program =
        app.program.as_deref().map(|program| format!(" --app {}", shell_word(program))).unwrap_or_default();
    let output =
        if app.assembly == "cdk.out" { String::new() } else { format!(" --output {}", app.assembly) };
    // npm passes options to the script only after `--`.
    let dashes = if app.cli.starts_with("npm ") { " --" } else { "" };
    let setup = app.setup.iter().map(|it| it.text.as_str());
    let mut texts = setup.chain(app.install.iter().chain(&app.build).map(|it| it.text.as_str()));
    Maker {
        name: app.name.clone(),
        file: String::new(),
        line: app.line,
        dir: place(&app.dir),
        assembly: app.assembly.clone(),
        setup: app
            .setup
            .iter()
            .map(|it| Setup { line: it.line, order: it.order, text: it.text.clone(), sets: it.sets.clone() })
            .collect(),
        install: lines(&app.install),
        build: lines(&app.build),
        synth: app.is_synthesized.then(|| format!("{}{dashes} synth --quiet{program}{output}", app.cli)),
        context: app.context.iter().map(|(key, it)| (key.clone(), line(it))).collect(),
        env: app.env.clone(),
        bash: texts.any(|text| needs_bash(text) && !text.starts_with("source ")),
    }
}

fn when(when: &understand::When) -> When {
    When {
        variable: when.variable.clone(),
        value: when.value.clone(),
        equals: when.equals,
        text: when.text.clone(),
    }
}

fn line(line: &understand::Line) -> Line {
    Line { line: line.line, order: line.order, text: line.text.clone() }
}

fn lines(all: &[understand::Line]) -> Vec<Line> {
    all.iter().map(line).collect()
}

/// The assemblies of all apps, with the names of the apps. None if one assembly does not exist.
pub(crate) fn assemblies(
    read: &[(&Utf8Path, Understanding)],
    given: Option<&Utf8Path>,
) -> Result<Option<Vec<(String, Assembly)>>, Failure> {
    let apps: Vec<&understand::App> = read.iter().flat_map(|(_, understood)| &understood.apps).collect();
    if let Some(given) = given {
        let [app] = &apps[..] else {
            return Err(Failure::usage(
                format!("--app names one app, and the buildspec deploys {}", apps.len()),
                "leave --app out: `init` looks for each assembly in the folder of its app",
            ));
        };
        return Ok(Some(vec![(app.name.clone(), Assembly::read(given)?)]));
    }
    let mut found = Vec::new();
    for app in apps {
        let dir = Utf8Path::new(&app.dir).join(&app.assembly);
        if !dir.join("manifest.json").is_file() {
            return Ok(None);
        }
        found.push((app.name.clone(), Assembly::read(dir)?));
    }
    Ok(Some(found))
}
