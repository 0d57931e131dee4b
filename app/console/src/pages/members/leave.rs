//! Leaving the organisation oneself.
use super::{PATH, problem_of};
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::MemberError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Field, Hidden};
use leptos::prelude::*;

/// `GET /console/members/leave`
pub(crate) async fn form(visit: Visit, who: SignedIn) -> Response {
    show((&visit, &who), &Form::default()).await
}

/// `POST /console/members/leave`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let t = &visit.t().people;
    if form.value("confirm").trim() != who.member.org_name() {
        form.refuse("confirm", t.error.confirm_wrong);
        return Ok(show((&visit, &who), &form).await);
    }
    if state.accounts.people.memberships(who.member.person_id()).await?.len() < 2 {
        form.refuse("confirm", t.error.only_org);
        return Ok(show((&visit, &who), &form).await);
    }
    match state.accounts.people.leave(&who.origin, &who.member).await {
        Ok(()) => Ok(see_other(&flash::with(&visit.link("/console/orgs"), Notice::OrgLeft))),
        Err(MemberError::LastOwner) => {
            form.refuse("confirm", t.error.last_owner);
            Ok(show((&visit, &who), &form).await)
        }
        Err(error) => Err(problem_of(error)),
    }
}

async fn show((visit, who): (&Visit, &SignedIn), form: &Form) -> Response {
    let t = &visit.t().people;
    let org = who.member.org_name().to_owned();
    let title = t.leave.question(&org);
    let titled = Titled::of(visit, &title, form);
    let above = vec![(visit.link(PATH), t.members.title.to_owned())];
    let cancel = visit.t().console.word.cancel;
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.leave.title/>
            <h1>{title}</h1>
        </div>
        {form.summary(visit.locale)}
        <ul class="bullets"><li>{t.leave.keys}</li><li>{t.leave.back}</li></ul>
        <form method="post" action=visit.link("/console/members/leave") class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="confirm" label=t.leave.confirm hint=org value=form.value("confirm")
                nostrip:fault=form.fault("confirm") autocomplete="off"
            />
            <p class="actions">
                <Button kind=ButtonKind::Final>{t.leave.submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=visit.link(PATH)>{cancel}</ButtonLink>
            </p>
        </form>
    };
    shell::signed_in((visit, who), Section::Organisation, titled, content).await
}
