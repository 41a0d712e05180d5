//! Checks whether the sources of a plan's assets are on this machine and can be read.
//!
//! Nothing runs and no contents are read. Programs are only searched for, and files are only opened.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{Assembly, FileSource, ImageSource, LegacyAsset, LegacyPackaging, Packaging};
use paceline_plan::{Plan, Publish, Work};
use paceline_text::{Problem, distinct};

use crate::archive::flaws;
use crate::process::find_program;

/// The advice for a missing source.
pub const SYNTHESIZE: &str = "the assembly was made elsewhere: run `cdk synth` here, or copy the whole app";

/// The greatest number of sources that are listed one by one.
const NAMED: usize = 10;

/// An asset that cannot be published from this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpublishable {
    /// The id of the first stack that needs it.
    pub stack: String,
    /// The destination of the asset.
    pub to: AssetDestination,
    flaws: Vec<Flaw>,
}

/// The destination of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssetDestination {
    /// Buckets or repositories that the manifest names. Each is a step of the plan.
    Manifest(Vec<Publish>),
    /// The bucket of the bootstrap stack, for an asset in the style of CDK v1.
    Toolkit(Box<LegacyAsset>),
}

/// The flaw of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Flaw {
    /// This path does not exist on this machine.
    Missing(Utf8PathBuf),
    /// The source exists, but this sentence says what is wrong with it.
    Bad(String),
    /// The program that makes the asset is missing.
    Program(String),
}

/// The source and the destination of an asset.
#[derive(Debug)]
pub struct AssetSource {
    stack: String,
    of: MadeFrom,
    to: AssetDestination,
}

#[derive(Debug)]
enum MadeFrom {
    Path(Utf8PathBuf, Packaging),
    /// A command, and the folder in which it runs.
    Command(Vec<String>, Utf8PathBuf),
    /// A folder with a Dockerfile.
    Build(Utf8PathBuf, Option<String>),
}

/// The assets of a plan that cannot be published from this machine.
pub fn unpublishable(assembly: &Assembly, plan: &Plan) -> Vec<Unpublishable> {
    asset_sources(assembly, plan).into_iter().filter_map(AssetSource::look).collect()
}

/// The sources of all assets that a plan publishes, in the plan's order.
pub fn asset_sources(assembly: &Assembly, plan: &Plan) -> Vec<AssetSource> {
    let mut sources: Vec<AssetSource> = Vec::new();
    let mut known: BTreeMap<(&str, &str, bool), usize> = BTreeMap::new();
    for step in &plan.steps {
        match &step.work {
            Work::Publish(publish) => {
                let key = (publish.manifest.as_str(), publish.asset.as_str(), publish.image);
                if let Some(source) = known.get(&key).and_then(|&at| sources.get_mut(at)) {
                    if let AssetDestination::Manifest(to) = &mut source.to {
                        to.push(publish.clone());
                    }
                } else if let Some(source) = AssetSource::of(assembly, publish) {
                    known.insert(key, sources.len());
                    sources.push(source);
                }
            }
            Work::Deploy { stack } => {
                let stack = plan.stacks.get(*stack).and_then(|planned| assembly.stack(&planned.id));
                let assets = stack.into_iter().flat_map(|stack| &stack.legacy_assets);
                sources.extend(assets.filter_map(|asset| {
                    let LegacyPackaging::S3 { zip, .. } = &asset.packaging else { return None };
                    let packaging = if *zip { Packaging::Zip } else { Packaging::File };
                    let of = MadeFrom::Path(asset.path.clone(), packaging);
                    let to = AssetDestination::Toolkit(Box::new(asset.clone()));
                    Some(AssetSource { stack: stack?.id.clone(), of, to })
                }));
            }
            _ => {}
        }
    }
    sources
}

impl AssetSource {
    fn of(assembly: &Assembly, publish: &Publish) -> Option<Self> {
        let stack = assembly.stack(&publish.manifest)?;
        let of = if publish.image {
            let ImageSource { directory, executable, docker_file, .. } =
                &stack.assets.images.get(&publish.asset)?.source;
            match directory {
                Some(directory) => MadeFrom::Build(directory.clone(), docker_file.clone()),
                None => MadeFrom::Command(executable.clone().unwrap_or_default(), stack.assets.dir.clone()),
            }
        } else {
            match &stack.assets.files.get(&publish.asset)?.source {
                FileSource::Path { path, packaging } => MadeFrom::Path(path.clone(), *packaging),
                FileSource::Executable(command) => MadeFrom::Command(command.clone(), Utf8PathBuf::new()),
            }
        };
        Some(Self { stack: stack.id.clone(), of, to: AssetDestination::Manifest(vec![publish.clone()]) })
    }

    /// Checks the source. Returns `None` if it has no flaw.
    pub fn look(self) -> Option<Unpublishable> {
        let Self { stack, of, to } = self;
        let flaws = of.flaws();
        (!flaws.is_empty()).then_some(Unpublishable { stack, to, flaws })
    }
}

impl MadeFrom {
    fn flaws(&self) -> Vec<Flaw> {
        match self {
            Self::Path(path, _) if path.symlink_metadata().is_err() => vec![Flaw::Missing(path.clone())],
            Self::Path(path, packaging) => flaws(path, *packaging).into_iter().map(Flaw::Bad).collect(),
            Self::Command(command, dir) => match command.first() {
                Some(program) if find_program(program, dir).is_some() => Vec::new(),
                Some(program) => vec![Flaw::Program(program.clone())],
                None => vec![Flaw::Bad("the command that makes it is empty".to_owned())],
            },
            Self::Build(dir, _) if !dir.exists() => vec![Flaw::Missing(dir.clone())],
            Self::Build(dir, _) if !dir.is_dir() => vec![Flaw::Bad(format!("{dir} is no folder"))],
            Self::Build(dir, named) => match named {
                Some(name) if dir.join(name).exists() => Vec::new(),
                None if DOCKERFILES.iter().any(|name| dir.join(name).exists()) => Vec::new(),
                named => {
                    vec![Flaw::Missing(dir.join(named.as_deref().unwrap_or(DOCKERFILES[0])))]
                }
            },
        }
    }
}

/// The names of a Dockerfile when the manifest names none. Docker looks for the first, then for the second.
/// Other programs also look for the third.
const DOCKERFILES: [&str; 3] = ["Dockerfile", "dockerfile", "Containerfile"];

/// The problems of assets. Each cause is one problem, with the number of its assets.
pub fn source_problems(assets: &[Unpublishable]) -> Vec<Problem> {
    let mut missing: Vec<(&Utf8Path, &str)> = Vec::new();
    let mut bad: Vec<(&str, &str)> = Vec::new();
    let mut programs: BTreeMap<&str, usize> = BTreeMap::new();
    for asset in assets {
        for flaw in &asset.flaws {
            match flaw {
                Flaw::Missing(path) => missing.push((path, &asset.stack)),
                Flaw::Bad(what) => bad.push((what, &asset.stack)),
                Flaw::Program(program) => *programs.entry(program).or_default() += 1,
            }
        }
    }
    let (missing, bad) = (distinct(missing), distinct(bad));
    let mut problems = Vec::new();
    let mut add = |message: String, hint: &str| {
        problems.push(Problem { place: None, message, hint: Some(hint.to_owned()) });
    };
    if !missing.is_empty() {
        let of = if missing.len() == 1 {
            "the source of an asset is".to_owned()
        } else {
            format!("the sources of {} assets are", missing.len())
        };
        let lines = missing.iter().map(|(path, stack)| format!("{path}, for {stack}"));
        add(listed(&format!("{of} not there"), lines), SYNTHESIZE);
    }
    if !bad.is_empty() {
        let lines = bad.iter().map(|(what, stack)| format!("{what}, for {stack}"));
        let hint = "mend what the asset is made from, and synthesize again";
        add(listed("what is published cannot be read", lines), hint);
    }
    for (program, count) in programs {
        let assets = if count == 1 { "an asset".to_owned() } else { format!("{count} assets") };
        let message = format!("the program `{program}`, which makes {assets}, is not there");
        add(message, &format!("install `{program}`, or put its folder into PATH"));
    }
    problems
}

/// Text for a list: a single entry is on the same line, several entries have a line each.
fn listed(what: &str, lines: impl ExactSizeIterator<Item = String>) -> String {
    let count = lines.len();
    let mut text = what.to_owned();
    for (at, line) in lines.enumerate() {
        match at {
            _ if count == 1 => text.extend([": ", &line]),
            NAMED.. => {
                text.extend(["\n  and ", &(count - NAMED).to_string(), " more"]);
                break;
            }
            _ => text.extend(["\n  ", &line]),
        }
    }
    text
}
