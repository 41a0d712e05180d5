//! Physical names: the literal names of a stack's resources, and the literal names of other resources in its templates.
//!
//! A role, a bucket or a queue that is named in a template need not be there when the stack is deployed. Whether it has
//! to be only the team knows: such a tie is a hint, and never an edge.

use std::collections::{BTreeMap, HashMap};

use paceline_assembly::{Text, UNKNOWN};

use crate::model::TemplatePlace;

/// Shorter names are found by chance in unrelated texts.
const SHORTEST: usize = 3;
/// No resource has a longer name.
const LONGEST: usize = 512;

/// A type of resource whose name the team can choose.
#[derive(Debug)]
pub(crate) struct NamedKind {
    resource_type: &'static str,
    /// The property that gives the name.
    property: &'static str,
    /// What people call it.
    pub(crate) noun: &'static str,
    service: &'static str,
    /// The start of an ARN's last part, before the name.
    prefix: &'static str,
    /// Whether the name itself can have slashes.
    slashes: bool,
    /// A property whose name has this word in it holds the name alone; empty where that would say too little.
    word: &'static str,
}

const fn kind(
    [resource_type, property, noun, service, prefix, word]: [&'static str; 6],
    slashes: bool,
) -> NamedKind {
    NamedKind { resource_type, property, noun, service, prefix, slashes, word }
}

/// The forms of ARNs are those of the Service Authorization Reference.
const KINDS: [NamedKind; 21] = [
    kind(["AWS::IAM::Role", "RoleName", "role", "iam", "role/", "role"], false),
    kind(
        [
            "AWS::IAM::InstanceProfile",
            "InstanceProfileName",
            "instance profile",
            "iam",
            "instance-profile/",
            "profile",
        ],
        false,
    ),
    kind(["AWS::IAM::ManagedPolicy", "ManagedPolicyName", "managed policy", "iam", "policy/", ""], false),
    kind(["AWS::IAM::User", "UserName", "user", "iam", "user/", ""], false),
    kind(["AWS::IAM::Group", "GroupName", "group", "iam", "group/", ""], false),
    kind(["AWS::S3::Bucket", "BucketName", "bucket", "s3", "", "bucket"], false),
    kind(["AWS::SQS::Queue", "QueueName", "queue", "sqs", "", "queue"], false),
    kind(["AWS::SNS::Topic", "TopicName", "topic", "sns", "", "topic"], false),
    kind(["AWS::DynamoDB::Table", "TableName", "table", "dynamodb", "table/", "table"], false),
    kind(["AWS::Logs::LogGroup", "LogGroupName", "log group", "logs", "log-group:", "loggroup"], true),
    kind(["AWS::Lambda::Function", "FunctionName", "function", "lambda", "function:", "function"], false),
    kind(
        [
            "AWS::StepFunctions::StateMachine",
            "StateMachineName",
            "state machine",
            "states",
            "stateMachine:",
            "statemachine",
        ],
        false,
    ),
    kind(["AWS::Events::EventBus", "Name", "event bus", "events", "event-bus/", "eventbus"], false),
    kind(["AWS::Kinesis::Stream", "Name", "stream", "kinesis", "stream/", "stream"], false),
    kind(
        [
            "AWS::KinesisFirehose::DeliveryStream",
            "DeliveryStreamName",
            "delivery stream",
            "firehose",
            "deliverystream/",
            "stream",
        ],
        false,
    ),
    kind(["AWS::ECS::Cluster", "ClusterName", "cluster", "ecs", "cluster/", "cluster"], false),
    kind(["AWS::EKS::Cluster", "Name", "cluster", "eks", "cluster/", "cluster"], false),
    kind(["AWS::ECR::Repository", "RepositoryName", "repository", "ecr", "repository/", "repository"], true),
    kind(["AWS::SecretsManager::Secret", "Name", "secret", "secretsmanager", "secret:", "secret"], true),
    kind(["AWS::CodeBuild::Project", "Name", "project", "codebuild", "project/", "project"], false),
    // The name of an alias begins with `alias/`.
    kind(["AWS::KMS::Alias", "AliasName", "key alias", "kms", "", "key"], true),
];

impl NamedKind {
    /// Whether one name means the same in all regions.
    pub(crate) fn is_global(&self) -> bool {
        matches!(self.service, "iam" | "s3")
    }

    /// Whether one name means the same in all accounts.
    pub(crate) fn is_of_all_accounts(&self) -> bool {
        self.service == "s3"
    }

    /// The name in the last part of an ARN.
    fn name_in<'a>(&self, resource: &'a str) -> Option<&'a str> {
        let rest = resource.strip_prefix(self.prefix)?;
        let rest = rest.split(':').next()?;
        match self.service {
            // A path may stand before it.
            "iam" => rest.rsplit('/').next(),
            _ if self.slashes => Some(rest),
            _ => rest.split('/').next(),
        }
    }
}

/// A name of a kind, by its number.
pub(crate) type Name = (usize, String);

/// The kind with this number.
pub(crate) fn kind_of(name: &Name) -> &'static NamedKind {
    &KINDS[name.0]
}

/// The property that gives a resource its name, with the number of its kind.
pub(super) fn naming(resource_type: &str) -> Option<(usize, &'static str)> {
    let resource_type = match resource_type {
        "AWS::DynamoDB::GlobalTable" => "AWS::DynamoDB::Table",
        other => other,
    };
    let found = KINDS.iter().enumerate().find(|(_, kind)| kind.resource_type == resource_type);
    found.map(|(number, kind)| (number, kind.property))
}

/// The account and the region that a text gives for a name. `None` means that it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Said {
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
}

/// The physical names of one stack.
#[derive(Debug, Default)]
pub(crate) struct Physical {
    /// The names of its resources.
    pub(crate) made: Vec<Name>,
    /// The names of resources in its texts, and the first place of each.
    pub(crate) named: BTreeMap<(Name, Said), TemplatePlace>,
    /// The kinds of resource whose name a property holds, by the property.
    held_by: HashMap<String, Vec<usize>>,
}

impl Physical {
    /// Notes the names in a text; `path` is where it stands in its resource.
    pub(super) fn look(&mut self, text: &str, path: &str, place: impl Fn() -> TemplatePlace) {
        // ARNs and addresses have colons, and a name alone has none. Most texts are neither.
        let is_alone = !text.contains(':');
        if is_alone && !could_be_name(text) {
            return;
        }
        // A policy may name what does not exist yet, and functions name resources of the template.
        let Some(property) = property(path) else { return };
        if matches!(property, "Resource" | "NotResource" | "Ref" | "DependsOn") {
            return;
        }
        let found = if is_alone { self.alone(text, property) } else { in_arns_and_urls(text) };
        for it in found {
            self.named.entry(it).or_insert_with(&place);
        }
    }

    /// The kinds of resource that a text names which is all that a property holds.
    fn alone(&mut self, text: &str, property: &str) -> Vec<(Name, Said)> {
        let kinds = match self.held_by.get(property) {
            Some(kinds) => kinds,
            None => self.held_by.entry(property.to_owned()).or_insert_with(|| kinds_of(property)),
        };
        kinds.iter().map(|&kind| ((kind, text.to_owned()), Said::default())).collect()
    }
}

fn could_be_name(text: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&text.len()) && text.chars().all(is_in_name)
}

fn in_arns_and_urls(text: &str) -> Vec<(Name, Said)> {
    let mut found: Vec<(Name, Said)> = Vec::new();
    for (start, _) in text.match_indices("arn:") {
        found.extend(in_arn(&text[start..]));
    }
    found.extend(in_url(text));
    found
}

/// The name of the property that a path leads to: the last part before the first function. None where `Fn::GetAtt` is on
/// the way.
fn property(path: &str) -> Option<&str> {
    let (mut last, mut in_function) = ("", false);
    for part in path.split('.') {
        if part.starts_with("Fn::GetAtt") {
            return None;
        }
        in_function |= part.starts_with("Fn::");
        if !in_function {
            last = part;
        }
    }
    last.split('[').next()
}

fn kinds_of(property: &str) -> Vec<usize> {
    let letters = property.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
    let letters: String = letters.collect();
    let kinds = KINDS.iter().enumerate();
    kinds
        .filter(|(_, kind)| !kind.word.is_empty() && letters.contains(kind.word))
        .map(|(number, _)| number)
        .collect()
}

/// What the ARN at the start of a text names.
fn in_arn(text: &str) -> Vec<(Name, Said)> {
    let end = text.find(|c| !(is_in_name(c) || "*:$+=@".contains(c))).unwrap_or(text.len());
    let parts: Vec<&str> = text[..end].splitn(6, ':').collect();
    let ["arn", _, service, region, account, resource] = parts.as_slice() else { return Vec::new() };
    // Those of AWS itself.
    if *account == "aws" {
        return Vec::new();
    }
    let said = |part: &str| (!part.is_empty() && !part.contains(UNKNOWN)).then(|| part.to_owned());
    let kinds = KINDS.iter().enumerate().filter(|(_, kind)| kind.service == *service);
    let named = kinds.filter_map(|(number, kind)| {
        let name = kind.name_in(resource).filter(|name| is_whole(name))?;
        Some(((number, name.to_owned()), Said { account: said(account), region: said(region) }))
    });
    named.collect()
}

/// The queue that an address such as `https://sqs.us-east-1.amazonaws.com/111111111111/jobs` names.
fn in_url(text: &str) -> Option<(Name, Said)> {
    let (_, rest) = text.split_once("://sqs.")?;
    let mut parts = rest.split('/');
    let (host, account, name) = (parts.next()?, parts.next()?, parts.next()?);
    let known = |text: &str| Text::from_raw(text).known();
    let said = Said { account: known(account), region: host.split('.').next().and_then(known) };
    let kind = KINDS.iter().position(|kind| kind.service == "sqs")?;
    is_whole(name).then(|| ((kind, name.to_owned()), said))
}

fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_./-".contains(c) || c == UNKNOWN
}

fn is_whole(name: &str) -> bool {
    name.len() >= SHORTEST && !name.contains(|c| "*?$".contains(c) || c == UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Section;

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let mut physical = Physical::default();
        let place = || TemplatePlace {
            nested: Vec::new(),
            section: Section::Resources,
            logical_id: String::new(),
            path: String::new(),
            construct: None,
        };
        physical.look(&text.replace('…', &UNKNOWN.to_string()), path, place);
        let shown = physical.named.keys().map(|(name, said)| {
            let [account, region] = [&said.account, &said.region].map(|it| it.as_deref().unwrap_or("-"));
            format!("{} {} {account}/{region}", kind_of(name).noun, name.1)
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected, "{path}: {text}");
    }

    #[test]
    fn arns_name_what_they_are_of() {
        for (arn, expected) in [
            ("iam::111111111111:role/service-role/runner", "role runner 111111111111/-"),
            ("iam::…:role/runner", "role runner -/-"),
            ("s3:::shop-files/*", "bucket shop-files -/-"),
            ("sqs:eu-west-1:111111111111:jobs", "queue jobs 111111111111/eu-west-1"),
            ("sns:…:…:alarms", "topic alarms -/-"),
            ("dynamodb:eu-west-1:111111111111:table/orders/index/*", "table orders 111111111111/eu-west-1"),
            (
                "logs:eu-west-1:111111111111:log-group:/shop/api:*",
                "log group /shop/api 111111111111/eu-west-1",
            ),
            ("lambda:eu-west-1:111111111111:function:pay:live", "function pay 111111111111/eu-west-1"),
            ("kms:eu-west-1:111111111111:alias/shop", "key alias alias/shop 111111111111/eu-west-1"),
        ] {
            check("Properties.Value", &format!("arn:aws:{arn}"), &[expected]);
        }
        let two = "arn:aws:sns:::one-topic and arn:aws:sns:::two-topic, too";
        check("Properties.Text", two, &["topic one-topic -/-", "topic two-topic -/-"]);
    }

    #[test]
    fn what_is_of_aws_or_known_in_part_or_only_allowed_is_no_name() {
        for arn in
            ["iam::aws:policy/ReadOnlyAccess", "iam::1:role/…", "s3:::*", "s3:::…-files", "ec2:::vpc/x"]
        {
            check("Properties.Value", &format!("arn:aws:{arn}"), &[]);
        }
        check("Properties.PolicyDocument.Statement[0].Resource[1]", "arn:aws:s3:::shop-files", &[]);
        check("Properties.Role.Fn::GetAtt[0]", "Runner", &[]);
        check("Properties.Bucket.Ref", "Files", &[]);
    }

    #[test]
    fn an_address_of_a_queue_names_it() {
        let url = "https://sqs.eu-west-1.amazonaws.com/111111111111/jobs";
        check("Properties.Environment.Variables.URL", url, &["queue jobs 111111111111/eu-west-1"]);
    }

    #[test]
    fn a_property_that_says_so_holds_a_name() {
        check("Properties.Bucket", "shop-files", &["bucket shop-files -/-"]);
        check("Properties.Environment.Variables.ORDERS_TABLE", "orders", &["table orders -/-"]);
        check("Properties.Roles[0]", "runner", &["role runner -/-"]);
        check("Properties.Description", "runner", &[]);
        check("Properties.RoleDescription", "runs all jobs", &[]);
    }
}
