//! The reader's organisations: which one they look at, and making another.
use crate::flash::{self, Notice};
use crate::forms::{self, Form, SignedPost};
use crate::pages::members::words;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::trial;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::people::{MemberError, Membership};
use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, Button, Field, Hidden};
use leptos::prelude::*;

const PATH: &str = "/console/orgs";

/// `GET /console/orgs`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    show(&state, (&visit, &who), &Form::default()).await
}

/// `POST /console/orgs`: makes another organisation and goes there.
pub(crate) async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    match state.accounts.people.create_org(&who.origin, &who.member, form.value("name")).await {
        Ok(wallet) => {
            let booked =
                trial::book((&state.accounts, &state.ledger), &wallet, state.options.trial_grant).await;
            if let Err(error) = booked {
                tracing::error!(%error, org_id = %wallet.org_id, "a wallet was not opened; it stays due");
            }
            state.accounts.sessions.choose_org(&who.cookie, &wallet.org_id).await?;
            Ok(see_other(&flash::with(&visit.link("/console"), Notice::OrgCreated)))
        }
        Err(MemberError::Name(problem)) => {
            form.refuse("name", forms::words::name(visit.locale, problem));
            show(&state, (&visit, &who), &form).await
        }
        Err(MemberError::TooMany) => {
            form.refuse("name", visit.t().people.error.too_many_orgs);
            show(&state, (&visit, &who), &form).await
        }
        Err(MemberError::Unavailable(error)) => Err(error.into()),
        Err(_) => Err(Problem::Forbidden),
    }
}

/// `POST /console/orgs/{id}/switch`: looks at another of the reader's organisations from now on.
pub(crate) async fn switch(
    State(state): State<ConsoleState>,
    Path(org_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, .. } = post;
    let member = state.accounts.people.membership(who.member.person_id(), Some(&org_id)).await?;
    let member = member.ok_or(Problem::NotFound)?;
    state.accounts.sessions.choose_org(&who.cookie, member.org_id()).await?;
    Ok(see_other(&visit.link("/console")))
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    form: &Form,
) -> Result<Response, Problem> {
    let t = &visit.t().people.orgs;
    let titled = Titled::of(visit, t.title, form);
    let all = state.accounts.people.memberships(who.member.person_id()).await?;
    let rows: Vec<AnyView> = all.iter().map(|one| row((visit, who), one)).collect();
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {form.summary(visit.locale)}
        <ul class="choices">{rows}</ul>
        <section class="stack">
            <div><h2>{t.create}</h2><p class="soft">{t.create_lead}</p></div>
            <form method="post" action=visit.link(PATH) class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="name" label=t.name value=form.value("name") nostrip:fault=form.fault("name") max_length=64
                    autocomplete="organization"
                />
                <Button>{t.submit}</Button>
            </form>
        </section>
    };
    Ok(shell::signed_in((visit, who), Section::Organisation, titled, content).await)
}

fn row((visit, who): (&Visit, &SignedIn), one: &Membership) -> AnyView {
    let t = &visit.t().people.orgs;
    let action = visit.link(&format!("{PATH}/{}/switch", one.org_id()));
    let name = one.org_name().to_owned();
    let choice = match one.org_id() == who.member.org_id() {
        true => view! { <Badge kind=BadgeKind::Live label=t.current/> }.into_any(),
        false => view! {
            <form method="post" action=action class="inline">
                <Hidden name="csrf" value=who.token.clone()/>
                <button type="submit" class="button" aria-label=t.switch_to(&name)>{t.switch}</button>
            </form>
        }
        .into_any(),
    };
    view! {
        <li><div><strong>{name}</strong><p class="soft">{words::role(visit.locale, one.role())}</p></div>{choice}</li>
    }
    .into_any()
}
