//! Rewrites the commands of one folder so that they run from another. All folders are relative to the root.

use crate::understand::interpret::Action;

/// A command of the folder `from`, rewritten for a script that runs in the folder `to`.
pub(super) fn relocated(text: &str, from: &str, to: &str) -> String {
    if from == to {
        return text.to_owned();
    }
    let folder = relative(to, from);
    if text.contains('\n') {
        format!("(\ncd {folder}\n{text}\n)")
    } else {
        format!("(cd {folder} && {text})")
    }
}

/// The command that enters an environment, such as `source .venv/bin/activate`, rewritten for the folder of
/// an app.
pub(super) fn relocated_environment(action: &Action, dir: &str) -> String {
    match action.at.text.split_once(' ') {
        Some((builtin @ ("." | "source"), file)) if dir != action.dir => {
            format!("{builtin} {}/{}", relative(dir, &action.dir), file.trim())
        }
        // This command sets variables, so it has to run in the shell itself.
        _ => action.at.text.clone(),
    }
}

/// Whether a text expands a variable.
pub(super) fn uses(text: &str, name: &str) -> bool {
    let is_used = |prefix: &str| {
        let rest = text.split(&format!("{prefix}{name}")).skip(1).map(str::to_owned).collect::<Vec<_>>();
        rest.iter().any(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    };
    is_used("$") || is_used("${")
}

/// The path from one folder to another.
fn relative(from: &str, to: &str) -> String {
    if to.starts_with(['/', '$', '~']) {
        return to.to_owned();
    }
    let parts =
        |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common);
    let path: Vec<String> = up.chain(to[common..].iter().cloned()).collect();
    if path.is_empty() { ".".to_owned() } else { path.join("/") }
}
