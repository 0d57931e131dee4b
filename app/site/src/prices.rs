//! The latest price export, and whether it may still be relied on.

use bytespike_catalog::export::{Badge, ExportedModel, PriceExport};
use std::sync::Arc;
use tokio::sync::watch;

/// Tells the time in milliseconds since 1970; passed in, so that tests can choose it.
pub type TimeSource = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Where the verified exports arrive.
#[derive(Clone)]
pub struct Prices {
    latest: watch::Receiver<Option<Arc<PriceExport>>>,
    clock: TimeSource,
}

/// The prices as one page sees them.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub export: Option<Arc<PriceExport>>,
    /// Within its lifetime. When it is not, no row may claim to be live.
    pub is_current: bool,
}

impl Prices {
    /// `latest` carries exports whose signature has been checked; `None` until the first one arrives.
    pub fn new(latest: watch::Receiver<Option<Arc<PriceExport>>>, clock: TimeSource) -> Self {
        Self { latest, clock }
    }

    pub(crate) fn now(&self) -> Snapshot {
        let export = self.latest.borrow().clone();
        let is_current = export.as_ref().is_some_and(|export| export.is_current((self.clock)()));
        Snapshot { export, is_current }
    }
}

impl Snapshot {
    pub(crate) fn is_live(&self, model: &ExportedModel) -> bool {
        self.is_current && model.badge == Badge::Live
    }

    pub(crate) fn models(&self) -> &[ExportedModel] {
        self.export.as_ref().map_or(&[], |export| &export.models)
    }

    pub(crate) fn find(&self, id: &str) -> Option<&ExportedModel> {
        self.models().iter().find(|model| model.priced.model.id == id)
    }

    /// A provider's name as people write it, without the brackets that list its models; its id if the export does not
    /// name it.
    pub(crate) fn provider_name(&self, id: &str) -> String {
        let providers = self.export.as_ref().map_or(&[][..], |export| &export.providers);
        let name = providers.iter().find(|provider| provider.id == id).map_or(id, |found| &found.name);
        name.split(" (").next().unwrap_or(name).to_owned()
    }
}
