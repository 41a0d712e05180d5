//! Writes large assemblies: any number of stacks in a few regions, with twenty resources each.
//!
//! They resemble real ones. Every stack has references between its resources and an asset manifest. It depends on up to
//! three earlier stacks: by an import, by a parameter, or by the manifest. The same number of stacks gives the same bytes.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use fs_err as fs;

/// How many resources a stack has.
pub(crate) const RESOURCES: usize = 20;

const ACCOUNT: &str = "111111111111";
const REGIONS: [&str; 4] = ["us-east-1", "eu-central-1", "eu-west-1", "us-west-2"];
/// The number of sets of six resources in a stack. A function and a parameter complete the stack.
const SETS: usize = 3;

/// What an assembly is like.
pub(crate) struct Layout {
    pub(crate) stacks: usize,
    /// The number of regions, which get the stacks in turn: 1, 2 or 4.
    pub(crate) regions: usize,
    /// The most stacks that read a parameter of another one.
    pub(crate) readers: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self { stacks: 0, regions: 2, readers: usize::MAX }
    }
}

/// Writes an assembly.
pub(crate) fn write(folder: &Path, layout: &Layout) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut artifacts = Vec::with_capacity(layout.stacks * 2);
    for number in 0..layout.stacks {
        let name = name(number);
        fs::write(folder.join(format!("{name}.template.json")), layout.template(number))?;
        fs::write(folder.join(format!("{name}.assets.json")), layout.assets(number))?;
        artifacts.push(asset_artifact(number));
        artifacts.push(layout.stack_artifact(number));
    }
    let artifacts = artifacts.join(",\n");
    let manifest = format!("{{\"version\":\"36.0.0\",\"artifacts\":{{\n{artifacts}\n}}}}\n");
    fs::write(folder.join("manifest.json"), manifest)
}

fn name(number: usize) -> String {
    format!("Service{number:04}")
}

impl Layout {
    fn region(&self, number: usize) -> &'static str {
        REGIONS[number % self.regions]
    }

    /// The stack that this one imports from. It is in the same region, and low numbers have the most importers.
    fn imports_from(&self, number: usize) -> Option<usize> {
        let regions = self.regions;
        let other = number / (2 * regions) * regions + number % regions;
        (number >= 2 * regions && other < number).then_some(other)
    }

    /// The stack whose parameter this one reads. It is in the same region.
    fn reads_from(&self, number: usize) -> Option<usize> {
        let reads = number.is_multiple_of(3) && number >= 20 && (number - 20) / 3 < self.readers;
        reads.then(|| number - 20)
    }

    fn stack_artifact(&self, number: usize) -> String {
        let (name, region) = (name(number), self.region(number));
        let mut depends = vec![format!("\"{name}.assets\"")];
        let before = [self.imports_from(number), follows(number)];
        depends.extend(before.into_iter().flatten().map(|other| format!("\"{}\"", self::name(other))));
        format!(
            "\"{name}\":{{\"type\":\"aws:cloudformation:stack\",\"environment\":\"aws://{ACCOUNT}/{region}\",\
             \"properties\":{{\"templateFile\":\"{name}.template.json\",\
             \"stackTemplateAssetObjectUrl\":\"s3://cdk-hnb659fds-assets-{ACCOUNT}-{region}/{}.json\"}},\
             \"dependencies\":[{}],\"displayName\":\"{name}\"}}",
            digest(number),
            depends.join(",")
        )
    }

    fn assets(&self, number: usize) -> String {
        let (name, region, digest) = (name(number), self.region(number), digest(number));
        format!(
            "{{\"version\":\"36.0.0\",\"files\":{{\"{digest}\":{{\"displayName\":\"{name} Template\",\
             \"source\":{{\"path\":\"{name}.template.json\",\"packaging\":\"file\"}},\
             \"destinations\":{{\"current\":{{\"bucketName\":\"cdk-hnb659fds-assets-{ACCOUNT}-{region}\",\
             \"objectKey\":\"{digest}.json\",\"region\":\"{region}\"}}}}}}}},\"dockerImages\":{{}}}}"
        )
    }

    fn template(&self, number: usize) -> String {
        let name = name(number);
        let mut resources = Vec::with_capacity(RESOURCES);
        for set in 0..SETS {
            resources.extend(set_of(set));
        }
        let mut variables = String::from("\"LEVEL\":\"info\"");
        if let Some(other) = self.imports_from(number) {
            let other = self::name(other);
            let _ = write!(variables, ",\"TABLE\":{{\"Fn::ImportValue\":\"{other}:TableName\"}}");
        }
        if let Some(other) = self.reads_from(number) {
            let other = self::name(other);
            let _ = write!(variables, ",\"QUEUE\":\"{{{{resolve:ssm:/services/{other}/queue}}}}\"");
        }
        resources.push(format!(
            "\"Worker\":{{\"Type\":\"AWS::Lambda::Function\",\"Properties\":{{\"Runtime\":\"nodejs22.x\",\
             \"Handler\":\"index.handler\",\"Code\":{{\"ZipFile\":\"exports.handler = async () => {{}};\"}},\
             \"Role\":{{\"Fn::GetAtt\":[\"Role0\",\"Arn\"]}},\"Environment\":{{\"Variables\":{{{variables}}}}}}},\
             \"Metadata\":{{\"aws:cdk:path\":\"{name}/Worker/Resource\"}}}}"
        ));
        resources.push(format!(
            "\"Parameter\":{{\"Type\":\"AWS::SSM::Parameter\",\"Properties\":{{\"Type\":\"String\",\
             \"Name\":\"/services/{name}/queue\",\"Value\":{{\"Ref\":\"Queue0\"}}}}}}"
        ));
        let outputs = format!(
            "\"ExportsOutput\":{{\"Value\":{{\"Ref\":\"Table0\"}},\"Export\":{{\"Name\":\"{name}:TableName\"}}}}"
        );
        format!("{{\"Resources\":{{{}}},\"Outputs\":{{{outputs}}}}}", resources.join(","))
    }
}

/// The stack that this one depends on by the manifest only.
fn follows(number: usize) -> Option<usize> {
    (number % 10 == 9).then(|| number - 8)
}

fn asset_artifact(number: usize) -> String {
    let name = name(number);
    format!(
        "\"{name}.assets\":{{\"type\":\"cdk:asset-manifest\",\"properties\":{{\"file\":\"{name}.assets.json\"}}}}"
    )
}

/// A text in the form of a digest. It is the digest of nothing, since plans do not check it.
fn digest(number: usize) -> String {
    format!("{number:064x}")
}

/// One set of six resources that refer to each other.
fn set_of(set: usize) -> Vec<String> {
    let service = "{\"Statement\":[{\"Action\":\"sts:AssumeRole\",\"Effect\":\"Allow\",\
                   \"Principal\":{\"Service\":\"lambda.amazonaws.com\"}}],\"Version\":\"2012-10-17\"}";
    vec![
        format!(
            "\"Role{set}\":{{\"Type\":\"AWS::IAM::Role\",\"Properties\":{{\"AssumeRolePolicyDocument\":{service}}}}}"
        ),
        format!(
            "\"Policy{set}\":{{\"Type\":\"AWS::IAM::Policy\",\"Properties\":{{\"PolicyName\":\"Policy{set}\",\
             \"PolicyDocument\":{{\"Statement\":[{{\"Action\":[\"dynamodb:GetItem\",\"dynamodb:PutItem\"],\
             \"Effect\":\"Allow\",\"Resource\":{{\"Fn::GetAtt\":[\"Table{set}\",\"Arn\"]}}}}],\
             \"Version\":\"2012-10-17\"}},\"Roles\":[{{\"Ref\":\"Role{set}\"}}]}}}}"
        ),
        format!(
            "\"Table{set}\":{{\"Type\":\"AWS::DynamoDB::Table\",\"Properties\":{{\"BillingMode\":\"PAY_PER_REQUEST\",\
             \"AttributeDefinitions\":[{{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}}],\
             \"KeySchema\":[{{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}}]}},\"DeletionPolicy\":\"Retain\"}}"
        ),
        format!(
            "\"Queue{set}\":{{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{{\"VisibilityTimeout\":300,\
             \"RedrivePolicy\":{{\"maxReceiveCount\":3,\
             \"deadLetterTargetArn\":{{\"Fn::GetAtt\":[\"DeadLetters{set}\",\"Arn\"]}}}}}}}}"
        ),
        format!(
            "\"DeadLetters{set}\":{{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{{\"MessageRetentionPeriod\":1209600}}}}"
        ),
        format!(
            "\"Alarm{set}\":{{\"Type\":\"AWS::CloudWatch::Alarm\",\"Properties\":{{\"Namespace\":\"AWS/SQS\",\
             \"MetricName\":\"ApproximateNumberOfMessagesVisible\",\"Statistic\":\"Maximum\",\"Period\":300,\
             \"EvaluationPeriods\":1,\"Threshold\":1,\"ComparisonOperator\":\"GreaterThanOrEqualToThreshold\",\
             \"Dimensions\":[{{\"Name\":\"QueueName\",\
             \"Value\":{{\"Fn::GetAtt\":[\"DeadLetters{set}\",\"QueueName\"]}}}}]}}}}"
        ),
    ]
}
