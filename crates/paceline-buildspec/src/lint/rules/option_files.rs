//! Files that a buildspec writes and then sources, and that set options of the shell.
//!
//! An item that sources such a file is as strict as one that sets the options itself.

use std::collections::BTreeMap;

use crate::grammar::{CommandItem, Document};
use crate::shell::{Call, Script, Word, calls};

/// The shell options that the rules about failures look for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) errexit: bool,
    pub(super) pipefail: bool,
}

/// The files by path, in the spelling of the scripts.
#[derive(Debug, Default)]
pub(super) struct OptionFiles(BTreeMap<String, Options>);

impl OptionFiles {
    /// The files that an item writes with a here-document: `cat > FILE <<'EOF'`.
    pub(super) fn of(document: &Document<'_>) -> Self {
        let mut files = Self::default();
        for item in &document.items {
            for call in item.calls() {
                let target = call.redirects.iter().find(|redirect| redirect.operator == ">");
                if let (Some(target), Some(text)) = (target, here_document(item, &call)) {
                    files.0.insert(target.target.shown(), options(text));
                }
            }
        }
        files
    }

    /// The options that an item gets from the files that it sources.
    pub(super) fn sourced_by(&self, item: &CommandItem) -> Options {
        let mut all = Options::default();
        let is_source = |call: &Call<'_>| matches!(call.program(), "source" | ".") && !call.context.nested;
        for call in item.calls().iter().filter(|call| is_source(call)) {
            let path = call.words.get(1).map(Word::shown).unwrap_or_default();
            if let Some(options) = self.0.get(&path) {
                all.errexit |= options.errexit;
                all.pipefail |= options.pipefail;
            }
        }
        all
    }
}

/// The text that a call reads from a here-document.
fn here_document<'a>(item: &'a CommandItem, call: &Call<'_>) -> Option<&'a str> {
    let delimiter = call.redirects.iter().find(|redirect| redirect.operator.starts_with("<<"))?;
    let mut documents = item.script.here_documents.iter();
    let found = documents.find(|it| it.redirect.contains(&delimiter.target.span.start))?;
    item.text.get(found.body.clone())
}

fn options(text: &str) -> Options {
    let script = Script::parse(text);
    let mut options = Options::default();
    for call in calls(&script.body).iter().filter(|call| call.program() == "set" && !call.context.nested) {
        options.pipefail |= call.arguments().iter().any(|word| word == "pipefail");
        options.errexit |= call.arguments().iter().any(|word| {
            word == "errexit" || word.strip_prefix('-').is_some_and(|letters| letters.contains('e'))
        });
    }
    options
}
