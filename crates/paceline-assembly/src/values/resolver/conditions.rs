//! Evaluates the conditions of a template, as far as their result is certain.

use serde_json::Value;

use super::{DEPTH, Resolver};

impl Resolver<'_> {
    /// Whether a condition of the template holds. `None` if that is not certain.
    pub fn condition(&self, name: &str) -> Option<bool> {
        self.bounds.one(|| self.named_condition(name, DEPTH))?
    }

    /// Whether a resource or an output is certainly left out.
    pub fn is_left_out(&self, body: &Value) -> bool {
        let condition = body.get("Condition").and_then(Value::as_str);
        condition.is_some_and(|condition| self.condition(condition) == Some(false))
    }

    /// The value that an `Fn::If` with this argument certainly takes.
    pub fn taken_branch<'v>(&self, argument: &'v Value) -> Option<&'v Value> {
        let [condition, yes, no] = argument.as_array()?.as_slice() else { return None };
        Some(if self.condition(condition.as_str()?)? { yes } else { no })
    }

    pub(super) fn named_condition(&self, name: &str, depth: u8) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        let (name, condition) = self.template.get("Conditions")?.as_object()?.get_key_value(name)?;
        if let Some(known) = self.conditions.borrow().get(name.as_str()) {
            return *known;
        }
        self.conditions.borrow_mut().insert(name, None);
        let holds = self.holds(condition, depth);
        self.conditions.borrow_mut().insert(name, holds);
        holds
    }

    fn holds(&self, condition: &Value, depth: u8) -> Option<bool> {
        let depth = depth.checked_sub(1).filter(|_| self.bounds.spend(1))?;
        let (function, argument) = condition.as_object().filter(|map| map.len() == 1)?.iter().next()?;
        match (function.as_str(), argument) {
            ("Condition", Value::String(name)) => self.named_condition(name, depth),
            ("Fn::Equals", Value::Array(sides)) => {
                let [a, b] = sides.as_slice() else { return None };
                Some(self.text(a, depth).known()? == self.text(b, depth).known()?)
            }
            ("Fn::Not", Value::Array(inner)) => self.holds(inner.first()?, depth).map(|holds| !holds),
            ("Fn::And", Value::Array(all)) => self.all(all, true, depth),
            ("Fn::Or", Value::Array(any)) => self.all(any, false, depth).map(|none| !none),
            _ => None,
        }
    }

    /// Whether every condition equals `value`. One that certainly differs decides the result.
    fn all(&self, conditions: &[Value], value: bool, depth: u8) -> Option<bool> {
        let results: Vec<_> = conditions.iter().map(|condition| self.holds(condition, depth)).collect();
        if results.contains(&Some(!value)) {
            return Some(false);
        }
        results.iter().all(Option::is_some).then_some(true)
    }
}
