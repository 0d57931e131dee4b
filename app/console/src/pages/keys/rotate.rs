//! A key's secrets: which work, until when, and where they were last used; a new one, and the end of the old one.
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::pages::keys::{detail, manageable, once};
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::keys::{CredentialInfo, KeyInfo};
use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, Button, Hidden, Select, SelectOption, TableFrame};
use leptos::prelude::*;

const HOUR_MS: i64 = 3_600_000;
/// What is offered, in hours; the second is chosen unless another one is.
const OVERLAP_HOURS: [i64; 6] = [0, 24, 1, 72, 168, 720];

/// `POST /console/keys/{id}/rotate`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = post;
    let key = manageable(&state, &who, &key_id).await?;
    let hours = OVERLAP_HOURS.into_iter().find(|hours| hours.to_string() == form.value("overlap"));
    let overlap_ms = hours.ok_or(Problem::NotFound)? * HOUR_MS;
    let rotated = state.accounts.keys.rotate(&who.origin, &who.member, (&key.id, overlap_ms)).await;
    let rotated = rotated.map_err(detail::problem_of)?;
    once::keep(&state, &who, &rotated).await?;
    Ok(see_other(&format!("{}/created", detail::address(&visit, &key))))
}

/// `POST /console/keys/{id}/credentials/{credential}/end`
pub(crate) async fn end(
    State(state): State<ConsoleState>,
    Path((key_id, credential)): Path<(String, String)>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let who = post.who;
    let key = manageable(&state, &who, &key_id).await?;
    let ended = state.accounts.keys.end_credential(&who.origin, &who.member, (&key.id, &credential)).await;
    ended.map_err(detail::problem_of)?;
    Ok(see_other(&flash::with(&detail::address(&visit, &key), Notice::CredentialEnded)))
}

/// The secrets, and, for whoever may change the key, what can be done with them.
pub(super) fn section(
    (visit, moments): (&Visit, &Moments),
    key: &KeyInfo,
    credentials: &[CredentialInfo],
    changing: Option<&SignedIn>,
) -> AnyView {
    let t = &visit.t().keys.secret;
    let live = credentials.iter().filter(|one| one.is_live(moments.now_ms)).count();
    let token = changing.map(|who| who.token.clone());
    let rows: Vec<AnyView> = credentials
        .iter()
        .map(|one| row((visit, moments), key, one, token.clone().filter(|_| live > 1)))
        .collect();
    let form = token.filter(|_| live < 2).map(|token| rotate_form(visit, key, token));
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            <TableFrame caption=t.title>
                <thead>
                    <tr>
                        <th scope="col">{t.shown_as}</th>
                        <th scope="col">{t.state}</th>
                        <th scope="col">{t.created}</th>
                        <th scope="col">{t.last_used}</th>
                        <th scope="col">{t.from}</th>
                        <th scope="col"><span class="visually-hidden">{t.action}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {form}
        </section>
    }
    .into_any()
}

fn row(
    (visit, moments): (&Visit, &Moments),
    key: &KeyInfo,
    one: &CredentialInfo,
    token: Option<String>,
) -> AnyView {
    let t = &visit.t().keys.secret;
    let is_live = one.is_live(moments.now_ms);
    let state = match one.not_after_ms {
        None => view! { <Badge kind=BadgeKind::Live label=t.works/> }.into_any(),
        Some(end) if is_live => {
            view! { <Badge kind=BadgeKind::Warning label=t.ends/> " " {moments.relative(end)} }.into_any()
        }
        Some(end) => {
            view! { <Badge kind=BadgeKind::Muted label=t.ended/> " " {moments.relative(end)} }.into_any()
        }
    };
    let used = match one.last_used_at_ms {
        Some(at_ms) => moments.relative(at_ms),
        None => view! { <span class="faint">{visit.t().console.word.never}</span> }.into_any(),
    };
    let from: Vec<String> =
        [&one.last_used_client, &one.last_used_ip].into_iter().flatten().cloned().collect();
    let from = from.join(" · ");
    let end = token.filter(|_| is_live).map(|token| {
        let action = format!("{}/credentials/{}/end", detail::address(visit, key), one.id);
        view! {
            <form method="post" action=action class="inline">
                <Hidden name="csrf" value=token/>
                <Button>{t.end_now}</Button>
            </form>
        }
    });
    view! {
        <tr class=(!is_live).then_some("faded")>
            <th scope="row"><code>{one.masked.clone()}</code></th>
            <td data-label=t.state>{state}</td>
            <td data-label=t.created>{moments.date(one.created_at_ms)}</td>
            <td data-label=t.last_used>{used}</td>
            <td data-label=t.from>{from}</td>
            <td>{end}</td>
        </tr>
    }
    .into_any()
}

fn rotate_form(visit: &Visit, key: &KeyInfo, token: String) -> AnyView {
    let t = &visit.t().keys.secret;
    let label = |hours: i64| match hours {
        0 => t.overlap_none.to_owned(),
        1..72 => t.overlap_hours(hours),
        _ => t.overlap_days(hours / 24),
    };
    let mut hours = OVERLAP_HOURS;
    hours.sort_unstable();
    let options = hours.map(|hours| SelectOption::new(hours.to_string(), label(hours))).into();
    view! {
        <form method="post" action=format!("{}/rotate", detail::address(visit, key)) class="form-row sheet">
            <Hidden name="csrf" value=token/>
            <Select id="overlap" label=t.overlap hint=t.overlap_hint options=options selected="24"/>
            <Button>{t.rotate}</Button>
        </form>
    }
    .into_any()
}
