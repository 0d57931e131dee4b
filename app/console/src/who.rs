//! Who is asking: a signed-in member, or a browser nobody has signed in with yet.
use crate::problem::Problem;
use crate::routes;
use crate::state::ConsoleState;
use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, OptionalFromRequestParts};
use axum::response::{IntoResponse, Redirect, Response};
use bytespike_accounts::Origin;
use bytespike_accounts::csrf::Binding;
use bytespike_accounts::people::{Membership, NumberFormat};
use bytespike_accounts::sessions::{ANONYMOUS_COOKIE, BROWSER_COOKIE, CurrentSession, Session};
use bytespike_ui::{Numbers, Surface, Visit};
use http::header::{COOKIE, SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The holder of a live session and their place in the org they look at. Read anew for every request, so that a
/// change of role or a removed member counts on the next one.
pub(crate) struct SignedIn {
    pub member: Membership,
    pub session: CurrentSession,
    pub cookie: Session,
    pub origin: Origin,
    /// The cookie of the time before sign-in, if the browser still has it: a development server shows letters by it.
    pub anonymous: String,
    /// For the forms of this page; bound to the session.
    pub token: String,
    /// Notices that were not read.
    pub unread: i64,
    /// Announcements that they do not want to see any more.
    pub put_away: Vec<String>,
}

/// A browser before sign-in, known by a random cookie alone. Nothing about it is stored.
pub(crate) struct Visitor {
    pub id: String,
    pub origin: Origin,
    pub token: String,
    /// What names this browser for as long as it keeps its cookies, if it has signed in before.
    pub browser: Option<String>,
    new_cookie: Option<HeaderValue>,
}

impl SignedIn {
    /// How they want numbers written.
    pub fn numbers(&self) -> Numbers {
        match self.member.numbers() {
            NumberFormat::ByLanguage => Numbers::ByLanguage,
            NumberFormat::CommaPoint => Numbers::CommaPoint,
            NumberFormat::PointComma => Numbers::PointComma,
            NumberFormat::SpaceComma => Numbers::SpaceComma,
        }
    }

    /// The visit of who wants numbers written so.
    pub fn reads(&self, visit: Visit) -> Visit {
        Visit { numbers: self.numbers(), ..visit }
    }

    async fn find(parts: &mut Parts, state: &ConsoleState) -> Result<Option<Self>, Problem> {
        let cookie = Session::from_request_parts(parts, state).await.map_err(|_| Problem::Unavailable)?;
        let accounts = &state.accounts;
        let Some(session) = accounts.sessions.current(&cookie).await? else { return Ok(None) };
        let mut found = accounts.people.membership(&session.person_id, session.org_id.as_deref()).await?;
        // Whoever was taken out of the org they looked at still has their others.
        if found.is_none() && session.org_id.is_some() {
            found = accounts.people.membership(&session.person_id, None).await?;
        }
        let unread = match &found {
            Some(member) => accounts.notices.unread(member).await?,
            None => 0,
        };
        let put_away = match &found {
            Some(member) if !state.urls.board().on(Surface::Console).is_empty() => {
                accounts.announcements.dismissed(member).await?
            }
            _ => Vec::new(),
        };
        let token = accounts.csrf.token(Binding::Session(&session.csrf_binding));
        let origin = origin_of(parts);
        let name = state.options.transport.cookie_name(ANONYMOUS_COOKIE);
        let anonymous = cookie_value(&parts.headers, &name).unwrap_or_default();
        Ok(found.map(|member| Self { member, session, cookie, origin, anonymous, token, unread, put_away }))
    }
}

impl FromRequestParts<ConsoleState> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ConsoleState) -> Result<Self, Response> {
        match Self::find(parts, state).await {
            Ok(Some(who)) => match may(parts, &who) {
                Ok(()) => Ok(who),
                Err(problem) => Err(problem.into_response()),
            },
            Ok(None) => Err(to_sign_in(parts, state)),
            Err(problem) => Err(problem.into_response()),
        }
    }
}

/// Asks for the permission that the table of addresses names. An address that is not in it lets nobody in.
fn may(parts: &Parts, who: &SignedIn) -> Result<(), Problem> {
    let matched = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    match routes::needs(matched) {
        Some(permission) if who.member.role().may(permission) => Ok(()),
        Some(_) => Err(Problem::Forbidden),
        None => Err(Problem::unavailable(&format!("{matched} is not in routes.rs"))),
    }
}

impl OptionalFromRequestParts<ConsoleState> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ConsoleState) -> Result<Option<Self>, Problem> {
        Self::find(parts, state).await
    }
}

impl Visitor {
    /// Gives a browser that came without the cookie one of its own.
    pub fn remember(&self, mut response: Response) -> Response {
        if let Some(cookie) = &self.new_cookie {
            response.headers_mut().append(SET_COOKIE, cookie.clone());
        }
        response
    }
}

impl FromRequestParts<ConsoleState> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &ConsoleState) -> Result<Self, Self::Rejection> {
        let name = state.options.transport.cookie_name(ANONYMOUS_COOKIE);
        let known = cookie_value(&parts.headers, &name).filter(|id| is_ours(id));
        let is_new = known.is_none();
        let id = known.unwrap_or_else(|| state.accounts.csrf.anonymous_value().expose().to_owned());
        let secure = if state.options.transport.is_secure() { "; Secure" } else { "" };
        let cookie = format!("{name}={id}; Path=/; HttpOnly; SameSite=Lax{secure}");
        Ok(Self {
            token: state.accounts.csrf.token(Binding::Anonymous(&id)),
            origin: origin_of(parts),
            browser: cookie_value(&parts.headers, &state.options.transport.cookie_name(BROWSER_COOKIE))
                .filter(|id| is_ours(id)),
            new_cookie: HeaderValue::try_from(cookie).ok().filter(|_| is_new),
            id,
        })
    }
}

/// After signing in a reader returns to the page they asked for; a form's answer is not a page.
fn to_sign_in(parts: &Parts, state: &ConsoleState) -> Response {
    let visit = Visit::from_parts(parts, state.urls.clone());
    let sign_in = visit.link("/console/sign-in");
    if parts.method == Method::GET && visit.path != "/console" {
        let next = crate::query::write(&[("next", &visit.here())]);
        return Redirect::to(&format!("{sign_in}?{next}")).into_response();
    }
    Redirect::to(&sign_in).into_response()
}

/// The server puts the client's own address in place of a trusted proxy's before anything is routed.
pub(crate) fn origin_of(parts: &Parts) -> Origin {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let text = |name: &str| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    Origin {
        ip: peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip()),
        user_agent: text(USER_AGENT.as_str()),
        request_id: text("request-id"),
    }
}

pub(crate) fn cookie_value(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// Anything but 64 hexadecimal digits was not made here.
fn is_ours(id: &str) -> bool {
    id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}
