//! Suggestions for arguments that do not exist. Only a name that is similar enough is suggested.

use clap::Error;
use clap::error::{ContextKind, ContextValue};
use paceline_text::near;

/// The parts of clap's errors: each has the given argument and the suggestion for it.
const SUGGESTED: [(ContextKind, ContextKind); 3] = [
    (ContextKind::InvalidArg, ContextKind::SuggestedArg),
    (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
    (ContextKind::InvalidValue, ContextKind::SuggestedValue),
];

/// Commands of the CDK CLI, and the commands of Paceline that do the same.
const OF_THE_CDK: [(&str, &str); 2] = [("publish-assets", "publish"), ("synthesize", "synth")];

/// The error without suggestions that are not similar to the given argument.
pub(crate) fn without_far_suggestions(mut error: Error) -> Error {
    if let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand)
        && let Some((_, ours)) = OF_THE_CDK.iter().find(|(name, _)| name == given)
    {
        let meant = ContextValue::Strings(vec![(*ours).to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, meant);
        return error;
    }
    for (given, suggested) in SUGGESTED {
        let is_near = |name: &str| {
            let Some(ContextValue::String(given)) = error.get(given) else { return true };
            let word = |text: &str| {
                text.trim_start_matches('-').split(['=', ' ']).next().unwrap_or_default().to_owned()
            };
            near(&word(given), std::iter::once(word(name).as_str())).is_some()
        };
        let kept = match error.get(suggested) {
            Some(ContextValue::String(name)) if is_near(name) => continue,
            Some(ContextValue::String(_)) => None,
            Some(ContextValue::Strings(names)) => {
                let near: Vec<String> = names.iter().filter(|name| is_near(name)).cloned().collect();
                (!near.is_empty()).then_some(ContextValue::Strings(near))
            }
            _ => continue,
        };
        error.remove(suggested);
        if let Some(kept) = kept {
            error.insert(suggested, kept);
        }
    }
    error
}
