//! The staging bucket of an environment: the bucket that the bootstrap made for assets. Paceline keeps small objects of
//! its own in it, below `paceline/`.

use std::sync::Arc;
use std::time::Duration;

use paceline_assembly::{FileDestination, Stack};

use crate::publish::{AssetTarget, Bucket};

/// A staging bucket, with the role that publishes files. In every version of the bootstrap template, this role may list,
/// read, write and delete objects of the bucket.
#[derive(Debug)]
pub(crate) struct StagingBucket {
    place: AssetTarget,
    pub(crate) name: String,
}

impl StagingBucket {
    pub(crate) fn new(place: AssetTarget, name: String) -> Arc<Self> {
        Arc::new(Self { place, name })
    }

    /// The same bucket, with another time for which a call is tried again.
    pub(crate) fn within(&self, patience: Duration) -> Self {
        let AssetTarget { target, config, caller } = &self.place;
        let place =
            AssetTarget { target: target.clone(), config: config.clone(), caller: caller.within(patience) };
        Self { place, name: self.name.clone() }
    }

    pub(crate) fn open(&self) -> Bucket<'_> {
        Bucket::new(&self.place.config, &self.place.caller, &self.name)
    }
}

/// The destination of one of the stack's own file assets in the stack's region. It names the staging bucket, with
/// placeholders, and the role. `None` for a stack without such assets.
pub(crate) fn destination(stack: &Stack) -> Option<&FileDestination> {
    let region = stack.environment.region.as_ref();
    let mut destinations = stack.assets.files.values().flat_map(|asset| asset.destinations.values());
    destinations.find(|to| to.region.is_none() || to.region.as_ref() == region)
}
