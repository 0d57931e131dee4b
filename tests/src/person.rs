//! Someone who uses the console as a browser without JavaScript would: pages, forms and cookies.

use std::collections::BTreeMap;

use crate::canary;
use crate::http::{Answer, Call};
use crate::product::Product;

/// A browser session of one person.
pub struct Person {
    base: String,
    pub cookies: BTreeMap<String, String>,
    pub email: String,
}

/// A form as it stands on a page.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    /// Name and value of every field; later ones win.
    pub fields: Vec<(String, String)>,
    /// The type of each field, by name.
    pub kinds: BTreeMap<String, String>,
}

impl Person {
    /// Someone who has not been here before.
    #[must_use]
    pub fn new(product: &Product, email: &str) -> Self {
        Self { base: product.url.clone(), cookies: BTreeMap::new(), email: email.to_owned() }
    }

    /// Opens a page and follows redirects.
    pub async fn open(&mut self, path: &str) -> Answer {
        let answer = self.send(Call::get(self.url(path))).await;
        self.follow(answer).await
    }

    /// Asks for a page and shows the answer itself, redirects too.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Call::get(self.url(path))).await
    }

    /// Posts fields with the token of this session, and shows the answer itself.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get("/console/settings").await;
        let tokens = forms(&page.text()).into_iter().flat_map(|form| form.fields);
        let token = tokens.into_iter().find(|(name, _)| name == "csrf").map(|(_, token)| token);
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let fields = fields.chain(token.map(|token| ("csrf".to_owned(), token))).collect();
        self.submit_only(&Form { action: path.to_owned(), fields, kinds: BTreeMap::new() }).await
    }

    /// Invites an address; answers the link that a development server shows.
    pub async fn invite(&mut self, email: &str, role: &str) -> String {
        let page = self.open("/console/members/invite").await.expect_status(200);
        let form = Form::with(&page.text(), "email").set("email", email).set("role", role);
        let sent = self.submit(&form).await.expect_status(200);
        link_containing(&sent.text(), "/console/invitation").expect("the development link to the invitation")
    }

    /// Opens the link of an invitation and accepts it.
    pub async fn accept(&mut self, link: &str) {
        let page = self.open(link).await.expect_status(200);
        let form = Form::posting_to(&page.text(), "/console/invitation/accept").expect("a form that accepts");
        let _ = self.submit(&form).await.expect_status(200);
    }

    /// Submits a form and follows redirects.
    pub async fn submit(&mut self, form: &Form) -> Answer {
        let answer = self.submit_only(form).await;
        self.follow(answer).await
    }

    /// Submits a form and shows the answer itself.
    pub async fn submit_only(&mut self, form: &Form) -> Answer {
        let pairs: Vec<String> =
            form.fields.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        let call = Call::new("POST", self.url(&form.action))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", self.base.clone())
            .header("sec-fetch-site", "same-origin")
            .body(pairs.join("&"));
        self.send(call).await
    }

    async fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..5 {
            let Some(place) = answer.maybe("location").map(str::to_owned) else { return answer };
            answer = self.send(Call::get(self.url(&place))).await;
        }
        panic!("more than five redirects, the last to {:?}", answer.maybe("location"));
    }

    async fn send(&mut self, call: Call) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let call = if cookies.is_empty() { call } else { call.header("cookie", cookies.join("; ")) };
        let answer = call.send().await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().expect("a readable cookie");
            let (name, value) =
                set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    fn url(&self, place: &str) -> String {
        if place.starts_with("http") { place.to_owned() } else { format!("{}{place}", self.base) }
    }

    /// Signs up, opens the link that a development server shows, and signs in.
    pub async fn sign_up(&mut self) {
        let page = self.open("/console/sign-up").await.expect_status(200);
        let form =
            Form::with(&page.text(), "password").set("email", &self.email).set("password", canary::PASSWORD);
        let sent = self.submit(&form).await.expect_status(200);
        let link =
            link_containing(&sent.text(), "verify").expect("the development link to verify the address");
        let verify = self.open(&link).await.expect_status(200);
        let confirm = Form::posting_to(&verify.text(), "verify").expect("a form that confirms the address");
        let confirmed = self.submit(&confirm).await.expect_status(200);
        if confirmed.text().contains("name=\"password\"") {
            self.sign_in().await;
        }
    }

    /// Signs in with the password everyone has.
    pub async fn sign_in(&mut self) {
        let page = self.open("/console/sign-in").await.expect_status(200);
        let form =
            Form::with(&page.text(), "password").set("email", &self.email).set("password", canary::PASSWORD);
        let _ = self.submit(&form).await.expect_status(200);
    }

    /// Creates a key and returns it; it is shown this once.
    pub async fn create_key(&mut self, name: &str, fields: &[(&str, &str)]) -> String {
        let page = self.open("/console/keys/new").await.expect_status(200);
        let mut form = Form::with(&page.text(), "name").set("name", name);
        for (field, value) in fields {
            form = form.set(field, value);
        }
        let shown = self.submit(&form).await.expect_status(200);
        key_in(&shown.text()).expect("the new key on the page")
    }
}

impl Form {
    /// The form on the page that has a field of this name.
    #[must_use]
    pub fn with(page: &str, field: &str) -> Self {
        let found = forms(page).into_iter().find(|form| form.kinds.contains_key(field));
        found.unwrap_or_else(|| panic!("no form with the field {field:?} on:\n{page}"))
    }

    /// The form on the page whose address contains `part`.
    #[must_use]
    pub fn posting_to(page: &str, part: &str) -> Option<Self> {
        forms(page).into_iter().find(|form| form.action.contains(part))
    }

    /// The form on the page whose address ends with `end`.
    #[must_use]
    pub fn posting_at(page: &str, end: &str) -> Option<Self> {
        forms(page).into_iter().find(|form| form.action.ends_with(end))
    }

    /// The form with one field filled in.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The first key that stands in a text.
#[must_use]
pub fn key_in(text: &str) -> Option<String> {
    let at = text.match_indices("sk-byts-").map(|(at, _)| &text[at..]);
    at.map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>())
        .find(|key| key.len() == "sk-byts-".len() + 50)
}

/// The first link on the page whose address contains `part`.
#[must_use]
pub fn link_containing(page: &str, part: &str) -> Option<String> {
    let links = tags(page, "a").into_iter().filter_map(|(tag, _)| attribute(tag, "href"));
    links.into_iter().find(|link| link.contains(part) && link.contains('?'))
}

/// Every form on a page.
fn forms(page: &str) -> Vec<Form> {
    tags(page, "form")
        .into_iter()
        .map(|(tag, rest)| read_form(tag, rest.split("</form>").next().unwrap_or(rest)))
        .collect()
}

fn read_form(tag: &str, inside: &str) -> Form {
    let mut form = Form {
        action: attribute(tag, "action").unwrap_or_default(),
        fields: Vec::new(),
        kinds: BTreeMap::new(),
    };
    for (field, after) in ["input", "textarea", "select", "button"].iter().flat_map(|name| tags(inside, name))
    {
        let Some(name) = attribute(field, "name") else { continue };
        let kind = attribute(field, "type").unwrap_or_default();
        let sent = !matches!(kind.as_str(), "checkbox" | "radio" | "submit") || field.contains(" checked");
        if sent {
            let value = match field {
                field if field.starts_with("<select") => chosen(after),
                field if field.starts_with("<textarea") => typed(after),
                field => attribute(field, "value"),
            };
            form.fields.push((name.clone(), value.unwrap_or_default()));
        }
        form.kinds.insert(name, kind);
    }
    form
}

/// What stands in a text area; a browser drops the first line's end.
fn typed(after: &str) -> Option<String> {
    let text = after.split("</textarea>").next()?;
    Some(unescaped(text.strip_prefix('\n').unwrap_or(text)))
}

/// The value of the option that is selected, or of the first, as a browser sends it.
fn chosen(after: &str) -> Option<String> {
    let options = tags(after.split("</select>").next().unwrap_or(after), "option");
    let selected = options.iter().find(|(tag, _)| tag.contains(" selected")).or(options.first());
    selected.and_then(|(tag, _)| attribute(tag, "value"))
}

/// Every opening tag of a kind, each with the page after it.
fn tags<'page>(page: &'page str, name: &str) -> Vec<(&'page str, &'page str)> {
    let opening = format!("<{name}");
    page.match_indices(&opening)
        .filter(|(at, _)| page[at + opening.len()..].starts_with([' ', '>']))
        .filter_map(|(at, _)| page[at..].split_once('>'))
        .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = tag[start..].split('"').next()?;
    Some(unescaped(value))
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
