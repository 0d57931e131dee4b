//! The cookies: what they are called and which attributes they carry.
use super::Sessions;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, SessionManagerLayer};

pub const SESSION_COOKIE: &str = "bs_sid";
/// Carries what the token of a sign-in form is bound to, before there is a session.
pub const ANONYMOUS_COOKIE: &str = "bs_pre";
/// Names a browser that has signed in, so that a new one is told from a known one. Proves nothing.
pub const BROWSER_COOKIE: &str = "bs_browser";
/// The cookie may outlive the session; the session's own limits are kept on the server.
const COOKIE_DAYS: i64 = 30;

/// How browsers reach us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Https,
    /// Plain http on this machine. Browsers take no `Secure` cookie and no `__Host-` name there.
    LoopbackHttp,
}

impl Transport {
    /// The cookie's full name: `__Host-` makes browsers insist on Secure, Path=/ and no Domain.
    pub fn cookie_name(self, name: &str) -> String {
        match self {
            Transport::Https => format!("__Host-{name}"),
            Transport::LoopbackHttp => name.to_owned(),
        }
    }

    pub fn is_secure(self) -> bool {
        self == Transport::Https
    }
}

impl Sessions {
    /// The layer that reads the session's cookie and sets it when there is something to keep.
    pub fn layer(&self, transport: Transport) -> SessionManagerLayer<Sessions> {
        SessionManagerLayer::new(self.clone())
            .with_name(transport.cookie_name(SESSION_COOKIE))
            .with_secure(transport.is_secure())
            .with_http_only(true)
            // Lax, not Strict: a link from a mail or another site arrives signed in; forms are checked on their own.
            .with_same_site(SameSite::Lax)
            .with_path("/")
            .with_expiry(Expiry::OnInactivity(Duration::days(COOKIE_DAYS)))
    }
}
