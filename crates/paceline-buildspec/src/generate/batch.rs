//! Divides a deployment into the builds of a batch, from the graph of the stacks.
//!
//! Each build deploys a set of stacks, and waits for whole builds. Two builds must not wait for each other,
//! so the stacks of a region that depend on another region get a separate build. Stacks are therefore grouped
//! by region and by the number of region changes before them: along every dependency, that number never
//! falls, and it grows when the region changes.

use std::collections::{BTreeMap, BTreeSet};

use paceline_config::{BatchBy, SourceType};

use super::document::Document;
use super::variables::{ONLY, SECONDARY};
use super::{GenerateError, Generation, InputError, StackNode, buildspecs};
use crate::grammar::{Batch, Builds, Buildspec, Environment, Phase, Phases, Shell, Task, TaskEnvironment};
use crate::project::Project;

pub(super) const SUFFIX: &str = ".batch.yml";

/// The longest identifier that CodeBuild allows [R].
const LONGEST_IDENTIFIER: usize = 128;

/// The stacks of one build of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) identifier: String,
    /// Positions in the graph.
    pub(super) stacks: Vec<usize>,
    /// The number of changes of the group before these stacks. Parts of one rank do not depend on each other.
    pub(super) rank: usize,
    /// The parts before this one that it waits for, by their positions in the list of parts.
    pub(super) needs: BTreeSet<usize>,
}

/// Divides the stacks. In the graph each stack comes after its dependencies.
pub(super) fn parts(graph: &[StackNode], by: BatchBy) -> Vec<Part> {
    let keys: Vec<String> = match by {
        BatchBy::Regions => graph.iter().map(|stack| stack.region.clone()).collect(),
        BatchBy::Images => around_images(graph),
    };
    parts_by(graph, &keys)
}

/// Divides the stacks by the groups in `keys`, one for each stack.
pub(super) fn parts_by(graph: &[StackNode], keys: &[String]) -> Vec<Part> {
    let mut ranks: Vec<usize> = Vec::with_capacity(graph.len());
    for (number, stack) in graph.iter().enumerate() {
        let behind = |on: &usize| ranks[*on] + usize::from(keys[*on] != keys[number]);
        ranks.push(stack.depends_on.iter().filter(|on| **on < number).map(behind).max().unwrap_or_default());
    }
    let mut groups: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    for (number, key) in keys.iter().enumerate() {
        groups.entry((ranks[number], key)).or_default().push(number);
    }
    let mut of_stack = vec![0; graph.len()];
    for (part, stacks) in groups.values().enumerate() {
        for stack in stacks {
            of_stack[*stack] = part;
        }
    }
    let mut taken = BTreeSet::new();
    let several = |key: &str| groups.keys().filter(|(_, other)| *other == key).count() > 1;
    let part = |(part, ((rank, key), stacks)): (usize, (&(usize, &str), &Vec<usize>))| {
        let on = stacks.iter().flat_map(|stack| &graph[*stack].depends_on);
        let needs = on.map(|on| of_stack[*on]).filter(|on| *on != part).collect();
        Part {
            identifier: identifier(key, several(key), &mut taken),
            stacks: stacks.clone(),
            rank: *rank,
            needs,
        }
    };
    reduced(groups.iter().enumerate().map(part).collect())
}

/// The group of each stack. A stack with images has its own group. The stacks that it needs form one group,
/// and all remaining stacks form another, so that the stack with images waits only for what it needs.
fn around_images(graph: &[StackNode]) -> Vec<String> {
    let mut before = vec![false; graph.len()];
    for (number, stack) in graph.iter().enumerate().rev() {
        if stack.images > 0 || before[number] {
            for on in stack.depends_on.iter().filter(|on| **on < number) {
                before[*on] = true;
            }
        }
    }
    let key = |(number, stack): (usize, &StackNode)| match (stack.images, before[number]) {
        (0, true) => "before_images".to_owned(),
        (0, false) => "others".to_owned(),
        _ => stack.id.clone(),
    };
    graph.iter().enumerate().map(key).collect()
}

/// The transitive reduction of the needs.
fn reduced(mut parts: Vec<Part>) -> Vec<Part> {
    let mut behind: Vec<BTreeSet<usize>> = Vec::with_capacity(parts.len());
    for part in &mut parts {
        let implied: BTreeSet<usize> = part.needs.iter().flat_map(|on| behind[*on].iter().copied()).collect();
        behind.push(part.needs.union(&implied).copied().collect());
        part.needs.retain(|on| !implied.contains(on));
    }
    parts
}

/// An identifier of letters, digits and `_` that no other part has.
fn identifier(key: &str, numbered: bool, taken: &mut BTreeSet<String>) -> String {
    let key = if key == "unknown-region" { "build_region" } else { key };
    let word: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let word: String = word.chars().take(LONGEST_IDENTIFIER - 6).collect();
    let numbers = (1..).map(|number| format!("{word}_{number}"));
    let names = (!numbered).then(|| word.clone()).into_iter().chain(numbers);
    let free = names.into_iter().find(|name| !taken.contains(name)).unwrap_or(word);
    taken.insert(free.clone());
    free
}

/// The length of the longest chain of builds.
pub(super) fn depth(parts: &[Part]) -> u32 {
    let mut depths: Vec<u32> = Vec::with_capacity(parts.len());
    for part in parts {
        depths
            .push(1 + part.needs.iter().filter_map(|on| depths.get(*on)).max().copied().unwrap_or_default());
    }
    depths.into_iter().max().unwrap_or(1)
}

pub(super) fn document(
    generation: &Generation,
    by: BatchBy,
    project: &Project,
) -> Result<Document, GenerateError> {
    let parts = parts(&generation.graph, by);
    if let Some(id) = generation.graph.iter().map(|stack| &stack.id).find(|id| id.contains(',')) {
        return Err(InputError::StackId(id.clone()).into());
    }
    let tasks = parts.iter().map(|part| task(generation, part, &parts, project)).collect();
    let only_batch = format!(
        "echo {} >&2\nexit 1\n",
        "'paceline: this is a batch: start it with start-build-batch, or use the other buildspec for one build'"
    );
    let build = Phase { commands: vec![only_batch], ..Phase::default() };
    let model = Buildspec {
        env: Environment { shell: Some(Shell::Bash), ..Environment::default() },
        batch: Some(Batch { fast_fail: false, builds: Builds::Graph(tasks) }),
        phases: Phases { build: Some(build), ..Phases::default() },
        ..Buildspec::default()
    };
    Ok(Document {
        suffix: SUFFIX,
        about: about(generation, by, parts.len()),
        variables: Vec::new(),
        model,
        reports_why: Vec::new(),
        artifacts_why: Vec::new(),
        cache_why: Vec::new(),
    })
}

fn about(generation: &Generation, by: BatchBy, builds: usize) -> Vec<String> {
    let by = match by {
        BatchBy::Regions => "each with stacks of one Region",
        BatchBy::Images => "each with one stack that has images, or with stacks before or between those",
    };
    let mut about = vec![
        format!("Deploys {},", buildspecs::subject(generation, "to")),
        format!("in {builds} builds, {by}."),
        "Each build is queued and provisioned separately, and waits for whole builds, not for single stacks: use a"
            .to_owned(),
        "batch only if one build is not enough. Each build runs the same runner. It can be repeated: stacks that"
            .to_owned(),
        "are deployed already do not change.".to_owned(),
        String::new(),
    ];
    about.push(match generation.codebuild.source {
        SourceType::Codepipeline => {
            "Start: by the pipeline's build action, with BatchEnabled: true.".to_owned()
        }
        _ => format!(
            "Start: aws codebuild start-build-batch --project-name {} --buildspec-override {}/{}{SUFFIX}",
            generation.name, generation.out_dir, generation.name
        ),
    });
    about
}

fn task(generation: &Generation, part: &Part, parts: &[Part], project: &Project) -> Task {
    let stack = |number: &usize| &generation.graph[*number];
    let ids: Vec<&str> = part.stacks.iter().map(|number| stack(number).id.as_str()).collect();
    let mut variables = BTreeMap::from([(ONLY.to_owned(), ids.join(","))]);
    let is_secondary =
        |of: &super::MultiRegion| part.stacks.iter().all(|number| stack(number).region != of.primary);
    if generation.multi_region.as_ref().is_some_and(is_secondary) {
        variables.insert(SECONDARY.to_owned(), "true".to_owned());
    }
    Task {
        identifier: part.identifier.clone(),
        buildspec: Some(format!("{}/{}.yml", generation.out_dir, generation.name)),
        depend_on: part.needs.iter().map(|on| parts[*on].identifier.clone()).collect(),
        env: TaskEnvironment {
            // The documented default is false, even if the project is privileged.
            privileged_mode: project.environment.privileged_mode,
            variables,
            ..TaskEnvironment::default()
        },
        ..Task::default()
    }
}
