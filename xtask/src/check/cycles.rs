//! Finds cycles between folders of a crate. Without cycles, a reader can start with a folder that uses no other.
//!
//! In every folder, each file and each subfolder counts as one place, with everything in it. Two files of the same folder
//! may use each other. A cycle with a subfolder in it is a finding.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::module_tree::{ModuleTree, Use};
use super::{Finding, Package, known};

/// Places of one folder that all use each other, directly or through others.
#[derive(Debug, PartialEq, Eq)]
struct Cycle {
    /// The names of the modules, sorted, from the root of the crate: `build::edges`.
    places: BTreeSet<String>,
    /// One use for each step of a cycle.
    steps: Vec<Step>,
}

/// A use of one place by another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    user: String,
    used: String,
    example: Use,
}

/// The cycles of a crate that are not in the list of known ones.
pub(super) fn check(root: &Path, package: &Package) -> Result<Vec<Finding>> {
    let source = root.join(&package.folder).join("src");
    let candidates = [source.join("lib.rs"), source.join("main.rs")];
    let Some(start) = candidates.iter().find(|path| path.is_file()) else { return Ok(Vec::new()) };
    let tree = ModuleTree::read(start, &|path| fs_err::read_to_string(path).ok())?;
    let cycles = cycles(&tree);
    let mut findings = Vec::new();
    for cycle in &cycles {
        let places: Vec<&str> = cycle.places.iter().map(String::as_str).collect();
        if known::is_cycle(&package.name, &places) {
            continue;
        }
        let Some(first) = cycle.steps.first() else { continue };
        let file = &tree.modules[first.example.user].file;
        findings.push(Finding {
            file: file.strip_prefix(root).unwrap_or(file).to_owned(),
            line: first.example.line,
            what: format!(
                "modules of {} use each other in a cycle ({}):{}",
                package.name,
                places.join(", "),
                shown(root, &tree, cycle)
            ),
            hint:
                "move the code that both sides need to a module that uses neither, or pass it as an argument"
                    .to_owned(),
        });
    }
    for gone in known::cycles_of(&package.name) {
        if !cycles.iter().any(|cycle| cycle.places.iter().map(String::as_str).eq(gone.iter().copied())) {
            findings.push(known::gone(&format!("the cycle of {} in {}", gone.join(", "), package.name)));
        }
    }
    Ok(findings)
}

/// The text for each step of a cycle, with the line of the use.
fn shown(root: &Path, tree: &ModuleTree, cycle: &Cycle) -> String {
    let line = |step: &Step| {
        let file = &tree.modules[step.example.user].file;
        let file = file.strip_prefix(root).unwrap_or(file).display();
        format!("\n   {} uses {} ({file}:{})", step.user, step.used, step.example.line)
    };
    cycle.steps.iter().map(line).collect()
}

/// The cycles in all folders of a crate.
fn cycles(tree: &ModuleTree) -> Vec<Cycle> {
    // By folder, then by place: the places that it uses.
    let mut graphs: BTreeMap<&[String], BTreeMap<&str, BTreeMap<&str, Use>>> = BTreeMap::new();
    for it in tree.uses() {
        let (user, used) = (&tree.modules[it.user].path, &tree.modules[it.used].path);
        let shared = user.iter().zip(used).take_while(|(a, b)| a == b).count();
        let graph = graphs.entry(&user[..shared]).or_default();
        graph.entry(&user[shared]).or_default().entry(&used[shared]).or_insert(it);
    }
    let is_folder = |folder: &[String], place: &str| {
        let is_it = |path: &[String]| {
            path.len() == folder.len() + 1 && path.starts_with(folder) && path[folder.len()] == place
        };
        tree.modules.iter().any(|module| module.is_folder && is_it(&module.path))
    };
    let mut cycles = Vec::new();
    for (folder, graph) in &graphs {
        for places in circles(graph) {
            if !places.iter().any(|place| is_folder(folder, place)) {
                continue;
            }
            let whole = |place: &str| {
                let names = folder.iter().map(String::as_str).chain([place]);
                names.collect::<Vec<_>>().join("::")
            };
            let steps = shortest(graph, &places);
            cycles.push(Cycle {
                places: places.iter().map(|place| whole(place)).collect(),
                steps: steps
                    .into_iter()
                    .map(|(user, used, example)| Step { user: whole(user), used: whole(used), example })
                    .collect(),
            });
        }
    }
    cycles
}

type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Use>>;

/// The sets of places in which every one reaches every other.
fn circles<'a>(graph: &Graph<'a>) -> Vec<BTreeSet<&'a str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|place| (*place, reach(graph, place))).collect();
    let mut circles: Vec<BTreeSet<&str>> = Vec::new();
    for place in graph.keys() {
        let is_mutual = |other: &&&str| reached.get(**other).is_some_and(|from| from.contains(place));
        let circle: BTreeSet<&str> = reached[place].iter().filter(is_mutual).copied().collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

/// The places that one reaches, by one step or more.
fn reach<'a>(graph: &Graph<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(place) = open.pop() {
        for next in graph.get(place).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(*next) {
                open.push(next);
            }
        }
    }
    reached
}

/// The shortest cycle within a set of places.
fn shortest<'a>(graph: &Graph<'a>, places: &BTreeSet<&'a str>) -> Vec<(&'a str, &'a str, Use)> {
    let circles = places.iter().filter_map(|start| {
        let mut before: BTreeMap<&str, (&str, Use)> = BTreeMap::new();
        let mut open = std::collections::VecDeque::from([*start]);
        while let Some(place) = open.pop_front() {
            for (next, example) in graph.get(place)?.iter().filter(|(next, _)| places.contains(*next)) {
                if before.contains_key(next) {
                    continue;
                }
                before.insert(next, (place, *example));
                open.push_back(next);
            }
        }
        let mut steps = Vec::new();
        let mut at = *start;
        loop {
            let (user, example) = *before.get(at)?;
            steps.push((user, at, example));
            at = user;
            if at == *start {
                steps.reverse();
                return Some(steps);
            }
        }
    });
    circles.min_by_key(Vec::len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::module_tree::tests::tree;
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&[&str]]) {
        let cycles = cycles(&tree(files));
        let found: Vec<Vec<&str>> =
            cycles.iter().map(|cycle| cycle.places.iter().map(String::as_str).collect()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn folders_that_use_each_other_are_found() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a/mod.rs", "mod deep;"),
            ("a/deep.rs", "use crate::b::other::X; pub struct Y;"),
            ("b/mod.rs", "pub mod other;"),
            ("b/other.rs", "pub struct X;\nuse crate::a::deep::Y;"),
        ];
        check(&files, &[&["a", "b"]]);
        let tree = tree(&files);
        let cycle = &cycles(&tree)[0];
        let shown = shown(Path::new(""), &tree, cycle);
        assert_eq!(shown, "\n   a uses b (a/deep.rs:1)\n   b uses a (b/other.rs:2)");
    }

    #[test]
    fn a_circle_through_a_file_beside_a_folder_is_found() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a/mod.rs", "pub mod deep;"),
            ("a/deep.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "use crate::a::deep::D; pub struct C;"),
        ];
        check(&files, &[&["a", "b", "c"]]);
    }

    #[test]
    fn files_of_one_folder_and_a_folder_with_its_own_file_may_use_each_other() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "use crate::a::A; pub struct B;"),
            ("c/mod.rs", "mod d; pub use d::D; pub struct C;"),
            ("c/d.rs", "use super::C; pub struct D;"),
        ];
        check(&files, &[]);
    }

    #[test]
    fn folders_below_a_folder_are_held_to_the_same() {
        let files = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod b; mod c;"),
            ("a/b/mod.rs", "mod d;"),
            ("a/b/d.rs", "use crate::a::c::C;"),
            ("a/c.rs", "pub struct C; use super::b::D;"),
        ];
        check(&files, &[&["a::b", "a::c"]]);
    }
}
