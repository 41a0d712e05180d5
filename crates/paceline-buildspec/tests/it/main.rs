//! Tests of the public interface: whole generated files, their scripts under bash, and the grammar.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails the test")]
#![expect(clippy::disallowed_methods, reason = "what a test starts it ends itself")]

mod batch;
mod cfn_lint;
mod construct;
mod fan_out;
mod generated;
mod grammar;
mod lint;
mod monitoring;
mod output;
mod pipeline;
mod project;
mod rights;
mod schema;
mod scripts;
mod shellcheck;
mod states;
mod understand;

use paceline_buildspec::project::Rights;
use paceline_buildspec::{Apps, GeneratedFile, Generation, MultiRegion, RunnerSource, StackNode, generate};
use paceline_config::{BuildTimeout, CodeBuild, MetricsTarget, Notifications, Privileged, SourceType, Vpc};

pub const SHA256: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

/// The multi-Region deployment with which most tests start.
pub fn workshop() -> Generation {
    Generation {
        name: "workshop".into(),
        out_dir: "buildspecs".into(),
        apps: Apps::One("cdk.out".into()),
        config: Some("paceline.yaml".into()),
        regions: vec!["us-east-1".into(), "us-west-2".into()],
        accounts: vec!["111122223333".into()],
        stacks: 14,
        stack_names: vec!["Services".into()],
        graph: vec![StackNode {
            id: "Services".into(),
            account: "111122223333".into(),
            region: "us-east-1".into(),
            images: 11,
            depends_on: Vec::new(),
        }],
        images: 11,
        metrics: MetricsTarget::Off,
        notifications: Notifications::default(),
        multi_region: Some(MultiRegion {
            variable: "ENABLE_MULTI_REGION".into(),
            primary: "us-east-1".into(),
        }),
        rollout: false,
        codebuild: CodeBuild {
            source: SourceType::Github,
            location: Some("https://github.com/example/workshop.git".into()),
            artifacts_bucket: Some("workshop-builds".into()),
            ..CodeBuild::default()
        },
        rights: Rights {
            roles: roles("111122223333", "us-east-1"),
            waits_for_roles: true,
            ..Rights::default()
        },
        runner: RunnerSource::S3 { uri: "s3://tools/paceline".into(), sha256: SHA256.into() },
        synth: None,
        lock_file: None,
        assemblies: vec!["cdk.out".into()],
        pipeline: None,
        fan_out: None,
    }
}

/// The roles that `cdk bootstrap` creates in an environment, and that its stacks refer to.
pub fn roles(account: &str, region: &str) -> Vec<String> {
    let role = |what| {
        format!("arn:${{AWS::Partition}}:iam::{account}:role/cdk-hnb659fds-{what}-role-{account}-{region}")
    };
    ["deploy", "file-publishing", "image-publishing", "lookup"].map(role).to_vec()
}

/// A small app that is synthesized in a VPC, with every option that the workshop does not have.
pub fn synthesized() -> Generation {
    Generation {
        name: "yes".into(),
        apps: Apps::One("my app/cdk.out".into()),
        config: None,
        regions: vec!["eu-central-1".into()],
        accounts: Vec::new(),
        stacks: 1,
        images: 0,
        metrics: MetricsTarget::Off,
        notifications: Notifications::default(),
        multi_region: None,
        codebuild: CodeBuild {
            image: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/build/cdk:22".parse().unwrap(),
            compute: "small".parse().unwrap(),
            timeout: BuildTimeout::from_minutes(30),
            cache: Some(vec!["s3://caches/npm".parse().unwrap()]),
            privileged: Privileged::Auto,
            vpc: Some(Vpc {
                id: "vpc-1".into(),
                subnets: vec!["subnet-1".into(), "subnet-2".into()],
                security_groups: vec!["sg-1".into()],
            }),
            tags: [("team".to_owned(), "on".to_owned()), ("since".to_owned(), "2024-01-01".to_owned())]
                .into(),
            ..CodeBuild::default()
        },
        rights: Rights { roles: roles("${AWS::AccountId}", "eu-central-1"), ..Rights::default() },
        runner: RunnerSource::Https {
            url: "https://example.com/paceline.tar.gz".into(),
            sha256: SHA256.into(),
        },
        synth: Some("npm ci\nnpx cdk synth --output 'my app/cdk.out'".into()),
        lock_file: Some("my app/package-lock.json".into()),
        assemblies: vec!["my app/cdk.out".into()],
        ..workshop()
    }
}

pub fn installed() -> Generation {
    let service_role = Some("arn:aws:iam::111122223333:role/builds".to_owned());
    let codebuild = CodeBuild { service_role, ..CodeBuild::default() };
    let runner = RunnerSource::Installed { version: "0.1.0".into() };
    Generation { name: "bare".into(), images: 0, codebuild, runner, ..workshop() }
}

/// An app that is synthesized, and whose lock file pins the runner, too.
pub fn from_npm() -> Generation {
    let codebuild =
        CodeBuild { cache: Some(vec!["s3://caches/npm".parse().unwrap()]), ..workshop().codebuild };
    Generation {
        name: "pinned".into(),
        images: 0,
        codebuild,
        runner: RunnerSource::Npm {
            dir: "infra".into(),
            install: "(cd infra && npm ci)".into(),
            lock: Some("infra/package-lock.json".into()),
            is_pinned: true,
        },
        synth: Some("(cd infra && npx cdk synth)".into()),
        lock_file: Some("infra/package-lock.json".into()),
        ..workshop()
    }
}

#[track_caller]
pub fn files(generation: &Generation) -> Vec<GeneratedFile> {
    generate(generation).unwrap_or_else(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        panic!("{error}\n{}", source.unwrap_or_default())
    })
}

#[track_caller]
pub fn file(generation: &Generation, suffix: &str) -> String {
    let path = format!("{}{suffix}", generation.name);
    files(generation).into_iter().find(|file| file.path == path).unwrap().contents
}

/// The path of an external program: what the variable says, or the program on the PATH. `None` if it is not there.
pub fn tool(name: &str, variable: &str) -> Option<std::path::PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Snapshots must not change with the version of the crate.
pub fn snapshot(name: &str, contents: &str) {
    let contents = contents.replace(concat!("paceline ", env!("CARGO_PKG_VERSION")), "paceline [VERSION]");
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, contents);
    });
}
