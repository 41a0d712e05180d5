//! Fields that a wrong indentation took away from the entry of a list that they belong to.

/// What to do about a field that an entry misses and that stands further down, indented as a part of something else.
/// The entry begins at `line` and `column`, both from 1.
pub(crate) fn misplaced(text: &str, field: &str, line: usize, column: usize) -> Option<String> {
    for (index, text) in text.lines().enumerate().skip(line) {
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
                    "`{field}` on line {number} belongs to something else: indent it with {} spaces",
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

/// What to do about a line where the text is no YAML: when it is a field that is indented like the `-` of the entry above
/// it, it belongs to that entry. `line` is from 1.
pub(crate) fn outdented(text: &str, line: usize) -> Option<String> {
    let indent = |line: &str| line.chars().count() - line.trim_start().chars().count();
    let lines: Vec<&str> = text.lines().take(line).collect();
    let (field, above) = lines.split_last()?;
    let name = field.split_once(':').map(|(name, _)| name.trim()).filter(|name| !name.starts_with('-'))?;
    let entry = above.iter().rev().find(|line| line.trim_start().starts_with("- "))?;
    let is_meant = indent(entry) == indent(field);
    is_meant.then(|| {
        format!("indent `{name}` with {} spaces to make it part of the entry above", indent(field) + 2)
    })
}
