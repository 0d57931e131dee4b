//! What belongs to the account as a whole: the copy of its data, and its end, which can be taken back within a week.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::settings::{self, copy};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::EndError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Callout, CalloutKind, Field, Hidden, InputKind};
use leptos::prelude::*;

pub(super) const PATH: &str = "/console/settings/data";

/// `GET /console/settings/data`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    show(&state, (&visit, &who), Form::default()).await
}

/// `POST /console/settings/data/end`
pub(crate) async fn ask(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    if !form.value("confirm").trim().eq_ignore_ascii_case(who.member.email()) {
        form.refuse("confirm", visit.t().security.end.confirm_wrong);
        return show(&state, (&visit, &who), form).await;
    }
    match state.accounts.people.ask_for_end(&who.origin, &who.member).await {
        Ok(letter) => {
            state.mail.deliver(&state.urls, &who.anonymous, letter).await;
            Ok(see_other(&flash::with(&visit.link(PATH), Notice::EndAsked)))
        }
        Err(EndError::HandOver(orgs)) => {
            form.refuse("confirm", visit.t().security.end.hand_over(orgs.join(", ")));
            show(&state, (&visit, &who), form).await
        }
        Err(EndError::Unavailable(error)) => Err(error.into()),
    }
}

/// `POST /console/settings/data/keep`
pub(crate) async fn keep(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let who = &post.who;
    let letter = state.accounts.people.take_end_back(&who.origin, &who.member).await?;
    if letter.is_some() {
        state.mail.deliver(&state.urls, &who.anonymous, letter).await;
    }
    Ok(see_other(&flash::with(&visit.link(PATH), Notice::EndTakenBack)))
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    form: Form,
) -> Result<Response, Problem> {
    let t = &visit.t().security;
    let ends_at_ms = state.accounts.people.ends_at(&who.member).await?;
    let alone = state.accounts.people.orgs_to_hand_over(&who.member).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let copy = state.accounts.data_exports.of(&who.member).await?;
    let titled = Titled::of(visit, t.end.page, &form);
    let part = match ends_at_ms {
        Some(at_ms) => asked((visit, who), &moments.written(at_ms)),
        None => ask_form((visit, who), (alone, &form)),
    };
    let content = view! {
        <div class="page-head"><h1>{t.end.page}</h1></div>
        {settings::tabs(visit, settings::Part::Data)}
        {form.summary(visit.locale)}
        {copy::part((visit, who), &moments, copy)}
        <section class="stack"><h2>{t.end.title}</h2>{part}</section>
    };
    Ok(shell::signed_in((visit, who), Section::Settings, titled, content).await)
}

fn asked((visit, who): (&Visit, &SignedIn), when: &str) -> AnyView {
    let t = &visit.t().security.end;
    let text = t.asked(when);
    view! {
        <Callout kind=CalloutKind::Warning><p>{text}</p></Callout>
        <form method="post" action=visit.link(&format!("{PATH}/keep"))>
            <Hidden name="csrf" value=who.token.clone()/>
            <Button kind=ButtonKind::Primary>{t.keep}</Button>
        </form>
    }
    .into_any()
}

fn ask_form((visit, who): (&Visit, &SignedIn), (alone, form): (Vec<String>, &Form)) -> AnyView {
    let t = &visit.t().security.end;
    if !alone.is_empty() {
        let text = t.hand_over(alone.join(", "));
        return view! { <p>{text}</p> }.into_any();
    }
    let points = [t.point_sessions, t.point_orgs, t.point_money, t.point_books, t.point_week];
    view! {
        <ul class="bullets">{points.map(|point| view! { <li>{point}</li> }).into_iter().collect_view()}</ul>
        <form method="post" action=visit.link(&format!("{PATH}/end")) class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="confirm" label=t.confirm hint=who.member.email().to_owned() kind=InputKind::Email
                value=form.value("confirm") nostrip:fault=form.fault("confirm") autocomplete="off"
            />
            <Button kind=ButtonKind::Danger>{t.submit}</Button>
        </form>
    }
    .into_any()
}
