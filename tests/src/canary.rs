//! Secrets that are recognised wherever they turn up. Some are planted: the product is configured with them, people type
//! them, programs send them. Others the product makes, and they are noted as it hands them out. From then on none of them
//! may be in an answer, on a page, in a log or in what a command prints, but where it was handed out.

mod shapes;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// The upstream key the product is configured with. It looks like none that the log's redaction knows by its shape.
pub const UPSTREAM_KEY: &str = "upstream-CANARY-5c1d9e77";
/// The password of everyone who signs up.
pub const PASSWORD: &str = "correct horse CANARY 9b2f41";
/// What the product is configured with to take payments: Stripe's key, and two secrets that sign its events.
pub const STRIPE_KEY: &str = "sk_test_CANARY_7b31c90ae2";
pub const WEBHOOK_SECRET: &str = "whsec_CANARY_0f6a2c4e8d";
pub const NEXT_WEBHOOK_SECRET: &str = "whsec_CANARY_next_93b1";
/// What it is configured with at the providers that people sign in with.
pub const GITHUB_SECRET: &str = "a secret of the fake GitHub";
pub const OIDC_SECRET: &str = "a secret of the mock provider";
/// What a test types as a provider's key at the operators' pages.
pub const CHANNEL_KEY: &str = "CANARY-of-a-channel-3d70";
/// The master key, 32 bytes in hex.
pub const MASTER_KEY: &str = "6dd71092a0860adf94deb611a3d55f963cb0e01d7d7849f6bbdad0ccde5622ae";
/// What is asked, here and in the suites of other languages.
pub const PROMPTS: [&str; 2] = ["Say hello.", "scene:"];
/// What the scripted provider answers.
pub const OUTPUT: &str = "scripted provider. 你好";

/// Where the master key's derived keys are named.
const DERIVED: &str = include_str!("../../gateway/accounts/src/secrets/purposes.rs");
/// A secret is found by its first bytes; a shorter one would be found everywhere.
const START: usize = 6;

/// Where a secret may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Where {
    Nowhere,
    /// In answers of the place where it was handed out.
    At(String),
    /// In answers to calls of models, and where an org that has them kept reads them.
    InCalls,
    /// Where an org that has them kept reads them.
    InKept,
}

#[derive(Debug)]
struct Secret {
    kind: &'static str,
    text: String,
    seen: Where,
}

/// The secrets that are looked for.
#[derive(Debug, Default)]
pub struct Watch(HashMap<Vec<u8>, Vec<Secret>>);

/// Of this process: a secret is made once, so tests that share it do not meet each other's.
static WATCH: Mutex<Option<Watch>> = Mutex::new(None);

/// What a client was answered.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Method and path, such as `GET /console/keys`.
    pub place: &'a str,
    /// Names in lower case, with their values.
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

/// Fails when a secret is in the bytes, where none may be; `place` says where they were seen.
///
/// # Panics
/// When one is there.
pub fn check(place: &str, bytes: &[u8]) {
    let found = watch().as_ref().and_then(|watch| watch.leak(place, bytes));
    assert!(found.is_none(), "the {} leaked into {place}", found.unwrap_or_default());
}

/// Fails when a secret is in an answer that is not the one that hands it out, and notes those that are handed out here.
///
/// # Panics
/// When one is there.
pub fn check_answer(answer: Answer<'_>) {
    let found = watch().as_mut().and_then(|watch| watch.read(answer));
    assert!(found.is_none(), "the {} leaked into the answer to {}", found.unwrap_or_default(), answer.place);
}

fn watch() -> MutexGuard<'static, Option<Watch>> {
    let mut watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
    watch.get_or_insert_with(Watch::planted);
    watch
}

impl Watch {
    /// With everything that is planted.
    #[must_use]
    pub fn planted() -> Self {
        let mut watch = Self::default();
        for (kind, secret) in [
            ("upstream key", UPSTREAM_KEY),
            ("password", PASSWORD),
            ("payment key", STRIPE_KEY),
            ("payment webhook secret", WEBHOOK_SECRET),
            ("next payment webhook secret", NEXT_WEBHOOK_SECRET),
            ("GitHub client secret", GITHUB_SECRET),
            ("OpenID client secret", OIDC_SECRET),
            ("channel's key", CHANNEL_KEY),
        ] {
            watch.add(kind, secret, Where::Nowhere);
        }
        let master = hex::decode(MASTER_KEY).expect("hexadecimal digits");
        watch.add_bytes("master key", &master);
        for label in DERIVED.split('"').filter(|text| text.starts_with("bytespike/v1/")) {
            watch.add_bytes("derived key", &derived(&master, label));
        }
        for prompt in PROMPTS {
            watch.add("prompt", prompt, Where::InKept);
        }
        watch.add("output", OUTPUT, Where::InCalls);
        watch
    }

    fn add_bytes(&mut self, kind: &'static str, bytes: &[u8]) {
        self.add(kind, &hex::encode(bytes), Where::Nowhere);
        self.add(kind, STANDARD.encode(bytes).trim_end_matches('='), Where::Nowhere);
    }

    /// Notes a secret; the place where it was met first stays.
    fn add(&mut self, kind: &'static str, text: &str, seen: Where) {
        if text.len() < START {
            return;
        }
        let alike = self.0.entry(text.as_bytes()[..START].to_vec()).or_default();
        if !alike.iter().any(|known| known.text == text) {
            alike.push(Secret { kind, text: text.to_owned(), seen });
        }
    }

    /// The kind of a secret that is in the bytes.
    #[must_use]
    pub fn leak(&self, place: &str, bytes: &[u8]) -> Option<&'static str> {
        bytes.windows(START).enumerate().find_map(|(at, start)| {
            let here = self.0.get(start)?.iter().find(|one| bytes[at..].starts_with(one.text.as_bytes()))?;
            (!here.seen.is_allowed_at(place)).then_some(here.kind)
        })
    }

    /// The kind of a secret that is in an answer and should not be; those that it hands out are noted first.
    pub fn read(&mut self, answer: Answer<'_>) -> Option<&'static str> {
        let body = String::from_utf8_lossy(answer.body);
        let is_page = answer
            .headers
            .iter()
            .any(|(name, value)| name == "content-type" && value.starts_with("text/html"));
        let place = place_of(answer.place, is_page);
        if hands_out(place) {
            for (kind, secret) in shapes::in_body(&body, is_page) {
                self.add(kind, &secret, Where::At(place.to_owned()));
            }
        }
        for (name, value) in answer.headers {
            if name == "set-cookie" {
                shapes::in_cookie(value).inspect(|secret| self.add("session cookie", secret, Where::Nowhere));
            } else if let Some(kind) = self.leak(place, value.as_bytes()) {
                return Some(kind);
            }
        }
        self.leak(place, answer.body)
    }
}

impl Where {
    fn is_allowed_at(&self, place: &str) -> bool {
        match self {
            Self::Nowhere => false,
            Self::At(own) => own == place,
            Self::InCalls => is_call(place) || is_kept(place),
            Self::InKept => is_kept(place),
        }
    }
}

/// A form and the page it is on are one place, in either language; of the API, each method is one.
fn place_of(place: &str, is_page: bool) -> &str {
    let Some((_, path)) = place.split_once(' ').filter(|_| is_page) else { return place };
    path.strip_prefix("/zh").filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// Documentation shows examples; secrets are handed out elsewhere.
fn hands_out(place: &str) -> bool {
    let path = place.split_once(' ').map_or(place, |(_, path)| path);
    let places = ["/console/", "/admin/", "/oauth/", "/device", "/api/v1/", "/v1/oauth/"];
    places.iter().any(|part| path.starts_with(part)) && !path.ends_with("openapi.json")
}

/// What answers models' content: the API, but nothing that manages; and the page on which an operator tests a channel with
/// a call of their own.
fn is_call(place: &str) -> bool {
    if place.starts_with("/admin/channels/") {
        return true;
    }
    let asks = place.strip_prefix("POST ").unwrap_or_default();
    let ends = ["/messages", "/chat/completions", "/responses"];
    ends.iter().any(|end| asks.ends_with(end)) && !asks.starts_with("/api/")
}

/// A receipt's page and what can be taken from it, which show prompts and outputs where the org has them kept. That they
/// show none elsewhere is for `tests/it/bodies.rs`.
fn is_kept(place: &str) -> bool {
    let path = place.split_once(' ').map_or(place, |(_, path)| path);
    let path = path.strip_prefix("/zh").unwrap_or(path);
    path.starts_with("/console/receipts/") && !path.ends_with("/json")
}

/// HKDF-SHA256 (RFC 5869) as the product derives its keys, of one block.
fn derived(master: &[u8], label: &str) -> Vec<u8> {
    let mac = |key: &[u8], bytes: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
        mac.update(bytes);
        mac.finalize().into_bytes().to_vec()
    };
    let prk = mac(b"bytespike-hkdf-salt-v1", master);
    mac(&prk, &[label.as_bytes(), &[1]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer<'a>(place: &'a str, headers: &'a [(String, String)], body: &'a str) -> Answer<'a> {
        Answer { place, headers, body: body.as_bytes() }
    }

    #[test]
    fn what_is_planted_is_found_in_logs_and_in_answers() {
        let mut watch = Watch::planted();
        assert_eq!(watch.leak("the log", b"nothing of the kind"), None);
        for (kind, text) in [
            ("upstream key", format!("x-api-key: {UPSTREAM_KEY}")),
            ("password", format!("{{\"password\":\"{PASSWORD}\"}}")),
            ("master key", format!("key {MASTER_KEY}.")),
            ("master key", STANDARD.encode(hex::decode(MASTER_KEY).unwrap())),
            ("prompt", format!("content={}", PROMPTS[0])),
            ("output", OUTPUT.to_owned()),
        ] {
            assert_eq!(watch.leak("the log", text.as_bytes()), Some(kind), "{text}");
            assert_eq!(watch.read(answer("GET /console/calls", &[], &text)), Some(kind), "{text}");
        }
        assert_eq!(
            watch.read(answer("POST /v1/messages", &[], OUTPUT)),
            None,
            "a call's answer is its answer"
        );
        assert_eq!(watch.read(answer("POST /v1/messages", &[], UPSTREAM_KEY)), Some("upstream key"));
        for said in [PROMPTS[0], OUTPUT] {
            assert_eq!(watch.read(answer("GET /zh/console/receipts/rcp_1", &[], said)), None);
            for place in
                ["GET /console/receipts/rcp_1/json", "GET /admin/orgs/org_1", "GET /v1/receipts/rcp_1"]
            {
                assert!(watch.read(answer(place, &[], said)).is_some(), "{place}");
            }
        }
    }

    #[test]
    fn every_derived_key_is_known() {
        let master = bytespike_accounts::secrets::MasterKey::from_text(MASTER_KEY).unwrap();
        let pepper = master.mac(bytespike_accounts::secrets::MacPurpose::ApiKey);
        let derived = derived(&hex::decode(MASTER_KEY).unwrap(), "bytespike/v1/api-key-pepper");
        let mut mac = Hmac::<Sha256>::new_from_slice(&derived).unwrap();
        mac.update(b"x");
        assert_eq!(
            pepper.mac_hex(b"x"),
            hex::encode(mac.finalize().into_bytes()),
            "it is derived as the product does"
        );
        assert_eq!(Watch::planted().leak("the log", hex::encode(derived).as_bytes()), Some("derived key"));
    }

    #[test]
    fn what_is_handed_out_once_is_found_everywhere_else() {
        let (page, json) = ("text/html; charset=utf-8", "application/json");
        let kinds = |kind: &str| vec![("content-type".to_owned(), kind.to_owned())];
        let key = format!("sk-byts-{}", "7Qm3Zt9aLk".repeat(5));
        let token = format!("bs1a{}", "7Qm3Zt9aLk".repeat(5));
        let codes = "<ol class=\"recovery-codes\"><li><code translate=\"no\">abcde-12345</code></li></ol>";
        let listed = format!("{{\"key\":\"{key}\"}}");
        let typed = "<output id=\"secret\" translate=\"no\">JBSW Y3DP EHPK 3PXP</output>";
        for (kind, place, form, body, secret) in [
            ("key", "GET /zh/console/keys/key_1/created", page, &*key, &*key),
            ("key", "POST /api/v1/keys", json, &*listed, &*key),
            ("OAuth token", "POST /oauth/token", json, &*token, &*token),
            ("recovery code", "GET /console/settings/security/codes", page, codes, "abcde-12345"),
            ("secret shown once", "GET /console/settings/security/app", page, typed, "JBSWY3DPEHPK3PXP"),
            ("secret shown once", "GET /console/settings/security/app", page, typed, "JBSW Y3DP EHPK 3PXP"),
        ] {
            let mut watch = Watch::default();
            let (form, elsewhere) = (kinds(form), kinds(page));
            for _ in 0..2 {
                assert_eq!(watch.read(answer(place, &form, body)), None, "{place}");
            }
            assert_eq!(watch.leak("the log", secret.as_bytes()), Some(kind), "{place}");
            assert_eq!(watch.read(answer("GET /console/keys", &elsewhere, secret)), Some(kind), "{place}");
        }
        // Where the API lists is another place than where it makes.
        let (mut watch, json) = (Watch::default(), kinds(json));
        assert_eq!(watch.read(answer("POST /api/v1/keys", &json, &key)), None);
        assert_eq!(watch.read(answer("GET /api/v1/keys", &json, &key)), Some("key"));
        // Examples of the documentation are nobody's.
        let (mut watch, html) = (Watch::default(), kinds(page));
        assert_eq!(watch.read(answer("GET /docs/keys", &html, &key)), None);
        assert_eq!(watch.read(answer("GET /docs/authentication", &html, &key)), None);
    }

    #[test]
    fn a_sessions_cookie_is_in_no_body_and_no_log() {
        let cookie = "bs_sid=Zm9vYmFyYmF6cXV4cXV1eA; Path=/; HttpOnly".to_owned();
        let headers = [("set-cookie".to_owned(), cookie)];
        let mut watch = Watch::default();
        assert_eq!(watch.read(answer("POST /console/sign-in", &headers, "welcome")), None);
        assert_eq!(watch.leak("the log", b"cookie Zm9vYmFyYmF6cXV4cXV1eA"), Some("session cookie"));
        assert_eq!(watch.read(answer("GET /console", &[], "Zm9vYmFyYmF6cXV4cXV1eA")), Some("session cookie"));
    }
}
