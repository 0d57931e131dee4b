//! People who wait to be let in, where sign-up asks for that: their address is proven, and nothing of them is open yet.
use super::act::Act;
use super::notice::{self, Did};
use super::shell::{self, Part};
use super::who::Operator;
use crate::forms::Form;
use crate::pages::auth::verify;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::Waiting;
use bytespike_accounts::switches::SignUpPolicy;
use bytespike_gateway::operations::MOST_REASON_CHARS;
use bytespike_ui::Visit;
use bytespike_ui::components::{Callout, CalloutKind, EmptyState, Hidden, TableFrame};
use leptos::prelude::*;

const PATH: &str = "/admin/sign-ups";
const MOST_SHOWN: u32 = 100;

/// `GET /admin/sign-ups`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    show(&state, (&visit, &operator), &Form::default()).await
}

/// `POST /admin/sign-ups/{id}/approve`
pub(super) async fn approve(act: Act) -> Result<Response, Problem> {
    let by = (&act.operator.origin, act.operator.row().id.as_str());
    let approved = act.state.accounts.people.approve(by, &act.id).await?;
    let (letter, trial) = approved.ok_or(Problem::NotFound)?;
    verify::welcome(&act.state, &trial).await;
    act.state.mail.deliver(&act.state.urls, "", letter).await;
    Ok(see_other(&notice::with(&act.visit.link(PATH), Did::SignUpApproved)))
}

/// `POST /admin/sign-ups/{id}/refuse`
pub(super) async fn refuse(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, mut form, id } = act;
    let reason = form.value("reason").trim().to_owned();
    if reason.chars().count() > MOST_REASON_CHARS || reason.chars().any(char::is_control) {
        form.refuse("reason", visit.t().switches.sign_ups.reason_fault);
        return show(&state, (&visit, &operator), &form).await;
    }
    let by = (&operator.origin, operator.row().id.as_str());
    let letter = state.accounts.people.refuse_sign_up(by, (&id, &reason)).await?;
    state.mail.deliver(&state.urls, "", letter.ok_or(Problem::NotFound)?).await;
    Ok(see_other(&notice::with(&visit.link(PATH), Did::SignUpRefused)))
}

async fn show(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    form: &Form,
) -> Result<Response, Problem> {
    let people = &state.accounts.people;
    let waiting = people.waiting(MOST_SHOWN).await?;
    let (_, unproven) = people.waiting_counts().await?;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let t = &visit.t().switches.sign_ups;
    let is_asked = state.accounts.switches.sign_up() == SignUpPolicy::Approval;
    let switches = visit.link("/admin/switches");
    let gap = visit.locale.gap();
    let policy = (!is_asked).then(|| {
        view! { <Callout kind=CalloutKind::Note><p>{t.not_asked} {gap} <a href=switches>{t.switches}</a></p></Callout> }
    });
    let unproven = u64::try_from(unproven).unwrap_or(0);
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {form.summary(visit.locale)}
        {policy}
        {table((visit, operator), &waiting, &moments)}
        {(unproven > 0).then(|| view! { <p class="soft">{t.unproven(unproven)}</p> })}
    };
    Ok(shell::page((visit, operator), Part::SignUps, Titled::of(visit, t.title, form), content).await)
}

fn table((visit, operator): (&Visit, &Operator), waiting: &[Waiting], moments: &Moments) -> AnyView {
    let t = &visit.t().switches.sign_ups;
    if waiting.is_empty() {
        return view! { <EmptyState title=t.none_title><p>{t.none}</p></EmptyState> }.into_any();
    }
    let rows: Vec<AnyView> = waiting.iter().map(|one| line((visit, operator), one, moments)).collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.person}</th>
                    <th scope="col">{t.asked}</th>
                    <th scope="col">{t.decision}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn line((visit, operator): (&Visit, &Operator), one: &Waiting, moments: &Moments) -> AnyView {
    let t = &visit.t().switches.sign_ups;
    let action = |verb: &str| visit.link(&format!("{PATH}/{}/{verb}", one.person_id));
    let field = format!("reason-{}", one.person_id);
    let (approve, refuse) = (t.approve_one(&one.email), t.refuse_one(&one.email));
    view! {
        <tr>
            <th scope="row">
                <span class="long">{one.email.clone()}</span><span class="note">{one.name.clone()}</span>
            </th>
            <td data-label=t.asked>{moments.relative(one.asked_at_ms)}</td>
            <td data-label=t.decision>
                <div class="decide">
                    <form method="post" action=action("approve")>
                        <Hidden name="csrf" value=operator.token.clone()/>
                        <button type="submit" class="button primary small" aria-label=approve>{t.approve}</button>
                    </form>
                    <form method="post" action=action("refuse") class="decide-refuse">
                        <Hidden name="csrf" value=operator.token.clone()/>
                        <label class="visually-hidden" for=field.clone()>{t.reason}</label>
                        <input id=field name="reason" type="text" class="input" maxlength="500" placeholder=t.reason autocomplete="off"/>
                        <button type="submit" class="button danger small" aria-label=refuse>{t.refuse}</button>
                    </form>
                </div>
            </td>
        </tr>
    }
    .into_any()
}
