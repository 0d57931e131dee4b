//! The public addresses, once it is known where the process listens.

use std::net::SocketAddr;

use super::Config;

/// What people type for each surface, without a trailing slash.
#[derive(Debug, Clone)]
pub struct PublicUrls {
    pub site: String,
    pub docs: String,
    pub console: String,
    pub gateway: String,
}

impl PublicUrls {
    /// What is configured; surfaces without their own share `urls.public`, which is the listen address when empty.
    pub fn new(config: &Config, listening: SocketAddr) -> Self {
        let urls = &config.urls;
        let or = |given: &str, otherwise: &str| {
            if given.is_empty() { otherwise.to_owned() } else { given.to_owned() }
        };
        let shared = or(&urls.public, &format!("http://{listening}"));
        Self {
            site: or(&urls.site, &shared),
            docs: or(&urls.docs, &shared),
            console: or(&urls.console, &shared),
            gateway: or(&urls.gateway, &shared),
        }
    }

    pub fn all(&self) -> [&str; 4] {
        [&self.site, &self.docs, &self.console, &self.gateway]
    }
}
