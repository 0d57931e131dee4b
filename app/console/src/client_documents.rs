//! Fetches what programs that nobody registered say about themselves, when such a program asks and its document is due.
use bytes::Bytes;
use bytespike_accounts::Accounts;
use bytespike_accounts::Origin;
use bytespike_accounts::oauth::document::{DocumentAddress, DocumentProblem, MOST_BYTES};
use bytespike_gateway::Allowed;
use bytespike_gateway::{HttpUpstream, Upstream};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use std::time::Duration;

/// Whose documents an operator lets count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentPolicy {
    /// Those on these hosts, with a port where it is not the usual one.
    On(Vec<String>),
    Everybodys,
}

/// Longest wait for a document.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the console is given for it, unless nobody's document counts.
#[derive(Clone)]
pub struct ClientDocuments {
    pub policy: DocumentPolicy,
    /// This server is one developer's own, and so may the program be.
    pub may_be_local: bool,
}

/// Why a program cannot ask.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentRefusal {
    #[error("documents on this host do not count here")]
    NotTaken,
    #[error("too many documents were fetched for this network; wait a few minutes")]
    TooMany,
    #[error(transparent)]
    Document(#[from] DocumentProblem),
    #[error(transparent)]
    Unavailable(#[from] bytespike_store::sqlx::Error),
}

/// Makes sure that the program of this id is known as its document says it is now. Ids of other kinds are left alone.
pub(crate) async fn refresh(
    documents: Option<&ClientDocuments>,
    (accounts, origin): (&Accounts, &Origin),
    id: &str,
) -> Result<(), DocumentRefusal> {
    match documents {
        _ if !DocumentAddress::is_meant(id) => Ok(()),
        Some(documents) => documents.refresh((accounts, origin), id).await,
        None => Err(DocumentRefusal::NotTaken),
    }
}

impl ClientDocuments {
    async fn refresh(
        &self,
        (accounts, origin): (&Accounts, &Origin),
        id: &str,
    ) -> Result<(), DocumentRefusal> {
        let address = DocumentAddress::parse(id, self.may_be_local)?;
        if !self.takes(&address) {
            return Err(DocumentRefusal::NotTaken);
        }
        if self.allowed(&address).check(id).is_err() {
            return Err(DocumentProblem::NotPublic.into());
        }
        if !accounts.oauth.is_document_due(&address).await? {
            return Ok(());
        }
        if !accounts.oauth.may_fetch_document(origin).await? {
            return Err(DocumentRefusal::TooMany);
        }
        let (body, max_age_ms) = self.fetch(&address).await?;
        accounts.oauth.keep_document(&address.read(&body)?, max_age_ms).await?;
        Ok(())
    }

    fn takes(&self, address: &DocumentAddress) -> bool {
        match &self.policy {
            DocumentPolicy::On(hosts) => hosts.iter().any(|host| host == address.host()),
            DocumentPolicy::Everybodys => true,
        }
    }

    /// The document, and how long its host lets it be kept. No redirect is followed.
    async fn fetch(&self, address: &DocumentAddress) -> Result<(Vec<u8>, Option<i64>), DocumentProblem> {
        let fetched = tokio::time::timeout(PATIENCE, self.fetch_patiently(address)).await;
        let fetched = fetched.unwrap_or(Err(DocumentProblem::Unreachable));
        if let Err(problem) = &fetched {
            tracing::info!(host = address.host(), %problem, "a program's document was not taken");
        }
        fetched
    }

    async fn fetch_patiently(
        &self,
        address: &DocumentAddress,
    ) -> Result<(Vec<u8>, Option<i64>), DocumentProblem> {
        let request = Request::get(address.as_str())
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, "ByteSpike")
            .body(Full::new(Bytes::new()))
            .map_err(|_| DocumentProblem::Address)?;
        let answer = HttpUpstream::new(PATIENCE, self.allowed(address)).send(request).await;
        let answer = answer.map_err(|_| DocumentProblem::Unreachable)?;
        if answer.status() != StatusCode::OK {
            return Err(DocumentProblem::Unreachable);
        }
        if !is_json(answer.headers()) {
            return Err(DocumentProblem::NotJson);
        }
        let max_age_ms = max_age_ms(answer.headers());
        let (mut body, mut read) = (answer.into_body(), Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| DocumentProblem::Unreachable)?;
            read.extend(frame.into_data().unwrap_or_default());
            if read.len() > MOST_BYTES {
                return Err(DocumentProblem::TooLong);
            }
        }
        Ok((read, max_age_ms))
    }

    /// Public addresses, and this very one where it may be on this machine.
    fn allowed(&self, address: &DocumentAddress) -> Allowed {
        let local = Some(address.as_str()).filter(|_| self.may_be_local && address.is_local());
        Allowed::default().with_urls(local.into_iter())
    }
}

/// `application/json`, or a type built on it such as `application/oauth-client+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn max_age_ms(headers: &HeaderMap) -> Option<i64> {
    let value = headers.get(CACHE_CONTROL)?.to_str().ok()?.to_ascii_lowercase();
    let mut directives = value.split(',').map(str::trim);
    if directives.clone().any(|directive| directive == "no-store" || directive == "no-cache") {
        return None;
    }
    let seconds: i64 = directives.find_map(|directive| directive.strip_prefix("max-age="))?.parse().ok()?;
    seconds.checked_mul(1_000)
}
