//! The order in which a build deploys its stacks, and what of it is needed.
//!
//! A build deploys one stack after another because it can do nothing else; most of that order means nothing. Where the
//! graph is known, it is trusted for every stack that it orders at all. A stack that it does not order, and that the
//! build deploys late, may need something that no file shows: it keeps one edge, to the last stack before it that the
//! graph ties to others. Where no graph is known, the order is kept as the order of phases, which are no barriers.

use std::collections::BTreeSet;

use globset::GlobBuilder;
use paceline_assembly::Assembly;
use paceline_buildspec::understand::ExistingPipeline;
use paceline_config::{DeclaredEdge, Pattern};
use paceline_plan::Plan;
use paceline_plan::graph::Graph;
use paceline_text::free_name;
use paceline_yaml::inline;

use crate::out::Out;
use crate::{group_names, levels};

/// Which stacks each deployment is about, and what is added to the graph.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// The stacks of each deployment: ids where the graph is known, else what the build calls them.
    stacks: Vec<Vec<String>>,
    edges: Vec<Kept>,
    /// The stacks of the assembly that the build does not deploy.
    others: Vec<String>,
    /// What the build names and the assembly does not have.
    unknown: Vec<(usize, String)>,
}

#[derive(Debug)]
struct Kept {
    from: String,
    to: String,
    because: String,
}

impl Order {
    pub(crate) fn stacks_of(&self, deployment: usize) -> &[String] {
        self.stacks.get(deployment).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn as_config(&self) -> Vec<DeclaredEdge> {
        let pattern = |text: &str| Pattern { text: text.to_owned(), line: 1, column: 1 };
        let edge = |edge: &Kept| DeclaredEdge {
            from: pattern(&edge.from),
            to: pattern(&edge.to),
            because: edge.because.clone(),
            reason: None,
            relax: None,
            until: None,
        };
        self.edges.iter().map(edge).collect()
    }
}

/// The order where no graph is known.
pub(crate) fn alone(build: &ExistingPipeline) -> Order {
    let is_one = build.apps.len() < 2;
    let named = |app: &str, name: &str| if is_one { name.to_owned() } else { format!("{app}/{name}") };
    let stacks = build.deployments.iter().map(|it| {
        let app = build.apps.get(it.app).map_or("", |app| app.name.as_str());
        if it.stacks.is_empty() {
            return vec![named(app, "*")];
        }
        it.stacks.iter().map(|name| named(app, name)).collect()
    });
    Order { stacks: stacks.collect(), ..Order::default() }
}

/// The order held against the graph.
pub(crate) fn against(build: &ExistingPipeline, assembly: &Assembly, plan: &Plan) -> Order {
    let mut order = Order::default();
    let mut placed: BTreeSet<String> = BTreeSet::new();
    let is_one = build.apps.len() < 2;
    for deployment in &build.deployments {
        let app = build.apps.get(deployment.app).map(|app| app.name.as_str()).filter(|_| !is_one);
        let of_app =
            |id: &str| app.is_none_or(|app| id.strip_prefix(app).is_some_and(|rest| rest.starts_with('/')));
        let own = assembly.stacks.iter().filter(|stack| of_app(&stack.id));
        let mut found = BTreeSet::new();
        if deployment.stacks.is_empty() {
            found.extend(own.clone().map(|stack| stack.id.clone()));
        }
        for name in &deployment.stacks {
            let matcher =
                GlobBuilder::new(name).literal_separator(false).build().map(|glob| glob.compile_matcher());
            let is_meant = |id: &str, stack_name: &str| {
                let inner = app.map_or(id, |app| &id[app.len() + 1..]);
                inner == name
                    || stack_name == name
                    || matcher
                        .as_ref()
                        .is_ok_and(|matcher| matcher.is_match(inner) || matcher.is_match(stack_name))
            };
            let meant: Vec<String> =
                own.clone().filter(|it| is_meant(&it.id, &it.name)).map(|it| it.id.clone()).collect();
            if meant.is_empty() {
                order.unknown.push((deployment.line, name.clone()));
            }
            found.extend(meant);
        }
        let new: Vec<String> =
            assembly.stacks.iter().map(|it| it.id.clone()).filter(|id| found.contains(id)).collect();
        let new: Vec<String> = new.into_iter().filter(|id| placed.insert(id.clone())).collect();
        order.stacks.push(new);
    }
    order.others = assembly.stacks.iter().map(|it| it.id.clone()).filter(|id| !placed.contains(id)).collect();
    order.edges = kept(build, plan, &order.stacks);
    order
}

fn kept(build: &ExistingPipeline, plan: &Plan, stacks: &[Vec<String>]) -> Vec<Kept> {
    let number = |id: &str| plan.stacks.iter().position(|stack| stack.id == id);
    let mut graph = Graph::new(plan.stacks.len());
    for (from, stack) in plan.stacks.iter().enumerate() {
        stack.depends_on.iter().filter_map(|edge| number(&edge.to)).for_each(|to| graph.add(from, to));
    }
    let tied = |id: &str, graph: &Graph| {
        number(id).is_some_and(|at| !graph.needs(at).is_empty() || !graph.needed_by(at).is_empty())
    };
    let ties: BTreeSet<String> =
        plan.stacks.iter().map(|it| it.id.clone()).filter(|id| tied(id, &graph)).collect();
    let mut kept: Vec<Kept> = Vec::new();
    let mut last: Option<&str> = None;
    for (deployment, ids) in build.deployments.iter().zip(stacks) {
        for id in ids {
            let Some(from) = number(id) else { continue };
            if !graph.needs(from).is_empty() || deployment.background {
                continue;
            }
            let Some((to_id, to)) = last.and_then(|to| Some((to, number(to)?))) else { continue };
            // The graph may say the opposite, for a build that deploys again what is there.
            if to == from || graph.all_needs(to)[from] {
                continue;
            }
            graph.add(from, to);
            let because = format!(
                "{}:{} deploys it after that, and no template shows why",
                build.file_of(deployment),
                deployment.line
            );
            kept.push(Kept { from: id.clone(), to: to_id.to_owned(), because });
        }
        last = ids.iter().rev().find(|id| ties.contains(*id)).map(String::as_str).or(last);
    }
    kept
}

impl Order {
    pub(crate) fn write(&self, out: &mut Out, build: &ExistingPipeline) {
        for (line, name) in &self.unknown {
            out.note(*line, format!("the assembly has no stack `{name}`: it is left out"));
        }
        if !self.others.is_empty() && !build.deployments.is_empty() {
            out.blank();
            out.comment(&format!(
                "The assembly also has {}, which {} does not deploy. `paceline deploy --exclude` leaves stacks out.",
                self.others.join(", "),
                build.file()
            ));
            out.note(0, format!("not deployed today, and in the assembly: {}", self.others.join(", ")));
        }
        if self.edges.is_empty() {
            return;
        }
        out.blank();
        out.comment(
            "What no template shows. The graph orders every other stack; for these it knows nothing that they wait \
             for, but the build deploys them late. Each waits for the last stack before it that is tied to others. \
             If nothing ties the two, delete the entry: the stack starts at once then.",
        );
        out.line("edges:");
        for edge in &self.edges {
            out.line(&format!("  - from: {}", inline::word(&edge.from)));
            out.line(&format!("    to: {}", inline::word(&edge.to)));
            out.line(&format!("    because: {}", inline::quoted(&edge.because)));
            out.note(
                0,
                format!("to decide: does {} need {}? The edge is kept until you know", edge.from, edge.to),
            );
        }
    }

    /// The order as phases: one for each run of stacks that belong together.
    pub(crate) fn write_phases(&self, out: &mut Out, build: &ExistingPipeline) {
        let named = self.stacks.iter().flatten().filter(|name| !name.ends_with('*')).count();
        if named < 2 && self.stacks.len() < 2 {
            return;
        }
        let runs = self.runs(build, out.text.contains("\nmulti-region:"));
        out.blank();
        out.comment(
            "The order of the build, as phases: without an assembly there is no graph yet that says what of it is \
             needed. They are no barriers. Once the apps are synthesized, a stack starts as soon as everything it \
             needs is there, and a phase list that contradicts the graph is refused with the reason. `paceline init \
             --from` with the assemblies in place shows which of this order nothing explains.",
        );
        out.line("phases:");
        let mut taken = BTreeSet::new();
        for run in runs {
            let suggested =
                group_names::for_group(run.stacks.iter().map(|name| name.trim_end_matches(['*', '/'])));
            let first = run.lines.first().copied().unwrap_or_default();
            let app = build.apps.get(run.app).map(|app| app.name.to_ascii_lowercase());
            let name = suggested.or(app.filter(|_| build.apps.len() > 1));
            let name = name.unwrap_or_else(|| format!("line-{first}"));
            let lines = match run.lines.last() {
                Some(last) if *last != first => format!("Lines {first} to {last}."),
                _ => format!("Line {first}."),
            };
            let remark = std::iter::once(lines).chain(run.remarks).collect::<Vec<_>>().join(" ");
            levels::phase(out, &free_name(&name, &mut taken), &run.stacks, &remark);
        }
    }

    /// The deployments that belong together, one after the other: of one app, with no script between them, and
    /// either on one line or of names that start with the same word.
    fn runs<'a>(&'a self, build: &ExistingPipeline, switches_regions: bool) -> Vec<Run<'a>> {
        let switch = crate::regions::variable(build).filter(|_| switches_regions);
        let mut runs: Vec<Run<'_>> = Vec::new();
        for (number, (it, stacks)) in build.deployments.iter().zip(&self.stacks).enumerate() {
            let scripts = build.scripts.iter().filter(|script| script.after <= number).count();
            let word = stacks.first().and_then(|name| group_names::words(name).into_iter().next());
            let goes_on = runs.last().is_some_and(|run| {
                let is_near = run.word == word || run.lines.last() == Some(&it.line);
                (run.app, run.scripts) == (it.app, scripts) && is_near
            });
            if !goes_on {
                runs.push(Run { app: it.app, scripts, word, ..Run::default() });
            }
            let Some(run) = runs.last_mut() else { continue };
            run.lines.push(it.line);
            run.stacks.extend(stacks.iter().map(String::as_str));
            let is_region = switch.as_ref().is_some_and(|name| crate::regions::is_switched(it, name));
            if let Some(when) = it.when.as_ref().filter(|_| !is_region) {
                let condition = crate::apps::one_line(&when.text);
                run.remarks.push(format!("On line {} only when {condition}.", it.line));
            }
        }
        runs
    }
}

/// Deployments that belong together.
#[derive(Debug, Default)]
struct Run<'a> {
    app: usize,
    /// How many scripts are before it.
    scripts: usize,
    word: Option<String>,
    lines: Vec<usize>,
    stacks: Vec<&'a str>,
    remarks: Vec<String>,
}
