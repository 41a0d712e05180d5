//! Selects the calls that a rule applies to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::world::Call;

type Test = dyn Fn(&Call) -> bool + Send + Sync;

/// A selection of calls: by what they ask for, and by their number among the calls that match.
#[derive(Clone)]
pub struct Calls {
    service: Option<String>,
    operation: Option<String>,
    stack: Option<String>,
    when: Option<Arc<Test>>,
    /// The number of the first selected call among the matching calls, counted from 1.
    pub(super) from: u32,
    times: u32,
    span: Option<Duration>,
}

impl Calls {
    /// Every call.
    pub fn all() -> Self {
        Self { service: None, operation: None, stack: None, when: None, from: 1, times: u32::MAX, span: None }
    }

    /// The calls to a service, such as `cloudformation` or `s3`.
    pub fn to(service: &str) -> Self {
        Self { service: Some(service.to_owned()), ..Self::all() }
    }

    /// The calls of an operation, such as `CreateStack`.
    pub fn of(operation: &str) -> Self {
        Self { operation: Some(operation.to_owned()), ..Self::all() }
    }

    /// Selects only calls that name this stack, by its name or its ARN.
    #[must_use]
    pub fn stack(self, name: &str) -> Self {
        Self { stack: Some(name.to_owned()), ..self }
    }

    /// Selects only calls for which `test` returns true.
    #[must_use]
    pub fn when(self, test: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        Self { when: Some(Arc::new(test)), ..self }
    }

    /// Selects only the `n`th of the matching calls, counted from 1.
    #[must_use]
    pub fn nth(self, n: u32) -> Self {
        Self { from: n, times: 1, ..self }
    }

    /// Selects the `n`th of the matching calls, counted from 1, and all later ones.
    #[must_use]
    pub fn from(self, n: u32) -> Self {
        Self { from: n, ..self }
    }

    /// Selects only this many of the matching calls.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Selects only calls within this much virtual time, counted from the first selected call.
    #[must_use]
    pub fn lasting(self, span: Duration) -> Self {
        Self { span: Some(span), ..self }
    }

    /// Whether a call matches, regardless of its number and time.
    pub(super) fn match_(&self, call: &Call) -> bool {
        let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
        is(&self.service, &call.service)
            && is(&self.operation, &call.operation)
            && self.stack.as_deref().is_none_or(|name| call.names(name))
            && self.when.as_ref().is_none_or(|test| test(call))
    }

    /// Whether a matching call is selected. `seen` is its number among the matching calls, and `after` is the
    /// time since the first selected one.
    pub(super) fn mean(&self, seen: u32, after: SignedDuration) -> bool {
        let in_time = self.span.is_none_or(|span| after.unsigned_abs() < span);
        seen >= self.from && seen - self.from < self.times && in_time
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, operation, stack, from, times, span, .. } = self;
        f.debug_struct("Calls")
            .field("service", service)
            .field("operation", operation)
            .field("stack", stack)
            .field("from", from)
            .field("times", times)
            .field("span", span)
            .finish_non_exhaustive()
    }
}

impl From<&str> for Calls {
    /// Selects every call of the operation of this name.
    fn from(operation: &str) -> Self {
        Self::of(operation)
    }
}
