//! The forms of made-up values: ARNs, URLs, address blocks, ids.
//!
//! The forms for resource types are in `forms.csv`, next to this file. For other values, the name suggests
//! the form, as it would to a person: `TopicArn` is an ARN, `/network/vpc-id` is the id of a VPC.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::AccountRegion;
use crate::random::Random;

/// The forms of the values of a resource type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Whether `Ref` returns an ARN.
    pub(crate) is_arn: bool,
    /// The ARN after its partition, with `${Variables}`.
    arn: Option<&'static str>,
    /// The attributes that are lists.
    lists: Vec<&'static str>,
}

static FORMS: LazyLock<BTreeMap<&'static str, Form>> = LazyLock::new(|| {
    let lines = include_str!("forms.csv").lines().skip_while(|line| line.starts_with('#')).skip(1);
    lines.filter_map(row).collect()
});

fn row(line: &'static str) -> Option<(&'static str, Form)> {
    let mut fields = line.split(',');
    let (kind, reference, arn, lists) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let arn = Some(arn).filter(|arn| !arn.is_empty());
    let lists = lists.split_whitespace().collect();
    Some((kind, Form { is_arn: reference == "arn", arn, lists }))
}

/// The form of a resource type, if it is known.
pub(crate) fn of(kind: &str) -> Option<&'static Form> {
    FORMS.get(kind)
}

impl Form {
    /// Whether an attribute is a list.
    pub(crate) fn is_list(&self, attribute: &str) -> bool {
        self.lists.contains(&attribute)
    }

    /// The ARN of a resource of this name. All variables but the last are properties of the resource.
    pub(crate) fn arn(
        &self,
        place: &AccountRegion,
        name: &str,
        properties: &Value,
        draws: &mut Random,
    ) -> Option<String> {
        let mut pieces = self.arn?.split("${");
        let mut arn = format!("arn:{}:{}", place.partition(), pieces.next()?);
        let count = pieces.clone().count();
        for (number, piece) in pieces.enumerate() {
            let (variable, rest) = piece.split_once('}')?;
            match variable {
                "Region" => arn.push_str(&place.region),
                "Account" => arn.push_str(&place.account),
                _ if number + 1 == count => arn.push_str(name),
                _ => arn.push_str(&named_by(properties, variable).unwrap_or_else(|| draws.hex(10))),
            }
            arn.push_str(rest);
        }
        Some(arn)
    }
}

/// The value of a variable of an ARN: the property of that name, or the name at the end of another property
/// that is an ARN.
fn named_by(properties: &Value, variable: &str) -> Option<String> {
    let text = |key: &str| properties.get(key).and_then(Value::as_str);
    let stem = variable.strip_suffix("Id").or_else(|| variable.strip_suffix("Name")).unwrap_or(variable);
    let of_arn = || text(&format!("{stem}Arn")).and_then(|arn| arn.rsplit(['/', ':']).next());
    text(variable).or_else(of_arn).map(str::to_owned)
}

/// Prefixes of ids, by the words that suggest them.
const IDS: [(&str, &str); 14] = [
    ("subnet", "subnet"),
    ("securitygroup", "sg"),
    ("networkinterface", "eni"),
    ("networkacl", "acl"),
    ("routetable", "rtb"),
    ("internetgateway", "igw"),
    ("natgateway", "nat"),
    ("transitgateway", "tgw"),
    ("vpcendpoint", "vpce"),
    ("vpc", "vpc"),
    ("image", "ami"),
    ("ami", "ami"),
    ("filesystem", "fs"),
    ("instance", "i"),
];

/// Services and the beginnings of their resource names in ARNs, by the words that suggest them.
const SERVICES: [(&str, &str, &str); 11] = [
    ("topic", "sns", ""),
    ("queue", "sqs", ""),
    ("table", "dynamodb", "table/"),
    ("function", "lambda", "function:"),
    ("lambda", "lambda", "function:"),
    ("cluster", "ecs", "cluster/"),
    ("cert", "acm", "certificate/"),
    ("secret", "secretsmanager", "secret:"),
    ("key", "kms", "key/"),
    ("statemachine", "states", "stateMachine:"),
    ("loadbalancer", "elasticloadbalancing", "loadbalancer/app/"),
];

/// A value in the form that the name of an attribute or a parameter suggests. `None` if it suggests none.
pub(crate) fn by_name(place: &AccountRegion, name: &str, draws: &mut Random) -> Option<String> {
    let letters =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let all = letters(name);
    let last = letters(name.rsplit(['/', '.']).next().unwrap_or(name));
    let ends = |endings: &[&str]| endings.iter().any(|ending| last.ends_with(ending));
    let (region, suffix) = (&place.region, place.url_suffix());
    let list = |items: [String; 2]| items.join(",");
    Some(if ends(&["arn"]) {
        arn(place, &all, draws)
    } else if ends(&["url", "uri"]) {
        format!("https://{}.{region}.{suffix}/", draws.hex(10))
    } else if ends(&["endpoint", "dns", "dnsname", "domain", "domainname", "hostname", "host", "address"]) {
        format!("{}.{region}.{suffix}", draws.hex(10))
    } else if ends(&["cidr", "cidrblock"]) {
        if last.contains("ipv6") { ipv6_block(draws) } else { "10.0.0.0/16".to_owned() }
    } else if ends(&["azs", "availabilityzones"]) {
        list(["a", "b"].map(|zone| format!("{region}{zone}")))
    } else if ends(&["region"]) {
        region.to_string()
    } else if ends(&["accountid", "account"]) {
        place.account.to_string()
    } else if ends(&["port"]) {
        "443".to_owned()
    } else if ends(&["id", "ids"])
        && let Some((_, prefix)) = IDS.iter().find(|(word, _)| last.contains(word) || all.contains(word))
    {
        let mut id = || format!("{prefix}-0{}", draws.hex(16));
        if ends(&["ids"]) { list([id(), id()]) } else { id() }
    } else {
        return None;
    })
}

fn arn(place: &AccountRegion, words: &str, draws: &mut Random) -> String {
    let id = draws.hex(10);
    if words.contains("role") {
        return format!("arn:{}:iam::{}:role/{id}", place.partition(), place.account);
    }
    if words.contains("bucket") {
        return format!("arn:{}:s3:::{id}", place.partition());
    }
    let service = SERVICES.iter().find(|(word, ..)| words.contains(word));
    let (_, service, before) = service.copied().unwrap_or(("", "service", "resource/"));
    place.arn(service, &format!("{before}{id}"))
}

/// A block of IPv6 addresses as AWS assigns it to a VPC.
pub(crate) fn ipv6_block(draws: &mut Random) -> String {
    format!("2600:1f18:{}:{}00::/56", draws.hex(4), draws.hex(2))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place() -> AccountRegion {
        AccountRegion::new("111111111111", "eu-west-1")
    }

    #[test]
    fn the_table_parses_and_is_sorted_without_duplicates() {
        let text = include_str!("forms.csv");
        let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).skip(1).collect();
        assert!(rows.len() > 1000 && rows.len() == FORMS.len(), "{} rows", rows.len());
        assert!(rows.iter().all(|row| row.split(',').count() == 4));
        let types: Vec<&str> = rows.iter().filter_map(|row| row.split(',').next()).collect();
        assert!(types.is_sorted());
        for part in ["@aws-cdk/aws-service-spec", "Apache-2.0"] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn variables_of_an_arn_are_properties_and_the_last_is_the_name() {
        let form =
            Form { arn: Some("svc:${Region}:${Account}:hub/${HubName}/part/${PartId}"), ..Form::default() };
        let arn = |properties: Value| form.arn(&place(), "p", &properties, &mut Random::new(1)).unwrap();
        let expected = "arn:aws:svc:eu-west-1:111111111111:hub/h/part/p";
        assert_eq!(arn(json!({"HubName": "h"})), expected);
        assert_eq!(arn(json!({"HubArn": "arn:aws:svc:eu-west-1:111111111111:hub/h"})), expected);
        assert_eq!(arn(json!({})).split('/').count(), 4);
    }

    #[test]
    fn a_name_suggests_the_form_of_its_value() {
        for (name, start) in [
            ("/platform/topic-arn", "arn:aws:sns:eu-west-1:111111111111:"),
            ("/platform/deploy_role_arn", "arn:aws:iam::111111111111:role/"),
            ("ThingArn", "arn:aws:service:eu-west-1:111111111111:resource/"),
            ("GraphQLUrl", "https://"),
            ("/net/vpc-cidr", "10.0.0.0/16"),
            ("/net/vpc/id", "vpc-0"),
            ("/net/private-subnet-ids", "subnet-0"),
            ("/net/azs", "eu-west-1a,eu-west-1b"),
            ("Ipv6CidrBlock", "2600:1f18:"),
        ] {
            let value = by_name(&place(), name, &mut Random::new(1)).unwrap_or_default();
            assert!(value.starts_with(start), "{name}: {value}");
        }
        assert_eq!(by_name(&place(), "/app/flag", &mut Random::new(1)), None);
    }
}
