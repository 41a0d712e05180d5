//! What the stack reads from elsewhere, and the record of what it was deployed from.

use std::sync::Arc;

use super::{Deployment, Progress};
use crate::environment::StackView;
use crate::inputs::{Sources, Unknown, Values};
use crate::records::DeployedFrom;
use crate::stack::unchanged;

/// What the stack read from elsewhere at one time.
#[derive(Debug, Clone)]
pub(super) struct Read {
    sources: Sources,
    values: Values,
}

impl Read {
    /// The digest of the values. It is empty for a stack that reads nothing.
    pub(super) fn digest(&self) -> &str {
        &self.values.digest
    }

    /// The first thing that the stack reads and that is not there.
    pub(super) fn missing(&self) -> Option<&str> {
        self.values.missing.as_deref()
    }
}

impl Deployment<'_> {
    /// Notes what the stack reads from elsewhere now, if that can be known.
    pub(super) async fn read_inputs(&mut self, progress: &mut Progress, view: Option<&StackView>) {
        progress.read = self.read(view).await;
        self.request.reads(progress.read.as_ref().map_or("", Read::digest));
    }

    /// `None` if it is not known what the stack reads: then it is deployed.
    async fn read(&self, view: Option<&StackView>) -> Option<Read> {
        let inputs = self.inputs.names(&self.request.parameters, view);
        // Without records, nobody knows which values were used. A prepared change set knows its own.
        let is_known = self.records.is_some() || self.preparing.is_some() || self.prepared.is_some();
        if !inputs.is_empty() && !is_known {
            return None;
        }
        let sources = self.inputs.open(inputs).await.ok()?;
        match sources.read().await {
            Ok(values) => Some(Read { sources, values }),
            Err(Unknown::Error(error)) if view.is_some() && sources.is_news() => {
                self.context.warn(format!(
                    "the parameters that it reads cannot be looked at (ssm:GetParameters), so it is deployed although they \
                     may be the same, and so are others: {error}"
                ));
                None
            }
            Err(_) => None,
        }
    }

    /// Writes in the background a record of what the stack was deployed from. There is none if what it reads has changed
    /// since it was read: nobody knows which values the operation has used.
    pub(super) fn record(&self, view: &StackView, read: &Read) {
        let Some(records) = &self.records else { return };
        let (environment, template) = (Arc::clone(self.environment), self.request.template.clone());
        let (view, read) = (view.clone(), read.clone());
        let from = DeployedFrom::new(&self.request.template, read.digest());
        records.keep_if(&from, &view.clone(), async move {
            let has_template = unchanged::has_template(&environment, &template, &view);
            has_template.await.unwrap_or(false) && read.sources.are_still(&read.values).await
        });
    }
}
