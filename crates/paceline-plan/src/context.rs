//! Parameters that apps take from their context, where the CDK looked them up while it synthesized them: what stands
//! in templates is what was found then.

use paceline_assembly::{Assembly, STAND_IN, Stack};

/// Shorter values stand in templates that have nothing to do with them.
const SHORTEST_VALUE: usize = 6;

/// A parameter in Parameter Store that an app takes from its context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextParameter {
    /// The app, where there are several.
    pub app: Option<String>,
    /// The key of the context, as in `cdk.context.json`.
    pub key: String,
    /// The name of the parameter.
    pub name: String,
    /// The account that it is looked up in.
    pub account: Option<String>,
    /// The region that it is looked up in.
    pub region: Option<String>,
    /// What stands in the templates: the value, or what the CDK puts in its place.
    pub held: String,
    /// How that came to be.
    pub state: Looked,
}

/// How a value came into the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// It was not found.
    Missing,
    /// It was found once, and kept.
    Kept,
    /// It was found once, and is to be looked up again when it may have changed.
    Again,
}

impl ContextParameter {
    /// What a key of `cdk.context.json` is about, if it is a parameter. The CDK writes such a key
    /// `ssm:account=…:parameterName=…:region=…`, with `$` before a `$` or a `:` in a value (`colonQuote` of
    /// aws-cdk-lib, core/lib/context-provider).
    pub fn of_key(app: Option<&str>, key: &str, value: &str, state: Looked) -> Option<Self> {
        let parts = unquoted(key);
        let (provider, properties) = parts.split_first()?;
        let property = |name: &str| {
            properties.iter().find_map(|it| it.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        let name = property("parameterName").filter(|_| provider == "ssm")?;
        Some(Self {
            app: app.map(str::to_owned),
            key: key.to_owned(),
            name,
            account: property("account"),
            region: property("region"),
            held: value.to_owned(),
            state,
        })
    }

    /// Whether the stack may take it from the context of its app.
    pub(crate) fn is_for(&self, stack: &Stack) -> bool {
        self.app == stack.app
            && self.account == stack.environment.account
            && self.region == stack.environment.region
    }

    /// Whether templates with this text may be others when it is looked up again.
    fn is_in(&self, text: &str) -> bool {
        match self.state {
            Looked::Missing => text.contains(&self.held),
            Looked::Again => self.held.len() >= SHORTEST_VALUE && text.contains(&self.held),
            Looked::Kept => false,
        }
    }
}

/// The parameters that were missing when the apps of an assembly were synthesized.
pub(crate) fn missing(assembly: &Assembly) -> impl Iterator<Item = ContextParameter> {
    assembly.missing.iter().filter_map(|missing| {
        let parameter = missing.parameter.as_ref()?;
        Some(ContextParameter {
            app: missing.app.clone(),
            key: missing.key.clone(),
            name: parameter.name.clone(),
            account: parameter.account.clone(),
            region: parameter.region.clone(),
            held: parameter.stand_in.clone(),
            state: Looked::Missing,
        })
    })
}

/// The names of the parameters whose values, or what stands for them, are in a text of a template. `known` are those
/// that its app looks up; others are read off what the CDK puts in their place, where a name ends as the text goes on.
pub(crate) fn held_by<'t>(text: &'t str, known: &'t [&ContextParameter]) -> Vec<&'t str> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices(STAND_IN) {
        let rest = &text[at..];
        let meant = known.iter().filter(|it| rest.starts_with(&it.held)).max_by_key(|it| it.held.len());
        let name = meant.map_or_else(
            || {
                let name = &rest[STAND_IN.len()..];
                &name[..name.find(|c: char| !is_in_parameter_name(c)).unwrap_or(name.len())]
            },
            |it| it.name.as_str(),
        );
        names.push(name);
    }
    let others = known.iter().filter(|it| !it.held.starts_with(STAND_IN) && it.is_in(text));
    names.extend(others.map(|it| it.name.as_str()));
    names
}

/// The characters of the names of parameters (Systems Manager API reference, `PutParameter`).
fn is_in_parameter_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-/".contains(c)
}

/// The parts of a key between colons.
fn unquoted(key: &str) -> Vec<String> {
    let (mut parts, mut part, mut characters) = (Vec::new(), String::new(), key.chars());
    while let Some(c) = characters.next() {
        match c {
            '$' => part.extend(characters.next()),
            ':' => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(name: &str, held: &str) -> ContextParameter {
        let key = format!("ssm:account=1:parameterName={name}:region=r");
        ContextParameter::of_key(None, &key, held, Looked::Missing).unwrap()
    }

    #[test]
    fn a_key_of_a_parameter_names_it_and_its_place() {
        let key = "ssm:account=111111111111:parameterName=/a$:b$$c:region=us-east-1";
        let parameter = ContextParameter::of_key(Some("pets"), key, "value", Looked::Kept).unwrap();
        assert_eq!(parameter.name, "/a:b$c");
        assert_eq!(parameter.account.as_deref(), Some("111111111111"));
        assert_eq!(parameter.region.as_deref(), Some("us-east-1"));
        for other in ["availability-zones:account=1:region=r", "ssm:region=r", "@aws-cdk/core:x", "", "$"] {
            assert_eq!(ContextParameter::of_key(None, other, "value", Looked::Kept), None, "{other}");
        }
    }

    #[test]
    fn what_stands_for_a_parameter_ends_where_its_name_does() {
        let (url, longer) =
            (missing("/shop/url", "dummy-value-for-/shop/url"), missing("/shop", "dummy-value-for-/shop"));
        let text = "https://dummy-value-for-/shop/url/orders?x";
        assert_eq!(held_by(text, &[&longer, &url]), ["/shop/url"]);
        assert_eq!(held_by(text, &[]), ["/shop/url/orders"]);
        let own = missing("/shop/url", "not there yet");
        assert_eq!(held_by("it is not there yet", &[&own]), ["/shop/url"]);
    }

    #[test]
    fn a_short_value_is_found_everywhere_and_so_is_not_looked_for() {
        let kept = |held| ContextParameter { state: Looked::Again, ..missing("/n", held) };
        assert_eq!(held_by("12345", &[&kept("12345")]), [""; 0]);
        assert_eq!(held_by("123456", &[&kept("123456")]), ["/n"]);
    }
}
