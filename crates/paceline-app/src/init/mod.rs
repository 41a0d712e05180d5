//! `paceline init`: writes a first configuration.

mod assemblies;
pub(crate) mod project;
mod summary;

use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use paceline_assembly::{Assembly, open_regular};
use paceline_buildspec::understand::{ExistingPipeline, MAX_BYTES, Understanding, understand};
use paceline_buildspec::{create_file, replace_file};
use paceline_config::Config;
use paceline_engine::ExitCode;
use paceline_init::{AppFolder, NewConfig, NewConfigText, SCHEMA_FILE};
use paceline_text::Problem;

use crate::failure::Failure;
use crate::terminal;

/// The arguments of `paceline init`.
#[derive(Debug, Clone, Args)]
pub struct InitSettings {
    /// The synthesized app, or the folder of a CDK app [default: cdk.out, else this folder]
    #[arg(long, value_name = "DIR")]
    pub app: Option<Utf8PathBuf>,
    /// A hand-written buildspec to take over. Its paths are relative to this folder
    #[arg(long, value_name = "BUILDSPEC")]
    pub from: Vec<Utf8PathBuf>,
    /// The file to write; - for standard output
    #[arg(long, visible_alias = "config", value_name = "FILE", default_value = paceline_config::FILE_NAME)]
    pub out: Utf8PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// The value of `--out` for standard output.
const STDOUT: &str = "-";

/// Writes a configuration from an assembly or from hand-written buildspecs.
pub fn init(args: &InitSettings) -> Result<ExitCode, Failure> {
    if !args.force && args.out != STDOUT && args.out.exists() {
        return Err(Failure::usage(
            format!("{} is there already", args.out),
            "give another file with --out, `--out -` to look at it first, or --force to replace it",
        ));
    }
    if args.from.is_empty() { from_app(args) } else { from_buildspecs(args) }
}

/// Writes a configuration from an assembly. Without one, prints what it knows and says how to synthesize the app.
fn from_app(args: &InitSettings) -> Result<ExitCode, Failure> {
    let given = args.app.clone().unwrap_or_else(|| {
        let usual = Utf8PathBuf::from("cdk.out");
        if usual.exists() { usual } else { ".".into() }
    });
    let found = project::find(&given);
    let app = AppFolder {
        assembly: from_config(&args.out, &found.assembly),
        install: found.install.clone(),
        synth: found.synth.clone(),
        is_committed: found.is_committed,
        has_npm: found.has_npm,
    };
    if found.is_cdk_app && !found.assembly.join("manifest.json").exists() {
        let written = NewConfig { build: None, assembly: None, app: Some(&app) }.write()?;
        terminal::data(&written.text);
        let synth = found.synth.unwrap_or_else(|| "cdk synth".to_owned());
        let make: Vec<String> = found.install.into_iter().chain([synth]).collect();
        return Err(Failure::usage(
            format!("{given} is not synthesized, so its stacks are unknown: nothing was written"),
            format!(
                "run `{}`, then `paceline init` again; the text above is the configuration without the stacks",
                make.join(" && ")
            ),
        ));
    }
    // A configuration can be written although the assembly lacks values of lookups.
    let assembly = Assembly::read_incomplete(&found.assembly)?;
    let written = NewConfig { build: None, assembly: Some(&assembly), app: Some(&app) }.write()?;
    write(args, &written)?;
    terminal::say(&summary::of_app(&assembly, &app, &written, &args.out));
    Ok(ExitCode::Done)
}

fn from_buildspecs(args: &InitSettings) -> Result<ExitCode, Failure> {
    let mut read: Vec<(&Utf8Path, Understanding)> = Vec::new();
    for file in &args.from {
        let understood = understand(&bytes(file)?, &project::PackageScripts);
        if understood.is_empty() {
            return Err(nothing_in(file, &understood));
        }
        read.push((file, understood));
    }
    let base = args.out.parent().unwrap_or(Utf8Path::new(""));
    let build = ExistingPipeline::of(read.iter().map(|(file, it)| (file.to_string(), it.clone())), |dir| {
        from_config(&base.join("x"), Utf8Path::new(dir))
    });
    let assemblies = assemblies::of(&read, args.app.as_deref())?;
    let assembly = match assemblies {
        Some(mut one) if build.apps.len() == 1 => one.pop().map(|(_, assembly)| assembly),
        Some(several) => Some(Assembly::of_apps(several)),
        None => None,
    };
    let config = NewConfig { build: Some(&build), assembly: assembly.as_ref(), app: None };
    let written = config.write()?;
    write(args, &written)?;
    terminal::say(&summary::of_takeover(&read, &build, &written, assembly.is_some(), &args.out));
    Ok(ExitCode::Done)
}

/// Reads a buildspec. Stops one byte after the limit, which is enough to see that the file is too large.
fn bytes(file: &Utf8Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(error.to_string(), "give the buildspec that deploys the app today")
    };
    let mut bytes = Vec::new();
    let open = open_regular(file).map_err(unreadable)?;
    open.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn nothing_in(file: &Utf8Path, understood: &Understanding) -> Failure {
    let mut problems = Vec::new();
    let mut add = |place: Option<String>, message: String, hint: Option<String>| {
        problems.push(Problem { place, message, hint });
    };
    for it in &understood.problems {
        add(Some(format!("{file}:{}", it.line)), format!("{}: {}", it.what, it.why), None);
    }
    for it in understood.left_out.iter().filter(|it| it.may_deploy) {
        add(Some(format!("{file}:{}", it.line)), format!("`{}`: {}", it.what, it.why), None);
    }
    let hint = "give the buildspec that runs `cdk deploy`, or run `paceline init` without --from in the folder of the app";
    let why = if understood.left_out.iter().any(|it| it.may_deploy) {
        "Paceline does not understand its commands that deploy"
    } else if understood.problems.is_empty() {
        "none of its commands runs the CDK"
    } else {
        "it cannot be read"
    };
    add(None, format!("there is nothing to take over in {file}: {why}"), Some(hint.to_owned()));
    Failure::of_all(problems)
}

/// Writes the configuration and its schema. Each file is replaced completely or not at all.
fn write(args: &InitSettings, written: &NewConfigText) -> Result<(), Failure> {
    // A text that Paceline itself cannot read must not be written.
    Config::parse(&written.text, &args.out)?;
    if args.out == STDOUT {
        terminal::data(&written.text);
        return Ok(());
    }
    put(&args.out, &written.text)?;
    let schema = args.out.parent().unwrap_or(Utf8Path::new("")).join(SCHEMA_FILE);
    if let Some(folder) = schema.parent() {
        let failed =
            |error: std::io::Error| Failure::usage(error.to_string(), "write the file elsewhere with --out");
        fs_err::create_dir_all(folder).map_err(failed)?;
    }
    put(&schema, &format!("{:#}\n", paceline_config::schema()))
}

fn put(path: &Utf8Path, text: &str) -> Result<(), Failure> {
    let done = if path.exists() { replace_file(path, text) } else { create_file(path, text) };
    done.map_err(Failure::from)
}

/// A path relative to the folder of the configuration, from a path relative to this folder.
fn from_config(config: &Utf8Path, path: &Utf8Path) -> String {
    let parent = config.parent().unwrap_or(Utf8Path::new(""));
    let absolute = |path: &Utf8Path| {
        let mut parts: Vec<String> = Vec::new();
        let full = camino::absolute_utf8(if path.as_str().is_empty() { Utf8Path::new(".") } else { path });
        for part in full.unwrap_or_else(|_| path.to_owned()).components() {
            match part.as_str() {
                ".." => drop(parts.pop()),
                part => parts.push(part.to_owned()),
            }
        }
        parts
    };
    let (from, to) = (absolute(parent), absolute(path));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    up.chain(to[common..].iter().map(String::as_str)).collect::<Vec<_>>().join("/")
}
