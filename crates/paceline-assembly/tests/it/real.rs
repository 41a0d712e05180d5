//! Reads assemblies of public CDK apps, and compares them with their index.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use paceline_assembly::{Assembly, walk};

/// The index entry of an assembly.
#[derive(Debug, PartialEq)]
struct Row {
    assembly: String,
    schema: String,
    stacks: usize,
    environments: usize,
    /// The number of distinct assets by id.
    files: usize,
    images: usize,
}

impl Row {
    fn parse(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (files, images) = cells.get(6)?.split_once(" / ")?;
        Some(Self {
            assembly: cells[1].to_owned(),
            schema: cells[2].to_owned(),
            stacks: cells[3].parse().ok()?,
            environments: cells[4].parse().ok()?,
            files: files.parse().ok()?,
            images: images.parse().ok()?,
        })
    }

    fn of(name: &str, assembly: &Assembly) -> Self {
        let stacks = &assembly.stacks;
        let environments: BTreeSet<_> = stacks.iter().map(|stack| &stack.environment).collect();
        let files: BTreeSet<_> = stacks.iter().flat_map(|stack| stack.assets.files.keys()).collect();
        let images: BTreeSet<_> = stacks.iter().flat_map(|stack| stack.assets.images.keys()).collect();
        Self {
            assembly: name.to_owned(),
            schema: assembly.schema.clone(),
            stacks: stacks.len(),
            environments: environments.len(),
            files: files.len(),
            images: images.len(),
        }
    }
}

fn folder() -> Option<Utf8PathBuf> {
    let folder = std::env::var("PACELINE_ASSEMBLIES").ok();
    if folder.is_none() {
        eprintln!("SKIPPED: PACELINE_ASSEMBLIES names no folder of real assemblies");
    }
    folder.map(Utf8PathBuf::from)
}

#[test]
fn real_assemblies_match_their_index() {
    let Some(folder) = folder() else { return };
    let index = fs_err::read_to_string(folder.join("INDEX.md")).unwrap();
    let mut rows: Vec<Row> = index.lines().filter_map(Row::parse).collect();
    assert!(rows.len() >= 50, "the index has only {} rows that can be read", rows.len());
    for row in &mut rows {
        if row.assembly == "opensearch-metrics" {
            // The index counts the asset manifests in the folder, and one of them was left over from an
            // earlier synthesis.
            row.files -= 1;
        }
        let dir = folder.join(&row.assembly).join("cdk.out");
        let assembly = Assembly::read(&dir).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(Row::of(&row.assembly, &assembly), *row);
        check_sound(&assembly);
    }
}

/// Checks the properties that every assembly has.
fn check_sound(assembly: &Assembly) {
    let ids: BTreeSet<&str> = assembly.stacks.iter().map(|stack| stack.id.as_str()).collect();
    assert_eq!(ids.len(), assembly.stacks.len(), "ids are unique in {}", assembly.dir);
    for stack in &assembly.stacks {
        for before in stack.depends_on.iter().chain(&stack.assets.depends_on) {
            assert!(ids.contains(before.as_str()), "`{}` depends on `{before}`", stack.id);
        }
        let mut templates = 0;
        for template in std::iter::once(&stack.template).chain(stack.nested.iter().map(|it| &it.template)) {
            for (_, resource) in template.resources() {
                assert_ne!(resource.resource_type, "");
                templates += usize::from(resource.resource_type == "AWS::CloudFormation::Stack");
                walk(resource.body, &mut |path, _| assert_ne!(path.to_string(), ""));
            }
        }
        assert_eq!(stack.nested.len(), templates, "every nested template of `{}` is found", stack.id);
    }
}
