//! Who operates: the program behind an operator token. Nothing but [`Operator::identify`] makes one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::ConnectInfo;
use bytespike_accounts::Origin;
use bytespike_accounts::audit::{Actor, Event};
use bytespike_accounts::operator_tokens::{OperatorToken, OperatorTokenRefusal};
use bytespike_dialects::{ErrorCode, ErrorInfo};
use http::{Request, header};
use serde_json::Value;

use super::Inbound;
use crate::Gateway;
use crate::operations::Hand;

/// A program that may operate, for one request.
pub struct Operator {
    token: OperatorToken,
    origin: Origin,
}

impl Operator {
    /// An operator token counts in `Authorization: Bearer` alone: no cookie, no query, no place where other keys stand.
    ///
    /// # Errors
    /// There is none, or it is not accepted. An inference key is none.
    pub async fn identify(gateway: &Gateway, inbound: &Inbound, ip: IpAddr) -> Result<Self, ErrorInfo> {
        let bearer = inbound.header(header::AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
        let token =
            bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let refused = || ErrorInfo::new(ErrorCode::OperatorTokenRequired, &[]);
        let token = gateway.accounts.operator_tokens.identify(token.ok_or_else(refused)?).await;
        let token = token.map_err(|refusal| match refusal {
            OperatorTokenRefusal::Unavailable(error) => super::super::receipts::unavailable(&error),
            _ => refused(),
        })?;
        let user_agent = inbound.header("user-agent").unwrap_or_default().to_owned();
        Ok(Self { token, origin: Origin { ip, user_agent, request_id: inbound.request_id.clone() } })
    }

    /// Who acts, for what is done in the same way at the operators' pages.
    pub fn hand(&self) -> Hand<'_> {
        Hand { actor: Actor::OperatorToken(&self.token.id), origin: &self.origin }
    }

    /// Writes what the operator did, and why, into the audit log.
    pub async fn did(
        &self,
        gateway: &Gateway,
        (event, org_id, target): (&'static str, &str, &str),
        detail: Value,
    ) {
        let event =
            Event::new(event, Actor::OperatorToken(&self.token.id)).org(org_id).target(target).detail(detail);
        gateway.accounts.audit.record(&self.origin, event).await;
    }
}

/// The client's address as the server settled it; unknown where no connection was made, as in tests.
pub fn ip_of(request: &Request<Body>) -> IpAddr {
    let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
    connected.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip())
}
