//! Testing a pasted key: whether it works and which one it is. It is checked and forgotten.
use crate::forms::{Form, SignedPost};
use crate::pages::keys::find;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::keys::KeyRefusal;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, Callout, CalloutKind, Field, Hidden, InputKind,
};
use leptos::prelude::*;

/// What a test found: a sentence, and the page of the key if it is the reader's to see.
struct Finding {
    works: bool,
    text: String,
    key_page: Option<String>,
}

/// `GET /console/keys/check`
pub(crate) async fn form(visit: Visit, who: SignedIn) -> Response {
    let visit = who.reads(visit);
    show((&visit, &who), &Form::default(), None).await
}

/// `POST /console/keys/check`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let pasted = form.value("key").trim().to_owned();
    if pasted.is_empty() {
        form.refuse("key", visit.t().keys.error.key_missing);
        return Ok(show((&visit, &who), &form, None).await);
    }
    let finding = examine(&state, (&visit, &who), &pasted).await?;
    Ok(show((&visit, &who), &form, Some(finding)).await)
}

async fn examine(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    pasted: &str,
) -> Result<Finding, Problem> {
    let t = &visit.t().keys.check;
    let refused = |text: &'static str| Ok(Finding { works: false, text: text.to_owned(), key_page: None });
    match state.accounts.keys.identify(pasted).await {
        Ok(caller) if caller.org_id != who.member.org_id() => refused(t.foreign),
        Ok(caller) => match find(state, who, &caller.key_id).await {
            Ok(key) => Ok(Finding {
                works: true,
                text: [t.valid, &t.valid_which(&key.terms.name)].join(visit.locale.gap().unwrap_or_default()),
                key_page: Some(visit.link(&format!("/console/keys/{}", key.id))),
            }),
            // Somebody else's key of the same organisation: that it works is all there is to say.
            Err(Problem::NotFound) => Ok(Finding { works: true, text: t.valid.to_owned(), key_page: None }),
            Err(problem) => Err(problem),
        },
        Err(KeyRefusal::Malformed(_)) => refused(t.malformed),
        Err(KeyRefusal::Unknown) => refused(t.unknown),
        Err(KeyRefusal::Revoked | KeyRefusal::Deleted) => refused(t.revoked),
        Err(KeyRefusal::Expired) => refused(t.expired),
        Err(
            KeyRefusal::Disabled
            | KeyRefusal::ParentInactive
            | KeyRefusal::HolderInactive
            | KeyRefusal::Address,
        ) => refused(t.disabled),
        Err(KeyRefusal::Unavailable(error)) => Err(error.into()),
    }
}

async fn show((visit, who): (&Visit, &SignedIn), form: &Form, finding: Option<Finding>) -> Response {
    let t = &visit.t().keys;
    let title = t.check.title;
    let titled = Titled::of(visit, title, form);
    let above = vec![(visit.link("/console/keys"), t.list.title.to_owned())];
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title/>
            <div class="page-head"><div><h1>{title}</h1><p>{t.check.lead}</p></div></div>
        </div>
        {form.summary(visit.locale)}
        {finding.map(|finding| answer(visit, finding))}
        <form method="post" action=visit.link("/console/keys/check") class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field id="key" label=t.check.key kind=InputKind::Password nostrip:fault=form.fault("key") autocomplete="off"/>
            <Button kind=ButtonKind::Primary>{t.check.submit}</Button>
        </form>
    };
    shell::signed_in((visit, who), Section::Keys, titled, content).await
}

fn answer(visit: &Visit, finding: Finding) -> AnyView {
    let kind = if finding.works { CalloutKind::Tip } else { CalloutKind::Warning };
    let to_key = visit.t().keys.once.to_key;
    let link = finding.key_page.map(|href| view! { <p><a href=href>{to_key}</a></p> });
    view! { <div role="status"><Callout kind=kind><p>{finding.text}</p>{link}</Callout></div> }.into_any()
}
