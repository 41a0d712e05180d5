//! Matches what stacks read with the stacks that provide it.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::Assembly;

use super::scan::{Use, Uses, scan};
use super::{Edge, External, Found, Reason};

/// Where a name lives: names are unique within an account and region.
type Place = (Reason, Option<String>, Option<String>, String);

/// Finds every edge between the assembly's stacks, and every name that none of them provides.
pub(crate) fn find(assembly: &Assembly) -> Found {
    let uses: Vec<Uses> = assembly.stacks.iter().map(scan).collect();
    let providers = providers(assembly, &uses);
    let mut edges = BTreeSet::new();
    let mut external = BTreeSet::new();
    for (stack, uses) in assembly.stacks.iter().zip(&uses) {
        for to in &stack.depends_on {
            let detail = "declared in the assembly's manifest".to_owned();
            edges.insert(Edge { from: stack.id.clone(), to: to.clone(), reason: Reason::Manifest, detail });
        }
        for read in &uses.read {
            let account = stack.environment.account.clone();
            let region = read.region.clone().or_else(|| stack.environment.region.clone());
            let place = format!("{}: {}", stack.id, read.place);
            let name = read.name.clone().known();
            let unresolved = name.is_none();
            let wanted = name.map(|name| canonical(read.reason, &name));
            let provider =
                wanted.and_then(|name| providers.get(&(read.reason, account, region.clone(), name)).copied());
            match provider {
                Some(provider) if assembly.stacks[provider].id == stack.id => {}
                Some(provider) => {
                    let to = assembly.stacks[provider].id.clone();
                    let detail = describe(read, region.as_deref(), &place);
                    edges.insert(Edge { from: stack.id.clone(), to, reason: read.reason, detail });
                }
                None => {
                    let name = read.name.shown();
                    external.insert(External {
                        stack: stack.id.clone(),
                        reason: read.reason,
                        name,
                        place,
                        unresolved,
                    });
                }
            }
        }
    }
    Found { edges: edges.into_iter().collect(), external: external.into_iter().collect() }
}

fn providers(assembly: &Assembly, uses: &[Uses]) -> BTreeMap<Place, usize> {
    let mut providers = BTreeMap::new();
    for (index, (stack, uses)) in assembly.stacks.iter().zip(uses).enumerate() {
        let account = &stack.environment.account;
        let mut provide = |reason, region: Option<&String>, name: &str| {
            let region = region.or(stack.environment.region.as_ref()).cloned();
            providers.entry((reason, account.clone(), region, canonical(reason, name))).or_insert(index);
        };
        provide(Reason::Output, None, &stack.name);
        for provided in &uses.provided {
            if let Some(name) = provided.name.clone().known() {
                provide(provided.reason, provided.region.as_ref(), &name);
                // What CDK's writer puts into Parameter Store can also be read as any parameter.
                if provided.reason == Reason::CrossRegion {
                    provide(Reason::Ssm, provided.region.as_ref(), &name);
                }
            }
        }
    }
    providers
}

/// One spelling for names that have several: `/a` and `a` are the same cross-region export, and a
/// parameter may be named by its ARN.
fn canonical(reason: Reason, name: &str) -> String {
    match reason {
        Reason::CrossRegion => name.trim_start_matches('/').to_owned(),
        Reason::Ssm => match name.split_once(":parameter/") {
            Some((arn, path)) if arn.starts_with("arn:") => format!("/{path}"),
            _ => name.to_owned(),
        },
        _ => name.to_owned(),
    }
}

fn describe(read: &Use, region: Option<&str>, place: &str) -> String {
    let name = read.name.shown();
    let what = match read.reason {
        Reason::Import => format!("imports {name}"),
        Reason::Output => format!("reads an output of {name}"),
        Reason::Image => format!("runs an image of the repository {name}"),
        Reason::CrossRegion => format!("reads {name} from {}", region.unwrap_or("its region")),
        Reason::Ssm if read.region.is_some() => {
            format!("reads the parameter {name} in {}", region.unwrap_or("its region"))
        }
        _ => format!("reads the parameter {name}"),
    };
    format!("{what} ({place})")
}
