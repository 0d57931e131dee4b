//! Announcements: what was, is and will be shown above pages, and the form that writes one, with a look at it first.
mod form;

use super::act::Act;
use super::notice::{self, Did};
use super::shell::{self, Part};
use super::who::Operator;
use crate::forms::Form;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::announcements::{Announcement, AnnouncementError, Level, Place, Stage};
use bytespike_accounts::audit::Actor;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Badge, BadgeKind, Breadcrumbs, Button, ButtonKind, ButtonLink, EmptyState, Hidden, TableFrame,
};
use leptos::prelude::*;

const PATH: &str = "/admin/announcements";
const MOST_SHOWN: u32 = 50;

/// `GET /admin/announcements`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let all = state.accounts.announcements.newest(MOST_SHOWN).await?;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let t = &visit.t().announcements.page;
    let new = visit.link(&format!("{PATH}/new"));
    let content = view! {
        <div class="page-head">
            <div><h1>{t.title}</h1><p>{t.lead}</p></div>
            <ButtonLink kind=ButtonKind::Primary href=new>{t.add}</ButtonLink>
        </div>
        {table(&visit, &all, &moments)}
    };
    Ok(shell::page((&visit, &operator), Part::Announcements, Titled::ok(t.title), content).await)
}

/// `GET /admin/announcements/new`
pub(super) async fn create_form(visit: Visit, operator: Operator) -> Response {
    show((&visit, &operator), None, (&form::blank(), false)).await
}

/// `POST /admin/announcements/new`
pub(super) async fn create(act: Act) -> Result<Response, Problem> {
    write(act, None).await
}

/// `GET /admin/announcements/{id}`
pub(super) async fn edit_form(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let one = changeable(&state, &id).await?;
    Ok(show((&visit, &operator), Some(&one), (&form::filled(&one), false)).await)
}

/// `POST /admin/announcements/{id}`
pub(super) async fn edit(act: Act) -> Result<Response, Problem> {
    let one = changeable(&act.state, &act.id).await?;
    write(act, Some(one)).await
}

/// `POST /admin/announcements/{id}/end`
pub(super) async fn end(act: Act) -> Result<Response, Problem> {
    let by = (&act.operator.origin, Actor::Operator(&act.operator.row().id));
    if !act.state.accounts.announcements.end(by, &act.id).await? {
        return Err(Problem::NotFound);
    }
    Ok(see_other(&notice::with(&act.visit.link(PATH), Did::AnnouncementEnded)))
}

/// One that is not over.
async fn changeable(state: &ConsoleState, id: &str) -> Result<Announcement, Problem> {
    let found = state.accounts.announcements.find(id).await?;
    found.filter(|one| one.stage(state.world.now_ms()) != Stage::Over).ok_or(Problem::NotFound)
}

/// Shows it as it would look, or keeps it.
async fn write(act: Act, before: Option<Announcement>) -> Result<Response, Problem> {
    let Act { state, visit, operator, mut form, .. } = act;
    let is_preview = form.value("step") != "announce";
    let Some(new) = form::read(&mut form, visit.locale) else {
        return Ok(show((&visit, &operator), before.as_ref(), (&form, false)).await);
    };
    if is_preview {
        return Ok(show((&visit, &operator), before.as_ref(), (&form, true)).await);
    }
    let by = (&operator.origin, Actor::Operator(&operator.row().id));
    let announcements = &state.accounts.announcements;
    let kept = match &before {
        None => announcements.create(by, &new.borrowed()).await.map(|_| Did::Announced),
        Some(one) => {
            announcements.change(by, (&one.id, &new.borrowed())).await.map(|()| Did::AnnouncementChanged)
        }
    };
    match kept {
        Ok(did) => Ok(see_other(&notice::with(&visit.link(PATH), did))),
        Err(AnnouncementError::Unavailable(error)) => Err(error.into()),
        Err(AnnouncementError::Unknown) => Err(Problem::NotFound),
        Err(error) => {
            form::refuse(&mut form, visit.locale, &error);
            Ok(show((&visit, &operator), before.as_ref(), (&form, false)).await)
        }
    }
}

/// The form, and above it what it would say where that was asked for.
async fn show(
    (visit, operator): (&Visit, &Operator),
    before: Option<&Announcement>,
    (form, is_preview): (&Form, bool),
) -> Response {
    let t = &visit.t().announcements.form;
    let title = if before.is_some() { t.edit } else { t.new };
    let above = vec![(visit.link(PATH), visit.t().announcements.page.title.to_owned())];
    let action = match before {
        Some(one) => visit.link(&format!("{PATH}/{}", one.id)),
        None => visit.link(&format!("{PATH}/new")),
    };
    let titled = if is_preview { Titled::unprocessed(title) } else { Titled::of(visit, title, form) };
    let submit = if before.is_some() { t.change } else { t.announce };
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title/>
            <div class="page-head"><div><h1>{title}</h1><p>{t.lead}</p></div></div>
        </div>
        {form.summary(visit.locale)}
        {is_preview.then(|| form::preview(visit, form))}
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=operator.token.clone()/>
            {form::fields(visit, form)}
            <div class="actions">
                <Button name="step" value="preview">{t.preview}</Button>
                <Button kind=ButtonKind::Primary name="step" value="announce">{submit}</Button>
            </div>
        </form>
        {before.map(|one| end_part((visit, operator), one))}
    };
    shell::page((visit, operator), Part::Announcements, titled, content).await
}

fn end_part((visit, operator): (&Visit, &Operator), one: &Announcement) -> AnyView {
    let t = &visit.t().announcements.form;
    view! {
        <div class="danger-zone">
            <div><h2>{t.end}</h2><p>{t.end_lead}</p></div>
            <form method="post" action=visit.link(&format!("{PATH}/{}/end", one.id))>
                <Hidden name="csrf" value=operator.token.clone()/>
                <Button kind=ButtonKind::Danger>{t.end_submit}</Button>
            </form>
        </div>
    }
    .into_any()
}

fn table(visit: &Visit, all: &[Announcement], moments: &Moments) -> AnyView {
    let t = &visit.t().announcements.page;
    if all.is_empty() {
        return view! { <EmptyState title=t.none_title><p>{t.none}</p></EmptyState> }.into_any();
    }
    let rows: Vec<AnyView> = all.iter().map(|one| line(visit, one, moments)).collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.text}</th>
                    <th scope="col">{t.level}</th>
                    <th scope="col">{t.place}</th>
                    <th scope="col">{t.time}</th>
                    <th scope="col">{t.stage}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn line(visit: &Visit, one: &Announcement, moments: &Moments) -> AnyView {
    let t = &visit.t().announcements.page;
    let stage = one.stage(moments.now_ms);
    let (kind, label) = match stage {
        Stage::Shown => (BadgeKind::Live, t.shown),
        Stage::Coming => (BadgeKind::Pending, t.coming),
        Stage::Over => (BadgeKind::Muted, t.over),
    };
    let text = form::text(one, visit.locale).to_owned();
    let text = match stage {
        Stage::Over => text.into_any(),
        _ => view! { <a href=visit.link(&format!("{PATH}/{}", one.id))>{text}</a> }.into_any(),
    };
    let end = one.ended_at_ms.or(one.until_ms);
    let end = end.map_or_else(|| t.until_ended.to_owned(), |end_ms| moments.written(end_ms));
    view! {
        <tr>
            <th scope="row">{text}</th>
            <td data-label=t.level>{level(visit, one.level)}</td>
            <td data-label=t.place>{place(visit, one.place)}</td>
            <td data-label=t.time>{moments.exact(one.from_ms)}<span class="note">{t.until(end)}</span></td>
            <td data-label=t.stage><Badge kind=kind label=label/></td>
        </tr>
    }
    .into_any()
}

fn level(visit: &Visit, level: Level) -> &'static str {
    let t = &visit.t().announcements.banner;
    match level {
        Level::Incident => t.incident,
        Level::Warning => t.warning,
        Level::Information => t.information,
    }
}

fn place(visit: &Visit, place: Place) -> &'static str {
    let t = &visit.t().announcements.form;
    match place {
        Place::All => t.place_all,
        Place::Site => t.place_site,
        Place::Docs => t.place_docs,
        Place::Console => t.place_console,
    }
}
