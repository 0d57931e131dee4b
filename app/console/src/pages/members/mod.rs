//! The organisation's people: who they are, what they spend and may spend, and how they come and go.
pub(crate) mod accept;
mod detail;
pub(crate) mod invite;
pub(crate) mod leave;
mod list;
pub(crate) mod orgs;
pub(crate) mod tabs;
mod take_out;
pub(crate) mod words;

pub(crate) use detail::{page as member, rename, set_role};
pub(crate) use list::{load as list, page, table};
pub(crate) use take_out::{remove, remove_form, transfer, transfer_form};

use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::people::{Member, MemberError, PlaceError};
use bytespike_ledger::{Dimension, UsageFilter, UsageKey, UsageSums, Window};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

const PATH: &str = "/console/members";

/// A member the reader may see; another organisation's and a missing one are the same.
async fn find(state: &ConsoleState, who: &SignedIn, id: &str) -> Result<Member, Problem> {
    state.accounts.people.member(&who.member, id).await?.ok_or(Problem::NotFound)
}

fn problem_of(error: MemberError) -> Problem {
    match error {
        MemberError::NotFound => Problem::NotFound,
        MemberError::Unavailable(error) => error.into(),
        _ => Problem::Forbidden,
    }
}

pub(crate) fn place_problem(error: PlaceError) -> Problem {
    match error {
        PlaceError::NotFound => Problem::NotFound,
        PlaceError::Unavailable(error) => error.into(),
        _ => Problem::Forbidden,
    }
}

/// What was charged this calendar month of the organisation, by one dimension.
pub(crate) async fn spent_this_month(
    state: &ConsoleState,
    who: &SignedIn,
    by: Dimension,
) -> Result<BTreeMap<UsageKey, UsageSums>, Problem> {
    let org_id = who.member.org_id();
    let wallet = state.ledger.wallet(org_id).await?;
    let zone =
        wallet.and_then(|wallet| bytespike_ledger::time_zone(&wallet.time_zone)).unwrap_or(TimeZone::UTC);
    let (from_ms, to_ms) = Window::Month.opening_at(state.world.now_ms(), &zone);
    let month = UsageFilter { from_ms, to_ms, ..UsageFilter::default() };
    Ok(state.ledger.usage(org_id, &month, (&[by], &zone)).await?)
}
