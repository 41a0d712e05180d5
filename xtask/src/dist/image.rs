//! The Dockerfile of a build image for CodeBuild that has the program.

use super::release::Release;

/// The name of the file. It is built in the folder of the release.
pub(super) const FILE: &str = "Dockerfile";

/// The file: it takes the program from the archive of the image's platform, and checks the archive's SHA-256.
pub(super) fn dockerfile(release: &Release) -> Vec<u8> {
    include_str!("text/Dockerfile").replace("@VERSION@", &release.version).into_bytes()
}
