//! What the YAML reader refuses, in words for people who wrote the file and not for those who wrote the reader.

use paceline_text::near;
use serde_saphyr::Error;

/// What is wrong with a configuration, by the reader's error and the text it read.
pub(crate) fn wording(error: &Error, text: &str) -> String {
    let at = error.location().map(|at| (at.line(), at.column()));
    let lines: Vec<&str> = text.lines().collect();
    let here = at.and_then(|(line, column)| {
        let line = lines.get(usize::try_from(line).ok()?.checked_sub(1)?)?;
        Some(line.chars().skip(usize::try_from(column).ok()?.saturating_sub(1)).collect::<String>())
    });
    let value = here.as_deref().map(scalar).unwrap_or_default();
    match error.without_snippet() {
        Error::SerdeMissingField { field, .. } => {
            let lost = at.and_then(|(line, column)| misplaced(&lines, field, line, column));
            format!("missing field `{field}`{}", lost.map(|lost| format!(": {lost}")).unwrap_or_default())
        }
        Error::InvalidScalar { ty, .. } | Error::Unexpected { expected: ty, .. } if is_number(ty) => {
            format!("`{value}` is not a whole number")
        }
        Error::InvalidScalar { ty: "boolean", .. } | Error::InvalidBooleanStrict { .. } => {
            format!("`{value}` is neither true nor false")
        }
        Error::SerdeInvalidValue { unexpected, expected, .. } if expected.contains("nonzero") => {
            let value = unexpected.trim_start_matches("integer ").trim_matches('`');
            format!("`{value}` is too small: it must be at least 1")
        }
        Error::Unexpected { expected: "sequence start", .. } => {
            "a list is expected here: `[a, b]`, or lines that begin with `- `".to_owned()
        }
        Error::Unexpected { expected: "mapping start", .. } if value.is_empty() => {
            "fields are expected here, and there are none: indent those that belong here, or remove the line"
                .to_owned()
        }
        Error::Unexpected { expected: "mapping start", .. } => {
            format!("fields are expected here, such as `name: value`, and not `{value}`")
        }
        Error::Unexpected { expected: "string scalar", .. } => {
            "one text is expected here, and no list or fields".to_owned()
        }
        Error::NullIntoString { .. } => "a value is missing here".to_owned(),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("`{key}` is given twice"),
        Error::SerdeUnknownField { field, expected, .. } => match near(field, expected.iter().copied()) {
            Some(meant) => format!("unknown field `{field}`: did you mean `{meant}`?"),
            None => format!("unknown field `{field}`, expected one of {}", expected.join(", ")),
        },
        error => {
            let mut message = error.to_string();
            // The place stands before the message.
            if let Some(place) = message.rfind(" at line ").filter(|_| at.is_some()) {
                message.truncate(place);
            }
            message
        }
    }
}

/// Whether this is what the reader calls a type of whole numbers.
fn is_number(ty: &str) -> bool {
    matches!(
        ty,
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize"
    ) || ty.contains("integer")
}

/// The value at the start of a text, as far as it is on its line.
fn scalar(text: &str) -> String {
    let text = text.trim_start_matches(':');
    let end = text.find([',', '}', ']', '#']).unwrap_or(text.len());
    text[..end].trim().to_owned()
}

/// Where a field may be that an entry misses: further down, but indented as a part of something else.
fn misplaced(lines: &[&str], field: &str, line: u64, column: u64) -> Option<String> {
    let from = usize::try_from(line).ok()?;
    let column = usize::try_from(column).ok()?;
    for (index, text) in lines.iter().enumerate().skip(from) {
        let written = text.trim_start();
        let indent = text.chars().count() - written.chars().count();
        let key = written.strip_prefix("- ").map_or(written, str::trim_start);
        let is_it = key.strip_prefix(field).is_some_and(|rest| rest.trim_start().starts_with(':'));
        if is_it && (indent + 1 != column || written.starts_with('-')) {
            let number = index + 1;
            return Some(if written.starts_with('-') {
                format!("the `-` of line {number} begins another entry: write spaces in its place")
            } else {
                format!(
                    "that of line {number} is no part of this entry: indent it with {} spaces",
                    column - 1
                )
            });
        }
        // The next entry has a field of that name itself.
        if written.starts_with('-') && indent < column {
            return None;
        }
    }
    None
}
