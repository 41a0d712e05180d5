//! Who provides which name, and where.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::{Assembly, Environment, Text};

use crate::build::context::{ContextLookup, is_parameter};
use crate::build::inspect::Inspection;
use crate::build::scan::secrets;
use crate::build::scan::uses::Use;
use crate::model::{Reason, TemplatePlace};

/// A name to look for, and where. `None` matches everything.
pub(super) struct Lookup {
    pub(super) reason: Reason,
    pub(super) name: Option<String>,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    below: bool,
}

impl Lookup {
    pub(super) fn new(of: &Use, own: &Environment) -> Self {
        let known = |text: &Option<Text>, own: &Option<String>| match text {
            Some(text) => text.clone().known(),
            None => own.clone(),
        };
        let mut lookup = Self {
            // A parameter that a synthesis looks up is a parameter like any other.
            reason: match of.reason {
                Reason::Synth if is_parameter(of.name.raw()) => Reason::Ssm,
                reason => reason,
            },
            name: None,
            below: of.below,
            account: known(&of.at.account, &own.account),
            region: known(&of.at.region, &own.region),
        };
        lookup.name = of.name.clone().known().map(|name| lookup.canonical(&name));
        lookup
    }

    /// A repository of images in an account and a region.
    pub(super) fn of_repository(name: &str, place: &Environment) -> Self {
        let Environment { account, region } = place.clone();
        Self { reason: Reason::Image, name: Some(name.to_owned()), account, region, below: false }
    }

    pub(super) fn of_context(from: &ContextLookup) -> Self {
        let mut lookup = Self {
            reason: if is_parameter(&from.name) { Reason::Ssm } else { Reason::Synth },
            name: None,
            account: from.account.clone(),
            region: from.region.clone().filter(|_| !from.is_global),
            below: false,
        };
        lookup.name = Some(lookup.canonical(&from.name));
        lookup
    }

    /// One spelling for names that have several. `/a` and `a` are the same cross-region export, and cannot be
    /// told apart in the ARN of a parameter. An ARN also says where the parameter is; a name may end with
    /// the parameter's version.
    fn canonical(&mut self, name: &str) -> String {
        let name = match self.reason {
            Reason::Secret => {
                let Some((name, at)) = secrets::named(name) else { return name.to_owned() };
                let known = |said: Option<Text>, own: Option<String>| said.map_or(own, Text::known);
                self.account = known(at.account, self.account.take());
                self.region = known(at.region, self.region.take());
                return name.raw().to_owned();
            }
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

struct Provider<'a> {
    stack: usize,
    account: Option<String>,
    region: Option<String>,
    place: Option<&'a TemplatePlace>,
    overwrites: bool,
}

impl Provider<'_> {
    fn is_at(&self, lookup: &Lookup) -> bool {
        self.account == lookup.account && self.region == lookup.region
    }

    /// Whether it may be there: a stack without a fixed environment goes to a region that is only known when
    /// it is deployed.
    fn may_be_at(&self, lookup: &Lookup) -> bool {
        let may_be = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        may_be(&self.account, &lookup.account) && may_be(&self.region, &lookup.region)
    }
}

/// A stack that provides the name, and where its template does so.
pub(super) struct Match<'a> {
    pub(super) stack: usize,
    pub(super) place: Option<&'a TemplatePlace>,
}

/// Who provides which name.
#[derive(Default)]
pub(super) struct Providers<'a> {
    names: BTreeMap<Reason, BTreeMap<String, Vec<Provider<'a>>>>,
    /// Names of which a part is only known at deployment.
    patterns: BTreeMap<Reason, Vec<(&'a Text, Provider<'a>)>>,
}

impl<'a> Providers<'a> {
    pub(super) fn new(assembly: &Assembly, inspections: &'a [Inspection<'_>]) -> Self {
        let mut providers = Self::default();
        for (index, (stack, inspection)) in assembly.stacks.iter().zip(inspections).enumerate() {
            let own = &stack.environment;
            let Environment { account, region } = own.clone();
            providers.add(
                Reason::Output,
                &stack.name,
                Provider { stack: index, account, region, place: None, overwrites: false },
            );
            for provided in &inspection.uses.provided {
                let Lookup { reason, name, account, region, .. } = Lookup::new(provided, own);
                let provider = || Provider {
                    stack: index,
                    account: account.clone(),
                    region: region.clone(),
                    place: Some(&provided.place),
                    overwrites: provided.overwrites,
                };
                let Some(name) = name else {
                    providers.patterns.entry(reason).or_default().push((&provided.name, provider()));
                    continue;
                };
                // The parameters of CDK's writer can also be read like any parameter.
                if reason == Reason::CrossRegion {
                    providers.add(Reason::Ssm, &name, provider());
                }
                providers.add(reason, &name, provider());
            }
        }
        providers
    }

    fn add(&mut self, reason: Reason, name: &str, provider: Provider<'a>) {
        let names = self.names.entry(reason).or_default();
        names.entry(name.to_owned()).or_default().push(provider);
    }

    /// The stacks that provide the name: those that surely are in the right place, else those that may be.
    pub(super) fn find(&self, lookup: &Lookup) -> Vec<Match<'a>> {
        self.find_among(lookup, |_| true)
    }

    /// The stacks that create the parameter and do not only overwrite it.
    pub(super) fn creators(&self, lookup: &Lookup) -> Vec<Match<'a>> {
        self.find_among(lookup, |provider| !provider.overwrites)
    }

    fn find_among(&self, lookup: &Lookup, is_one: impl Fn(&Provider<'a>) -> bool) -> Vec<Match<'a>> {
        let (Some(names), Some(wanted)) = (self.names.get(&lookup.reason), &lookup.name) else {
            return Vec::new();
        };
        let mut providers: Vec<&Provider<'_>> = if lookup.below {
            let folder = format!("{}/", wanted.trim_end_matches('/'));
            let inside = |name: &str| folder == "/" || name.starts_with(&folder);
            names.iter().filter(|(name, _)| inside(name)).flat_map(|(_, providers)| providers).collect()
        } else {
            let by_arn = || secrets::without_suffix(wanted).filter(|_| lookup.reason == Reason::Secret);
            let found = names.get(wanted).or_else(|| names.get(by_arn()?));
            found.into_iter().flatten().collect()
        };
        providers.retain(|provider| is_one(provider));
        let sure = one_for_each_stack(providers.iter().copied().filter(|it| it.is_at(lookup)));
        if !sure.is_empty() {
            return sure;
        }
        one_for_each_stack(providers.into_iter().filter(|it| it.may_be_at(lookup)))
    }

    /// Whether a stack provides the name, or may provide it.
    pub(super) fn may_provide(&self, lookup: &Lookup) -> bool {
        let text = lookup.name.as_deref().map(Text::from_raw);
        !self.find(lookup).is_empty() || text.is_some_and(|text| !self.guess(lookup, &text).is_empty())
    }

    /// The stacks that may provide the name, where a part of it is only known at deployment on either side.
    pub(super) fn guess(&self, lookup: &Lookup, name: &Text) -> Vec<Match<'a>> {
        let patterns = self.patterns.get(&lookup.reason).into_iter().flatten();
        let patterns = patterns.filter(|(pattern, _)| name.could_be(pattern)).map(|(_, provider)| provider);
        // A known name that is provided has been found already.
        let names = self.names.get(&lookup.reason).filter(|_| lookup.name.is_none()).into_iter().flatten();
        let plain = |name: &str| Text::from_raw(name.trim_start_matches('/'));
        let wanted = plain(name.raw());
        let names =
            names.filter(|(known, _)| wanted.could_be(&plain(known))).flat_map(|(_, providers)| providers);
        one_for_each_stack(patterns.chain(names).filter(|it| it.may_be_at(lookup)))
    }
}

fn one_for_each_stack<'a, 'p>(providers: impl Iterator<Item = &'p Provider<'a>>) -> Vec<Match<'a>>
where
    'a: 'p,
{
    let mut seen = BTreeSet::new();
    let mut matches: Vec<Match<'a>> = providers
        .filter(|provider| seen.insert(provider.stack))
        .map(|provider| Match { stack: provider.stack, place: provider.place })
        .collect();
    matches.sort_by_key(|it| it.stack);
    matches
}
