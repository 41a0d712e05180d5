//! Matches what stacks read with the stacks that provide it.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::{Assembly, Environment};

use super::scan::{Use, Uses, scan};
use super::{Edge, External, Found, Reason};
use crate::text::Text;

/// What one stack gets from another: with it, why and what.
type Tie = (String, Reason, String);

/// Finds every edge between the assembly's stacks, and every name that none of them provides.
pub(crate) fn find(assembly: &Assembly) -> Found {
    let uses: Vec<Uses> = assembly.stacks.iter().map(scan).collect();
    let ids: BTreeSet<&str> = assembly.stacks.iter().map(|stack| stack.id.as_str()).collect();
    let providers = Providers::new(assembly, &uses);
    let mut found = Found::default();
    let mut external = BTreeSet::new();
    for (stack, uses) in assembly.stacks.iter().zip(&uses) {
        let from = &stack.id;
        // A name is often read in many places: one edge, with the first of them.
        let mut ties: BTreeMap<Tie, (String, usize)> = BTreeMap::new();
        for read in &uses.read {
            let place = format!("{from}: {}", read.place);
            let lookup = Lookup::new(read, &stack.environment);
            let matching = providers.find(&lookup);
            if matching.is_empty() {
                // Images of other accounts are made by others.
                let own = &stack.environment.account;
                if read.reason == Reason::Image && read.at.account.is_some() && lookup.account != *own {
                    continue;
                }
                external.insert(External {
                    stack: from.clone(),
                    reason: read.reason,
                    name: shown(read),
                    place,
                    unresolved: lookup.name.is_none(),
                });
            } else if !matching.iter().any(|&index| assembly.stacks[index].id == *from) {
                for index in matching {
                    let to = assembly.stacks[index].id.clone();
                    let tie = (to, read.reason, describe(read, &lookup));
                    ties.entry(tie).or_insert_with(|| (place.clone(), 0)).1 += 1;
                }
            }
        }
        let mut edge = |to: &String, reason, detail| {
            found.edges.push(Edge { from: from.clone(), to: to.clone(), reason, detail });
        };
        for to in stack.depends_on.iter().filter(|to| ids.contains(to.as_str())) {
            edge(to, Reason::Manifest, "declared in the assembly's manifest".to_owned());
        }
        let bucket = stack.assets.depends_on.iter();
        for to in bucket.filter(|to| ids.contains(to.as_str()) && *to != from) {
            if !stack.depends_on.contains(to) {
                edge(to, Reason::Manifest, "makes the place that its assets go to".to_owned());
            }
        }
        for ((to, reason, what), (place, times)) in &ties {
            let more = match times - 1 {
                0 => String::new(),
                1 => " and one more place".to_owned(),
                more => format!(" and {more} more places"),
            };
            edge(to, *reason, format!("{what} ({place}{more})"));
        }
    }
    found.external = external.into_iter().collect();
    found
}

/// A name that is looked for, and where. What is `None` may be anything.
struct Lookup {
    reason: Reason,
    name: Option<String>,
    below: bool,
    account: Option<String>,
    region: Option<String>,
}

impl Lookup {
    fn new(of: &Use, own: &Environment) -> Self {
        let known = |text: &Option<Text>, own: &Option<String>| match text {
            Some(text) => text.clone().known(),
            None => own.clone(),
        };
        let mut lookup = Self {
            reason: of.reason,
            name: None,
            below: of.below,
            account: known(&of.at.account, &own.account),
            region: known(&of.at.region, &own.region),
        };
        lookup.name = of.name.clone().known().map(|name| lookup.canonical(&name));
        lookup
    }

    /// One spelling for names that have several. `/a` and `a` are the same cross-region export, and cannot be
    /// told apart in the ARN of a parameter. An ARN also says where the parameter is; a name may end with
    /// the parameter's version.
    fn canonical(&mut self, name: &str) -> String {
        let name = match self.reason {
            Reason::CrossRegion => name,
            Reason::Ssm => match name.splitn(6, ':').collect::<Vec<_>>().as_slice() {
                ["arn", _, "ssm", region, account, path] => {
                    self.region = Some((*region).to_owned());
                    self.account = Some((*account).to_owned());
                    let path = path.split(':').next().unwrap_or_default();
                    path.strip_prefix("parameter").unwrap_or(path)
                }
                _ => name.split(':').next().unwrap_or_default(),
            },
            _ => return name.to_owned(),
        };
        name.trim_start_matches('/').to_owned()
    }
}

struct Provider {
    stack: usize,
    account: Option<String>,
    region: Option<String>,
}

/// Who provides which name.
struct Providers(BTreeMap<Reason, BTreeMap<String, Vec<Provider>>>);

impl Providers {
    fn new(assembly: &Assembly, uses: &[Uses]) -> Self {
        let mut providers = Self(BTreeMap::new());
        for (index, (stack, uses)) in assembly.stacks.iter().zip(uses).enumerate() {
            let own = &stack.environment;
            providers.add(Reason::Output, &stack.name, index, own.account.clone(), own.region.clone());
            for provided in &uses.provided {
                let Lookup { reason, name, account, region, .. } = Lookup::new(provided, own);
                let Some(name) = name else { continue };
                // What CDK's writer puts into Parameter Store can also be read as any parameter.
                if reason == Reason::CrossRegion {
                    providers.add(Reason::Ssm, &name, index, account.clone(), region.clone());
                }
                providers.add(reason, &name, index, account, region);
            }
        }
        providers
    }

    fn add(
        &mut self,
        reason: Reason,
        name: &str,
        stack: usize,
        account: Option<String>,
        region: Option<String>,
    ) {
        let names = self.0.entry(reason).or_default();
        names.entry(name.to_owned()).or_default().push(Provider { stack, account, region });
    }

    /// The stacks that provide the name. Where nothing is sure to be the right place, what may be is taken: a
    /// stack without a fixed environment goes to a region that is only known when it is deployed.
    fn find(&self, lookup: &Lookup) -> BTreeSet<usize> {
        let (Some(names), Some(wanted)) = (self.0.get(&lookup.reason), &lookup.name) else {
            return BTreeSet::new();
        };
        let providers: Vec<&Provider> = if lookup.below {
            let folder = format!("{}/", wanted.trim_end_matches('/'));
            let inside = |name: &str| folder == "/" || name.starts_with(&folder);
            names.iter().filter(|(name, _)| inside(name)).flat_map(|(_, providers)| providers).collect()
        } else {
            names.get(wanted).into_iter().flatten().collect()
        };
        let stacks = |fits: &dyn Fn(&Provider) -> bool| -> BTreeSet<usize> {
            providers.iter().filter(|provider| fits(provider)).map(|provider| provider.stack).collect()
        };
        let sure = stacks(&|it| it.account == lookup.account && it.region == lookup.region);
        if !sure.is_empty() {
            return sure;
        }
        let may_be = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        stacks(&|it| may_be(&it.account, &lookup.account) && may_be(&it.region, &lookup.region))
    }
}

fn shown(read: &Use) -> String {
    let name = read.name.shown();
    if read.below { format!("{}/*", name.trim_end_matches('/')) } else { name }
}

fn describe(read: &Use, lookup: &Lookup) -> String {
    let name = shown(read);
    let region = lookup.region.as_deref().unwrap_or("its region");
    match read.reason {
        Reason::Import => format!("imports {name}"),
        Reason::Output => format!("reads an output of {name}"),
        Reason::Image => format!("runs an image of the repository {name}"),
        Reason::CrossRegion => format!("reads {name} from {region}"),
        Reason::Ssm if read.below => format!("reads the parameters {name} in {region}"),
        Reason::Ssm if read.at.region.is_some() => format!("reads the parameter {name} in {region}"),
        _ => format!("reads the parameter {name}"),
    }
}
