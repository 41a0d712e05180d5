//! Which calls are meant.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::world::Call;

type Test = dyn Fn(&Call) -> bool + Send + Sync;

/// Chooses calls: by what they ask for, and by which of those they are.
#[derive(Clone)]
pub struct Calls {
    service: Option<String>,
    operation: Option<String>,
    stack: Option<String>,
    when: Option<Arc<Test>>,
    /// The first that is meant, counted from 1.
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

    /// Only those that name this stack, by its name or its ARN.
    #[must_use]
    pub fn stack(self, name: &str) -> Self {
        Self { stack: Some(name.to_owned()), ..self }
    }

    /// Only those for which this is true.
    #[must_use]
    pub fn when(self, test: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        Self { when: Some(Arc::new(test)), ..self }
    }

    /// Of those, only this one, counted from 1.
    #[must_use]
    pub fn nth(self, n: u32) -> Self {
        Self { from: n, times: 1, ..self }
    }

    /// Of those, this one and all that come after it.
    #[must_use]
    pub fn from(self, n: u32) -> Self {
        Self { from: n, ..self }
    }

    /// Only so many of them.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Only for so much virtual time, from the first of them on.
    #[must_use]
    pub fn lasting(self, span: Duration) -> Self {
        Self { span: Some(span), ..self }
    }

    /// Whether a call asks for what these do.
    pub(super) fn match_(&self, call: &Call) -> bool {
        let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
        is(&self.service, &call.service)
            && is(&self.operation, &call.operation)
            && self.stack.as_deref().is_none_or(|name| call.names(name))
            && self.when.as_ref().is_none_or(|test| test(call))
    }

    /// Whether the `seen`th call that matches is meant, so long after the first that was.
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
    /// Every call of the operation of this name.
    fn from(operation: &str) -> Self {
        Self::of(operation)
    }
}
