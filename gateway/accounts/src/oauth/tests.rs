//! The flow as a program and a person go through it, on both databases, by the numbers of the published vectors.
use super::authorize::{Checked, PageProblem, Refused};
use super::consent::{Allowed, DecideError, Waiting};
use super::exchange::{ClientProof, Exchange, ExchangeError, Tokens};
use super::key_request::KeyBounds;
use super::provision::{Provision, ProvisionError, Provisioned};
use super::{Client, GrantScope, GrantScopes, NewClient, Oauth};
use crate::people::Membership;
use crate::testing::{Bench, on_each, origin};
use std::collections::BTreeMap;

const ISSUER: &str = "https://bytespike.example";
const RESOURCE: &str = "https://bytespike.example/v1";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://127.0.0.1:51004/callback";
const SECOND_MS: i64 = 1_000;
const DAY_MS: i64 = 86_400_000;

type Pairs = Vec<(String, String)>;

fn request() -> Pairs {
    pairs(&[
        ("response_type", "code"),
        ("client_id", "dosia-desktop"),
        ("redirect_uri", REDIRECT),
        ("scope", "profile models:read keys:provision offline_access"),
        ("state", "a state"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", RESOURCE),
    ])
}

fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn with(name: &str, value: &str) -> Pairs {
    let mut changed = without(name);
    changed.push((name.to_owned(), value.to_owned()));
    changed
}

fn without(name: &str) -> Pairs {
    request().into_iter().filter(|(key, _)| key != name).collect()
}

fn also(name: &str, value: &str) -> Pairs {
    let mut more = request();
    more.push((name.to_owned(), value.to_owned()));
    more
}

fn bounds() -> KeyBounds {
    KeyBounds {
        label: "DOSIA".to_owned(),
        month_limit_nano: Some(10_000_000_000),
        expires_in_ms: Some(90 * DAY_MS),
        models: None,
        most_keys: 1,
    }
}

/// A person with a program in front of them.
struct Scene<'a> {
    bench: &'a Bench,
    member: Membership,
}

impl<'a> Scene<'a> {
    async fn new(bench: &'a Bench) -> Self {
        Self { bench, member: bench.owner("ada@example.com").await }
    }

    fn oauth(&self) -> &Oauth {
        &self.bench.accounts.oauth
    }

    async fn check(&self, pairs: &Pairs) -> Result<Checked, Refused> {
        self.oauth().check(pairs, &[RESOURCE.to_owned()]).await.expect("the database answers")
    }

    async fn waiting(&self) -> Waiting {
        let checked = self.check(&request()).await.expect("a good request");
        let begun = self.oauth().begin(&checked).await.expect("begun");
        self.oauth().waiting(&begun.id, begun.browser_secret.expose()).await.expect("read").expect("it waits")
    }

    fn allowed(waiting: &Waiting) -> Allowed {
        Allowed { scopes: waiting.scopes.clone(), bounds: bounds() }
    }

    async fn code(&self) -> String {
        let waiting = self.waiting().await;
        let address = self
            .oauth()
            .allow((&origin(), ISSUER), &waiting, &self.member, &Self::allowed(&waiting))
            .await
            .expect("allowed");
        answer(address.expose())["code"].clone()
    }

    async fn dosia(&self) -> Client {
        self.oauth().authenticate(ClientProof { id: "dosia-desktop", secret: None }).await.expect("known")
    }

    async fn redeem(&self, code: &str) -> Result<Tokens, ExchangeError> {
        self.exchange(Exchange::Code {
            code,
            verifier: VERIFIER,
            redirect_uri: Some(REDIRECT),
            resource: None,
        })
        .await
    }

    async fn refresh(&self, token: &str) -> Result<Tokens, ExchangeError> {
        self.exchange(Exchange::Refresh { token, scope: None, resource: None }).await
    }

    async fn exchange(&self, asked: Exchange<'_>) -> Result<Tokens, ExchangeError> {
        self.oauth().exchange(&origin(), &self.dosia().await, asked).await
    }

    async fn tokens(&self) -> Tokens {
        let code = self.code().await;
        self.redeem(&code).await.expect("tokens")
    }

    /// A refresh token of a new family.
    async fn r1(&self) -> String {
        refresh_of(&self.tokens().await)
    }

    async fn is_good(&self, access: &str) -> bool {
        self.oauth().bearer(access).await.is_ok()
    }

    fn wait(&self, ms: i64) {
        self.bench.clock.advance(ms);
    }
}

fn refresh_of(tokens: &Tokens) -> String {
    tokens.refresh.as_ref().expect("it may stay connected").expose().to_owned()
}

fn answer(address: &str) -> BTreeMap<String, String> {
    let (_, query) = address.split_once('?').expect("an answer in the query");
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn n1_to_n5_before_program_and_address_are_proven_nothing_redirects() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        for (asked, problem) in [
            (without("client_id"), PageProblem::UnknownClient),
            (with("client_id", "nobody"), PageProblem::UnknownClient),
            (also("client_id", "dosia-desktop"), PageProblem::Repeated),
            (without("redirect_uri"), PageProblem::RedirectUri),
            (with("redirect_uri", "https://evil.example/callback"), PageProblem::RedirectUri),
            (with("state", &"x".repeat(9_000)), PageProblem::TooLong),
        ] {
            assert_eq!(scene.check(&asked).await, Err(Refused::Page(problem)), "{asked:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn n6_to_n19_after_it_the_program_is_told() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        for (asked, error) in [
            (with("response_type", "token"), "unsupported_response_type"),
            (with("response_type", "code id_token"), "unsupported_response_type"),
            (also("response_mode", "fragment"), "invalid_request"),
            (also("response_mode", "form_post"), "invalid_request"),
            (without("code_challenge"), "invalid_request"),
            (with("code_challenge_method", "plain"), "invalid_request"),
            (without("code_challenge_method"), "invalid_request"),
            (with("code_challenge", &CHALLENGE[..42]), "invalid_request"),
            (with("state", &"x".repeat(513)), "invalid_request"),
            (with("state", "a\r\nb"), "invalid_request"),
            (with("scope", "admin:all"), "invalid_scope"),
            (also("resource", RESOURCE), "invalid_target"),
            (with("resource", "https://bytespike.example/v1/"), "invalid_target"),
            (also("authorization_details", "nonsense"), "invalid_authorization_details"),
            (also("authorization_details", r#"[{"type":"payment"}]"#), "invalid_authorization_details"),
            (also("request", "x"), "request_not_supported"),
            (also("request_uri", "https://a.example"), "request_uri_not_supported"),
            (also("registration", "{}"), "registration_not_supported"),
            (also("prompt", "perhaps"), "invalid_request"),
        ] {
            let Err(Refused::Redirect(back)) = scene.check(&asked).await else { panic!("{asked:?} passed") };
            assert_eq!(back.error, error, "{asked:?}");
            let said = answer(&back.address(ISSUER));
            assert_eq!(said["iss"], ISSUER);
            assert!(
                back.description
                    .bytes()
                    .all(|byte| (0x20..=0x7e).contains(&byte) && !b"\"\\".contains(&byte))
            );
            let is_state_echoed = said.get("state").is_some_and(|state| state == "a state");
            assert_eq!(
                is_state_echoed,
                !asked.iter().any(|(name, value)| name == "state" && value != "a state")
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_waits_in_its_own_browser_and_is_decided_once() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let checked = scene.check(&request()).await.expect("a good request");
        let begun = scene.oauth().begin(&checked).await.expect("begun");
        let other = scene.oauth().begin(&checked).await.expect("begun");
        let in_browser = async |secret: &str| scene.oauth().waiting(&begun.id, secret).await.expect("read");
        assert!(in_browser(other.browser_secret.expose()).await.is_none(), "another browser took it up");
        let waiting = in_browser(begun.browser_secret.expose()).await.expect("it waits");
        let allowed = Scene::allowed(&waiting);
        // N21, N53: whoever decides first decides.
        let from = origin();
        let decisions =
            (0..8).map(|_| scene.oauth().allow((&from, ISSUER), &waiting, &scene.member, &allowed));
        let decided = futures_util::future::join_all(decisions).await;
        assert_eq!(decided.iter().filter(|decision| decision.is_ok()).count(), 1);
        assert!(decided.iter().all(|decision| matches!(decision, Ok(_) | Err(DecideError::Over))));
        assert!(in_browser(begun.browser_secret.expose()).await.is_none(), "it still waits");
        let late = scene.waiting().await;
        scene.wait(super::TRANSACTION_MS);
        let denied = scene.oauth().deny((&origin(), ISSUER), &late, &scene.member).await;
        assert!(matches!(denied, Err(DecideError::Over)));
    })
    .await;
}

#[tokio::test]
async fn n23_to_n27_a_code_is_good_once_for_a_minute_and_for_its_program() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let code = scene.code().await;
        scene.wait(61 * SECOND_MS);
        assert!(matches!(scene.redeem(&code).await, Err(ExchangeError::Grant)), "N23");

        let code = scene.code().await;
        let first = scene.redeem(&code).await.expect("tokens");
        assert!(scene.is_good(first.access.expose()).await);
        assert!(matches!(scene.redeem(&code).await, Err(ExchangeError::Grant)), "N24");
        assert!(
            !scene.is_good(first.access.expose()).await,
            "N24: the first tokens end with the second redemption"
        );
        assert!(scene.refresh(&refresh_of(&first)).await.is_err(), "N24: and so does the family");

        let short = "a".repeat(42);
        for verifier in ["", "wrong".repeat(9).as_str(), short.as_str(), CHALLENGE] {
            let code = scene.code().await;
            let asked = Exchange::Code { code: &code, verifier, redirect_uri: None, resource: None };
            assert!(matches!(scene.exchange(asked).await, Err(ExchangeError::Grant)), "N26 {verifier}");
            assert!(scene.redeem(&code).await.is_err(), "N26: the code is burnt");
        }
        let code = scene.code().await;
        let elsewhere = Some("http://127.0.0.1:51005/callback");
        let asked =
            Exchange::Code { code: &code, verifier: VERIFIER, redirect_uri: elsewhere, resource: None };
        assert!(matches!(scene.exchange(asked).await, Err(ExchangeError::Grant)), "N27");

        let other = scene.registered(false, false).await;
        let code = scene.code().await;
        let asked = Exchange::Code { code: &code, verifier: VERIFIER, redirect_uri: None, resource: None };
        let stolen = scene.oauth().exchange(&origin(), &other.0, asked).await;
        assert!(matches!(stolen, Err(ExchangeError::Grant)), "N25");
        let asked =
            Exchange::Code { code: "bs1cnothing", verifier: VERIFIER, redirect_uri: None, resource: None };
        assert!(matches!(scene.exchange(asked).await, Err(ExchangeError::Grant)));
    })
    .await;
}

#[tokio::test]
async fn n52_of_twenty_redemptions_at_once_one_gets_tokens() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let code = scene.code().await;
        let redeemed = futures_util::future::join_all((0..20).map(|_| scene.redeem(&code))).await;
        assert_eq!(redeemed.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn r1_to_r4_a_refresh_token_is_good_once_and_a_lost_answer_is_given_again() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let second = scene.refresh(&scene.r1().await).await.expect("R1");
        scene.refresh(&refresh_of(&second)).await.expect("R1: R2 to R3");

        let first = scene.r1().await;
        let lost = scene.refresh(&first).await.expect("R2");
        scene.wait(10 * SECOND_MS);
        let again = scene.refresh(&first).await.expect("R2: the answer was lost");
        assert!(
            !scene.is_good(lost.access.expose()).await && scene.is_good(again.access.expose()).await,
            "R2"
        );
        assert!(scene.refresh(&refresh_of(&lost)).await.is_err(), "R2: what was lost is dead");

        let first = scene.r1().await;
        let second = scene.refresh(&first).await.expect("R3");
        assert!(scene.is_good(second.access.expose()).await, "R3: it was heard and used");
        scene.wait(10 * SECOND_MS);
        assert!(matches!(scene.refresh(&first).await, Err(ExchangeError::Grant)), "R3");
        assert!(scene.refresh(&refresh_of(&second)).await.is_err(), "R3: the family is dead");
        assert!(!scene.is_good(second.access.expose()).await, "R3");

        let first = scene.r1().await;
        let second = scene.refresh(&first).await.expect("R4");
        scene.wait(31 * SECOND_MS);
        assert!(scene.refresh(&first).await.is_err(), "R4");
        assert!(scene.refresh(&refresh_of(&second)).await.is_err(), "R4: the family is dead");
    })
    .await;
}

#[tokio::test]
async fn r5_two_refreshes_at_once_leave_one_live_pair() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let first = scene.r1().await;
        let both = futures_util::future::join_all([scene.refresh(&first), scene.refresh(&first)]).await;
        let mut live = 0;
        for tokens in both.iter().flatten() {
            live += usize::from(scene.is_good(tokens.access.expose()).await);
        }
        assert_eq!(live, 1);
    })
    .await;
}

#[tokio::test]
async fn r6_to_r9_only_its_program_within_its_scope_and_time() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let first = scene.r1().await;
        let (other, _) = scene.registered(false, false).await;
        let asked = Exchange::Refresh { token: &first, scope: None, resource: None };
        assert!(
            matches!(scene.oauth().exchange(&origin(), &other, asked).await, Err(ExchangeError::Grant)),
            "R6"
        );
        assert!(scene.refresh(&first).await.is_err(), "R6: the family is dead");

        let first = scene.r1().await;
        let wide = Exchange::Refresh { token: &first, scope: Some("usage:read"), resource: None };
        assert!(matches!(scene.exchange(wide).await, Err(ExchangeError::Scope)), "R8");
        let narrow = Exchange::Refresh { token: &first, scope: Some("profile"), resource: Some(RESOURCE) };
        let narrow = scene.exchange(narrow).await.expect("R8: still active");
        assert_eq!(narrow.scopes, GrantScopes::from([GrantScope::Profile]));
        let target =
            Exchange::Refresh { token: &first, scope: None, resource: Some("https://other.example") };
        assert!(matches!(scene.exchange(target).await, Err(ExchangeError::Target)));

        let first = scene.r1().await;
        scene.wait(31 * DAY_MS);
        assert!(scene.refresh(&first).await.is_err(), "R9: idle");
        let mut token = scene.r1().await;
        for _ in 0..4 {
            scene.wait(20 * DAY_MS);
            token = refresh_of(&scene.refresh(&token).await.expect("R9: used in time"));
        }
        scene.wait(11 * DAY_MS);
        assert!(scene.refresh(&token).await.is_err(), "R9: after 90 days it ends, however much it was used");

        let first = scene.r1().await;
        bench
            .accounts
            .people
            .disable(&origin(), crate::audit::Actor::Host, scene.member.person_id())
            .await
            .expect("done");
        assert!(scene.refresh(&first).await.is_err(), "R7");
    })
    .await;
}

#[tokio::test]
async fn programs_with_a_secret_prove_themselves_by_it_and_others_must_not_bring_one() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let (client, secret) = scene.registered(true, true).await;
        let secret = secret.expect("shown once");
        let proof = |secret| ClientProof { id: &client.id, secret };
        assert!(scene.oauth().authenticate(proof(Some(&secret))).await.is_ok());
        for wrong in [None, Some("wrong"), Some(secret.trim_end_matches(char::is_alphanumeric))] {
            assert!(matches!(scene.oauth().authenticate(proof(wrong)).await, Err(ExchangeError::Client)));
        }
        let dosia = ClientProof { id: "dosia-desktop", secret: Some(&secret) };
        assert!(matches!(scene.oauth().authenticate(dosia).await, Err(ExchangeError::Client)));
        scene.oauth().end_client(&origin(), &scene.member, &client.id).await.expect("ended");
        assert!(matches!(scene.oauth().authenticate(proof(Some(&secret))).await, Err(ExchangeError::Client)));
    })
    .await;
}

#[tokio::test]
async fn n37_to_n39_tokens_are_checked_and_ended_by_whom_they_concern() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let (server, _) = scene.registered(true, true).await;
        let tokens = scene.tokens().await;
        let access = tokens.access.expose();
        let seen = scene.oauth().introspect(&server, access).await.expect("read").expect("active");
        assert_eq!((seen.client_id.as_str(), seen.resource.as_deref()), ("dosia-desktop", Some(RESOURCE)));
        for other in [refresh_of(&tokens), "nonsense".to_owned()] {
            assert_eq!(scene.oauth().introspect(&server, &other).await.expect("read"), None);
        }
        let stranger = Scene { bench: &bench, member: bench.owner("eve@example.com").await };
        let (theirs, _) = stranger.registered(true, true).await;
        assert_eq!(
            scene.oauth().introspect(&theirs, access).await.expect("read"),
            None,
            "N38: another org's"
        );

        scene.oauth().revoke(&origin(), &server, access).await.expect("nothing happens");
        assert!(scene.is_good(access).await, "N39: another program's revocation");
        let dosia = scene.dosia().await;
        scene.oauth().revoke(&origin(), &dosia, access).await.expect("revoked");
        assert!(!scene.is_good(access).await);
        let next = scene.refresh(&refresh_of(&tokens)).await.expect("the family lives on");
        scene.oauth().revoke(&origin(), &dosia, &refresh_of(&next)).await.expect("revoked");
        assert!(
            !scene.is_good(next.access.expose()).await && scene.refresh(&refresh_of(&next)).await.is_err()
        );
    })
    .await;
}

#[tokio::test]
async fn n45_n46_one_permission_makes_one_key_and_the_same_request_the_same_key() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let tokens = scene.tokens().await;
        let bearer = scene.oauth().bearer(tokens.access.expose()).await.expect("good");
        let asked = provision("first", "body");
        let Provisioned::Made { key, expires_at_ms, .. } =
            scene.oauth().provision(&origin(), &bearer, &asked).await.expect("made")
        else {
            panic!("not made")
        };
        assert_eq!(expires_at_ms, Some(bench.world.now_ms() + 90 * DAY_MS));
        let caller = bench.accounts.keys.identify(key.secret.expose()).await.expect("a working key");
        assert_eq!(caller.key_id, key.id);
        scene.oauth().keep_answer(&key.id, "the answer").await.expect("kept");

        let again = async |asked: &Provision| scene.oauth().provision(&origin(), &bearer, asked).await;
        let Ok(Provisioned::Again { key_id, answer }) = again(&asked).await else { panic!("made twice") };
        assert_eq!((key_id.as_str(), answer.expect("kept").expose()), (key.id.as_str(), "the answer"));
        let other = again(&provision("first", "another body")).await;
        assert!(matches!(other, Err(ProvisionError::OtherBody)), "N46");
        assert!(matches!(again(&provision("second", "body")).await, Err(ProvisionError::TooMany(1))), "N45");
        scene.wait(61 * SECOND_MS);
        let Ok(Provisioned::Again { answer, .. }) = again(&asked).await else { panic!("made twice") };
        assert!(answer.is_none(), "the text is gone after a minute");

        let app = scene.oauth().apps(scene.member.person_id()).await.expect("read").remove(0);
        assert_eq!(
            (app.client_name.as_str(), app.key_ids.as_slice()),
            ("DOSIA", std::slice::from_ref(&key.id))
        );
        let cut =
            scene.oauth().disconnect(&origin(), &scene.member, (&app.grant_id, true)).await.expect("done");
        assert!(cut && bench.accounts.keys.identify(key.secret.expose()).await.is_err());
        assert!(!scene.is_good(tokens.access.expose()).await);
    })
    .await;
}

#[tokio::test]
async fn running_a_wizard_again_replaces_the_key_of_that_installation() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let mut made = Vec::new();
        for request_key in ["first", "second"] {
            let bearer = scene.oauth().bearer(scene.tokens().await.access.expose()).await.expect("good");
            let asked = Provision {
                client_instance: Some("3f9c".to_owned()),
                replaces_instance: true,
                ..provision(request_key, "body")
            };
            match scene.oauth().provision(&origin(), &bearer, &asked).await.expect("made") {
                Provisioned::Made { key, .. } => made.push(key.secret),
                Provisioned::Again { .. } => panic!("another grant's"),
            }
        }
        let works = async |at: usize| bench.accounts.keys.identify(made[at].expose()).await.is_ok();
        assert!(!works(0).await && works(1).await);
    })
    .await;
}

#[tokio::test]
async fn n33_n34_n36_a_device_waits_asks_no_faster_and_is_decided_once() {
    on_each(async |bench| {
        let scene = Scene::new(&bench).await;
        let dosia = scene.dosia().await;
        let start = async || {
            let asked = (Some("profile keys:provision"), None, None);
            scene.oauth().start_device(&origin(), &dosia, asked, &[]).await.expect("codes")
        };
        let poll = async |code: &str| scene.exchange(Exchange::Device { code }).await;
        let codes = start().await;
        let device = codes.device_code.expose();
        assert!(matches!(poll(device).await, Err(ExchangeError::Pending)));
        scene.wait(SECOND_MS);
        assert!(matches!(poll(device).await, Err(ExchangeError::SlowDown)), "N33");
        scene.wait(6 * SECOND_MS);
        assert!(
            matches!(poll(device).await, Err(ExchangeError::SlowDown)),
            "N33: the interval has grown for good"
        );

        let waiting = scene.oauth().typed(&origin(), codes.user_code.expose()).await.expect("it waits");
        let allowed = Allowed { scopes: waiting.scopes.clone(), bounds: bounds() };
        scene
            .oauth()
            .decide_device(&origin(), &waiting, &scene.member, Some(&allowed))
            .await
            .expect("approved");
        let twice = scene.oauth().decide_device(&origin(), &waiting, &scene.member, Some(&allowed)).await;
        assert!(matches!(twice, Err(DecideError::Over)), "N36");
        let (other, _) = scene.registered(false, false).await;
        let stolen = scene.oauth().exchange(&origin(), &other, Exchange::Device { code: device }).await;
        assert!(matches!(stolen, Err(ExchangeError::Grant)), "N34");
        let tokens = poll(device).await.expect("tokens");
        assert!(tokens.refresh.is_none(), "nobody asked to stay connected");
        assert!(matches!(poll(device).await, Err(ExchangeError::Grant)), "handed out once");

        let denied = start().await;
        let waiting = scene.oauth().typed(&origin(), denied.user_code.expose()).await.expect("it waits");
        scene.oauth().decide_device(&origin(), &waiting, &scene.member, None).await.expect("denied");
        assert!(matches!(poll(denied.device_code.expose()).await, Err(ExchangeError::Denied)));
        let late = start().await;
        scene.wait(super::device::DEVICE_MS);
        assert!(matches!(poll(late.device_code.expose()).await, Err(ExchangeError::ExpiredDevice)));
    })
    .await;
}

#[tokio::test]
async fn n35_the_sixth_wrong_code_is_not_even_looked_at() {
    on_each(async |bench| {
        use super::device::UserCodeError;
        let scene = Scene::new(&bench).await;
        for _ in 0..5 {
            let typed = scene.oauth().typed(&origin(), "BCDF-GHJK").await;
            assert!(matches!(typed, Err(UserCodeError::Unknown)));
        }
        let typed = scene.oauth().typed(&origin(), "BCDF-GHJK").await;
        assert!(matches!(typed, Err(UserCodeError::TooMany)));
    })
    .await;
}

fn provision(request_key: &str, body_hash: &str) -> Provision {
    Provision {
        request_key: request_key.to_owned(),
        body_hash: body_hash.to_owned(),
        label: None,
        client_instance: None,
        replaces_instance: false,
    }
}

impl Scene<'_> {
    /// A program of the person's own org, and its secret.
    async fn registered(&self, is_confidential: bool, is_resource_server: bool) -> (Client, Option<String>) {
        let new = NewClient {
            name: "Dashboard".to_owned(),
            redirect_uris: vec!["https://app.example.com/cb".to_owned()],
            scopes: GrantScopes::from([GrantScope::Profile]),
            is_confidential,
            is_resource_server,
        };
        let made = self.oauth().register(&origin(), &self.member, new).await.expect("registered");
        let client = self.oauth().client(&made.id).await.expect("read").expect("known");
        (client, made.secret.map(|secret| secret.expose().to_owned()))
    }
}
