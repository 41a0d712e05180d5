//! Evaluates expressions, limits their size, and tracks whether any part of a result is made up.
//!
//! The functions are in `functions`, references to names in `references`, conditions in `conditions`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use paceline_assembly::Intrinsic;
use serde_json::{Map, Value};

use super::scope::Scope;
use super::{dynamic, made_up};
use crate::world::{Known, text_of};

/// The value that a change set shows for one that only the deployment will know.
pub(super) const LATER: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// `None` stands for `AWS::NoValue`.
pub(super) type Evaluated = Result<Option<Value>, String>;

/// The largest result of an expression, in bytes of text and overhead. CloudFormation accepts templates of 1
/// MB, and its limits for values are far smaller.
const LARGEST: usize = 4 << 20;
/// The size of a value without its text, in bytes.
pub(super) const NODE: usize = 32;

/// The evaluation of one expression. Its size is limited, because nested functions can describe results far
/// larger than the expression.
pub(super) struct Evaluation<'a> {
    scope: Scope<'a>,
    left: Cell<usize>,
    /// Whether any part so far is made up.
    made_up: Cell<bool>,
    /// The path to the place where the result became too large, innermost step first.
    trail: RefCell<Option<Vec<String>>>,
}

impl<'a> std::ops::Deref for Evaluation<'a> {
    type Target = Scope<'a>;

    fn deref(&self) -> &Scope<'a> {
        &self.scope
    }
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(scope: &Scope<'a>) -> Self {
        Self { scope: *scope, left: Cell::new(LARGEST), made_up: Cell::new(false), trail: RefCell::default() }
    }

    pub(super) fn at<T>(
        self,
        place: &str,
        evaluate: impl FnOnce(&Self) -> Result<T, String>,
    ) -> Result<T, String> {
        evaluate(&self).map_err(|error| match self.trail.take() {
            Some(trail) => {
                let path = std::iter::once(place.to_owned()).chain(trail.into_iter().rev());
                format!("{error} at {}", path.collect::<String>().trim_start_matches('.'))
            }
            None => error,
        })
    }

    /// Evaluates a part, and reports whether any of it is made up.
    pub(super) fn watched(&self, part: impl FnOnce(&Self) -> Result<Value, String>) -> Result<Known, String> {
        let before = self.made_up.replace(false);
        let value = part(self);
        let made_up = self.made_up.get();
        self.made_up.set(before || made_up);
        Ok(Known { value: value?, made_up })
    }

    /// Records that a part is made up, if it is.
    pub(super) fn note(&self, made_up: bool) {
        self.made_up.set(self.made_up.get() || made_up);
    }

    pub(super) fn known(&self, known: Known) -> Value {
        self.note(known.made_up);
        known.value
    }

    pub(super) fn properties(&self, expression: &Value) -> Result<(Value, BTreeSet<String>), String> {
        let fields = expression.as_object().filter(|_| Intrinsic::of(expression).is_none());
        let Some(fields) = fields else { return Ok((self.value(expression)?, BTreeSet::new())) };
        let (mut values, mut made_up) = (Map::new(), BTreeSet::new());
        for (name, field) in fields {
            self.made_up.set(false);
            if let Some(value) = self.inside(|| format!(".{name}"), field)? {
                values.insert(name.clone(), value);
            }
            if self.made_up.get() {
                made_up.insert(name.clone());
            }
        }
        Ok((Value::Object(values), made_up))
    }

    pub(super) fn spend(&self, cost: usize) -> Result<(), String> {
        if let Some(left) = self.left.get().checked_sub(cost) {
            self.left.set(left);
            return Ok(());
        }
        self.left.set(0);
        self.trail.borrow_mut().get_or_insert_default();
        Err(format!("Template error: a value becomes larger than {} MiB", LARGEST >> 20))
    }

    /// Evaluates a part of an expression, and adds its place to the trail if it is too large.
    fn inside(&self, part: impl FnOnce() -> String, value: &Value) -> Evaluated {
        self.evaluate(value).inspect_err(|_| {
            if let Some(trail) = &mut *self.trail.borrow_mut() {
                trail.push(part());
            }
        })
    }

    /// Evaluates an expression. `AWS::NoValue` becomes null.
    pub(super) fn value(&self, expression: &Value) -> Result<Value, String> {
        Ok(self.evaluate(expression)?.unwrap_or(Value::Null))
    }

    /// Evaluates an expression to text.
    pub(super) fn text(&self, expression: &Value) -> Result<String, String> {
        let Known { value, made_up } = self.watched(|it| it.value(expression))?;
        match value {
            // The list or object may itself be made up, so its type proves nothing.
            Value::Object(_) | Value::Array(_) if !made_up => {
                Err("Template error: every value in this place must be a String.".to_owned())
            }
            value => Ok(text_of(&value)),
        }
    }

    /// Evaluates an expression to a list, and reports whether any of it is made up.
    pub(super) fn list(
        &self,
        expression: &Value,
        wrong: impl Fn() -> String,
    ) -> Result<(Vec<Value>, bool), String> {
        let Known { value, made_up } = self.watched(|it| it.value(expression))?;
        match value {
            Value::Array(items) => Ok((items, made_up)),
            value if made_up => Ok((made_up::list(&value), true)),
            _ => Err(wrong()),
        }
    }

    /// Evaluates an expression. `AWS::NoValue` becomes `None`.
    pub(super) fn evaluate(&self, expression: &Value) -> Evaluated {
        self.spend(NODE)?;
        if let Some(intrinsic) = Intrinsic::of(expression)
            && intrinsic.name != "Condition"
        {
            let value = self.intrinsic(&intrinsic)?;
            value.as_ref().map_or(Ok(()), |value| self.spend(size(value)))?;
            return Ok(value);
        }
        Ok(Some(match expression {
            Value::String(text) => Value::String(dynamic::replace(self, text)?),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items: Result<Vec<_>, _> =
                    items.map(|(index, item)| self.inside(|| format!("[{index}]"), item)).collect();
                Value::Array(items?.into_iter().flatten().collect())
            }
            Value::Object(fields) => {
                let mut out = Map::new();
                for (key, field) in fields {
                    if let Some(value) = self.inside(|| format!(".{key}"), field)? {
                        out.insert(key.clone(), value);
                    }
                }
                Value::Object(out)
            }
            scalar => scalar.clone(),
        }))
    }
}

/// The approximate size of a value, in bytes.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => NODE + text.len(),
        Value::Array(items) => NODE + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => {
            NODE + fields.iter().map(|(key, field)| key.len() + size(field)).sum::<usize>()
        }
        _ => NODE,
    }
}
