//! A browser without scripts: cookies, forms, redirects that can be looked at before they are followed.
use super::BASE;
use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use std::collections::BTreeMap;
use tower::ServiceExt as _;

pub const EMAIL: &str = "ada@example.com";
pub const PASSWORD: &str = "a loom weaves algebra";

pub struct Browser {
    router: Router,
    pub cookies: BTreeMap<String, String>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{} {}", self.location(), self.body);
        self
    }

    /// The value of the first hidden field of this name.
    #[track_caller]
    pub fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) =
            self.body.split_once(&mark).unwrap_or_else(|| panic!("no field {name} on {}", self.body));
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// The first address on the page that contains `part`.
    #[track_caller]
    pub fn link(&self, part: &str) -> String {
        let mut links = self.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let link = links
            .find(|link| link.contains(part))
            .unwrap_or_else(|| panic!("no link with {part} on {}", self.body));
        link.replace("&amp;", "&").replace(BASE, "")
    }
}

impl Browser {
    pub fn new(router: Router) -> Self {
        Self { router, cookies: BTreeMap::new() }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// Posts fields as a page of ours would, with the token that page would carry left to the caller.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path)
            .header(ORIGIN, BASE)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(encode(fields)))
            .expect("a request");
        self.send(request).await
    }

    /// Opens a page, and posts to `action` with that page's token and these fields.
    pub async fn submit(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(page).await.expect(StatusCode::OK).hidden("csrf");
        self.post(action, &[&[("csrf", token.as_str())], fields].concat()).await
    }

    pub async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(COOKIE, cookies.join("; ").parse().expect("a header"));
        }
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("a readable cookie");
            let (name, value) =
                text.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Signs up and confirms the address through the link that a development server shows.
    pub async fn sign_up(&mut self, prefix: &str, email: &str) {
        let at = |path: &str| format!("{prefix}/console/{path}");
        let fields = [("email", email), ("password", PASSWORD)];
        let sent = self.submit(&at("sign-up"), &at("sign-up"), &fields).await.expect(StatusCode::SEE_OTHER);
        let link = self.get(sent.location()).await.expect(StatusCode::OK).link("verify?token=");
        let confirm = self.get(&link).await.expect(StatusCode::OK);
        let fields = [("csrf", confirm.hidden("csrf")), ("token", confirm.hidden("token"))];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.post(&at("verify"), &fields).await.expect(StatusCode::SEE_OTHER);
    }

    pub async fn sign_in(&mut self, prefix: &str, email: &str) -> Answer {
        let page = format!("{prefix}/console/sign-in");
        self.submit(&page, &page, &[("email", email), ("password", PASSWORD)]).await
    }

    /// Signs up and in.
    pub async fn join(&mut self, prefix: &str, email: &str) {
        self.sign_up(prefix, email).await;
        self.sign_in(prefix, email).await.expect(StatusCode::SEE_OTHER);
    }

    /// Makes a key and answers its id and its text.
    pub async fn create_key(&mut self, name: &str, fields: &[(&str, &str)]) -> (String, String) {
        let fields = [&[("name", name), ("inference", "on"), ("usage_read", "on")], fields].concat();
        let made = self
            .submit("/console/keys/new", "/console/keys/new", &fields)
            .await
            .expect(StatusCode::SEE_OTHER);
        let id = made.location().trim_start_matches("/console/keys/").trim_end_matches("/created").to_owned();
        let shown = self.get(made.location()).await.expect(StatusCode::OK);
        (id, key_in(&shown.body).expect("the key on the page"))
    }
}

/// The first key that stands in a text.
pub fn key_in(text: &str) -> Option<String> {
    let starts = text.match_indices("sk-byts-").map(|(at, _)| text.get(at..at + 58).unwrap_or_default());
    let is_key = |key: &&str| key.len() == 58 && key[8..].bytes().all(|byte| byte.is_ascii_alphanumeric());
    starts.filter(is_key).map(str::to_owned).next()
}

fn encode(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
