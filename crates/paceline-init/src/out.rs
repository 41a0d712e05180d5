//! The text of the configuration while it is written.

/// The text as it grows.
#[derive(Debug, Default)]
pub(crate) struct Out {
    pub(crate) text: String,
    pub(crate) notes: Vec<(usize, String)>,
}

impl Out {
    pub(crate) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(crate) fn comment(&mut self, text: &str) {
        self.indented(0, text);
    }

    /// A comment, over as many lines as it needs.
    pub(crate) fn indented(&mut self, indent: usize, text: &str) {
        const WIDTH: usize = 110;
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && indent + 3 + line.chars().count() + word.chars().count() > WIDTH {
                self.line(&format!("{:indent$}# {line}", ""));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            self.line(&format!("{:indent$}# {line}", ""));
        }
    }

    pub(crate) fn note(&mut self, line: usize, text: impl Into<String>) {
        self.notes.push((line, text.into()));
    }
}
