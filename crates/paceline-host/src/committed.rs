//! A folder as it is in a commit of the repository around it.

use camino::Utf8Path;
use paceline_text::{ExitCode, Explained};

use crate::process::{Program, Stream};
use crate::tool::{ToolErrorKind, run_tool};

/// The reason why there is no such folder.
#[derive(Debug, thiserror::Error)]
pub enum CommittedError {
    #[error("git is not there, which reads the commit `{commit}`")]
    NoGit { commit: String },
    #[error("`{commit}` is neither a folder nor a commit of the repository of {folder}")]
    NoCommit { commit: String, folder: String },
    #[error("{folder} is not committed in `{commit}`")]
    NotThere { commit: String, folder: String },
    #[error("git cannot write {folder} of `{commit}`: {said}")]
    Failed { commit: String, folder: String, said: String },
}

impl Explained for CommittedError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoGit { .. } => "install git, or name the folder of a synthesized app".to_owned(),
            Self::NoCommit { .. } => {
                "name the folder of a synthesized app, or a branch, a tag or a commit; a build may have to fetch it first"
                    .to_owned()
            }
            Self::NotThere { commit, .. } => format!(
                "synthesize that version elsewhere, and name the folder: git worktree add ../base {commit}, \
                 then `cdk synth` there"
            ),
            Self::Failed { .. } => "name the folder of a synthesized app instead".to_owned(),
        })
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

/// Writes a folder as it is in a commit into another folder, which exists. The repository and its index stay as they are.
pub async fn committed(folder: &Utf8Path, commit: &str, to: &Utf8Path) -> Result<(), CommittedError> {
    let owned = || (commit.to_owned(), folder.to_string());
    let no_commit = || {
        let (commit, folder) = owned();
        CommittedError::NoCommit { commit, folder }
    };
    let not_there = || {
        let (commit, folder) = owned();
        CommittedError::NotThere { commit, folder }
    };
    // An option of git is no commit.
    if commit.is_empty() || commit.starts_with('-') {
        return Err(no_commit());
    }
    let around = folder.parent().filter(|it| !it.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let name = folder.file_name().ok_or_else(not_there)?;
    if !around.is_dir() {
        return Err(not_there());
    }
    let verified = async |what: String| {
        run_tool("git", &["rev-parse", "--verify", "--quiet", &what], Some(around), None).await
    };
    let hash = verified(format!("{commit}^{{commit}}")).await.map_err(|error| match error.kind {
        ToolErrorKind::NotFound { .. } => CommittedError::NoGit { commit: commit.to_owned() },
        _ => no_commit(),
    })?;
    let tree = verified(format!("{}:./{name}", hash.trim())).await.map_err(|_| not_there())?;
    let failed = |said: String| {
        let (commit, folder) = owned();
        CommittedError::Failed { commit, folder, said }
    };
    let index = to.with_file_name(format!("{}.index", to.file_name().unwrap_or("assembly")));
    let prefix = format!("--prefix={to}/");
    for arguments in [&["read-tree", tree.trim()][..], &["checkout-index", "--all", "--force", &prefix]] {
        let git = Program::new("git").args(arguments).dir(around).envs([("GIT_INDEX_FILE", index.as_str())]);
        let mut said = String::new();
        let ended = git.run(|stream, line| {
            if stream == Stream::Error {
                said = line;
            }
        });
        let ended = ended.await;
        if let Err(error) = ended {
            return Err(failed(if said.is_empty() { error.to_string() } else { said }));
        }
    }
    Ok(())
}
