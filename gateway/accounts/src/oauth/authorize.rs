//! A request to authorize, checked in a fixed order: until the program and where it is sent back to are proven, nothing
//! ever redirects. The order and the answers are RFC 6749, 7636, 8707, 9101, 9396 and OAuth 2.1.
use super::key_request::{self, KeyRequest};
use super::scope::{self, GrantScopes};
use super::{Client, Oauth, Trust, pkce, redirect};

const MOST_QUERY_BYTES: usize = 8 * 1024;
const MOST_STATE_BYTES: usize = 512;
/// Parameters that mean something here; each may stand once.
const PARAMETERS: [&str; 15] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "state",
    "scope",
    "resource",
    "authorization_details",
    "request",
    "request_uri",
    "registration",
    "prompt",
    "ui_locales",
];

/// A request that may be put before a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub client: Client,
    pub redirect_uri: String,
    pub state: Option<String>,
    pub code_challenge: String,
    pub scopes: GrantScopes,
    pub resource: Option<String>,
    pub key_request: KeyRequest,
    pub prompt: Prompt,
}

/// What the program wants the person to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Sign in if need be, then decide. A decision is asked for every time.
    Consent,
    /// Sign in again, whoever is signed in.
    SignIn,
    /// Nothing at all, which cannot be: every request is decided by a person.
    Nothing,
}

/// Why a request goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A page says so. The address it asked to be sent back to may be anybody's, so it is not shown as a link.
    Page(PageProblem),
    /// The program is told.
    Redirect(Back),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageProblem {
    Repeated,
    TooLong,
    UnknownClient,
    RedirectUri,
    /// Something else is wrong, and the program is one that nobody vouches for: a browser is not sent on to it before its
    /// person has seen whose it is (RFC 9700, section 4.11). In words for whoever makes it.
    Faulty(&'static str),
}

/// An answer to the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    pub redirect_uri: String,
    pub state: Option<String>,
    pub error: &'static str,
    /// ASCII without quotes and backslashes.
    pub description: &'static str,
}

impl Oauth {
    /// Checks a request: the decoded pairs of its query or form, and the resources there are.
    ///
    /// # Errors
    /// The inner one: why the request goes no further.
    pub async fn check(
        &self,
        pairs: &[(String, String)],
        resources: &[String],
    ) -> sqlx::Result<Result<Checked, Refused>> {
        let asked = match Asked::read(pairs) {
            Ok(asked) => asked,
            Err(problem) => return Ok(Err(Refused::Page(problem))),
        };
        let found = match asked.get("client_id") {
            Some(id) => self.client(id).await?,
            None => None,
        };
        let Some(client) = found else { return Ok(Err(Refused::Page(PageProblem::UnknownClient))) };
        let Some(redirect_uri) =
            asked.get("redirect_uri").filter(|uri| redirect::matches(&client.redirect_uris, uri))
        else {
            return Ok(Err(Refused::Page(PageProblem::RedirectUri)));
        };
        let redirect_uri = redirect_uri.to_owned();
        let is_vouched_for = client.trust != Trust::Document;
        Ok(asked.rest(client, &redirect_uri, resources).map_err(|(error, description)| {
            if !is_vouched_for {
                return Refused::Page(PageProblem::Faulty(description));
            }
            let state = asked.get("state").filter(|state| is_state(state)).map(str::to_owned);
            Refused::Redirect(Back { redirect_uri, state, error, description })
        }))
    }
}

/// The parameters, each at most once.
struct Asked<'a>(&'a [(String, String)]);

type Fault = (&'static str, &'static str);

impl<'a> Asked<'a> {
    fn read(pairs: &'a [(String, String)]) -> Result<Self, PageProblem> {
        if pairs.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>() > MOST_QUERY_BYTES {
            return Err(PageProblem::TooLong);
        }
        let repeated = |name: &&str| pairs.iter().filter(|(key, _)| key == name).count() > 1;
        // A second resource is an error of its own, which the program is told.
        match PARAMETERS.iter().filter(|name| **name != "resource").any(repeated) {
            true => Err(PageProblem::Repeated),
            false => Ok(Self(pairs)),
        }
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Everything after the program and its address are proven.
    fn rest(&self, client: Client, redirect_uri: &str, resources: &[String]) -> Result<Checked, Fault> {
        if self.get("response_type") != Some("code") {
            return Err(("unsupported_response_type", "response_type must be code"));
        }
        if self.get("response_mode").is_some_and(|mode| mode != "query") {
            return Err(("invalid_request", "response_mode must be query"));
        }
        let challenge = self.get("code_challenge").filter(|text| pkce::is_challenge(text));
        let (Some(challenge), Some("S256")) = (challenge, self.get("code_challenge_method")) else {
            return Err((
                "invalid_request",
                "PKCE is required: a code_challenge of 43 characters with code_challenge_method S256",
            ));
        };
        if self.get("state").is_some_and(|state| !is_state(state)) {
            return Err(("invalid_request", "state must be at most 512 printable ASCII characters"));
        }
        let scopes = self.scopes(&client)?;
        let resource = self.resource(resources)?;
        let key_request = key_request::parse(self.get("authorization_details")).map_err(|_| {
            (
                "invalid_authorization_details",
                "authorization_details must be one bytespike_api_key within its limits",
            )
        })?;
        self.refuse_unsupported()?;
        let prompt = self.prompt(&client)?;
        Ok(Checked {
            client,
            redirect_uri: redirect_uri.to_owned(),
            state: self.get("state").map(str::to_owned),
            code_challenge: challenge.to_owned(),
            scopes,
            resource,
            key_request,
            prompt,
        })
    }

    fn scopes(&self, client: &Client) -> Result<GrantScopes, Fault> {
        let asked = scope::parse(self.get("scope").unwrap_or_default());
        let asked = asked.ok_or(("invalid_scope", "a scope is not known here"))?;
        if !asked.is_subset(&client.scopes) {
            return Err(("invalid_scope", "a scope is not open to this program"));
        }
        Ok(if asked.is_empty() { client.scopes.clone() } else { asked })
    }

    fn resource(&self, resources: &[String]) -> Result<Option<String>, Fault> {
        let asked: Vec<&String> =
            self.0.iter().filter(|(name, _)| name == "resource").map(|(_, value)| value).collect();
        match asked.as_slice() {
            [] => Ok(None),
            [one] if resources.contains(*one) => Ok(Some((*one).clone())),
            _ => Err((
                "invalid_target",
                "resource must be one of the resources in the metadata, exactly as written there",
            )),
        }
    }

    fn refuse_unsupported(&self) -> Result<(), Fault> {
        for (name, fault) in [
            ("request", ("request_not_supported", "request objects are not taken")),
            ("request_uri", ("request_uri_not_supported", "request objects are not taken")),
            ("registration", ("registration_not_supported", "registration is not taken here")),
        ] {
            if self.get(name).is_some() {
                return Err(fault);
            }
        }
        Ok(())
    }

    fn prompt(&self, client: &Client) -> Result<Prompt, Fault> {
        match self.get("prompt") {
            None | Some("consent" | "select_account") => Ok(Prompt::Consent),
            Some("login") => Ok(Prompt::SignIn),
            Some("none") if client.trust == Trust::Document => {
                Err(("invalid_request", "a person is always asked about a program that nobody registered"))
            }
            Some("none") => Ok(Prompt::Nothing),
            Some(_) => Err(("invalid_request", "prompt must be none, login, consent or select_account")),
        }
    }
}

fn is_state(text: &str) -> bool {
    text.len() <= MOST_STATE_BYTES && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

impl Back {
    /// The request needs a person who is not there, or a decision that cannot be asked for.
    pub fn unattended(checked: &Checked, is_signed_in: bool) -> Self {
        let (error, description) = match is_signed_in {
            true => ("consent_required", "a person decides every request"),
            false => ("login_required", "nobody is signed in"),
        };
        Self { redirect_uri: checked.redirect_uri.clone(), state: checked.state.clone(), error, description }
    }

    /// The address that tells the program.
    pub fn address(&self, issuer: &str) -> String {
        let mut pairs = vec![("error", self.error), ("error_description", self.description)];
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        with_pairs(&self.redirect_uri, &pairs, issuer)
    }
}

/// The redirect address with the answer added to whatever query it has; `iss` says whose answer it is (RFC 9207).
pub(super) fn with_pairs(redirect_uri: &str, pairs: &[(&str, &str)], issuer: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs).append_pair("iss", issuer);
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{joint}{}", query.finish())
}
