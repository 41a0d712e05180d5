//! The places that assets go to, and which stack's asset manifest names each of them.

use std::collections::{BTreeSet, HashMap, HashSet};

use paceline_assembly::{Assembly, Environment, FileSource, Stack, Text, UNKNOWN};

use crate::model::Publish;

/// The CDK names assets by a digest of their content. So many hexadecimal digits are a digest.
const DIGEST: usize = 32;
/// The longest key of an object (S3 User Guide, "Naming Amazon S3 objects").
const LONGEST_KEY: usize = 1024;

/// The start of the id of a step that publishes an asset; the place that it goes to follows.
pub(crate) const PUBLISH: &str = "publish:";

/// An asset and one place that it goes to.
pub(crate) struct Destination<'a> {
    pub(crate) asset: &'a str,
    pub(crate) id: &'a str,
    pub(crate) image: bool,
    pub(crate) title: String,
    account: Option<&'a str>,
    region: Option<&'a str>,
    /// The bucket or the repository.
    holder: &'a str,
    /// The key or the tag.
    name: &'a str,
}

impl<'a> Destination<'a> {
    /// All that a stack's asset manifest names.
    pub(crate) fn of(stack: &'a Stack) -> impl Iterator<Item = Self> {
        let Environment { account, region } = &stack.environment;
        let (account, home) = (account.as_deref(), region.as_deref());
        let files = stack.assets.files.iter().flat_map(move |(asset, file)| {
            file.destinations.iter().map(move |(id, to)| Self {
                asset,
                id,
                image: false,
                title: file.display_name.clone().unwrap_or_else(|| short(asset)),
                account,
                region: to.region.as_deref().or(home),
                holder: &to.bucket,
                name: &to.key,
            })
        });
        let images = stack.assets.images.iter().flat_map(move |(asset, image)| {
            image.destinations.iter().map(move |(id, to)| Self {
                asset,
                id,
                image: true,
                title: image.display_name.clone().unwrap_or_else(|| short(asset)),
                account,
                region: to.region.as_deref().or(home),
                holder: &to.repository,
                name: &to.tag,
            })
        });
        files.chain(images)
    }

    /// The place: the same means the same object.
    pub(crate) fn place(&self) -> String {
        let account = self.account.unwrap_or("unknown-account");
        let region = self.region.unwrap_or("unknown-region");
        let [holder, name] = [self.holder, self.name].map(|text| filled(text, account, region));
        if self.image {
            format!("ecr:{account}/{region}/{holder}:{name}")
        } else {
            format!("s3://{holder}/{name}")
        }
    }

    /// The work that publishes it, for the stack at this position of the plan.
    pub(crate) fn publish(&self, stack: usize, manifest: &str) -> Publish {
        Publish {
            stack,
            manifest: manifest.to_owned(),
            asset: self.asset.to_owned(),
            destination: self.id.to_owned(),
            image: self.image,
            title: self.title.clone(),
        }
    }

    /// A text of it as it stands in a template that has been resolved.
    fn resolved(&self, text: &str) -> String {
        let unknown = UNKNOWN.to_string();
        filled(text, self.account.unwrap_or(&unknown), self.region.unwrap_or(&unknown))
    }
}

/// A stack's assets, each with the place it goes to: the same place means the same object.
pub(crate) fn assets(stack: &Stack, number: usize) -> impl Iterator<Item = (String, Publish)> {
    Destination::of(stack).map(move |to| (to.place(), to.publish(number, &stack.id)))
}

fn filled(text: &str, account: &str, region: &str) -> String {
    text.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region)
}

/// The first letters of an asset's digest are enough for people.
fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

/// Whether an asset is the template of the stack.
pub(crate) fn is_template(stack: &Stack, asset: &str, image: bool) -> bool {
    let file = stack.assets.files.get(asset).filter(|_| !image);
    file.is_some_and(
        |file| matches!(&file.source, FileSource::Path { path, .. } if *path == stack.template_path),
    )
}

/// The assets of all stacks, to be found by their names in templates. An asset that several stacks register for one place
/// is listed once.
#[derive(Default)]
pub(crate) struct Catalogue<'a> {
    offers: Vec<Offer<'a>>,
    /// The offers by the most telling part of their keys and tags.
    named: HashMap<String, Vec<usize>>,
    holders: BTreeSet<String>,
}

/// An asset that a stack registers.
pub(crate) struct Offer<'a> {
    pub(crate) manifest: &'a Stack,
    pub(crate) to: Destination<'a>,
    pub(crate) place: String,
    /// Both may hold [`UNKNOWN`].
    holder: String,
    name: String,
}

impl<'a> Catalogue<'a> {
    pub(crate) fn new(assembly: &'a Assembly) -> Self {
        let mut catalogue = Self::default();
        let mut seen = HashSet::new();
        for stack in &assembly.stacks {
            for to in Destination::of(stack).filter(|to| !is_template(stack, to.asset, to.image)) {
                let (place, name) = (to.place(), to.resolved(to.name));
                if name.is_empty() || !seen.insert(place.clone()) {
                    continue;
                }
                let key = digest(&name).unwrap_or(&name).to_owned();
                catalogue.named.entry(key).or_default().push(catalogue.offers.len());
                let holder = to.resolved(to.holder);
                catalogue.holders.insert(holder.clone());
                catalogue.offers.push(Offer { manifest: stack, to, place, holder, name });
            }
        }
        catalogue
    }

    pub(crate) fn offer(&self, number: usize) -> Option<&Offer<'a>> {
        self.offers.get(number)
    }

    /// The offers that a text may name. The texts around it decide which of them it means.
    pub(crate) fn named_in(&self, text: &str) -> Vec<usize> {
        if self.named.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<usize> =
            digests(text).filter_map(|it| self.named.get(it)).flatten().copied().collect();
        if text.len() <= 2 * LONGEST_KEY {
            let ends = text.match_indices(['/', ':']).map(|(at, _)| &text[at + 1..]);
            found.extend(ends.chain([text]).filter_map(|end| self.named.get(end)).flatten());
        }
        found
    }

    /// Whether texts that stand together mean what is offered; `own` is where they stand.
    pub(crate) fn is_meant(&self, offer: &Offer<'_>, texts: &[Text], own: &Environment) -> bool {
        let holds = |holder: &str| texts.iter().any(|text| text.raw().contains(holder));
        let is_named = texts.iter().any(|text| offer.named_at(text.raw()).next().is_some());
        // The texts do not name the place: the digest alone is enough, unless they name another place.
        let is_near = || {
            let may_be =
                |a: Option<&str>, b: &Option<String>| a.is_none_or(|a| b.as_deref().is_none_or(|b| a == b));
            digest(&offer.name).is_some()
                && may_be(offer.to.account, &own.account)
                && may_be(offer.to.region, &own.region)
                && !self.holders.iter().any(|holder| holds(holder))
        };
        if !offer.to.image {
            return is_named && (holds(&offer.holder) || is_near());
        }
        let said: Vec<bool> = texts.iter().filter_map(|text| offer.is_address(text.raw())).collect();
        match said.as_slice() {
            [] => is_named && (holds(&offer.holder) || is_near()),
            said => said.contains(&true),
        }
    }
}

impl Offer<'_> {
    /// Whether both have the same key or tag.
    pub(crate) fn is_named_as(&self, other: &Self) -> bool {
        self.to.image == other.to.image && self.name == other.name
    }

    /// Where the key or the tag stands as a word of its own.
    fn named_at<'t>(&'t self, text: &'t str) -> impl Iterator<Item = usize> + 't {
        let ends = |c: Option<char>| c.is_none_or(|c| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        let name = self.name.as_str();
        text.match_indices(name).map(|(at, _)| at).filter(move |&at| {
            ends(text[..at].chars().next_back()) && ends(text[at + name.len()..].chars().next())
        })
    }

    /// Whether the address of an image that has this tag is this image's; `None` if the text has no such address.
    fn is_address(&self, text: &str) -> Option<bool> {
        let mut found = None;
        for at in self.named_at(text) {
            let Some(before) = text[..at].strip_suffix(':') else { continue };
            let Some((left, right)) = before.rsplit_once(".dkr.ecr.") else { continue };
            let Some((host, repository)) = right.split_once('/') else { continue };
            let from = left.rfind(|c: char| !c.is_ascii_digit() && c != UNKNOWN);
            let account =
                &left[from.map_or(0, |at| at + left[at..].chars().next().map_or(1, char::len_utf8))..];
            let region = host.split('.').next().unwrap_or_default();
            let is_at =
                |said: &str, own: Option<&str>| said.contains(UNKNOWN) || own.is_none_or(|own| own == said);
            let is_it = could_be(repository, &self.holder)
                && is_at(account, self.to.account)
                && is_at(region, self.to.region);
            found = Some(is_it || found == Some(true));
        }
        found
    }
}

fn could_be(a: &str, b: &str) -> bool {
    a == b || a.chars().eq([UNKNOWN]) || Text::from_raw(a).could_be(&Text::from_raw(b))
}

/// The longest digest in a name.
fn digest(name: &str) -> Option<&str> {
    digests(name).max_by_key(|digest| digest.len())
}

/// What may be digests in a text: long words of hexadecimal digits.
fn digests(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !matches!(c, '0'..='9' | 'a'..='f'));
    words.filter(|word| word.len() >= DIGEST)
}
