//! What types cannot say about a configuration: values that contradict each other or would be unsafe.

use std::collections::BTreeSet;

use super::{Channel, Config, PaymentAmounts, PaymentSeller, SmtpSecurity};

/// A key and what is wrong with its value.
type Problem = (String, String);

/// Checks the whole configuration.
///
/// # Errors
/// The first key whose value cannot stand, and what to do.
pub fn check(config: &Config) -> Result<(), Problem> {
    check_urls(config)?;
    check_mail(config)?;
    check_exposure(config)?;
    check_sign_in(config)?;
    check_payments(config)?;
    check_webhooks(config)?;
    check_retention(config)?;
    let mut ids = BTreeSet::new();
    for (index, channel) in config.channels.iter().enumerate() {
        let problem = |key: &str, text: String| (format!("channels[{index}].{key}"), text);
        if !ids.insert(&channel.id) {
            return Err(problem("id", format!("another channel is called `{}` too", channel.id)));
        }
        check_channel(channel).map_err(|(key, text)| problem(key, text))?;
    }
    Ok(())
}

fn check_urls(config: &Config) -> Result<(), Problem> {
    let (urls, reports) = (&config.urls, &config.reconciliation);
    let given = [
        ("urls.public", &urls.public),
        ("urls.site", &urls.site),
        ("urls.docs", &urls.docs),
        ("urls.console", &urls.console),
        ("urls.gateway", &urls.gateway),
        ("reconciliation.anthropic_url", &reports.anthropic_url),
        ("reconciliation.openai_url", &reports.openai_url),
    ];
    for (key, url) in given {
        let parsed = url.parse::<http::Uri>().ok();
        let usable = parsed.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some()
                && matches!(uri.path(), "" | "/")
        });
        if !url.is_empty() && (!usable || url.ends_with('/')) {
            let problem =
                "an address like https://example.com is wanted: no path, no slash at the end".to_owned();
            return Err((key.to_owned(), problem));
        }
    }
    Ok(())
}

/// People were promised that nothing they asked is kept for longer.
const MOST_BODY_DAYS: u32 = 30;

fn check_retention(config: &Config) -> Result<(), Problem> {
    if (1..=MOST_BODY_DAYS).contains(&config.retention.body_days) {
        return Ok(());
    }
    let problem = format!("a number of days from 1 to {MOST_BODY_DAYS} is wanted");
    Err(("retention.body_days".to_owned(), problem))
}

fn check_mail(config: &Config) -> Result<(), Problem> {
    let mail = &config.mail;
    let problem = |key: &str, text: &str| Err((format!("mail.{key}"), text.to_owned()));
    if mail.from.parse::<lettre::message::Mailbox>().is_err() {
        return problem("from", "a sender like \"ByteSpike <no-reply@example.com>\" is wanted");
    }
    let on_this_machine = matches!(mail.smtp_host.as_str(), "" | "localhost" | "127.0.0.1" | "::1");
    if mail.smtp_security == SmtpSecurity::None && !on_this_machine {
        return problem("smtp_security", "mail to another machine must be encrypted: starttls or tls");
    }
    Ok(())
}

/// A provider is spoken to over TLS, or on this machine; its id stands in addresses and its name on a button.
fn check_sign_in(config: &Config) -> Result<(), Problem> {
    let github = &config.sign_in.github;
    let mut ids = BTreeSet::from(["github", "google"]);
    for (key, url) in [("base_url", &github.base_url), ("api_url", &github.api_url)] {
        if !is_trustworthy(url) {
            return Err((format!("sign_in.github.{key}"), NOT_TRUSTWORTHY.to_owned()));
        }
    }
    for (index, oidc) in config.sign_in.oidc.iter().enumerate() {
        let problem = |key: &str, text: &str| Err((format!("sign_in.oidc[{index}].{key}"), text.to_owned()));
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if oidc.id.is_empty() || oidc.id.len() > 32 || !oidc.id.bytes().all(plain) {
            return problem("id", "up to 32 of a-z, 0-9 and dashes are wanted");
        }
        if !ids.insert(&oidc.id) {
            return problem("id", "another provider is called that too");
        }
        if oidc.name.is_empty() || oidc.client_id.is_empty() {
            return problem("name", "a name for the button and a client_id are wanted");
        }
        if !is_trustworthy(&oidc.issuer) {
            return problem("issuer", NOT_TRUSTWORTHY);
        }
    }
    Ok(())
}

const NOT_TRUSTWORTHY: &str = "an https address is wanted, or http on this machine";

fn is_trustworthy(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let here = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let scheme = uri.scheme_str();
    uri.query().is_none() && (scheme == Some("https") || (here && scheme == Some("http")))
}

/// Off this machine people need an address they can trust, and nobody may be able to guess a token.
fn check_exposure(config: &Config) -> Result<(), Problem> {
    let problem = |key: &str, text: &str| Err((key.to_owned(), text.to_owned()));
    if let Some(token) = config.metrics.bearer_token.reveal()
        && token.len() < 32
    {
        return problem("metrics.bearer_token", "a token of at least 32 characters is wanted");
    }
    if !config.server.is_loopback() && config.urls.public.is_empty() {
        return problem(
            "urls.public",
            "listening beyond this machine needs the address people use, such as https://example.com",
        );
    }
    if !config.server.is_loopback() && config.accounts.sign_up && config.mail.smtp_host.is_empty() {
        return problem(
            "mail.smtp_host",
            "people who sign up must get mail; set it, or set accounts.sign_up to false",
        );
    }
    if !config.server.is_loopback()
        && config.urls.public.starts_with("http://")
        && !config.server.insecure_http
    {
        return problem(
            "urls.public",
            "people would send passwords and keys in the clear; use an https address, or set server.insecure_http",
        );
    }
    Ok(())
}

fn check_webhooks(config: &Config) -> Result<(), Problem> {
    let webhooks = &config.webhooks;
    let problem = |key: &str, text: &str| Err((format!("webhooks.{key}"), text.to_owned()));
    if webhooks.timeout_ms == 0 || webhooks.timeout_ms > 60_000 {
        return problem(
            "timeout_ms",
            "1 to 60000 are wanted: what a slow receiver holds up is a place of the few that send",
        );
    }
    if webhooks.retry_after_ms.iter().any(|pause_ms| *pause_ms > 7 * 24 * 3_600_000) {
        return problem("retry_after_ms", "a pause is at most 7 days");
    }
    Ok(())
}

/// Whoever can forge an event can give themselves credit, so an installation that takes payments can tell.
fn check_payments(config: &Config) -> Result<(), Problem> {
    let payments = &config.payments;
    let problem = |key: &str, text: &str| Err((format!("payments.{key}"), text.to_owned()));
    check_amounts("usd", &payments.usd)?;
    check_amounts("cny", &payments.cny)?;
    if payments.bonus.iter().any(|step| step.percent > 100) {
        return problem("bonus", "a step gives at most 100 percent");
    }
    if payments.recharge_failures == 0 {
        return problem("recharge_failures", "at least one refusal turns a recharge off");
    }
    check_seller(&payments.seller)?;
    let Some(key) = payments.stripe_secret_key.reveal() else { return Ok(()) };
    if !key.starts_with("sk_") && !key.starts_with("rk_") {
        return problem("stripe_secret_key", "Stripe's secret keys begin with sk_, restricted ones with rk_");
    }
    if payments.stripe_webhook_secrets.is_empty() {
        let text = "whoever may pay here must be able to tell us that they did: list the signing secret (whsec_…) of the \
                    endpoint that you created at Stripe";
        return problem("stripe_webhook_secrets", text);
    }
    let is_short = |secret: &super::Secret| secret.reveal().is_none_or(|secret| secret.trim().len() < 16);
    if payments.stripe_webhook_secrets.iter().any(is_short) {
        return problem(
            "stripe_webhook_secrets",
            "a secret is empty or too short to be one; anyone could forge payments",
        );
    }
    if payments.currencies.is_empty() {
        return problem("currencies", "name at least one of usd and cny");
    }
    let api = &payments.stripe_api_url;
    let is_local = api.starts_with("http://127.0.0.1:") || api.starts_with("http://localhost:");
    if !api.starts_with("https://") && !is_local {
        return problem("stripe_api_url", "the key may only travel over https");
    }
    Ok(())
}

/// An invoice without an address is none, and two series that begin alike would have two documents of one number.
fn check_seller(seller: &PaymentSeller) -> Result<(), Problem> {
    let problem = |key: &str, text: &str| Err((format!("payments.seller.{key}"), text.to_owned()));
    if !seller.name.trim().is_empty() && seller.address.iter().all(|line| line.trim().is_empty()) {
        return problem(
            "address",
            "who issues invoices gives an address; leave the name empty to issue none",
        );
    }
    for (key, series) in
        [("invoice_series", &seller.invoice_series), ("credit_note_series", &seller.credit_note_series)]
    {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-/_.".contains(c);
        if series.is_empty() || series.len() > 16 || !series.chars().all(is_plain) {
            return problem(key, "1 to 16 letters, digits, or one of - / _ . are wanted, such as INV-");
        }
    }
    if seller.invoice_series == seller.credit_note_series {
        return problem("credit_note_series", "invoices and credit notes count in series of their own");
    }
    Ok(())
}

fn check_amounts(currency: &str, amounts: &PaymentAmounts) -> Result<(), Problem> {
    let is_in = |amount: &u32| (amounts.least..=amounts.most).contains(amount);
    if amounts.least > 0 && amounts.least <= amounts.most && amounts.presets.iter().all(is_in) {
        return Ok(());
    }
    let text = "least must be positive and not above most, and the presets between them".to_owned();
    Err((format!("payments.{currency}"), text))
}

fn check_channel(channel: &Channel) -> Result<(), (&'static str, String)> {
    let has_key =
        channel.api_key.reveal().is_some() || channel.api_keys.iter().any(|key| key.reveal().is_some());
    match (has_key, channel.api_key_env.as_str()) {
        (true, _) => Ok(()),
        (false, "") => Err((
            "api_key",
            "the provider's API key is missing; a server without keys takes any word".to_owned(),
        )),
        (false, variable) => Err(("api_key_env", format!("the environment variable {variable} is not set"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn refused(environment: &[(&str, &str)]) -> String {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load(&Sources { file: None, environment }).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_stand_is_refused_with_the_way_out() {
        assert!(refused(&[("BYTESPIKE_SERVER__LISTEN", "0.0.0.0:80")]).contains("urls.public"));
        assert!(refused(&[("BYTESPIKE_URLS__PUBLIC", "https://example.com/x")]).contains("no path"));
        assert!(refused(&[("BYTESPIKE_METRICS__BEARER_TOKEN", "short")]).contains("at least 32"));
        let plain =
            [("BYTESPIKE_MAIL__SMTP_HOST", "mail.example"), ("BYTESPIKE_MAIL__SMTP_SECURITY", "none")];
        assert!(refused(&plain).contains("must be encrypted"));
        let channels = r#"[{id="a", provider="p", dialect="anthropic", base_url="https://x", api_key_env="NOT_SET_HERE"}]"#;
        assert!(refused(&[("BYTESPIKE_CHANNELS", channels)]).contains("NOT_SET_HERE is not set"));
    }

    #[test]
    fn s111_s148_payments_are_off_by_default_and_never_without_a_secret_to_believe_them_by() {
        let config = load(&Sources { file: None, environment: Vec::new() }).unwrap();
        assert!(config.payments.stripe_secret_key.reveal().is_none());
        let key = ("BYTESPIKE_PAYMENTS__STRIPE_SECRET_KEY", "sk_test_abc");
        let with = |secrets| refused(&[key, ("BYTESPIKE_PAYMENTS__STRIPE_WEBHOOK_SECRETS", secrets)]);
        assert!(refused(&[key]).contains("stripe_webhook_secrets"));
        assert!(with("[\"\"]").contains("empty"));
        assert!(with("[\"whsec_good_and_long_enough\", \" \"]").contains("empty"));
        assert!(refused(&[("BYTESPIKE_PAYMENTS__STRIPE_SECRET_KEY", "pk_test_x")]).contains("sk_"));
        let usd = "{ presets = [1], least = 5, most = 10 }";
        assert!(refused(&[("BYTESPIKE_PAYMENTS__USD", usd)]).contains("payments.usd"));
    }

    #[test]
    fn every_known_provider_has_its_own_variable() {
        let variables: BTreeSet<&str> =
            crate::config::PROVIDERS.iter().map(|known| known.key_variable).collect();
        assert_eq!(variables.len(), crate::config::PROVIDERS.len());
    }
}
