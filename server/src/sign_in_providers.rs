//! The providers of the configuration that people can sign in with.

use std::time::Duration;

use bytespike_accounts::secrets::SecretText;
use bytespike_console::{ProviderConfig, ProviderKind, Providers};

use crate::Failure;
use crate::config::{Config, PublicUrls, Secret};

const GOOGLE: &str = "https://accounts.google.com";
/// Longest wait for a provider's answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// # Errors
/// The client for them cannot be made.
pub fn providers(config: &Config, urls: &PublicUrls) -> Result<Providers, Failure> {
    let configs = configured(config);
    if configs.is_empty() {
        return Ok(Providers::default());
    }
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    Ok(Providers::new(configs, &urls.console, &client))
}

fn configured(config: &Config) -> Vec<ProviderConfig> {
    let sign_in = &config.sign_in;
    let fixed =
        |id: &str, name: &str, kind: ProviderKind, (client_id, secret): (&String, &Secret)| ProviderConfig {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            client_id: client_id.clone(),
            client_secret: SecretText::new(secret.reveal().unwrap_or_default()),
        };
    let github = ProviderKind::GitHub {
        base_url: sign_in.github.base_url.clone(),
        api_url: sign_in.github.api_url.clone(),
    };
    let google = ProviderKind::Oidc { issuer: GOOGLE.to_owned() };
    let named = [
        fixed("github", "GitHub", github, (&sign_in.github.client_id, &sign_in.github.client_secret)),
        fixed("google", "Google", google, (&sign_in.google.client_id, &sign_in.google.client_secret)),
    ];
    let others = sign_in.oidc.iter().map(|oidc| {
        let kind = ProviderKind::Oidc { issuer: oidc.issuer.clone() };
        fixed(&oidc.id, &oidc.name, kind, (&oidc.client_id, &oidc.client_secret))
    });
    named.into_iter().chain(others).filter(|config| !config.client_id.is_empty()).collect()
}
