//! The demo provider: a deterministic local answerer that speaks Anthropic Messages and OpenAI Chat over real
//! HTTP on a loopback port, so that ByteSpike can be tried and tested without anyone's API key. It is not a model.
//!
//! Answers depend on the request alone: the same request gets the same bytes. Text is echoed, images are counted,
//! a tool is called when `tool_choice` forces it or the last user message names it, thinking is shown when asked
//! for, a JSON schema is filled in, `max_tokens` and stop sequences are obeyed, and usage is reported
//! (four bytes to a token).
//!
//! It also fails in every way, on demand. A *directive* is given in the last user message, `[demo: cut=3]`, or behind
//! a plus sign in the model name, `demo-chat+cut=3+slow=50`. Directives combine:
//!
//! | directive       | what happens                                                                        |
//! |-----------------|-------------------------------------------------------------------------------------|
//! | `status=529`    | that HTTP status with an error body of the dialect (429 and 529 ask to retry)       |
//! | `retry-after=2` | the seconds asked for by a `status` answer; 1 when absent                            |
//! | `error-body`    | status 200 whose body, or first event, is an error                                  |
//! | `error-after=3` | a stream whose fourth event is an error, after which it ends                        |
//! | `cut=3`         | the connection is cut after 3 events (not streamed: in the middle of the body)      |
//! | `malformed=3`   | the third event is not JSON (not streamed: the body is not)                         |
//! | `hang`          | nothing is ever answered, not even a status                                         |
//! | `hang-first`    | a status and headers, then nothing                                                  |
//! | `hang-after=3`  | 3 events, then nothing                                                              |
//! | `slow=50`       | 50 ms before each event (not streamed: before the answer)                           |
//! | `no-usage`      | no usage anywhere; also what the model `demo-no-usage` does                         |
//! | `words=200`     | an answer of 200 words                                                              |
//! | `tools=2`       | the first two declared tools are called in one answer                               |
//! | `think`         | thinking is shown although it was not asked for                                     |
//! | `stop=refusal`  | that stop reason, as the dialect spells it                                          |
//! | `cached=100`    | so many of the input tokens are reported as read from the cache                     |
//! | `cache-write=9` | so many of the input tokens are reported as written to the cache                    |

mod answer;
mod anthropic;
mod directives;
mod models;
mod openai;
mod prompt;
mod sample;
mod wire;

use std::net::SocketAddr;

use axum::{Router, routing::post};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

pub use models::{PROVIDER, PROVIDER_NAME, models};

/// A running demo provider; it stops when this is dropped.
pub struct DemoProvider {
    /// Where it listens.
    pub address: SocketAddr,
    _server: AbortOnDropHandle<()>,
}

/// Starts the demo provider on `address`; port 0 takes any free one.
///
/// # Errors
/// The address cannot be bound.
pub async fn start(address: SocketAddr) -> std::io::Result<DemoProvider> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router()).await {
            tracing::error!(%error, "the demo provider stopped");
        }
    });
    Ok(DemoProvider { address, _server: AbortOnDropHandle::new(server) })
}

/// Its routes: the base URL of the Anthropic dialect is the root, that of the OpenAI dialect is `/v1`.
fn router() -> Router {
    Router::new()
        .route("/v1/messages", post(anthropic::messages))
        .route("/v1/messages/count_tokens", post(anthropic::count_tokens))
        .route("/v1/chat/completions", post(openai::chat_completions))
        .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
}

/// Sixteen hexadecimal digits that depend on every part: the ids of a deterministic answer.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex::encode(hash.finalize()).chars().take(16).collect()
}
