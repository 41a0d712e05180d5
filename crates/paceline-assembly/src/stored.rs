//! How CloudFormation stores the texts of a template.

/// Whether CloudFormation gives `stored` back for a template with this text. It stores `?` for every character outside
/// ASCII.
pub fn is_stored_as(stored: &str, text: &str) -> bool {
    if stored == text {
        return true;
    }
    !text.is_ascii() && stored.chars().eq(text.chars().map(|c| if c.is_ascii() { c } else { '?' }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_stands_for_a_character_outside_ascii_only() {
        assert!(is_stored_as("Gr??e", "Größe"));
        assert!(is_stored_as("a", "a"));
        assert!(!is_stored_as("Gr?e", "Größe"));
        assert!(!is_stored_as("?", "a"));
        assert!(!is_stored_as("a", "?"));
    }
}
