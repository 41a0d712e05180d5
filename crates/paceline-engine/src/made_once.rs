//! Values that several steps need. The first step that asks makes the value, and the others wait for it.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex as Held, PoisonError};

use tokio::sync::Mutex;

use crate::perform::StepContext;

/// Values by name, each made once. A step that waits for a value does not count against its limit while it
/// waits.
#[derive(Debug)]
pub struct MadeOnce<T>(Held<BTreeMap<String, Arc<Mutex<Option<T>>>>>);

impl<T> Default for MadeOnce<T> {
    fn default() -> Self {
        Self(Held::default())
    }
}

impl<T: Clone> MadeOnce<T> {
    /// Returns the value with this name. Makes the value if nobody has made it, or if every attempt so far
    /// has failed. `context` is the context of the step that asks, if a step asks.
    pub async fn get_or_make<E>(
        &self,
        name: &str,
        context: Option<&StepContext>,
        make: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let thing = {
            let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(things.entry(name.to_owned()).or_default())
        };
        let mut thing = match thing.try_lock() {
            Ok(thing) => thing,
            Err(_) => match context {
                Some(context) => context.without_room(thing.lock()).await,
                None => thing.lock().await,
            },
        };
        match &*thing {
            Some(made) => Ok(made.clone()),
            None => Ok(thing.insert(make.await?).clone()),
        }
    }
}
