//! The Content-Security-Policy of the page: only its own style and its own script, nothing from elsewhere.

use paceline_text::base64;
use sha2::{Digest, Sha256};

/// The policy for a page with one inline style and one inline script. Markup that came in with a name could neither run a
/// script nor load anything.
pub(super) fn policy(style: &str, script: &str) -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        source(style),
        source(script)
    )
}

/// The hash of an inline element, as a policy names it.
fn source(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text)))
}
