//! The address that passkeys are made for. A key works there and nowhere else, which is what makes phishing useless.
use std::net::IpAddr;
use webauthn_rp::request::{AsciiDomain, RpId};

/// The console's public address as browsers name it.
#[derive(Clone, Debug)]
pub struct Site {
    pub(super) rp_id: RpId,
    pub(super) origin: String,
}

impl Site {
    /// `None` where browsers offer no passkeys: at an address without a name, and over plain http on another machine.
    pub fn of(base_url: &str) -> Option<Self> {
        let (scheme, rest) = base_url.split_once("://")?;
        let authority = rest.split('/').next()?.to_ascii_lowercase();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
            _ => (authority.as_str(), None),
        };
        let is_local = host == "localhost" || host.ends_with(".localhost");
        let is_secure = scheme == "https" || (scheme == "http" && is_local);
        if !is_secure || host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
            return None;
        }
        let usual = if scheme == "https" { "443" } else { "80" };
        let port = port.filter(|port| *port != usual).map(|port| format!(":{port}")).unwrap_or_default();
        let rp_id = RpId::Domain(AsciiDomain::try_from(host.to_owned()).ok()?);
        Some(Self { origin: format!("{scheme}://{host}{port}"), rp_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_passkeys_and_an_address_has_none() {
        for (base_url, origin) in [
            ("https://bytespike.example", "https://bytespike.example"),
            ("https://Bytespike.example:443", "https://bytespike.example"),
            ("https://console.example:8443", "https://console.example:8443"),
            ("http://localhost:8080", "http://localhost:8080"),
        ] {
            let site = Site::of(base_url).expect(base_url);
            assert_eq!(site.origin, origin);
            assert!(!site.rp_id.as_ref().contains(':'));
        }
        for base_url in
            ["http://127.0.0.1:8080", "https://203.0.113.9", "https://[::1]", "http://bytespike.example", ""]
        {
            assert!(Site::of(base_url).is_none(), "{base_url}");
        }
    }
}
