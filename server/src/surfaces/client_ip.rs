//! Who is asking: the peer of the socket, or what a trusted proxy says.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use ipnet::IpNet;

/// Header a reverse proxy appends the address of its own peer to.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Puts the client's address in the place of the proxy's, so that handlers ask `ConnectInfo` and nothing else.
pub async fn resolve_client(
    State(trusted): State<Arc<[IpNet]>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    if let Some(peer) = peer {
        let client = client_ip(peer.ip(), request.headers(), &trusted);
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, peer.port())));
    }
    next.run(request).await
}

/// Whether the request was made on this machine, by something that is not forwarding for somebody else.
pub fn is_local(client: SocketAddr, headers: &HeaderMap) -> bool {
    client.ip().to_canonical().is_loopback()
        && !headers.contains_key(FORWARDED_FOR)
        && !headers.contains_key("forwarded")
}

/// Going from the peer backwards through the proxies: the first address that is not a trusted proxy is the client.
fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip.to_canonical()));
    let mut client = peer.to_canonical();
    let listed = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = listed.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in hops.into_iter().rev() {
        if !is_trusted(client) {
            break;
        }
        match hop.parse::<IpAddr>() {
            Ok(ip) => client = ip.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, http::HeaderValue::from_static(value));
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client_ip(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn s27_only_trusted_proxies_are_believed() {
        assert_eq!(resolved("203.0.113.9", &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(resolved("10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(
            resolved("10.0.0.1", &["6.6.6.6, 1.2.3.4"]),
            "1.2.3.4",
            "the left part is the client's own claim"
        );
        assert_eq!(resolved("10.0.0.1", &["6.6.6.6", "1.2.3.4, 10.0.0.2"]), "1.2.3.4");
        assert_eq!(resolved("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(resolved("::ffff:10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(resolved("10.0.0.1", &[]), "10.0.0.1");
    }
}
