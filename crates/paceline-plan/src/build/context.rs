//! Lookups: values that the CDK looked up while it synthesized an app, and kept in the context. The templates hold what
//! was found then.

use paceline_assembly::{Assembly, Stack};
use serde_json::Value;

use super::context_key::ContextKey;

/// What `StringParameter.valueFromLookup` of the CDK gives while the value is not known, followed by the name.
const STAND_IN: &str = "dummy-value-for-";

/// What the CDK writes for an unknown VPC and its subnets (`DUMMY_VPC_PROPS` of aws-cdk-lib, aws-ec2/lib/vpc):
/// the manifest does not say it.
const NO_VPC: [&str; 5] = ["vpc-12345", "s-12345", "s-67890", "p-12345", "p-67890"];

/// A shorter value may be a part of unrelated texts.
const LONG_ENOUGH: usize = 9;
/// A found value that is even shorter may be an unrelated text.
const SHORTEST_VALUE: usize = 6;

/// A value that an app takes from its context, of a kind that a stack can create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextLookup {
    /// The app, where there are several.
    pub app: Option<String>,
    /// The key of the context, as in `cdk.context.json`.
    pub key: String,
    /// The name of the parameter in Parameter Store; else what it is and its name, such as `hosted zone example.com`.
    pub name: String,
    /// The account that it is looked up in.
    pub account: Option<String>,
    /// The region whose stacks it is looked up for.
    pub region: Option<String>,
    /// Whether it may be of any region.
    pub(crate) is_global: bool,
    /// The texts in the templates: what was found, or what the CDK writes instead.
    pub(crate) held: Vec<String>,
    /// How the value came into the context.
    pub state: LookupState,
}

/// How a value came into the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupState {
    /// It was not found.
    Missing,
    /// It was found once, and kept.
    Kept,
    /// It was found once, and is to be looked up again when it may have changed.
    Again,
}

impl ContextLookup {
    /// The lookup of a key of `cdk.context.json`, if a stack can create what is looked up.
    pub fn new(app: Option<&str>, key: &str, value: &Value, state: LookupState) -> Option<Self> {
        let read = ContextKey::parse(key);
        let name = read.subject()?;
        let mut held = Vec::new();
        leaves(value, &mut held);
        // Words are options, and not what tells one thing from another.
        let tells = |text: &String| text.contains(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase());
        held.retain(|text| is_parameter(&name) || (tells(text) && !read.has(text)));
        if held.is_empty() && state == LookupState::Missing {
            match &name {
                _ if read.is_of_vpc() => held.extend(NO_VPC.map(str::to_owned)),
                name if is_parameter(name) => held.push(format!("{STAND_IN}{name}")),
                _ => {}
            }
        }
        Some(Self {
            app: app.map(str::to_owned),
            key: key.to_owned(),
            account: read.property("account").map(str::to_owned),
            region: read.property("region").map(str::to_owned),
            is_global: read.is_global(),
            name,
            held,
            state,
        })
    }

    /// The value of the parameter, if it is one and was found.
    pub fn parameter_value(&self) -> Option<&str> {
        let value =
            self.held.first().filter(|_| self.state != LookupState::Missing && is_parameter(&self.name));
        value.map(String::as_str)
    }

    /// Whether the stack may take it from the context of its app.
    pub(crate) fn is_for(&self, stack: &Stack) -> bool {
        self.app == stack.app
            && self.account == stack.environment.account
            && self.region == stack.environment.region
    }

    /// Whether templates with this text may change when the value is looked up again.
    fn is_in(&self, text: &str) -> bool {
        self.held.iter().any(|held| match self.state {
            LookupState::Kept => false,
            LookupState::Again if held.len() < SHORTEST_VALUE => false,
            _ if held.len() < LONG_ENOUGH => text == held,
            _ => text.contains(held.as_str()),
        })
    }

    /// Whether another lookup was made with the placeholder of this one: it has another key once this one is found.
    pub(crate) fn is_part_of(&self, key: &str) -> bool {
        let other = ContextKey::parse(key);
        self.state == LookupState::Missing && self.key != key && self.held.iter().any(|held| other.has(held))
    }
}

/// The texts in a value.
fn leaves(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| leaves(field, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether the name is that of a parameter: those have no spaces (Systems Manager API reference, `PutParameter`).
pub(crate) fn is_parameter(name: &str) -> bool {
    !name.contains(' ')
}

/// The lookups that found nothing when the apps of an assembly were synthesized, of kinds that a stack can create.
pub(crate) fn missing(assembly: &Assembly) -> impl Iterator<Item = ContextLookup> {
    assembly.missing.iter().filter_map(|missing| {
        ContextLookup::new(missing.app.as_deref(), &missing.key, &missing.stand_in, LookupState::Missing)
    })
}

/// The names of the lookups that a text of a template holds. `known` are the lookups of its app. Other parameters are
/// read from their placeholders, where a name ends at the first character that no name has.
pub(crate) fn held_by<'t>(text: &'t str, known: &'t [&ContextLookup]) -> Vec<&'t str> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices(STAND_IN) {
        let rest = &text[at..];
        let meant = known.iter().filter_map(|it| {
            let held = it.held.iter().filter(|held| rest.starts_with(held.as_str()));
            Some((held.map(String::len).max()?, it))
        });
        let name = meant.max_by_key(|(length, _)| *length).map_or_else(
            || {
                let name = &rest[STAND_IN.len()..];
                &name[..name.find(|c: char| !is_in_parameter_name(c)).unwrap_or(name.len())]
            },
            |(_, it)| it.name.as_str(),
        );
        names.push(name);
    }
    let has_stand_in = |it: &ContextLookup| it.held.iter().any(|held| held.starts_with(STAND_IN));
    let others = known.iter().filter(|it| !has_stand_in(it) && it.is_in(text));
    names.extend(others.map(|it| it.name.as_str()));
    names
}

/// The characters of the names of parameters (Systems Manager API reference, `PutParameter`).
fn is_in_parameter_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-/".contains(c)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lookup(key: &str, held: &Value, state: LookupState) -> ContextLookup {
        ContextLookup::new(None, key, held, state).unwrap()
    }

    fn missing(name: &str, held: &str) -> ContextLookup {
        let key = format!("ssm:account=1:parameterName={name}:region=r");
        lookup(&key, &json!(held), LookupState::Missing)
    }

    #[test]
    fn a_key_names_what_is_looked_up_and_its_place() {
        let key = "ssm:account=111111111111:parameterName=/shop:region=us-east-1";
        let found = ContextLookup::new(Some("pets"), key, &json!("value"), LookupState::Kept).unwrap();
        assert_eq!((found.name.as_str(), found.app.as_deref()), ("/shop", Some("pets")));
        assert_eq!(found.account.as_deref(), Some("111111111111"));
        assert_eq!(found.region.as_deref(), Some("us-east-1"));
        assert_eq!(ContextLookup::new(None, "ami:account=1", &json!("ami-1"), LookupState::Kept), None);
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
        let said_by_nobody = lookup("ssm:parameterName=/a", &Value::Null, LookupState::Missing);
        assert_eq!(held_by("dummy-value-for-/a/b", &[&said_by_nobody]), ["/a"]);
    }

    #[test]
    fn what_stands_for_other_things_is_found_where_it_tells_one_from_another() {
        let zone = json!({ "Id": "DUMMY", "Name": "shop.example.com" });
        let key = "hosted-zone:account=1:domainName=shop.example.com:region=r";
        let zone = lookup(key, &zone, LookupState::Missing);
        assert_eq!(held_by("DUMMY", &[&zone]), ["hosted zone shop.example.com"]);
        for other in ["shop.example.com", "arn:DUMMY"] {
            assert_eq!(held_by(other, &[&zone]), [""; 0], "{other}");
        }
        let vpc = lookup("vpc-provider:filter.tag:Name=shop:region=r", &Value::Null, LookupState::Missing);
        for held in ["vpc-12345", "arn:aws:ec2:r:1:vpc/vpc-12345", "p-12345"] {
            assert_eq!(held_by(held, &[&vpc]), ["VPC Name=shop"], "{held}");
        }
        assert!(vpc.is_part_of("security-group:account=1:securityGroupName=web:vpcId=vpc-12345"));
        assert!(!vpc.is_part_of(&vpc.key));
        assert!(!vpc.is_part_of("ssm:account=1:parameterName=/dns-12345:region=r"));
        let balancer = json!({ "ipAddressType": "dualstack", "loadBalancerArn": "arn:aws:x:us-west-2:1:y" });
        let key = "load-balancer:loadBalancerTags.0.key=a:loadBalancerTags.0.value=b";
        assert_eq!(held_by("dualstack", &[&lookup(key, &balancer, LookupState::Missing)]), [""; 0]);
    }

    #[test]
    fn a_short_value_is_found_everywhere_and_so_is_not_looked_for() {
        let kept = |held| ContextLookup { state: LookupState::Again, ..missing("/n", held) };
        assert_eq!(held_by("12345", &[&kept("12345")]), [""; 0]);
        assert_eq!(held_by("123456", &[&kept("123456")]), ["/n"]);
        assert_eq!(held_by("a 123456", &[&kept("123456")]), [""; 0]);
        assert_eq!(held_by("a 123456789", &[&kept("123456789")]), ["/n"]);
    }
}
