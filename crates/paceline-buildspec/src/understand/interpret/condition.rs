//! Conditions: their tests, and their results as far as they are known.

use super::variables::Variables;
use crate::understand::When;

/// The known result of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ConditionResult {
    /// The result is always the same.
    Known(bool),
    /// The result depends on this condition.
    Open(When),
}

/// Reads `[ "$X" = value ]`, `[[ $X == value ]]`, `test -n "$X"` and similar tests.
pub(super) fn read(text: &str, variables: &Variables) -> ConditionResult {
    let inner = text.trim();
    let inner = inner.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")).unwrap_or(inner);
    let inner = inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(inner);
    let inner = inner.trim().strip_prefix("test ").unwrap_or(inner.trim());
    let words: Vec<&str> = inner.split_whitespace().collect();
    let (words, negated) = match &words[..] {
        ["!", rest @ ..] => (rest, true),
        rest => (rest, false),
    };
    let open = |variable: Option<&str>, value: &str, equals: bool| {
        ConditionResult::Open(When {
            variable: variable.map(str::to_owned),
            value: value.to_owned(),
            equals: equals != negated,
            text: text.trim().to_owned(),
            shell: Some(text.trim().to_owned()),
        })
    };
    match words {
        [left, operator @ ("=" | "==" | "!=" | "-eq" | "-ne"), right] => {
            let equals = !matches!(*operator, "!=" | "-ne");
            // `"x$X" = "xvalue"` is an old form of the same comparison.
            let (left, right) = (unquoted(left), unquoted(right));
            let (left, right) = match (left.strip_prefix('x'), right.strip_prefix('x')) {
                (Some(l), Some(r)) if l.starts_with('$') => (l, r),
                _ => (left, right),
            };
            let (left, right) = if left.starts_with('$') { (left, right) } else { (right, left) };
            // In `[[ … ]]`, the right side may be a pattern.
            let Some(name) = variable(left).filter(|_| !right.contains(['$', '*', '?'])) else {
                return open(None, "", true);
            };
            // Only commands that run after a failure test this variable. They are followed like in a build
            // that succeeds.
            if name == "CODEBUILD_BUILD_SUCCEEDING" {
                return ConditionResult::Known((right == "1") == (equals != negated));
            }
            match variables.certain(name) {
                Some(value) => ConditionResult::Known((value == right) == (equals != negated)),
                None => open(Some(name), right, equals),
            }
        }
        [operator @ ("-n" | "-z"), operand] => match variable(unquoted(operand)) {
            Some(name) => match variables.certain(name) {
                Some(value) => ConditionResult::Known((value.is_empty() == (*operator == "-z")) != negated),
                // `-n` accepts every value except the empty one, and `-z` accepts only the empty one.
                None => open(Some(name), "", *operator == "-z"),
            },
            None => open(None, "", true),
        },
        ["true" | ":"] => ConditionResult::Known(!negated),
        ["false"] => ConditionResult::Known(negated),
        _ => open(None, "", true),
    }
}

fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// The name of the variable in `$X`, `${X}` or `${X:-default}`.
fn variable(text: &str) -> Option<&str> {
    let text = text.strip_prefix('$')?;
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let name = inner.map_or(text, |inner| inner.split_once(":-").map_or(inner, |(name, _)| name));
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

impl When {
    /// The condition of the other branch.
    pub(super) fn otherwise(&self) -> Self {
        let shell = self.shell.as_ref().map(|shell| format!("! {{ {shell}; }}"));
        Self { equals: !self.equals, text: format!("not: {}", self.text), shell, ..self.clone() }
    }

    /// Both conditions must hold. The variable is that of the inner one.
    pub(super) fn within(self, outer: Option<&Self>) -> Self {
        let Some(outer) = outer else { return self };
        let shell = outer.shell.as_ref().zip(self.shell.as_ref());
        let shell = shell.map(|(outer, inner)| format!("{outer} && {inner}"));
        Self { text: format!("{} and {}", outer.text, self.text), shell, ..self }
    }

    /// One of the two conditions must hold.
    pub(super) fn or(&self, other: &Self) -> Self {
        let shell = other.shell.as_ref().zip(self.shell.as_ref());
        let shell = shell.map(|(first, second)| format!("{{ {first} || {second}; }}"));
        Self { text: format!("{} or {}", other.text, self.text), shell, equals: true, ..Self::default() }
    }
}
