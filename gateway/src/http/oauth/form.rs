//! The form of a token request: in the body alone, and each parameter once.

use axum::body::Body;
use http::{Request, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::MOST_FORM_BYTES;
use super::refusal::Refusal;

/// The parameters of one request.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the form.
    ///
    /// # Errors
    /// It is none, it is too large, or a parameter is there twice or in the address.
    pub async fn read(request: Request<Body>) -> Result<Self, Refusal> {
        let is_form =
            request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(
                |kind| {
                    kind.split(';').next().unwrap_or_default().trim() == "application/x-www-form-urlencoded"
                },
            );
        if !is_form {
            return Err(Refusal::invalid_request("send the parameters as application/x-www-form-urlencoded"));
        }
        if request.uri().query().is_some_and(|query| !query.is_empty()) {
            return Err(Refusal::invalid_request("send the parameters in the body, not in the address"));
        }
        let body = Limited::new(request.into_body(), MOST_FORM_BYTES).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => Refusal::new(413, "invalid_request", "the form is larger than 16 KiB"),
            false => Refusal::invalid_request("the form broke off before its end"),
        })?;
        let pairs: Vec<(String, String)> = form_urlencoded::parse(&body.to_bytes()).into_owned().collect();
        let is_repeated =
            |(at, (name, _)): (usize, &(String, String))| pairs.iter().take(at).any(|(key, _)| key == name);
        match pairs.iter().enumerate().any(is_repeated) {
            true => Err(Refusal::invalid_request("a parameter is there twice")),
            false => Ok(Self(pairs)),
        }
    }

    /// What a parameter holds, if it holds anything.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter that has to be there.
    ///
    /// # Errors
    /// It is not.
    pub fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::invalid_request(format!("the parameter {name} is missing")))
    }
}
