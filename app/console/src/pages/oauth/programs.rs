//! An org's own programs: registering one, showing its secret once, ending it. For admins.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost, words};
use crate::pages::oauth::decision;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::oauth::{Client, ClientError, GrantScope, GrantScopes, NewClient, RegisteredClient};
use bytespike_accounts::role::Permission;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, ButtonLink, Callout, CalloutKind, Checkbox, CopyField, Field, Hidden,
    TableFrame, TextArea,
};
use http::HeaderValue;
use http::header::REFERRER_POLICY;
use leptos::prelude::*;

/// `GET /console/apps/programs/new`
pub(crate) async fn form(visit: Visit, who: SignedIn) -> Result<Response, Problem> {
    allow(&who)?;
    Ok(show(&visit, &who, &Form::filled([("scope-profile", "on".to_owned())])).await)
}

/// `POST /console/apps/programs/new`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    allow(&who)?;
    let lines = form.value("redirect_uris").lines().map(str::trim).filter(|line| !line.is_empty());
    let is_on = |name: &str| form.value(name) == "on";
    let new = NewClient {
        name: form.value("name").to_owned(),
        redirect_uris: lines.map(str::to_owned).collect(),
        scopes: GrantScope::ALL
            .into_iter()
            .filter(|scope| is_on(decision::field_of(*scope)))
            .collect::<GrantScopes>(),
        is_confidential: is_on("confidential"),
        is_resource_server: is_on("resource_server"),
    };
    match state.accounts.oauth.register(&who.origin, &who.member, new).await {
        Ok(made) => Ok(once(&visit, &who, &made).await),
        Err(error) => {
            refuse(&mut form, &visit, error)?;
            Ok(show(&visit, &who, &form).await)
        }
    }
}

/// `POST /console/apps/programs/{id}/end`
pub(crate) async fn end(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    match state.accounts.oauth.end_client(&post.who.origin, &post.who.member, &id).await {
        Ok(()) => Ok(see_other(&flash::with(&visit.link("/console/apps"), Notice::ProgramEnded))),
        Err(ClientError::Forbidden) => Err(Problem::Forbidden),
        Err(ClientError::Unavailable(error)) => Err(error.into()),
        Err(_) => Err(Problem::NotFound),
    }
}

/// The org's programs, on the page of connected programs.
pub(super) async fn part(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
) -> Result<AnyView, Problem> {
    let t = &visit.t().oauth.programs;
    let programs = match state.accounts.oauth.registered(&who.member).await {
        Ok(programs) => programs,
        Err(ClientError::Unavailable(error)) => return Err(error.into()),
        Err(_) => return Err(Problem::Forbidden),
    };
    let new = visit.link("/console/apps/programs/new");
    let rows: Vec<AnyView> = programs.iter().map(|program| row((visit, who), program)).collect();
    let table = (!rows.is_empty()).then(|| {
        view! {
            <TableFrame caption=t.title>
                <thead><tr>
                    <th scope="col">{t.name}</th><th scope="col">{t.id}</th><th scope="col">{t.kind}</th><td></td>
                </tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
    });
    Ok(view! {
        <section class="stack">
            <div class="page-head"><div><h2>{t.title}</h2><p>{t.lead}</p></div>
                <ButtonLink href=new>{t.new}</ButtonLink>
            </div>
            {table}
        </section>
    }
    .into_any())
}

fn row((visit, who): (&Visit, &SignedIn), program: &Client) -> AnyView {
    let t = &visit.t().oauth.programs;
    let kind = if program.is_confidential() { t.confidential } else { t.public };
    let action = visit.link(&format!("/console/apps/programs/{}/end", program.id));
    view! {
        <tr>
            <th scope="row">{program.name.clone()}</th>
            <td data-label=t.id><code>{program.id.clone()}</code></td>
            <td data-label=t.kind>{kind}</td>
            <td class="end">
                <form method="post" class="inline" action=action>
                    <Hidden name="csrf" value=who.token.clone()/>
                    <button type="submit" class="button small">{t.end}</button>
                </form>
            </td>
        </tr>
    }
    .into_any()
}

fn allow(who: &SignedIn) -> Result<(), Problem> {
    if who.member.role().may(Permission::ManageOrg) { Ok(()) } else { Err(Problem::Forbidden) }
}

fn refuse(form: &mut Form, visit: &Visit, error: ClientError) -> Result<(), Problem> {
    let t = &visit.t().oauth.programs;
    match error {
        ClientError::Name(problem) => form.refuse("name", words::name(visit.locale, problem)),
        ClientError::Redirect(_) => form.refuse("redirect_uris", t.redirect_wrong),
        ClientError::Redirects => form.refuse("redirect_uris", t.redirect_missing),
        ClientError::NoScope => form.refuse("scope-profile", visit.t().oauth.error.no_scope),
        ClientError::PublicResourceServer => form.refuse("resource_server", t.resource_server_hint),
        ClientError::TooMany => form.refuse("name", t.too_many),
        ClientError::Forbidden => return Err(Problem::Forbidden),
        ClientError::NotFound => return Err(Problem::NotFound),
        ClientError::Unavailable(error) => return Err(error.into()),
    }
    Ok(())
}

async fn show(visit: &Visit, who: &SignedIn, form: &Form) -> Response {
    let t = &visit.t().oauth.programs;
    let titled = if form.has_faults() { Titled::faulty(visit, t.new) } else { Titled::ok(t.new) };
    let above = vec![(visit.link("/console/apps"), visit.t().oauth.apps.title.to_owned())];
    let scopes = GrantScope::ALL.into_iter().map(|scope| {
        let id = decision::field_of(scope);
        view! {
            <Checkbox
                id=id label=decision::words(visit, scope) checked=form.value(id) == "on" nostrip:fault=form.fault(id)
            />
        }
    });
    let (scopes, cancel) = (scopes.collect_view(), visit.t().console.word.cancel);
    let content = view! {
        <div><Breadcrumbs locale=visit.locale above=above here=t.new/><h1>{t.new}</h1></div>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/console/apps/programs/new") class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="name" label=t.name hint=t.name_hint value=form.value("name") nostrip:fault=form.fault("name")
                max_length=64 autocomplete="off"
            />
            <TextArea
                id="redirect_uris" label=t.redirects hint=t.redirects_hint value=form.value("redirect_uris") rows=3
                nostrip:fault=form.fault("redirect_uris")
            />
            <fieldset><legend>{t.scopes}</legend>{scopes}</fieldset>
            <Checkbox
                id="confidential" label=t.confidential_label hint=t.confidential_hint
                checked=form.value("confidential") == "on"
            />
            <Checkbox
                id="resource_server" label=t.resource_server hint=t.resource_server_hint
                checked=form.value("resource_server") == "on" nostrip:fault=form.fault("resource_server")
            />
            <p class="actions">
                <Button kind=ButtonKind::Primary>{t.submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=visit.link("/console/apps")>{cancel}</ButtonLink>
            </p>
        </form>
    };
    shell::signed_in((visit, who), Section::Apps, titled, content).await
}

/// The one page that shows a program's secret.
async fn once(visit: &Visit, who: &SignedIn, made: &RegisteredClient) -> Response {
    let t = &visit.t().oauth.programs;
    let secret = made.secret.as_ref().map(|secret| {
        view! {
            <Callout kind=CalloutKind::Warning><p>{t.secret_once}</p></Callout>
            <CopyField locale=visit.locale id="secret" label=t.secret value=secret.expose()/>
        }
    });
    let content = view! {
        <div class="page-head"><h1>{t.made}</h1></div>
        <CopyField locale=visit.locale id="client_id" label=t.id value=made.id.clone()/>
        {secret}
        <p class="actions"><ButtonLink kind=ButtonKind::Primary href=visit.link("/console/apps")>{t.done}</ButtonLink></p>
    };
    let mut response = shell::signed_in((visit, who), Section::Apps, Titled::ok(t.made), content).await;
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
