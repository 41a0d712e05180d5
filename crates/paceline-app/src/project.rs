//! `paceline project`: compares the generated CodeBuild project with the live one, creates or updates it, starts builds.

use std::time::Duration;

use clap::Subcommand;
use paceline_aws::{Applied, BuildRequest, Difference, PreflightError, Projects};
use paceline_buildspec::generate;
use paceline_buildspec::project::Project;
use paceline_engine::ExitCode;
use paceline_text::{Nullable, document_schema, documented, json_document};
use serde_json::Value;

use crate::app::configured;
use crate::build::follow;
use crate::failure::Failure;
use crate::generation::{Extras, generation, refused};
use crate::settings::{Format, GeneratedFiles, StartSettings};
use crate::{interrupt, terminal};

/// The version of both documents. New fields do not raise it.
const SCHEMA: u32 = 1;

/// The subcommands of `paceline project`.
#[derive(Debug, Clone, Subcommand)]
pub enum ProjectCommand {
    /// Show every field in which the live project differs, and exit with 5 if there is one
    Diff {
        #[command(flatten)]
        generated: GeneratedFiles,
        /// The output format
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Create or update the live project
    Apply {
        #[command(flatten)]
        generated: GeneratedFiles,
        /// The role of the builds, if the configuration names none
        #[arg(long, value_name = "ARN")]
        service_role: Option<String>,
        /// The output format
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Start a build, show its phases and its log, and exit with its result
    Start(Box<StartSettings>),
}

/// Compares the project, writes it, or starts a build of it.
pub fn project(command: &ProjectCommand) -> Result<ExitCode, Failure> {
    match command {
        ProjectCommand::Diff { generated, format } => {
            let (wanted, region) = wanted(generated)?;
            interrupt::until_stopped("projects were being compared", diff(&wanted, &region, *format))?
        }
        ProjectCommand::Apply { generated, service_role, format } => {
            let (wanted, region) = wanted(generated)?;
            let applied = apply(&wanted, service_role.as_deref(), &region, *format);
            interrupt::until_stopped("the project was being written", applied)?
        }
        ProjectCommand::Start(args) => start(args),
    }
}

/// The generated project, and the region to use if the environment names none.
fn wanted(generated: &GeneratedFiles) -> Result<(Project, String), Failure> {
    let app = configured(&generated.app)?.app(&generated.app)?;
    let plan = app.plan(&app.options_for_all_regions())?;
    let generation = generation(&app, &plan, &generated.out, generated.name.as_deref(), Extras::default())?;
    let wanted = generate::project(&generation).map_err(|error| refused(&app, error))?;
    let region = generation.regions.into_iter().next();
    Ok((wanted, region.unwrap_or_else(|| "us-east-1".to_owned())))
}

/// What to do about a project that is not as generated.
const APPLY: &str = "run: paceline project apply";

documented! {
    /// How the live project differs from the generated one. A newer version may add fields.
    struct ProjectDiffDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// The name of the project.
        project: &'a str,
        /// Whether there is a live project of this name.
        exists: bool,
        /// Every field that differs. Empty if there is no live project.
        differences: Vec<FieldDocument<'a>>,
    }

    /// A field that differs.
    struct FieldDocument<'a> {
        /// Its path, such as environment.computeType.
        field: &'a str,
        /// The live value, as JSON in a text; null if it is not set.
        live: Nullable<&'a str>,
        /// The generated value, as JSON in a text; null if it is not set.
        wanted: Nullable<&'a str>,
    }
}

documented! {
    /// What `paceline project apply` did. A newer version may add fields.
    struct AppliedDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// The name of the project.
        project: &'a str,
        /// created, updated or unchanged.
        result: &'static str,
    }
}

/// The JSON Schema of what `paceline project diff` prints.
pub fn diff_schema() -> Value {
    document_schema::<ProjectDiffDocument<'_>>("Differences of a live CodeBuild project", SCHEMA)
}

/// The JSON Schema of what `paceline project apply` prints.
pub fn apply_schema() -> Value {
    document_schema::<AppliedDocument<'_>>("What paceline project apply did", SCHEMA)
}

impl<'a> ProjectDiffDocument<'a> {
    fn of(project: &'a str, found: Option<&'a [Difference]>) -> Self {
        let field = |it: &'a Difference| FieldDocument {
            field: &it.field,
            live: Nullable(it.live.as_deref()),
            wanted: Nullable(it.wanted.as_deref()),
        };
        let differences = found.into_iter().flatten().map(field).collect();
        Self { schema: SCHEMA, project, exists: found.is_some(), differences }
    }

    fn text(&self) -> String {
        let shown = |value: Nullable<&str>| value.0.unwrap_or("not set").to_owned();
        let line =
            |it: &FieldDocument<'_>| format!("{}: {} -> {}\n", it.field, shown(it.live), shown(it.wanted));
        self.differences.iter().map(line).collect()
    }
}

async fn diff(wanted: &Project, region: &str, format: Format) -> Result<ExitCode, Failure> {
    let projects = Projects::connect(&terminal::wire(), region).await.map_err(PreflightError::from)?;
    let name = &wanted.name;
    let found = projects.diff(wanted).await.map_err(PreflightError::from)?;
    let document = ProjectDiffDocument::of(name, found.as_deref());
    format.print(|| Ok(document.text()), || Ok(json_document(&document)))?;
    match found.as_deref() {
        None => terminal::say_with_hint(&format!("the project {name} is not there"), APPLY),
        Some([]) => {
            terminal::say(&format!("the project {name} is as generated"));
            return Ok(ExitCode::Done);
        }
        Some(differences) => {
            let fields = differences.len();
            terminal::say_with_hint(&format!("the project {name} differs in {fields} fields"), APPLY);
        }
    }
    Ok(ExitCode::Stale)
}

async fn apply(
    wanted: &Project,
    service_role: Option<&str>,
    region: &str,
    format: Format,
) -> Result<ExitCode, Failure> {
    let projects = Projects::connect(&terminal::wire(), region).await.map_err(PreflightError::from)?;
    let applied = Box::pin(projects.apply(wanted, service_role)).await.map_err(PreflightError::from)?;
    let name = &wanted.name;
    let (result, sentence) = match applied {
        Applied::Created => ("created", format!("created the project {name}")),
        Applied::Updated => ("updated", format!("updated the project {name}")),
        Applied::Unchanged => ("unchanged", format!("the project {name} is as generated")),
    };
    terminal::say(&sentence);
    if format == Format::Json {
        terminal::data(&json_document(&AppliedDocument { schema: SCHEMA, project: name, result }));
    }
    Ok(ExitCode::Done)
}

fn start(args: &StartSettings) -> Result<ExitCode, Failure> {
    let (name, region) = match (wanted(&args.generated), &args.generated.name) {
        (Ok((project, region)), _) => (project.name, region),
        // With the name of the project, no app is needed.
        (Err(_), Some(name)) => (name.clone(), "us-east-1".to_owned()),
        (Err(failure), None) => return Err(failure),
    };
    let minutes = |timeout: Duration| u32::try_from(timeout.as_secs().div_ceil(60)).unwrap_or(u32::MAX);
    let request = BuildRequest {
        project: name,
        environment: args.env.clone(),
        source_version: args.source_version.clone(),
        image: args.image.as_ref().map(ToString::to_string),
        compute: args.compute.map(|compute| compute.api_name().to_owned()),
        timeout_minutes: args.timeout.map(minutes),
        token: args.idempotency_token.clone(),
    };
    follow(&request, &region, args.stop_on_interrupt, args.format)
}
