//! Signing out: the session's row is gone, and so is what the browser kept.
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use axum::extract::State;
use axum::response::Response;
use bytespike_ui::Visit;
use http::HeaderValue;

/// `POST /console/sign-out`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    state.accounts.sessions.end(&post.who.cookie).await?;
    let mut response = see_other(&flash::with(&visit.link("/console/sign-in"), Notice::SignedOut));
    // Not "cookies": that would also take the theme and the cookie of the sign-in form that follows.
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    Ok(response)
}
