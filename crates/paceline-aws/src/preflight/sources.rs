//! Looks whether what a plan publishes is on this machine and can be read.
//!
//! It is only looked: a program is found and not run, and of a file no more is done than to open it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{Assembly, FileSource, ImageSource, LegacyAsset, LegacyPackaging, Packaging};
use paceline_plan::{Plan, Publish, Work};

use crate::publish::{SYNTHESIZE, flaws};
use crate::trouble::Trouble;
use paceline_host::find_program;

/// How many are named one by one.
const NAMED: usize = 10;

/// An asset that cannot be published from this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpublishable {
    /// The id of the first stack that needs it.
    pub stack: String,
    flaws: Vec<Flaw>,
    pub(super) to: To,
}

/// Where an asset goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum To {
    Destinations(Vec<Publish>),
    /// The bucket of the bootstrap stack, for an asset in the manner of CDK v1.
    Toolkit(Box<LegacyAsset>),
}

/// What is wrong with an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Flaw {
    /// This is not on this machine.
    Missing(Utf8PathBuf),
    /// It is there, and something is wrong with it, in a sentence.
    Bad(String),
    /// The program that makes it is not there.
    Program(String),
}

/// What an asset is made from, and where it goes.
pub(super) struct Source {
    stack: String,
    of: Of,
    to: To,
}

enum Of {
    Path(Utf8PathBuf, Packaging),
    /// A command, and the folder it is run in.
    Command(Vec<String>, Utf8PathBuf),
    /// A folder with a Dockerfile.
    Build(Utf8PathBuf, Option<String>),
}

/// The assets of a plan that cannot be published from this machine.
pub fn unpublishable(assembly: &Assembly, plan: &Plan) -> Vec<Unpublishable> {
    sources(assembly, plan).into_iter().filter_map(Source::look).collect()
}

/// The sources of all that a plan publishes, in its order.
pub(super) fn sources(assembly: &Assembly, plan: &Plan) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    let mut known: BTreeMap<(&str, &str, bool), usize> = BTreeMap::new();
    for step in &plan.steps {
        match &step.work {
            Work::Publish(publish) => {
                let key = (publish.manifest.as_str(), publish.asset.as_str(), publish.image);
                if let Some(source) = known.get(&key).and_then(|&at| sources.get_mut(at)) {
                    if let To::Destinations(to) = &mut source.to {
                        to.push(publish.clone());
                    }
                } else if let Some(source) = Source::of(assembly, publish) {
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
                    let of = Of::Path(asset.path.clone(), packaging);
                    Some(Source { stack: stack?.id.clone(), of, to: To::Toolkit(Box::new(asset.clone())) })
                }));
            }
            _ => {}
        }
    }
    sources
}

impl Source {
    fn of(assembly: &Assembly, publish: &Publish) -> Option<Self> {
        let stack = assembly.stack(&publish.manifest)?;
        let of = if publish.image {
            let ImageSource { directory, executable, docker_file, .. } =
                &stack.assets.images.get(&publish.asset)?.source;
            match directory {
                Some(directory) => Of::Build(directory.clone(), docker_file.clone()),
                None => Of::Command(executable.clone().unwrap_or_default(), stack.assets.dir.clone()),
            }
        } else {
            match &stack.assets.files.get(&publish.asset)?.source {
                FileSource::Path { path, packaging } => Of::Path(path.clone(), *packaging),
                FileSource::Executable(command) => Of::Command(command.clone(), Utf8PathBuf::new()),
            }
        };
        Some(Self { stack: stack.id.clone(), of, to: To::Destinations(vec![publish.clone()]) })
    }

    /// What is wrong with it, if anything is.
    pub(super) fn look(self) -> Option<Unpublishable> {
        let Self { stack, of, to } = self;
        let flaws = of.flaws();
        (!flaws.is_empty()).then_some(Unpublishable { stack, flaws, to })
    }
}

impl Of {
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

/// What is built where no file is named: the first by Docker, which takes the second too, and the third by others.
const DOCKERFILES: [&str; 3] = ["Dockerfile", "dockerfile", "Containerfile"];

/// Tells what is wrong with assets: each cause once, with how many it is the cause of.
pub fn tell(assets: &[Unpublishable]) -> Vec<Trouble> {
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
    missing.dedup();
    bad.dedup();
    let mut troubles = Vec::new();
    if !missing.is_empty() {
        let of = if missing.len() == 1 {
            "the source of an asset is".to_owned()
        } else {
            format!("the sources of {} assets are", missing.len())
        };
        let lines = missing.iter().map(|(path, stack)| format!("{path}, for {stack}"));
        troubles.push(Trouble::setup(listed(&format!("{of} not there"), lines)).hint(SYNTHESIZE));
    }
    if !bad.is_empty() {
        let lines = bad.iter().map(|(what, stack)| format!("{what}, for {stack}"));
        let hint = "mend what the asset is made from, and synthesize again";
        troubles.push(Trouble::setup(listed("what is published cannot be read", lines)).hint(hint));
    }
    troubles.extend(programs.into_iter().map(|(program, count)| {
        let assets = if count == 1 { "an asset".to_owned() } else { format!("{count} assets") };
        Trouble::setup(format!("the program `{program}`, which makes {assets}, is not there"))
            .hint(format!("install `{program}`, or put its folder into PATH"))
    }));
    troubles
}

/// One of a kind in the same line, several each in its own.
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
