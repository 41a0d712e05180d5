//! Things that several steps need, and that the first of them makes.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex as Held, PoisonError};

use tokio::sync::Mutex;

use crate::perform::StepContext;

/// Things by name, each made once. Who finds one being made waits for it, and makes room for another step meanwhile.
#[derive(Debug)]
pub struct Shared<T>(Held<BTreeMap<String, Arc<Mutex<Option<T>>>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Held::default())
    }
}

impl<T: Clone> Shared<T> {
    /// The thing of this name. Where nobody has made it, or whoever tried has failed, it is made. The context is that of
    /// the step that asks, if it is one.
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
