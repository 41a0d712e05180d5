//! Creates and updates the CodeBuild project, and compares it with the existing one.

use aws_sdk_codebuild::Client;
use aws_sdk_codebuild::error::BuildError;
use aws_sdk_codebuild::types;
use paceline_buildspec::project::Project;
use serde::Serialize;
use serde_json::{Value, json};

use crate::call::Caller;
use crate::error::{AwsError, code};
use crate::sdk::Wire;
use crate::session::Sessions;

/// Reads and writes CodeBuild projects with the credentials of the environment.
#[derive(Debug)]
pub struct Projects {
    client: Client,
    caller: Caller,
}

/// A field of a project that differs from the wanted value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its path, such as `environment.computeType`.
    pub field: String,
    /// The present value as JSON. `None` if it is not set.
    pub live: Option<String>,
    /// The wanted value as JSON.
    pub wanted: Option<String>,
}

/// The result of applying a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The project did not exist.
    Created,
    /// The project existed, but was different.
    Updated,
    /// The project was as wanted.
    Unchanged,
}

impl Projects {
    /// `region` is used if neither the environment nor the profile names one.
    pub async fn connect(wire: &Wire, region: &str) -> Result<Self, AwsError> {
        let sessions = Sessions::open(wire, region).await?;
        let caller = sessions.caller(&sessions.here());
        Ok(Self { client: Client::new(sessions.base()), caller })
    }

    /// The differences between the live project and the wanted one, field by field. `None` if there is no
    /// such project.
    pub async fn diff(&self, wanted: &Project) -> Result<Option<Vec<Difference>>, AwsError> {
        let live = self.get(&wanted.name).await?;
        Ok(live.map(|live| differences(&wanted_fields(wanted), &live_fields(&live))))
    }

    /// Makes the live project equal to the wanted one. `service_role` is for a project that names none.
    /// CodeBuild requires a role for a new project. An update without a role keeps the live one.
    pub async fn apply(&self, wanted: &Project, service_role: Option<&str>) -> Result<Applied, AwsError> {
        let live = self.get(&wanted.name).await?;
        let role = wanted.service_role.as_deref().or(service_role);
        let Some(live) = live else {
            let Some(role) = role else {
                let message =
                    format!("the project {} is not there yet and names no service role", wanted.name);
                return Err(AwsError::setup(message).hint(
                    "give the role of its builds with --service-role, or deploy the generated CloudFormation template, which makes one",
                ));
            };
            return match self.create(wanted, role).await {
                // The answer to the first try was lost, or somebody else has created the project.
                Err(error) if error.is(code::RESOURCE_ALREADY_EXISTS) => {
                    let live = self.get(&wanted.name).await?.ok_or(error)?;
                    self.update(wanted, Some(role), &live).await.map(|()| Applied::Created)
                }
                created => created.map(|()| Applied::Created),
            };
        };
        let changed_role = role.is_some_and(|role| live.service_role() != Some(role));
        if !changed_role && differences(&wanted_fields(wanted), &live_fields(&live)).is_empty() {
            return Ok(Applied::Unchanged);
        }
        self.update(wanted, role, &live).await?;
        Ok(Applied::Updated)
    }

    async fn get(&self, name: &str) -> Result<Option<types::Project>, AwsError> {
        let send = || self.client.batch_get_projects().names(name).send();
        let answer = self.caller.at_first().call("BatchGetProjects", send).await?;
        Ok(answer.projects().first().cloned())
    }

    async fn create(&self, project: &Project, role: &str) -> Result<(), AwsError> {
        let parts = Parts::of(project)?;
        let call = self.client.create_project().name(&project.name).description(&project.description);
        let call = call.service_role(role).source(parts.source).artifacts(parts.artifacts);
        let call = call.cache(parts.cache).environment(parts.environment).logs_config(parts.logs);
        let call = call.timeout_in_minutes(parts.timeout).queued_timeout_in_minutes(parts.queued_timeout);
        let call = call.set_tags(Some(parts.tags)).set_vpc_config(parts.vpc);
        let call = call.set_build_batch_config(parts.batch).set_auto_retry_limit(parts.retries);
        self.caller.call("CreateProject", || call.clone().send()).await.map(drop)
    }

    async fn update(
        &self,
        project: &Project,
        role: Option<&str>,
        live: &types::Project,
    ) -> Result<(), AwsError> {
        let mut parts = Parts::of(project)?;
        // The template creates the role for batches, and the settings do not name it. So the live role is
        // kept.
        if let Some(batch) = parts.batch.as_mut().filter(|batch| batch.service_role.is_none()) {
            let live = live.build_batch_config();
            batch.service_role = live.and_then(|live| live.service_role()).map(str::to_owned);
        }
        // An update keeps settings that it leaves out. An empty network configuration removes the project
        // from its network.
        let vpc = parts.vpc.unwrap_or_else(|| types::VpcConfig::builder().build());
        let call = self.client.update_project().name(&project.name).description(&project.description);
        let call = call.set_service_role(role.map(str::to_owned));
        let call = call.source(parts.source).artifacts(parts.artifacts);
        let call = call.cache(parts.cache).environment(parts.environment).logs_config(parts.logs);
        let call = call.timeout_in_minutes(parts.timeout).queued_timeout_in_minutes(parts.queued_timeout);
        let call = call.set_tags(Some(parts.tags)).vpc_config(vpc);
        let call = call.set_build_batch_config(parts.batch).set_auto_retry_limit(parts.retries);
        self.caller.call("UpdateProject", || call.clone().send()).await.map(drop)
    }
}

/// A project as values of the SDK.
struct Parts {
    source: types::ProjectSource,
    artifacts: types::ProjectArtifacts,
    cache: types::ProjectCache,
    environment: types::ProjectEnvironment,
    logs: types::LogsConfig,
    vpc: Option<types::VpcConfig>,
    batch: Option<types::ProjectBuildBatchConfig>,
    tags: Vec<types::Tag>,
    timeout: i32,
    queued_timeout: i32,
    retries: Option<i32>,
}

impl Parts {
    fn of(project: &Project) -> Result<Self, AwsError> {
        let incomplete = |error| AwsError::setup(format!("the project's settings are incomplete: {error}"));
        let source = types::ProjectSource::builder()
            .r#type(types::SourceType::from(&*word(&project.source.kind)))
            .set_location(project.source.location.clone())
            .set_git_clone_depth(project.source.git_clone_depth.map(number))
            .buildspec(&project.source.buildspec);
        let artifacts = types::ProjectArtifacts::builder()
            .r#type(types::ArtifactsType::from(&*word(&project.artifacts.kind)))
            .set_location(project.artifacts.location.clone())
            .set_namespace_type(project.artifacts.namespace_type.as_deref().map(Into::into))
            .set_name(project.artifacts.name.clone())
            .set_packaging(project.artifacts.packaging.as_deref().map(Into::into));
        let modes = project.cache.modes.iter().map(|mode| types::CacheMode::from(&*word(mode)));
        let cache = types::ProjectCache::builder()
            .r#type(types::CacheType::from(&*word(&project.cache.kind)))
            .set_location(project.cache.location.clone())
            .set_modes((!project.cache.modes.is_empty()).then(|| modes.collect()));
        let environment = types::ProjectEnvironment::builder()
            .r#type(types::EnvironmentType::from(&*word(&project.environment.kind)))
            .image(word(&project.environment.image))
            .host_kernel(types::HostKernel::from(&*word(&project.environment.host_kernel)))
            .compute_type(types::ComputeType::from(&*word(&project.environment.compute_type)))
            .privileged_mode(project.environment.privileged_mode)
            .image_pull_credentials_type((&*word(&project.environment.image_pull_credentials_type)).into())
            .set_docker_server(docker_server(project).map_err(incomplete)?);
        let variables: Result<Vec<_>, _> = project
            .environment
            .environment_variables
            .iter()
            .map(|variable| {
                let builder =
                    types::EnvironmentVariable::builder().name(&variable.name).value(&variable.value);
                builder.r#type((&*word(&variable.kind)).into()).build()
            })
            .collect();
        let environment = environment.set_environment_variables(Some(variables.map_err(incomplete)?));
        let watch = &project.logs_config.cloud_watch_logs;
        let watch = types::CloudWatchLogsConfig::builder()
            .status((&*watch.status).into())
            .group_name(&watch.group_name)
            .build()
            .map_err(incomplete)?;
        let vpc = project.vpc_config.as_ref().map(|vpc| {
            types::VpcConfig::builder()
                .vpc_id(&vpc.vpc_id)
                .set_subnets(Some(vpc.subnets.clone()))
                .set_security_group_ids(Some(vpc.security_group_ids.clone()))
                .build()
        });
        let tags = project.tags.iter();
        Ok(Self {
            source: source.build().map_err(incomplete)?,
            artifacts: artifacts.build().map_err(incomplete)?,
            cache: cache.build().map_err(incomplete)?,
            environment: environment.build().map_err(incomplete)?,
            logs: types::LogsConfig::builder().cloud_watch_logs(watch).build(),
            vpc,
            batch: project.build_batch_config.as_ref().map(|batch| {
                types::ProjectBuildBatchConfig::builder()
                    .set_service_role(batch.service_role.clone())
                    .timeout_in_mins(number(batch.timeout_in_mins))
                    .build()
            }),
            tags: tags.map(|tag| types::Tag::builder().key(&tag.key).value(&tag.value).build()).collect(),
            timeout: number(project.timeout_in_minutes),
            queued_timeout: number(project.queued_timeout_in_minutes),
            retries: project.auto_retry_limit.map(number),
        })
    }
}

fn docker_server(project: &Project) -> Result<Option<types::DockerServer>, BuildError> {
    let Some(server) = &project.environment.docker_server else { return Ok(None) };
    let groups = &server.security_group_ids;
    let builder = types::DockerServer::builder()
        .compute_type(types::ComputeType::from(&*word(&server.compute_type)))
        .set_security_group_ids((!groups.is_empty()).then(|| groups.clone()));
    builder.build().map(Some)
}

/// The word that the API uses for a value of the model.
fn word(value: &impl Serialize) -> String {
    match json!(value) {
        Value::String(word) => word,
        other => other.to_string(),
    }
}

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn wanted_fields(project: &Project) -> Value {
    let mut fields = json!(project);
    // If the project has no network, the field is null and is compared. CodeBuild must not choose a network.
    fields["vpcConfig"] = json!(project.vpc_config);
    fields
}

/// The fields of the live project that the model has, in the shape of the model.
fn live_fields(project: &types::Project) -> Value {
    let source = project.source();
    let artifacts = project.artifacts();
    let cache = project.cache();
    let environment = project.environment();
    let watch = project.logs_config().and_then(|logs| logs.cloud_watch_logs());
    let variables = environment
        .map(aws_sdk_codebuild::types::ProjectEnvironment::environment_variables)
        .unwrap_or_default();
    let variables = variables.iter().map(|variable| {
        let kind = variable.r#type().map_or("PLAINTEXT", |kind| kind.as_str());
        json!({ "name": variable.name(), "value": variable.value(), "type": kind })
    });
    json!({
        "name": project.name(),
        "description": project.description(),
        "serviceRole": project.service_role(),
        "source": source.map(|source| json!({
            "type": source.r#type().as_str(),
            "location": source.location(),
            "gitCloneDepth": source.git_clone_depth(),
            "buildspec": source.buildspec(),
        })),
        "artifacts": artifacts.map(|artifacts| json!({
            "type": artifacts.r#type().as_str(),
            "location": artifacts.location(),
            "namespaceType": artifacts.namespace_type().map(aws_sdk_codebuild::types::ArtifactNamespace::as_str),
            "name": artifacts.name(),
            "packaging": artifacts.packaging().map(aws_sdk_codebuild::types::ArtifactPackaging::as_str),
        })),
        "cache": cache.map(|cache| json!({
            "type": cache.r#type().as_str(),
            "location": cache.location(),
            "modes": cache.modes().iter().map(aws_sdk_codebuild::types::CacheMode::as_str).collect::<Vec<_>>(),
        })),
        "environment": environment.map(|environment| json!({
            "type": environment.r#type().as_str(),
            "image": environment.image(),
            "hostKernel": environment.host_kernel().map(aws_sdk_codebuild::types::HostKernel::as_str),
            "computeType": environment.compute_type().as_str(),
            "environmentVariables": variables.collect::<Vec<_>>(),
            "privilegedMode": environment.privileged_mode(),
            "dockerServer": environment.docker_server().map(|server| json!({
                "computeType": server.compute_type().as_str(),
                "securityGroupIds": server.security_group_ids(),
            })),
            "imagePullCredentialsType": environment.image_pull_credentials_type().map(aws_sdk_codebuild::types::ImagePullCredentialsType::as_str),
        })),
        "timeoutInMinutes": project.timeout_in_minutes(),
        "queuedTimeoutInMinutes": project.queued_timeout_in_minutes(),
        "autoRetryLimit": project.auto_retry_limit(),
        "tags": project.tags().iter().map(|tag| json!({ "key": tag.key(), "value": tag.value() })).collect::<Vec<_>>(),
        "vpcConfig": project.vpc_config().filter(|vpc| vpc.vpc_id().is_some()).map(|vpc| json!({
            "vpcId": vpc.vpc_id(),
            "subnets": vpc.subnets(),
            "securityGroupIds": vpc.security_group_ids(),
        })),
        "buildBatchConfig": project.build_batch_config().map(|batch| json!({
            "serviceRole": batch.service_role(),
            "timeoutInMins": batch.timeout_in_mins(),
        })),
        "logsConfig": watch.map(|watch| json!({
            "cloudWatchLogs": { "status": watch.status().as_str(), "groupName": watch.group_name() },
        })),
    })
}

/// Compares field by field. CodeBuild may choose the fields that the wanted project leaves out.
fn differences(wanted: &Value, live: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", wanted, live, &mut found);
    found
}

fn compare(path: &str, wanted: &Value, live: &Value, found: &mut Vec<Difference>) {
    if let Value::Object(wanted) = wanted {
        for (key, wanted) in wanted {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            compare(&path, wanted, &live[key], found);
        }
        return;
    }
    let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if wanted != live && !(is_empty(wanted) && is_empty(live)) {
        let shown = |value: &Value| (!is_empty(value)).then(|| value.to_string());
        found.push(Difference { field: path.to_owned(), live: shown(live), wanted: shown(wanted) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wanted_fields_are_compared() {
        let wanted = json!({ "a": 1, "b": { "c": "x", "d": [] } });
        let live = json!({ "a": 2, "b": { "c": "x", "e": 5 }, "f": 1 });
        let expected =
            Difference { field: "a".to_owned(), live: Some("2".to_owned()), wanted: Some("1".to_owned()) };
        assert_eq!(differences(&wanted, &live), [expected]);
    }
}
