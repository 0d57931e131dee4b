//! Light, dark or the system's choice. A cookie remembers it, a form sets it; no script is involved.

use crate::page::CachePolicy;
use axum::Router;
use axum::extract::Form;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

const COOKIE_NAME: &str = "theme";
const ONE_YEAR_S: u32 = 365 * 24 * 60 * 60;

/// What the visitor asked for; `Auto` follows the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The choice in the cookie; anything else is `Auto`.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs
            .find(|(name, _)| *name == COOKIE_NAME)
            .map(|(_, value)| Self::from_code(value))
            .unwrap_or_default()
    }

    fn from_code(code: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.code() == code).unwrap_or_default()
    }
}

/// `POST /prefs/theme`, which every browser surface mounts.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/prefs/theme", post(choose))
}

#[derive(serde::Deserialize)]
struct Choice {
    theme: String,
    #[serde(default)]
    back: String,
}

async fn choose(Form(choice): Form<Choice>) -> Response {
    let theme = Theme::from_code(&choice.theme);
    let age_s = if theme == Theme::Auto { 0 } else { ONE_YEAR_S };
    let cookie = format!("{COOKIE_NAME}={}; Path=/; Max-Age={age_s}; SameSite=Lax; HttpOnly", theme.code());
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    if let (Ok(cookie), Ok(back)) =
        (HeaderValue::try_from(cookie), HeaderValue::try_from(own_path(&choice.back)))
    {
        headers.insert(SET_COOKIE, cookie);
        headers.insert(LOCATION, back);
    }
    CachePolicy::Private.apply(headers);
    response
}

/// Only a path on this very host is followed back; anything else leads home.
#[must_use]
pub fn own_path(asked: &str) -> &str {
    let visible = asked.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\');
    if visible && asked.starts_with('/') && !asked.starts_with("//") { asked } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_on_this_host() {
        assert_eq!(own_path("/zh/pricing?currency=cny"), "/zh/pricing?currency=cny");
        for hostile in
            ["//evil.example", "https://evil.example", "/\\evil", "/a\r\nSet-Cookie: x=y", "", "javascript:1"]
        {
            assert_eq!(own_path(hostile), "/", "{hostile:?}");
        }
    }

    #[test]
    fn the_cookie_is_read_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("a=b; theme=dark; c=d"));
        assert_eq!(Theme::from_headers(&headers), Theme::Dark);
        headers.insert(COOKIE, HeaderValue::from_static("theme=\"><script>"));
        assert_eq!(Theme::from_headers(&headers), Theme::Auto);
    }
}
