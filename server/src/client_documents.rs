//! Programs that nobody registered: whose documents count.

use bytespike_console::{ClientDocuments, DocumentPolicy};

use crate::config::{self, Config};

/// `None` where nobody's do.
pub fn client_documents(config: &Config) -> Option<ClientDocuments> {
    let policy = match config.oauth.client_documents {
        config::ClientDocuments::Off => return None,
        config::ClientDocuments::Listed => DocumentPolicy::On(config.oauth.client_document_hosts.clone()),
        config::ClientDocuments::Any => DocumentPolicy::Everybodys,
    };
    Some(ClientDocuments { policy, may_be_local: config.server.is_loopback() })
}
