//! The machine of a build: its image and the kernel of its host.

use crate::grammar::{Document, scalar, value};
use crate::lint::context::ProjectFacts;
use crate::lint::rule::{Checker, rule};

rule!(SLOW_IMAGE, "PL434", Warning, "an image that each build downloads", slow_image);
rule!(OLD_KERNEL, "PL435", Warning, "a host kernel that is out of support", old_kernel);

const OWN: &str = "aws/codebuild/";

/// The first version of each family that AWS still lists (`CodeBuild` User Guide, "Docker images provided by CodeBuild").
const FIRST_LISTED: [(&str, u32); 3] =
    [("standard", 5), ("amazonlinux2-x86_64-standard", 4), ("amazonlinux2-aarch64-standard", 2)];

/// The types of environments that have a host kernel (`CodeBuild` API reference, `ProjectEnvironment`).
const WITH_KERNEL: [&str; 4] = ["LINUX_CONTAINER", "ARM_CONTAINER", "LINUX_EC2", "ARM_EC2"];

fn slow_image(document: &Document<'_>, checker: &mut Checker<'_>) {
    if let (Some((key, _)), Some(image)) =
        (document.entry("phases"), checker.project().and_then(|project| project.image.as_deref()))
        && let Some(why) = why_slow(image)
    {
        let finding = checker.report(key.span.clone());
        finding.message(format!("each build downloads the image {image} of its project: {}", why.0));
        finding.hint(why.1);
    }
    for list in ["batch.build-graph", "batch.build-list"] {
        for task in document.list(list) {
            let env = value(task, "env").and_then(|env| value(env, "image"));
            let Some((node, image)) = env.and_then(|node| Some((node, scalar(node)?))) else { continue };
            if let Some(why) = why_slow(image) {
                let finding = checker.report(node.span.clone());
                finding.message(format!("each build downloads this image: {}", why.0));
                finding.hint(why.1);
            }
        }
    }
}

/// Why CodeBuild does not keep an image of AWS on its machines, and what to do. `None` for an image that it keeps, and for
/// an image of the team.
fn why_slow(image: &str) -> Option<(&'static str, String)> {
    let (name, version) = image.strip_prefix(OWN)?.split_once(':')?;
    // `7.0-24.10.29` has a release. `2022-1.0`, a version of Windows, has none.
    let number = version.find('.')?;
    if let Some(release) = version[number..].find('-') {
        let version = &version[..number + release];
        let why = "the machines keep the newest release only";
        return Some((why, format!("leave out the release: {OWN}{name}:{version}")));
    }
    let major: u32 = version.split('.').next()?.parse().ok()?;
    let (_, first) = FIRST_LISTED.iter().find(|(family, _)| *family == name)?;
    (major < *first).then(|| {
        ("it is no longer maintained", format!("use a version that AWS maintains, such as {OWN}standard:7.0"))
    })
}

/// A project that names no kernel has the oldest one.
fn old_kernel(document: &Document<'_>, checker: &mut Checker<'_>) {
    let Some(project) = checker.project().filter(|project| has_kernel(project)) else { return };
    let message = match project.host_kernel.as_deref() {
        None => {
            "the project names no host kernel, and its builds run on that of Amazon Linux 2, which is out of support"
        }
        Some("LINUX_KERNEL_4") => {
            "the builds of the project run on the host kernel of Amazon Linux 2, which is out of support"
        }
        Some(_) => return,
    };
    let Some((key, _)) = document.entry("phases") else { return };
    let finding = checker.report(key.span.clone());
    finding.message(message);
    finding.hint(
        "set `codebuild.host-kernel: linux-kernel-6` in paceline.yaml, or environment.hostKernel of the project to \
         LINUX_KERNEL_6",
    );
}

fn has_kernel(project: &ProjectFacts) -> bool {
    // The machines of a fleet have their own kernel.
    let is_known = project.kind.as_deref().is_some_and(|kind| WITH_KERNEL.contains(&kind));
    is_known && !project.has_fleet
}
