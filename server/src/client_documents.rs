//! Programs that nobody registered: whose documents count, and the client that fetches them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytespike_console::{ClientDocuments, DocumentPolicy};
use bytespike_gateway::egress;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::Failure;
use crate::config::{self, Config};

/// Longest wait for a document.
const TIMEOUT: Duration = Duration::from_secs(3);

/// # Errors
/// The client cannot be made.
pub fn client_documents(config: &Config) -> Result<Option<ClientDocuments>, Failure> {
    let policy = match config.oauth.client_documents {
        config::ClientDocuments::Off => return Ok(None),
        config::ClientDocuments::Listed => DocumentPolicy::On(config.oauth.client_document_hosts.clone()),
        config::ClientDocuments::Any => DocumentPolicy::Everybodys,
    };
    let may_be_local = config.server.is_loopback();
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Arc::new(PublicOnly { or_local: may_be_local }))
        .build()?;
    Ok(Some(ClientDocuments { policy, client, may_be_local }))
}

/// Resolves names to public addresses only. An address that is written as one was looked at before it comes here.
struct PublicOnly {
    /// `localhost` is this machine, and may be connected to.
    or_local: bool,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let is_local = self.or_local && name.as_str() == "localhost";
        Box::pin(async move {
            if is_local {
                return Ok(Box::new([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))].into_iter()) as Addrs);
            }
            let addresses = egress::public_addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
