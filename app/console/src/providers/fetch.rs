//! Requests to providers: no redirects, a short patience, and no answer longer than a megabyte.
use super::ProviderError;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;
use std::pin::Pin;

const MOST_BYTES: usize = 1024 * 1024;
const AGENT: &str = "ByteSpike";

/// The client, which the server makes.
#[derive(Clone)]
pub(super) struct Fetch(reqwest::Client);

impl Fetch {
    pub fn new(client: reqwest::Client) -> Self {
        Self(client)
    }

    /// A JSON document; with `bearer`, as the person it was given for.
    pub async fn json<T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: Option<&str>,
    ) -> Result<T, ProviderError> {
        let request = self.0.get(url).header("accept", "application/json").header("user-agent", AGENT);
        let request = match bearer {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.map_err(unreachable)?;
        if answer.status() != http::StatusCode::OK {
            return Err(ProviderError::Unreachable(format!("{url} answered {}", answer.status())));
        }
        let body = read(answer).await?;
        serde_json::from_slice(&body).map_err(super::invalid("a document is not what it should be"))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ProviderError> {
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let answer = self.0.execute(request).await.map_err(unreachable)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut response = http::Response::new(read(answer).await?);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// What the `oauth2` crate asks the token endpoint with.
impl<'c> AsyncHttpClient<'c> for Fetch {
    type Error = ProviderError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ProviderError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, ProviderError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(ProviderError::Invalid("an answer is longer than a megabyte"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Without the address, whose query may be secret.
fn unreachable(error: reqwest::Error) -> ProviderError {
    ProviderError::Unreachable(error.without_url().to_string())
}
