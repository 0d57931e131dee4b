//! Removing a member and handing the organisation over: each says first what it means, and has the name typed.
use super::{PATH, find, problem_of};
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::people::{Member, MemberError};
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Field, Hidden};
use leptos::prelude::*;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Remove,
    Transfer,
}

/// `GET /console/members/{id}/remove`
pub(crate) async fn remove_form(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    open(&state, (&visit, &who), &id, Step::Remove).await
}

/// `GET /console/members/{id}/transfer`
pub(crate) async fn transfer_form(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    open(&state, (&visit, &who), &id, Step::Transfer).await
}

/// `POST /console/members/{id}/remove`
pub(crate) async fn remove(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    take(&state, &visit, post, (&id, Step::Remove)).await
}

/// `POST /console/members/{id}/transfer`
pub(crate) async fn transfer(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    take(&state, &visit, post, (&id, Step::Transfer)).await
}

async fn open(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    id: &str,
    step: Step,
) -> Result<Response, Problem> {
    let member = find(state, who, id).await?;
    let is_own = member.id == who.member.member_id();
    let may = match step {
        Step::Remove => who.member.role().governs(member.role),
        Step::Transfer => member.is_person(),
    };
    if is_own || !may {
        return Err(Problem::Forbidden);
    }
    Ok(show((visit, who), &member, step, &Form::default()).await)
}

async fn take(
    state: &ConsoleState,
    visit: &Visit,
    post: SignedPost,
    (id, step): (&str, Step),
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let member = find(state, &who, id).await?;
    if form.value("confirm").trim() != member.name {
        form.refuse("confirm", visit.t().people.error.confirm_wrong);
        return Ok(show((visit, &who), &member, step, &form).await);
    }
    let people = &state.accounts.people;
    let done = match step {
        Step::Remove => people.remove_member(&who.origin, &who.member, id).await,
        Step::Transfer => people.transfer_org(&who.origin, &who.member, id).await,
    };
    let notice = match step {
        Step::Remove => Notice::MemberRemoved,
        Step::Transfer => Notice::OrgTransferred,
    };
    match done {
        Ok(()) => Ok(see_other(&flash::with(&visit.link(list_of(&member)), notice))),
        Err(MemberError::LastOwner) => {
            form.refuse("confirm", visit.t().people.error.last_owner);
            Ok(show((visit, &who), &member, step, &form).await)
        }
        Err(error) => Err(problem_of(error)),
    }
}

fn list_of(member: &Member) -> &'static str {
    if member.is_person() { PATH } else { "/console/service-accounts" }
}

/// A count from the database, for a sentence.
fn counted(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

async fn show((visit, who): (&Visit, &SignedIn), member: &Member, step: Step, form: &Form) -> Response {
    let t = &visit.t().people;
    let own = visit.link(&format!("{PATH}/{}", member.id));
    let (title, points, action, submit) = match step {
        Step::Remove => {
            let keys = t.remove.keys(counted(member.open_keys));
            let points = vec![t.remove.lead.to_owned(), keys, t.remove.calls.to_owned()];
            (t.remove.title(&member.name), points, format!("{own}/remove"), t.remove.action)
        }
        Step::Transfer => {
            let points = vec![t.transfer.lead(&member.name), t.transfer.own.to_owned()];
            (t.transfer.title.to_owned(), points, format!("{own}/transfer"), t.transfer.action)
        }
    };
    let titled = Titled::of(visit, &title, form);
    let above =
        vec![(visit.link(list_of(member)), t.members.title.to_owned()), (own.clone(), member.name.clone())];
    let points: Vec<_> = points.into_iter().map(|point| view! { <li>{point}</li> }).collect();
    let keep = visit.t().console.word.cancel;
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=submit/>
            <h1>{title}</h1>
        </div>
        {form.summary(visit.locale)}
        <ul class="bullets">{points}</ul>
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="confirm" label=t.remove.confirm hint=member.name.clone() value=form.value("confirm")
                nostrip:fault=form.fault("confirm") autocomplete="off"
            />
            <p class="actions">
                <Button kind=ButtonKind::Final>{submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=own>{keep}</ButtonLink>
            </p>
        </form>
    };
    shell::signed_in((visit, who), Section::Organisation, titled, content).await
}
