//! The checks that need no AWS.

use camino::{Utf8Path, Utf8PathBuf};
use paceline_aws::template_limits;
use paceline_buildspec::generate::{gaps, generate};
use paceline_config::{SettingPlace, WrittenSecret, written_secrets};
use paceline_host::{free_space, source_problems, unpublishable};
use paceline_plan::{Plan, Warning};
use paceline_text::{Explained, Problem, duration};

use super::finding::{Check, Finding, Severity};
use crate::app::{App, late, parameters};
use crate::failure::Failure;
use crate::forecast;
use crate::generation::{Extras, generation, refused};

/// The room below which a build of images probably fails, and below which reports and archives do.
const ROOM_FOR_IMAGES: u64 = 10 << 30;
const ROOM: u64 = 1 << 30;

/// What every deployment of the app refuses: errors that its constructs report, and values that its templates do not
/// allow.
pub(super) fn app(app: &App, plan: &Plan) -> Vec<Finding> {
    let reported = late::ensure_deployable(app, plan).err().map(|error| error.problems());
    let values = parameters::ensure_allowed(app, plan).err().map(Failure::into_problems);
    let problems = reported.into_iter().chain(values).flatten();
    problems.map(|it| Finding::new(Severity::Error, Check::App, it)).collect()
}

/// CloudFormation's limits on templates.
pub(super) fn templates(app: &App, plan: &Plan) -> Vec<Finding> {
    let errors = template_limits(&app.assembly, plan);
    errors
        .iter()
        .flat_map(Explained::problems)
        .map(|it| Finding::new(Severity::Error, Check::Templates, it))
        .collect()
}

/// The sources of assets. Whether an asset without one is published already is known only in AWS.
pub(super) fn assets(app: &App, plan: &Plan) -> Vec<Finding> {
    let problems = source_problems(&unpublishable(&app.assembly, plan));
    problems.into_iter().map(|it| Finding::new(Severity::Warning, Check::Assets, it)).collect()
}

/// The room on the disks that a run writes to.
pub(super) fn disk(plan: &Plan) -> Vec<Finding> {
    let needed = if plan.images() > 0 { ROOM_FOR_IMAGES } else { ROOM };
    let temporary = Utf8PathBuf::from_path_buf(std::env::temp_dir()).ok();
    let mut found: Vec<Finding> = Vec::new();
    for folder in [Some(Utf8PathBuf::from(".")), temporary].into_iter().flatten() {
        let Some(free) = free_space(&folder).filter(|free| *free < needed) else { continue };
        let mb = |bytes: u64| bytes >> 20;
        found.push(Finding::new(
            Severity::Warning,
            Check::Disk,
            Problem {
                place: Some(folder.to_string()),
                message: format!("{} MB are free there, and {} MB are advisable", mb(free), mb(needed)),
                hint: Some("free some space; `docker system prune` removes unused images".to_owned()),
            },
        ));
    }
    found
}

/// The warnings of the plan, and the names that nothing in the app provides.
pub(super) fn plan(plan: &Plan) -> Vec<Finding> {
    // The errors of constructs are findings of their own.
    let shown = plan.warnings.iter().filter(|warning| !matches!(warning, Warning::StackErrors { .. }));
    let warnings = shown.map(|warning| {
        let problem = Problem { message: warning.to_string(), ..Problem::default() };
        Finding::new(Severity::Warning, Check::Plan, problem)
    });
    let external = plan.external.iter().filter(|it| !it.unresolved && it.may_be.is_empty()).map(|it| {
        let problem = Problem {
            place: it.read_at.as_ref().map(ToString::to_string),
            message: format!(
                "{} reads {} ({}), and no stack of the app provides it",
                it.stack, it.name, it.reason
            ),
            hint: Some("it has to exist before the run".to_owned()),
        };
        Finding::new(Severity::Note, Check::Plan, problem)
    });
    warnings.chain(external).collect()
}

/// The CodeBuild project that the configuration describes: its settings, its time limits, what builds lack.
pub(super) fn build(app: &App) -> Result<Vec<Finding>, Failure> {
    if app.config_path.is_none() {
        return Ok(Vec::new());
    }
    let whole = app.plan(&app.options_for_all_regions())?;
    let of = |severity, problem| Finding::new(severity, Check::Build, problem);
    let failed = |failure: Failure| -> Vec<Finding> {
        failure.into_problems().into_iter().map(|it| of(Severity::Error, it)).collect()
    };
    let generation = match generation(app, &whole, Utf8Path::new("buildspecs"), None, Extras::default()) {
        Ok(generation) => generation,
        Err(failure) => return Ok(failed(failure)),
    };
    if let Err(error) = generate(&generation) {
        return Ok(failed(refused(app, error)));
    }
    let mut found: Vec<Finding> = gaps(&generation)
        .iter()
        .map(|gap| {
            let severity = if gap.is_certain() { Severity::Warning } else { Severity::Note };
            of(severity, Problem { place: None, message: gap.what(), hint: Some(gap.hint().to_owned()) })
        })
        .collect();
    let (expected, limit) = (forecast::finish(&whole)?, generation.runner_limit());
    if expected >= limit {
        let message = format!(
            "the deployment is expected to take {}, and in a build the runner stops after {}",
            duration(expected),
            duration(limit)
        );
        let hint = Some("raise codebuild.timeout".to_owned());
        found.push(of(Severity::Warning, Problem { place: None, message, hint }));
    }
    Ok(found)
}

/// Secrets in the configuration.
pub(super) fn secrets(app: &App) -> Vec<Finding> {
    let Some(path) = &app.config_path else { return Vec::new() };
    let text = fs_err::read_to_string(path).unwrap_or_default();
    let finding = |secret: WrittenSecret| {
        let hint = "keep it in Secrets Manager or Parameter Store, and let the script read it there; a secret that was \
                    committed has to be replaced";
        let problem = Problem {
            place: Some(SettingPlace { file: path.clone(), at: Some(secret.at) }.to_string()),
            message: format!("{} is written into the configuration, which is committed", secret.what),
            hint: Some(hint.to_owned()),
        };
        Finding::new(Severity::Warning, Check::Secrets, problem)
    };
    written_secrets(&text).into_iter().map(finding).collect()
}
