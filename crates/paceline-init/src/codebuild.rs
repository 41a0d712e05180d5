//! The comments about the CodeBuild project and the runner.

use paceline_buildspec::understand::ExistingPipeline;
use paceline_plan::{Plan, Step, Work};

use crate::out::Out;

/// The project differs from the defaults only where somebody has decided so; what the defaults do is said.
pub(crate) fn write(out: &mut Out, build: Option<&ExistingPipeline>, plan: Option<&Plan>) {
    let is_image = |step: &&Step| matches!(&step.work, Work::Publish(publish) if publish.image);
    let images = plan.map_or(0, |plan| plan.steps.iter().filter(is_image).count());
    let mut said = Vec::new();
    match images {
        0 => {}
        1 => said.push("One image is built: `privileged: auto` lets the build run Docker for it.".to_owned()),
        n => {
            said.push(format!(
                "{n} images are built: `privileged: auto` lets the build run Docker for them."
            ));
        }
    }
    if images > 3 {
        said.push(
            "A Docker server of its own keeps their layers between builds: `codebuild: { docker-server: medium }`."
                .to_owned(),
        );
    }
    for runtime in build.into_iter().flat_map(|build| &build.runtimes) {
        said.push(format!(
            "Line {} asks for {} {}: the image standard:7.0 has its own; name another with `codebuild: {{ image: … }}`.",
            runtime.line, runtime.name, runtime.version
        ));
    }
    if !said.is_empty() {
        out.blank();
        out.comment(&format!(
            "The CodeBuild project is that of the defaults (`paceline gen` writes it). {}",
            said.join(" ")
        ));
    }
}

/// The source of the runner. Without npm, only the team can say it.
pub(crate) fn write_runner(out: &mut Out, has_npm: bool) {
    out.blank();
    if has_npm {
        out.comment(
            "A build installs Paceline with npm, in the version that package-lock.json pins: run `npm install --save-dev \
             paceline` first, then `paceline gen`.",
        );
        return out.line("runner: { from: npm }");
    }
    out.comment(
        "The images of CodeBuild have no Paceline: put a release into a bucket of yours, its address and its \
         SHA-256 here, and run `paceline gen`.",
    );
    out.line("# runner: { from: s3, uri: \"s3://BUCKET/paceline\", sha256: \"…\" }");
}
