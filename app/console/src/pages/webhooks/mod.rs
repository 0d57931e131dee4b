//! Where the organisation is told over HTTP: endpoints, their secrets, and what became of each message.
pub(crate) mod detail;
pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod message;
pub(crate) mod once;
pub(crate) mod remove;
mod words;

use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_gateway::webhooks::{Endpoint, Manager, WebhookError};
use bytespike_ui::Visit;

const PATH: &str = "/console/webhooks";

fn manager(who: &SignedIn) -> Result<Manager<'_>, Problem> {
    Manager::member(&who.origin, &who.member).map_err(problem_of)
}

async fn find(state: &ConsoleState, who: &SignedIn, id: &str) -> Result<Endpoint, Problem> {
    state.webhooks.find(&manager(who)?, id).await.map_err(problem_of)
}

/// What no form can be blamed for.
fn problem_of(error: WebhookError) -> Problem {
    match error {
        WebhookError::Forbidden => Problem::Forbidden,
        WebhookError::Unavailable(error) => error.into(),
        _ => Problem::NotFound,
    }
}

fn address(visit: &Visit, id: &str) -> String {
    visit.link(&format!("{PATH}/{id}"))
}
