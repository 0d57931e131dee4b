//! What the console's handlers are given.
use crate::client_documents::ClientDocuments;
use crate::gateway::LocalGateway;
use crate::outbox::Delivery;
use crate::providers::Providers;
use axum::extract::FromRef;
use bytespike_accounts::Accounts;
use bytespike_accounts::passkeys::Site;
use bytespike_accounts::secrets::SealKey;
use bytespike_accounts::sessions::Transport;
use bytespike_catalog::NanoUsd;
use bytespike_gateway::channel_test::{ChannelStatus, ChannelTester};
use bytespike_gateway::operations::Operations;
use bytespike_gateway::quota_requests::QuotaRequests;
use bytespike_gateway::webhooks::Webhooks;
use bytespike_gateway::{PriceDesk, Quotas};
use bytespike_ledger::Ledger;
use bytespike_payments::Payments;
use bytespike_store::world::World;
use bytespike_ui::{Surface, Urls};
use std::sync::Arc;

/// Clones share everything.
#[derive(Clone)]
pub struct ConsoleState {
    pub accounts: Accounts,
    pub ledger: Ledger,
    pub world: World,
    pub gateway: LocalGateway,
    /// Requests for more than limits allow.
    pub quota_requests: QuotaRequests,
    pub urls: Urls,
    pub mail: Delivery,
    /// Who else people can sign in with.
    pub providers: Providers,
    /// Programs that nobody registered, where they may ask.
    pub client_documents: Option<ClientDocuments>,
    /// Seals a new key between the form and the one page that shows it; of purpose
    /// [`ShownKey`](bytespike_accounts::secrets::SealPurpose::ShownKey).
    pub shown_key: SealKey,
    /// Where people can pay in by themselves.
    pub payments: Option<Payments>,
    /// Where orgs are told of what happens.
    pub webhooks: Webhooks,
    /// What the operators' pages work on.
    pub operating: Operating,
    pub options: ConsoleOptions,
}

/// The installation, as far as operators change it.
#[derive(Clone)]
pub struct Operating {
    pub desk: PriceDesk,
    pub tester: ChannelTester,
    /// The channels this process uses now.
    pub channels: Arc<dyn Fn() -> Vec<ChannelStatus> + Send + Sync>,
}

impl ConsoleState {
    /// What operators do to wallets.
    pub(crate) fn operations(&self) -> Operations {
        Operations { accounts: self.accounts.clone(), ledger: self.ledger.clone() }
    }

    /// What passkeys are made for; nothing where browsers offer none.
    pub(crate) fn passkey_site(&self) -> Option<Site> {
        Site::of(self.urls.base(Surface::Console))
    }

    /// The limits of orgs.
    pub(crate) fn quotas(&self) -> Quotas {
        Quotas { accounts: self.accounts.clone(), ledger: self.ledger.clone() }
    }
}

/// What an operator decides about the console.
#[derive(Clone, Debug)]
pub struct ConsoleOptions {
    /// What a new org is given to try things; zero gives nothing.
    pub trial_grant: NanoUsd,
    pub transport: Transport,
    /// A model that can be called here; the samples use it.
    pub sample_model: String,
}

impl FromRef<ConsoleState> for Urls {
    fn from_ref(state: &ConsoleState) -> Self {
        state.urls.clone()
    }
}
