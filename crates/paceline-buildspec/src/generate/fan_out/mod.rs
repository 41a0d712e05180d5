//! The state machine that deploys many environments, each with its own builds, which `paceline gen --fan-out` writes.
//!
//! A leg is a build that deploys stacks of one environment. Legs of one level do not depend on each other and run at the same
//! time. A level begins when every leg of the level before has succeeded.

mod definition;
mod template;

use paceline_config::{FanOut, SourceType};
use paceline_text::Explained;
use serde::Serialize;

use super::batch::{self, Part};
use super::{GenerateError, GeneratedFile, Generation};
use crate::project::Project;

/// The ends of the names of the files.
pub(super) const SUFFIXES: [&str; 2] = [DEFINITION, TEMPLATE];

const DEFINITION: &str = ".fan-out.asl.json";
pub(super) const TEMPLATE: &str = ".fan-out.yaml";

/// The most bytes of legs and results in the input of a state. Step Functions passes 262,144 bytes from state to state (Step
/// Functions Developer Guide, "Quotas"). The rest is for the version of the source and the names of fields.
const MOST_BYTES: usize = 250_000;

/// The most bytes of a definition (Step Functions Developer Guide, "Quotas").
const LONGEST_DEFINITION: usize = 1_048_576;

/// Why a deployment cannot be divided into legs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FanOutError {
    #[error("a state machine starts builds itself, and the source of these builds is a pipeline")]
    PipelineSource,
    #[error("a state machine waits for the end of each build, so these builds cannot sleep")]
    Sleep,
    #[error("a state machine divides the stacks of the app, and there are none")]
    NoStacks,
    #[error("the id of the stack `{0}` has a comma, which a build puts between ids")]
    StackId(String),
    #[error(
        "the legs of level {level} and the results up to it take {bytes} bytes, and a state machine can pass on {MOST_BYTES}"
    )]
    Data { level: usize, bytes: usize },
    #[error("the state machine has {0} bytes, and Step Functions takes {LONGEST_DEFINITION}")]
    Definition(usize),
    #[error("the name of the state machine has {0} characters, and Step Functions takes 80")]
    Name(usize),
}

impl Explained for FanOutError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::PipelineSource => "set `codebuild.source` and `codebuild.location` to the repository",
            Self::Sleep => "remove `codebuild.sleep`",
            Self::NoStacks => "generate without --fan-out",
            Self::StackId(_) => "rename the stack",
            Self::Data { .. } | Self::Definition(_) => {
                "divide the app into several; a leg with all stacks of its account or region takes the least room"
            }
            Self::Name(_) => "set a shorter one with --name",
        };
        Some(hint.to_owned())
    }
}

impl FanOutError {
    /// The setting of `paceline.yaml` that causes the error.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::PipelineSource => Some("codebuild.source"),
            Self::Sleep => Some("codebuild.sleep"),
            _ => None,
        }
    }
}

/// One build: the stacks of an environment that a level deploys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Leg {
    /// `account/region`.
    environment: String,
    /// The number of stacks.
    stacks: usize,
    /// The stacks, as the build gives them to `--only`.
    only: String,
    /// Whether all of these stacks are in secondary Regions.
    secondary: &'static str,
}

pub(super) fn files(
    generation: &Generation,
    settings: &FanOut,
    project: &Project,
) -> Result<Vec<GeneratedFile>, GenerateError> {
    if generation.codebuild.source == SourceType::Codepipeline {
        return Err(FanOutError::PipelineSource.into());
    }
    if generation.codebuild.sleep {
        return Err(FanOutError::Sleep.into());
    }
    // The name of the state machine has a suffix.
    let name = template::machine_name(generation).len();
    if name > 80 {
        return Err(FanOutError::Name(name).into());
    }
    let levels = levels(generation)?;
    check_data(&levels, project)?;
    let machine = definition::definition(generation, settings, project, &levels);
    let text = |error: serde_json::Error| GenerateError::Mismatch {
        path: format!("{}{DEFINITION}", generation.name),
        detail: error.to_string(),
    };
    let contents = serde_json::to_string_pretty(&machine).map_err(text)? + "\n";
    let compact = serde_json::to_string(&machine).map_err(text)?;
    if compact.len() > LONGEST_DEFINITION {
        return Err(FanOutError::Definition(compact.len()).into());
    }
    let definition = GeneratedFile { path: format!("{}{DEFINITION}", generation.name), contents };
    let template = template::file(generation, project, &compact, &levels)?;
    Ok(vec![definition, template])
}

/// The legs of each level.
fn levels(generation: &Generation) -> Result<Vec<Vec<Leg>>, FanOutError> {
    let graph = &generation.graph;
    if graph.is_empty() {
        return Err(FanOutError::NoStacks);
    }
    if let Some(stack) = graph.iter().find(|stack| stack.id.contains(',')) {
        return Err(FanOutError::StackId(stack.id.clone()));
    }
    let keys: Vec<String> = graph.iter().map(|stack| format!("{}/{}", stack.account, stack.region)).collect();
    let mut levels: Vec<Vec<Leg>> = Vec::new();
    for part in batch::parts_by(graph, &keys) {
        if levels.len() <= part.rank {
            levels.resize_with(part.rank + 1, Vec::new);
        }
        levels[part.rank].push(leg(generation, &part, &keys));
    }
    Ok(levels)
}

/// Refuses legs whose data do not fit into the input of a state. A level has its own legs, and the results of all levels up to
/// it.
fn check_data(levels: &[Vec<Leg>], project: &Project) -> Result<(), FanOutError> {
    let mut results = 0;
    for (level, legs) in (1..).zip(levels) {
        let of_level: Vec<_> = legs.iter().map(|leg| definition::longest_result(leg, project)).collect();
        results += json_bytes(&of_level);
        let bytes = json_bytes(legs) + results;
        if bytes > MOST_BYTES {
            return Err(FanOutError::Data { level, bytes });
        }
    }
    Ok(())
}

fn json_bytes(data: &(impl Serialize + ?Sized)) -> usize {
    serde_json::to_string(data).map_or(usize::MAX, |text| text.len())
}

fn leg(generation: &Generation, part: &Part, keys: &[String]) -> Leg {
    let graph = &generation.graph;
    let first = part.stacks.first().copied().unwrap_or_default();
    let of_part = |number: &usize| part.stacks.contains(number);
    let is_whole =
        |is_in: &dyn Fn(usize) -> bool| (0..graph.len()).filter(|it| is_in(*it)).all(|it| of_part(&it));
    let (account, region) = (&graph[first].account, &graph[first].region);
    let is_known = |text: &str| !text.starts_with("unknown-");
    // The name of a whole account or region is shorter than a list of its stacks.
    let only = if is_known(account) && is_whole(&|it| graph[it].account == *account) {
        format!("account:{account}")
    } else if is_known(region) && is_whole(&|it| graph[it].region == *region) {
        format!("region:{region}")
    } else {
        part.stacks.iter().map(|number| graph[*number].id.as_str()).collect::<Vec<_>>().join(",")
    };
    let is_secondary = generation.multi_region.as_ref().is_some_and(|of| *region != of.primary);
    Leg {
        environment: keys[first].clone(),
        stacks: part.stacks.len(),
        only,
        secondary: if is_secondary { "true" } else { "false" },
    }
}
