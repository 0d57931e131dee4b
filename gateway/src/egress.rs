//! Which addresses the gateway connects to: public ones over TLS, and those an operator named. What a name resolves to
//! is looked at when the connection is made, and the connection goes to exactly that, so a name cannot change meanwhile.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Hosts and ports an operator named, private or without TLS as they may be: those of the configuration's channels,
/// and `gateway.private_upstreams`.
#[derive(Clone, Debug, Default)]
pub struct Allowed(Arc<BTreeSet<(String, u16)>>);

/// Why an address is not connected to. For operators; a caller hears only that no provider answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    #[error("it is no address like https://api.example.com/v1")]
    NotAUrl,
    #[error("a user name or password in it would be sent along; leave it out")]
    UserInfo,
    #[error("it must start with https://, or its host and port be listed in gateway.private_upstreams")]
    NotTls,
    #[error("only port 443 is connected to, unless host and port are listed in gateway.private_upstreams")]
    Port,
    #[error(
        "it is an address of this machine or of a private network; list host and port in gateway.private_upstreams to allow it"
    )]
    Private,
}

impl Allowed {
    /// `entries` are `host:port`; what is none is returned as an error.
    ///
    /// # Errors
    /// The first entry that is not `host:port`.
    pub fn new<'a>(entries: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let pair = |entry: &str| {
            let (host, port) = entry.rsplit_once(':')?;
            Some((host.to_ascii_lowercase(), port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
        };
        let pairs = entries.map(|entry| pair(entry).ok_or_else(|| entry.to_owned()));
        Ok(Self(Arc::new(pairs.collect::<Result<_, _>>()?)))
    }

    /// The same with the hosts of these base URLs.
    #[must_use]
    pub fn with_urls<'a>(&self, urls: impl Iterator<Item = &'a str>) -> Self {
        let places = urls.filter_map(|url| place(&url.parse().ok()?));
        Self(Arc::new(self.0.iter().cloned().chain(places).collect()))
    }

    fn contains(&self, uri: &Uri) -> bool {
        place(uri).is_some_and(|place| self.0.contains(&place))
    }

    /// Whether a base URL may be connected to at all, as far as its text says.
    ///
    /// # Errors
    /// What is wrong with it and how to allow it.
    pub fn check(&self, url: &str) -> Result<(), EgressError> {
        let uri: Uri = url.parse().map_err(|_| EgressError::NotAUrl)?;
        self.check_uri(&uri)
    }

    fn check_uri(&self, uri: &Uri) -> Result<(), EgressError> {
        let (host, port) = place(uri).ok_or(EgressError::NotAUrl)?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(EgressError::UserInfo);
        }
        if self.contains(uri) {
            return Ok(());
        }
        if uri.scheme_str() != Some("https") {
            return Err(EgressError::NotTls);
        }
        if port != 443 {
            return Err(EgressError::Port);
        }
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        if literal.is_some_and(|address| !is_public(address)) {
            return Err(EgressError::Private);
        }
        Ok(())
    }
}

/// Host in lower case, and port.
fn place(uri: &Uri) -> Option<(String, u16)> {
    let scheme = uri.scheme_str()?;
    let usual = if scheme == "https" { 443 } else { 80 };
    let host = uri.host().filter(|host| !host.is_empty())?;
    Some((host.to_ascii_lowercase(), uri.port_u16().unwrap_or(usual)))
}

/// Whether anybody on the internet could have this address.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        // Whatever wraps an IPv4 address, or is not yet given out, is refused with the rest.
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(matches!(a, 0 | 10 | 127 | 224..)
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && matches!(c, 0 | 2))
        || (a == 198 && matches!(b, 18 | 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113))
}

/// 2000::/3 without what tunnels, documents or tests.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    (0x2000..0x4000).contains(&first)
        && first != 0x2002
        && !(first == 0x2001 && second < 0x0200)
        && !(first == 0x2001 && second == 0x0db8)
        && first != 0x3fff
}

/// Connects over TCP, within a time, to what is allowed.
#[derive(Clone)]
pub(crate) struct Connector {
    allowed: Allowed,
    anywhere: HttpConnector,
    public: HttpConnector<PublicNames>,
}

impl Connector {
    pub(crate) fn new(allowed: Allowed, within: Duration) -> Self {
        let (mut anywhere, mut public) =
            (HttpConnector::new(), HttpConnector::new_with_resolver(PublicNames(GaiResolver::new())));
        set(&mut anywhere, within);
        set(&mut public, within);
        Self { allowed, anywhere, public }
    }
}

fn set<R>(connector: &mut HttpConnector<R>, within: Duration) {
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(within));
}

impl Service<Uri> for Connector {
    type Response = <HttpConnector as Service<Uri>>::Response;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Self::Response, Failure>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        match self.anywhere.poll_ready(cx) {
            Poll::Ready(Ok(())) => self.public.poll_ready(cx).map_err(Into::into),
            other => other.map_err(Into::into),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        if self.allowed.contains(&uri) {
            let connecting = self.anywhere.call(uri);
            return Box::pin(async move { Ok(connecting.await?) });
        }
        if let Err(refused) = self.allowed.check_uri(&uri) {
            return Box::pin(async move { Err(refused.into()) });
        }
        let connecting = self.public.call(uri);
        Box::pin(async move { Ok(connecting.await?) })
    }
}

/// Resolves names, and takes no answer that has a private address in it.
#[derive(Clone)]
struct PublicNames(GaiResolver);

impl Service<Name> for PublicNames {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.0.call(name);
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = resolving.await?.collect();
            match addresses.iter().all(|address| is_public(address.ip())) {
                true => Ok(addresses.into_iter()),
                false => Err(std::io::Error::other(EgressError::Private)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> Option<EgressError> {
        Allowed::default().check(url).err()
    }

    #[test]
    fn s78_what_is_not_public_or_not_tls_is_refused() {
        for (url, why) in [
            ("http://api.example.com/v1", EgressError::NotTls),
            ("https://someone@api.example.com", EgressError::UserInfo),
            ("https://api.example.com@169.254.169.254/", EgressError::UserInfo),
            ("https://api.example.com:22", EgressError::Port),
            ("https://api.example.com:25", EgressError::Port),
            ("https://api.example.com:6379", EgressError::Port),
            ("https://0.0.0.0", EgressError::Private),
            ("https://127.0.0.1", EgressError::Private),
            ("https://169.254.169.254/latest", EgressError::Private),
            ("https://[::1]", EgressError::Private),
            ("https://[::ffff:127.0.0.1]", EgressError::Private),
            ("https://[::ffff:8.8.8.8]", EgressError::Private),
            ("https://[fd00:ec2::254]", EgressError::Private),
            ("https://[64:ff9b::7f00:1]", EgressError::Private),
            ("https://１２７.0.0.1", EgressError::NotAUrl),
            ("api.example.com", EgressError::NotAUrl),
            ("https:///v1", EgressError::NotAUrl),
        ] {
            assert_eq!(refused(url), Some(why), "{url}");
        }
        assert_eq!(refused("https://api.example.com/v1"), None);
    }

    #[test]
    fn s78_every_private_network_is_known() {
        for (text, public) in [
            ("8.8.8.8", true),
            ("1.1.1.1", true),
            ("100.63.255.255", true),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("172.15.0.1", true),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("172.32.0.1", true),
            ("192.0.0.8", false),
            ("192.168.1.1", false),
            ("198.17.0.1", true),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700::1111", true),
            ("::", false),
            ("fc00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("2002:7f00:1::", false),
            ("2001:0:7f00:1::", false),
        ] {
            assert_eq!(is_public(text.parse().expect("an address")), public, "{text}");
        }
    }

    #[test]
    fn s80_an_operator_may_name_a_private_one_by_host_and_port() {
        let allowed = Allowed::new(["127.0.0.1:11434", "Ollama.internal:80"].into_iter()).expect("entries");
        assert_eq!(allowed.check("http://127.0.0.1:11434/v1"), Ok(()));
        assert_eq!(allowed.check("http://ollama.INTERNAL"), Ok(()));
        assert_eq!(allowed.check("http://127.0.0.1:11435"), Err(EgressError::NotTls));
        assert_eq!(allowed.check("https://127.0.0.1"), Err(EgressError::Private));
        assert_eq!(
            allowed.with_urls(["http://127.0.0.1:9/v1"].into_iter()).check("http://127.0.0.1:9"),
            Ok(())
        );
        assert!(Allowed::new(["127.0.0.1"].into_iter()).is_err());
    }

    /// Spellings that only a resolver understands, and a name that is this machine.
    #[tokio::test]
    async fn s78_a_name_that_resolves_to_this_machine_is_not_connected_to() {
        for host in ["localhost", "localhost.", "127.1", "0177.0.0.1", "0x7f.1", "2130706433"] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let mut connector = Connector::new(Allowed::default(), Duration::from_secs(5)).public;
            let uri: Uri = format!("http://{host}:{port}").parse().expect("a URL");
            assert!(connector.call(uri).await.is_err(), "{host}");
            listener.set_nonblocking(true).expect("can be asked");
            assert!(listener.accept().is_err(), "{host} was connected to");
        }
    }
}
