//! What operators announce, above the pages of the console, until the reader puts it away.
use crate::forms::SignedPost;
use crate::next::after_sign_in;
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_ui::components::{Hidden, Icon, IconName};
use bytespike_ui::{Announcement, Visit, layout};
use leptos::prelude::*;

/// `POST /console/announcements/{id}/dismiss`: back to the page where it stood.
pub(crate) async fn dismiss(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = post;
    if !state.accounts.announcements.dismiss(&who.member, &id).await? {
        return Err(Problem::NotFound);
    }
    Ok(see_other(&after_sign_in(Some(form.value("back")), &visit.link("/console"))))
}

/// What stands above a page of the console.
pub(crate) fn above((visit, who): (&Visit, &SignedIn)) -> Option<AnyView> {
    let mut all = visit.announced();
    all.retain(|one| !who.put_away.contains(&one.id));
    layout::announced(visit, &all, |one| Some(put_away((visit, who), one)))
}

fn put_away((visit, who): (&Visit, &SignedIn), one: &Announcement) -> AnyView {
    let label = visit.t().announcements.banner.dismiss;
    view! {
        <form method="post" action=visit.link(&format!("/console/announcements/{}/dismiss", one.id))>
            <Hidden name="csrf" value=who.token.clone()/>
            <Hidden name="back" value=visit.here()/>
            <button type="submit" aria-label=label title=label><Icon name=IconName::X/></button>
        </form>
    }
    .into_any()
}
