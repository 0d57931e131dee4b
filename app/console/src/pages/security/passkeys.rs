//! The reader's passkeys: adding one, naming it, taking it away.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost, words};
use crate::pages::security::{PATH, show};
use crate::passkey_form::{ANSWER, Ask, PasskeyForm, json, problem_of};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::passkeys::{AddError, Asker, Passkey, PasskeyError, RemoveError};
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, Callout, CalloutKind, Field, Hidden};
use leptos::prelude::*;

/// `POST /console/settings/security/passkeys/begin`: asks for a fresh proof before the device is asked for anything.
pub(crate) async fn begin(visit: Visit, _post: SignedPost) -> Response {
    see_other(&address(&visit, "/new"))
}

/// `GET /console/settings/security/passkeys/new`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    state.passkey_site().ok_or(Problem::NotFound)?;
    Ok(show_new((&visit, &who), &Form::default()).await)
}

/// `POST /console/settings/security/passkeys/offer`: the challenge for a new passkey.
pub(crate) async fn offer(State(state): State<ConsoleState>, post: SignedPost) -> Result<Response, Problem> {
    let site = state.passkey_site().ok_or(Problem::NotFound)?;
    let offered = state.accounts.passkeys.offer(asker(&post.who), &site, &post.who.member).await;
    Ok(json(offered.map_err(problem_of)?))
}

/// `POST /console/settings/security/passkeys`
pub(crate) async fn add(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let site = state.passkey_site().ok_or(Problem::NotFound)?;
    let new = (form.value("name"), form.value(ANSWER));
    let owner = (&who.member, &who.session);
    match state.accounts.passkeys.add(asker(&who), &site, owner, new).await {
        Ok(letter) => {
            state.mail.deliver(&state.urls, &who.anonymous, letter).await;
            state.accounts.sessions.renew(&who.cookie).await?;
            Ok(see_other(&flash::with(&visit.link(PATH), Notice::PasskeyAdded)))
        }
        Err(error) => {
            refuse((&mut form, "name"), &visit, error)?;
            Ok(show_new((&visit, &who), &form).await)
        }
    }
}

/// `POST /console/settings/security/passkeys/{id}/name`
pub(crate) async fn rename(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let field = field_of(&id);
    let named = (id.as_str(), form.value(&field));
    match state.accounts.passkeys.rename(&who.origin, &who.member, named).await {
        Ok(true) => Ok(see_other(&flash::with(&visit.link(PATH), Notice::PasskeyRenamed))),
        Ok(false) => Err(Problem::NotFound),
        Err(error) => {
            refuse((&mut form, &field), &visit, error)?;
            show(&state, (&visit, &who), Some(form)).await
        }
    }
}

/// `POST /console/settings/security/passkeys/{id}/remove`
pub(crate) async fn remove(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let who = &post.who;
    match state.accounts.passkeys.remove(&who.origin, (&who.member, &who.session), &id).await {
        Ok(letter) => {
            state.mail.deliver(&state.urls, &who.anonymous, letter).await;
            state.accounts.sessions.renew(&who.cookie).await?;
            Ok(see_other(&flash::with(&visit.link(PATH), Notice::PasskeyRemoved)))
        }
        // The page offers no button for the last way in, so whoever is here has an old page.
        Err(RemoveError::Last) => Ok(see_other(&visit.link(PATH))),
        Err(RemoveError::NotFound) => Err(Problem::NotFound),
        Err(RemoveError::Unavailable(error)) => Err(error.into()),
    }
}

fn asker(who: &SignedIn) -> Asker<'_> {
    Asker { origin: &who.origin, browser: &who.session.csrf_binding }
}

fn refuse((form, field): (&mut Form, &str), visit: &Visit, error: AddError) -> Result<(), Problem> {
    let t = &visit.t().security.passkey;
    match error {
        AddError::Name(problem) => form.refuse(field, words::name(visit.locale, problem)),
        AddError::TooMany => form.refuse(field, t.too_many),
        AddError::Passkey(PasskeyError::Refused) => form.refuse(field, t.not_added),
        AddError::Passkey(error) => return Err(problem_of(error)),
    }
    Ok(())
}

async fn show_new((visit, who): (&Visit, &SignedIn), form: &Form) -> Response {
    let t = &visit.t().security;
    let above = vec![
        (visit.link("/console/settings"), t.page.tabs.to_owned()),
        (visit.link(PATH), t.page.title.to_owned()),
    ];
    let passkey = PasskeyForm {
        ask: Ask::Add,
        field: ANSWER,
        action: address(visit, ""),
        challenge: address(visit, "/offer"),
        csrf: who.token.clone(),
        label: t.passkey.create,
        failed: t.passkey.create_failed,
    };
    let fields = view! {
        <Field
            id="name" label=t.passkey.name hint=t.passkey.name_hint value=form.value("name")
            nostrip:fault=form.fault("name") max_length=64 autocomplete="off"
        />
    };
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.passkey.add_title/>
            <div class="page-head"><div><h1>{t.passkey.add_title}</h1><p>{t.passkey.add_lead}</p></div></div>
        </div>
        {form.summary(visit.locale)}
        <div class="sheet">{passkey.view(fields.into_any())}</div>
        <div data-without-passkeys><Callout kind=CalloutKind::Note><p>{t.passkey.needs_script}</p></Callout></div>
        <p><a href=visit.link(PATH)>{visit.t().console.word.cancel}</a></p>
    };
    let titled = Titled::of(visit, t.passkey.add_title, form);
    shell::signed_in((visit, who), Section::Settings, titled, content).await
}

/// The section of the page; nothing where browsers offer no passkeys and there are none.
pub(super) fn part(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (moments, keys, has_other_way): (&Moments, Vec<Passkey>, bool),
    faulty: Option<&Form>,
) -> Option<AnyView> {
    let is_offered = state.passkey_site().is_some();
    if !is_offered && keys.is_empty() {
        return None;
    }
    let t = &visit.t().security.passkey;
    let may_remove = has_other_way || keys.len() > 1;
    let rows: Vec<AnyView> =
        keys.iter().map(|key| row((visit, who), (moments, may_remove), key, faulty)).collect();
    let list = (!rows.is_empty()).then(|| view! { <ul class="choices">{rows}</ul> });
    let add = is_offered.then(|| {
        view! {
            <form method="post" action=address(visit, "/begin")>
                <Hidden name="csrf" value=who.token.clone()/>
                <Button>{t.add}</Button>
            </form>
        }
    });
    Some(
        view! {
            <section class="stack">
                <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
                {list}
                {add}
            </section>
        }
        .into_any(),
    )
}

fn row(
    (visit, who): (&Visit, &SignedIn),
    (moments, may_remove): (&Moments, bool),
    key: &Passkey,
    faulty: Option<&Form>,
) -> AnyView {
    let t = &visit.t().security.passkey;
    let used = key.last_used_at_ms.map_or_else(
        || t.added_on(moments.date(key.created_at_ms)),
        |at_ms| t.last_used(moments.date(at_ms)),
    );
    let field = field_of(&key.id);
    let fault = faulty.and_then(|form| form.fault(&field));
    let typed = faulty.filter(|_| fault.is_some()).map(|form| form.value(&field).to_owned());
    let name = typed.unwrap_or_else(|| key.name.clone());
    let is_open = fault.is_some();
    let place = |verb: &str| address(visit, &format!("/{}/{verb}", key.id));
    let label = t.remove(&key.name);
    let remove = if may_remove {
        view! {
            <form method="post" class="inline" action=place("remove")>
                <Hidden name="csrf" value=who.token.clone()/>
                <Button kind=ButtonKind::Danger>{label}</Button>
            </form>
        }
        .into_any()
    } else {
        view! { <p class="hint">{t.last}</p> }.into_any()
    };
    view! {
        <li>
            <div>
                <strong>{key.name.clone()}</strong>
                <p class="soft">{used}</p>
                <details class="more" open=is_open>
                    <summary>{t.rename}</summary>
                    <form method="post" action=place("name")>
                        <Hidden name="csrf" value=who.token.clone()/>
                        <Field id=field label=t.name value=name nostrip:fault=fault max_length=64 autocomplete="off"/>
                        <Button>{t.rename_submit}</Button>
                    </form>
                </details>
            </div>
            {remove}
        </li>
    }
    .into_any()
}

/// One page has a field for each passkey.
fn field_of(id: &str) -> String {
    format!("name-{id}")
}

fn address(visit: &Visit, place: &str) -> String {
    visit.link(&format!("{PATH}/passkeys{place}"))
}
