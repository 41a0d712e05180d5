//! A connection to the simulator that can disturb calls.
//!
//! Tests say which [`Calls`] meet with which [`Mishap`], and where a second actor acts in between. Everything
//! happens on virtual time, and every call is recorded with its mishap:
//!
//! ```
//! # use std::time::Duration;
//! # use paceline_sim::{Calls, Mishap, Proxy};
//! # fn example(proxy: &Proxy) {
//! proxy.on("CreateStack", Mishap::never_answered());
//! proxy.on(Calls::to("sts").lasting(Duration::from_secs(60)), Mishap::reset().request_lost());
//! proxy.on(Calls::of("DescribeStacks").nth(3), Mishap::from_the_past(Duration::from_secs(20)));
//! proxy.before(Calls::of("DeleteStack").stack("Network"), |_call| async { /* a colleague acts */ });
//! # }
//! ```

mod calls;
mod mishap;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

pub use calls::Calls;
pub use mishap::Mishap;

use crate::client::SimHttpClient;
use crate::world::Call;
use mishap::Reply;

/// An HTTP client for the AWS SDK, in front of a [`SimHttpClient`]. Clones are handles to the same proxy.
#[derive(Debug, Clone)]
pub struct Proxy {
    wire: SimHttpClient,
    state: Arc<Mutex<State>>,
}

/// A call that went through a [`Proxy`], and its mishap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The call. Its status is that of AWS's answer, even if the answer was lost. It is 0 if the call never
    /// reached AWS.
    pub call: Call,
    /// The number of this call among the calls of the same operation, stack, account and region, counted from
    /// 1.
    pub nth: u32,
    /// The mishap of the call. `None` if it went through.
    pub mishap: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    passed: Vec<Passed>,
}

#[derive(Debug)]
struct Rule {
    calls: Calls,
    /// The number of calls so far that match, including those that are not selected.
    seen: u32,
    /// The time of the first selected call.
    since: Option<Timestamp>,
    does: Does,
}

#[derive(Debug, Clone)]
enum Does {
    Mishap(Mishap),
    Before(Hook),
    After(Hook),
}

type Acting = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Clone)]
struct Hook(Arc<dyn Fn(Call) -> Acting + Send + Sync>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

impl Hook {
    fn new<F>(act: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move |call| Box::pin(act(call))))
    }
}

impl Proxy {
    /// A proxy without rules: every call goes through.
    pub fn new(wire: SimHttpClient) -> Self {
        Self { wire, state: Arc::default() }
    }

    /// Adds a mishap for calls. If several rules select the same call, the first one applies.
    pub fn on(&self, calls: impl Into<Calls>, mishap: Mishap) {
        if let Some(age) = mishap.age() {
            self.wire.simulator().remember(age);
        }
        self.add(calls.into(), Does::Mishap(mishap));
    }

    /// Lets somebody act before calls reach AWS. The calls of that actor must not go through this proxy, or
    /// the same rules may apply to them.
    pub fn before<F>(&self, calls: impl Into<Calls>, act: impl Fn(Call) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.add(calls.into(), Does::Before(Hook::new(act)));
    }

    /// Lets somebody act after calls were carried out, and before their answers arrive.
    pub fn after<F>(&self, calls: impl Into<Calls>, act: impl Fn(Call) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.add(calls.into(), Does::After(Hook::new(act)));
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.lock().rules.clear();
    }

    /// Every call so far, in the order of sending.
    pub fn passed(&self) -> Vec<Passed> {
        self.lock().passed.clone()
    }

    /// The calls that met with a mishap.
    pub fn struck(&self) -> Vec<Passed> {
        self.lock().passed.iter().filter(|passed| passed.mishap.is_some()).cloned().collect()
    }

    fn add(&self, calls: Calls, does: Does) {
        self.lock().rules.push(Rule { calls, seen: 0, since: None, does });
    }

    /// Records a call. Returns what happens to it, and its index in the record.
    fn meet(&self, call: &Call) -> (Vec<Does>, usize) {
        let mut state = self.lock();
        let mut all = Vec::new();
        for rule in &mut state.rules {
            if rule.is_meant(call) {
                all.push(rule.does.clone());
            }
        }
        let mishap = all.iter().find_map(|does| match does {
            Does::Mishap(mishap) => Some(mishap.to_string()),
            _ => None,
        });
        let nth = state.passed.iter().filter(|passed| passed.call.is_like(call)).count();
        let nth = u32::try_from(nth).unwrap_or(u32::MAX).saturating_add(1);
        state.passed.push(Passed { call: call.clone(), nth, mishap });
        (all, state.passed.len() - 1)
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = self.wire.receive(request).await?;
        let call = self.wire.simulator().read(&request, self.wire.now());
        let (all, number) = self.meet(&call);
        let mut mishap = None;
        for does in &all {
            match does {
                Does::Before(hook) => hook.0(call.clone()).await,
                Does::Mishap(this) => mishap = mishap.or(Some(this)),
                Does::After(_) => {}
            }
        }
        let answered = match mishap {
            Some(mishap) if !mishap.carried_out => None,
            _ => Some(self.carry_out(request, number, mishap).await),
        };
        for does in &all {
            if let Does::After(hook) = does {
                hook.0(call.clone()).await;
            }
        }
        match mishap {
            Some(mishap) => SimHttpClient::deliver(mishap.reply(&call, answered).await?),
            None => SimHttpClient::deliver(answered.unwrap_or_default()),
        }
    }

    async fn carry_out(
        &self,
        request: Request<Bytes>,
        number: usize,
        mishap: Option<&Mishap>,
    ) -> Response<Bytes> {
        let (response, call) = match mishap.map(|mishap| &mishap.reply) {
            Some(Reply::Past(age)) => self.wire.simulator().handle_as_of(request, self.wire.now(), *age),
            _ => self.wire.carry_out(request).await,
        };
        if let Some(passed) = self.lock().passed.get_mut(number) {
            passed.call = call;
        }
        response
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn is_meant(&mut self, call: &Call) -> bool {
        if !self.calls.match_(call) {
            return false;
        }
        self.seen += 1;
        let since = if self.seen >= self.calls.from { *self.since.get_or_insert(call.at) } else { call.at };
        self.calls.mean(self.seen, call.at.duration_since(since))
    }
}

impl HttpClient for Proxy {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Proxy {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.answer(request).await })
    }
}
