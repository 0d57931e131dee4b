//! Inviting somebody, and the invitations that are open.
use super::{PATH, words};
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::outbox::language_of;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::{SignedIn, Visitor};
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::people::{Invitation, InviteError, Issued};
use bytespike_accounts::role::Role;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Badge, BadgeKind, Breadcrumbs, Button, ButtonKind, ButtonLink, Callout, CalloutKind, Field, Hidden,
    InputKind, Select, TableFrame,
};
use leptos::prelude::*;

/// `GET /console/members/invite`
pub(crate) async fn form(visit: Visit, who: SignedIn) -> Response {
    let form = Form::filled([("role", Role::Developer.as_str().to_owned())]);
    show((&visit, &who), &form).await
}

/// `POST /console/members/invite`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    visitor: Visitor,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let role = Role::parse(form.value("role")).ok_or(Problem::NotFound)?;
    let whom = (form.value("email").trim(), role);
    let invited =
        state.accounts.people.invite(&who.origin, &who.member, whom, language_of(visit.locale)).await;
    match invited {
        Ok(issued) => Ok(sent(&state, (&visit, &visitor), issued).await),
        Err(error) => {
            refuse(&mut form, &visit, error)?;
            Ok(show((&visit, &who), &form).await)
        }
    }
}

/// `POST /console/members/invitations/{id}/resend`
pub(crate) async fn resend(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    visitor: Visitor,
    post: SignedPost,
) -> Result<Response, Problem> {
    let (people, who) = (&state.accounts.people, &post.who);
    let language = language_of(visit.locale);
    match people.resend_invitation(&who.origin, &who.member, &id, language).await {
        Ok(issued) => Ok(sent(&state, (&visit, &visitor), issued).await),
        Err(error) => Err(problem_of(error)),
    }
}

/// `POST /console/members/invitations/{id}/revoke`
pub(crate) async fn revoke(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let (people, who) = (&state.accounts.people, &post.who);
    people.revoke_invitation(&who.origin, &who.member, &id).await.map_err(problem_of)?;
    Ok(see_other(&flash::with(&visit.link(PATH), Notice::InvitationRevoked)))
}

async fn sent(state: &ConsoleState, (visit, visitor): (&Visit, &Visitor), issued: Issued) -> Response {
    let notice = if issued.mail.is_some() { Notice::InvitationSent } else { Notice::InvitationNotMailed };
    state.mail.deliver(&state.urls, &visitor.id, issued.mail).await;
    visitor.remember(see_other(&flash::with(&visit.link(PATH), notice)))
}

fn refuse(form: &mut Form, visit: &Visit, error: InviteError) -> Result<(), Problem> {
    let (t, auth) = (&visit.t().people.error, &visit.t().auth.error);
    match error {
        InviteError::Email(_) if form.value("email").trim().is_empty() => {
            form.refuse("email", auth.email_missing);
        }
        InviteError::Email(_) => form.refuse("email", auth.email_invalid),
        InviteError::Known => form.refuse("email", t.invited_already),
        InviteError::TooMany => form.refuse("email", t.too_many_invitations),
        other => return Err(problem_of(other)),
    }
    Ok(())
}

fn problem_of(error: InviteError) -> Problem {
    match error {
        InviteError::Unavailable(error) => error.into(),
        InviteError::Dead => Problem::NotFound,
        _ => Problem::Forbidden,
    }
}

async fn show((visit, who): (&Visit, &SignedIn), form: &Form) -> Response {
    let t = &visit.t().people;
    let title = t.invite.title;
    let titled = Titled::of(visit, title, form);
    let above = vec![(visit.link(PATH), t.members.title.to_owned())];
    let options = words::choices(visit.locale, who.member.role());
    let explained = words::explained(visit.locale, &options);
    let cancel = visit.t().console.word.cancel;
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title/>
            <div class="page-head"><div><h1>{title}</h1><p>{t.invite.lead}</p></div></div>
        </div>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/console/members/invite") class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="email" label=t.invite.email kind=InputKind::Email value=form.value("email")
                nostrip:fault=form.fault("email") autocomplete="off"
            />
            <Select id="role" label=t.invite.role options=options selected=form.value("role") hint=t.invite.role_hint/>
            {explained}
            <p class="actions">
                <Button kind=ButtonKind::Primary>{t.invite.submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=visit.link(PATH)>{cancel}</ButtonLink>
            </p>
        </form>
    };
    shell::signed_in((visit, who), Section::Organisation, titled, content).await
}

/// The invitations that are open, for those who may invite; nothing when there are none.
pub(super) fn open((visit, who): (&Visit, &SignedIn), moments: &Moments, all: &[Invitation]) -> AnyView {
    let t = &visit.t().people.invite;
    let rows: Vec<AnyView> = all.iter().map(|one| row((visit, who), moments, one)).collect();
    (!rows.is_empty())
        .then(|| {
            view! {
                <section class="stack">
                    <h2>{t.open}</h2>
                    <TableFrame caption=t.open>
                        <thead>
                            <tr>
                                <th scope="col">{t.email}</th>
                                <th scope="col">{t.role}</th>
                                <th scope="col">{t.by}</th>
                                <th scope="col">{t.expires}</th>
                                <th scope="col"><span class="visually-hidden">{t.actions}</span></th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </TableFrame>
                </section>
            }
        })
        .into_any()
}

fn row((visit, who): (&Visit, &SignedIn), moments: &Moments, one: &Invitation) -> AnyView {
    let t = &visit.t().people.invite;
    let expires = match one.expires_at_ms > moments.now_ms && one.is_backed {
        true => moments.relative(one.expires_at_ms),
        false => view! { <Badge kind=BadgeKind::Muted label=t.dead/> }.into_any(),
    };
    let button = |what: &'static str, label: &'static str| {
        let action = visit.link(&format!("{PATH}/invitations/{}/{what}", one.id));
        let name = format!("{label}: {}", one.email);
        view! {
            <form method="post" action=action class="inline">
                <Hidden name="csrf" value=who.token.clone()/>
                <button type="submit" class="button quiet" aria-label=name>{label}</button>
            </form>
        }
    };
    let may = who.member.role().governs(one.role).then(|| button("resend", t.resend));
    view! {
        <tr>
            <th scope="row">{one.email.clone()}</th>
            <td data-label=t.role>{words::role(visit.locale, one.role)}</td>
            <td data-label=t.by>{one.inviter_name.clone()}</td>
            <td data-label=t.expires>{expires}</td>
            <td><div class="actions">{may}{button("revoke", t.revoke)}</div></td>
        </tr>
    }
    .into_any()
}

/// What a mail server would have carried: shown right after inviting, on a developer's machine only.
pub(super) fn letter(state: &ConsoleState, (visit, visitor): (&Visit, &Visitor)) -> Option<AnyView> {
    let t = &visit.t().auth.check_mail;
    let just_sent = Query::of(visit).get("ok") == Some(Notice::InvitationSent.code());
    let letter = state.mail.shown_to(&visitor.id).filter(|_| just_sent)?;
    let view = view! {
        <Callout kind=CalloutKind::Warning title=t.development>
            <p>{t.development_note}</p>
            <p><strong>{letter.subject}</strong> <br/> {t.development_to(letter.to)}</p>
            <p><ButtonLink href=letter.link>{t.development_open}</ButtonLink></p>
        </Callout>
    };
    Some(view.into_any())
}
