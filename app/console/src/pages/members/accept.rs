//! The page behind the link of an invitation. Opening it changes nothing; the button does. It works for whoever is signed
//! in with the address, has yet to sign in, or has yet to sign up, and does not tell which of them an address is.
use super::words;
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::problem::Problem;
use crate::query::{self, Query};
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::{SignedIn, Visitor};
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::{Invitation, InviteError};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, ButtonLink, Hidden};
use bytespike_ui::layout::Entrance;
use leptos::prelude::*;

pub(crate) const PATH: &str = "/console/invitation";

/// `GET /console/invitation?token=…`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: Option<SignedIn>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let token = Query::of(&visit).get("token").unwrap_or_default().to_owned();
    let Some(invitation) = state.accounts.people.invitation(&token).await? else {
        return Ok(dead((&visit, &visitor)).await);
    };
    let t = &visit.t().people.accept;
    let title = t.title(&invitation.org_name);
    let entrance = if who.is_some() { Entrance::Console } else { Entrance::Public };
    let next = match who.filter(|who| is_for(&invitation, who)) {
        Some(who) => accept((&visit, &who), token),
        None => identify(&visit, &invitation, &token),
    };
    let lead =
        t.lead(&invitation.inviter_name, &invitation.org_name, words::role(visit.locale, invitation.role));
    let content = view! { <h1>{title.clone()}</h1> <p>{lead}</p> {next} };
    Ok(shell::card((&visit, &visitor), entrance, Titled::ok(title), content).await)
}

/// `POST /console/invitation/accept`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    visitor: Visitor,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = post;
    let accepted =
        state.accounts.people.accept_invitation(&who.origin, &who.member, form.value("token")).await;
    match accepted {
        Ok(org_id) => {
            state.accounts.sessions.choose_org(&who.cookie, &org_id).await?;
            Ok(see_other(&flash::with(&visit.link("/console/members"), Notice::OrgJoined)))
        }
        Err(InviteError::Unavailable(error)) => Err(error.into()),
        Err(InviteError::OtherAddress) => Err(Problem::Forbidden),
        Err(_) => Ok(dead((&visit, &visitor)).await),
    }
}

/// Whoever is signed in with the address it was sent to.
fn is_for(invitation: &Invitation, who: &SignedIn) -> bool {
    who.member.email().eq_ignore_ascii_case(&invitation.email)
}

fn accept((visit, who): (&Visit, &SignedIn), token: String) -> AnyView {
    let t = &visit.t().people.accept;
    view! {
        <form method="post" action=visit.link("/console/invitation/accept")>
            <Hidden name="csrf" value=who.token.clone()/>
            <Hidden name="token" value=token/>
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
        <p class="hint">{t.ignore}</p>
    }
    .into_any()
}

/// Both ways to become somebody with this address, each of which leads back here.
fn identify(visit: &Visit, invitation: &Invitation, token: &str) -> AnyView {
    let t = &visit.t().people.accept;
    let here = format!("{}?{}", visit.link(PATH), query::write(&[("token", token)]));
    let sign_in = format!(
        "{}?{}",
        visit.link("/console/sign-in"),
        query::write(&[("again", "1"), ("next", here.as_str())])
    );
    let sign_up = format!("{}?{}", visit.link("/console/sign-up"), query::write(&[("next", here.as_str())]));
    view! {
        <p>{t.which(&invitation.email)}</p>
        <p class="actions">
            <ButtonLink kind=ButtonKind::Primary href=sign_in>{t.sign_in}</ButtonLink>
            <ButtonLink href=sign_up>{t.sign_up}</ButtonLink>
        </p>
    }
    .into_any()
}

async fn dead((visit, visitor): (&Visit, &Visitor)) -> Response {
    let t = &visit.t().people.accept;
    let (home, to_home) = (visit.link("/console"), visit.t().console.problem.home);
    let content = view! {
        <h1>{t.dead_title}</h1>
        <p>{t.dead}</p>
        <p class="actions">
            <ButtonLink kind=ButtonKind::Primary href=home>{to_home}</ButtonLink>
        </p>
    };
    shell::card((visit, visitor), Entrance::Console, Titled::faulty(visit, t.dead_title), content).await
}
