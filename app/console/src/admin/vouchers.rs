//! Vouchers: batches of codes, made here and handed out once, and the single ones that commands and programs make.
mod batch;
mod form;

pub(super) use batch::{codes, end as end_batch, page as batch};

use super::act::Act;
use super::credits;
use super::notice::{self, Did};
use super::shell::{self, Part};
use super::who::Operator;
use crate::forms::Form;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::audit::Actor;
use bytespike_accounts::secrets::{Place, SecretText};
use bytespike_accounts::vouchers::{Batch, Made, Voucher, VoucherError, VoucherState};
use bytespike_ui::components::{Badge, BadgeKind, EmptyState, Hidden, TableFrame};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

const PATH: &str = "/admin/vouchers";
const MOST_SHOWN: u32 = 50;

/// `GET /admin/vouchers`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    show(&state, (&visit, &operator), &form::blank()).await
}

/// `POST /admin/vouchers/new`: the codes wait, sealed, for one download.
pub(super) async fn create(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, mut form, .. } = act;
    let Some(wanted) = form::read(&mut form, visit.locale, state.world.now_ms()) else {
        return show(&state, (&visit, &operator), &form).await;
    };
    let by = (&operator.origin, Actor::Operator(&operator.row().id));
    let vouchers = &state.accounts.vouchers;
    match vouchers.create_batch(by, &wanted.borrowed()).await {
        Ok(Made::Now((batch, codes))) => {
            vouchers.keep_codes(&batch.id, &sealed(&state, &batch.id, &codes)).await?;
            Ok(see_other(&notice::with(&visit.link(&batch_path(&batch.id)), Did::BatchMade)))
        }
        Ok(Made::Waits(_)) => Ok(see_other(&notice::with(&visit.link(credits::PATH), Did::VouchersWait))),
        Err(VoucherError::Unavailable(error)) => Err(error.into()),
        Err(error) => {
            form::refuse(&mut form, visit.locale, &error);
            show(&state, (&visit, &operator), &form).await
        }
    }
}

/// `POST /admin/vouchers/{id}/end`
pub(super) async fn end(act: Act) -> Result<Response, Problem> {
    let by = (&act.operator.origin, Actor::Operator(&act.operator.row().id));
    if !act.state.accounts.vouchers.end(by, &act.id, None).await? {
        return Err(Problem::NotFound);
    }
    Ok(see_other(&notice::with(&act.visit.link(PATH), Did::VoucherEnded)))
}

/// The page of a batch.
pub(super) fn batch_path(batch_id: &str) -> String {
    format!("{PATH}/batches/{batch_id}")
}

/// The codes of a batch as they wait for their download.
pub(super) fn sealed(state: &ConsoleState, batch_id: &str, codes: &[SecretText]) -> String {
    let plain: Vec<&str> = codes.iter().map(SecretText::expose).collect();
    let json = serde_json::to_vec(&plain).unwrap_or_default();
    state.shown_key.seal(&state.world, place(batch_id), &json)
}

/// Where the codes of a batch are sealed for.
fn place(batch_id: &str) -> Place<'_> {
    Place { table: "voucher_batch", row: batch_id, column: "codes_sealed" }
}

async fn show(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    form: &Form,
) -> Result<Response, Problem> {
    let vouchers = &state.accounts.vouchers;
    let batches = vouchers.batches(None, MOST_SHOWN).await?;
    let single = vouchers.single(MOST_SHOWN).await?;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let t = &visit.t().operating.vouchers;
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {form.summary(visit.locale)}
        <section class="stack"><h2>{t.batches}</h2>{batch_table(visit, &batches, &moments)}</section>
        {form::part((visit, operator), form, state.accounts.waiting_credits.above_nano())}
        {single_part((visit, operator), &single, &moments)}
    };
    Ok(shell::page((visit, operator), Part::Vouchers, Titled::of(visit, t.title, form), content).await)
}

fn batch_table(visit: &Visit, batches: &[Batch], moments: &Moments) -> AnyView {
    let t = &visit.t().operating.vouchers;
    if batches.is_empty() {
        return view! { <EmptyState title=t.none_title><p>{t.none}</p></EmptyState> }.into_any();
    }
    let rows: Vec<AnyView> = batches.iter().map(|batch| batch_line(visit, batch, moments)).collect();
    view! {
        <TableFrame caption=t.batches>
            <thead>
                <tr>
                    <th scope="col">{t.note}</th>
                    <th scope="col" class="num">{t.worth}</th>
                    <th scope="col" class="num">{t.codes}</th>
                    <th scope="col" class="num">{t.used}</th>
                    <th scope="col">{t.made}</th>
                    <th scope="col">{t.state}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn batch_line(visit: &Visit, batch: &Batch, moments: &Moments) -> AnyView {
    let t = &visit.t().operating.vouchers;
    let href = visit.link(&format!("{PATH}/batches/{}", batch.id));
    let used = t.used_of(batch.used, batch.codes.saturating_mul(batch.uses));
    view! {
        <tr>
            <th scope="row"><a href=href>{batch.note.clone()}</a></th>
            <td class="num" data-label=t.worth>{format::usd(batch.amount_nano)}</td>
            <td class="num" data-label=t.codes>{batch.codes}</td>
            <td class="num" data-label=t.used>{used}</td>
            <td data-label=t.made>{moments.date(batch.created_at_ms)}</td>
            <td data-label=t.state>{badge(visit, batch_state(batch, moments.now_ms))}</td>
        </tr>
    }
    .into_any()
}

fn batch_state(batch: &Batch, now_ms: i64) -> VoucherState {
    match batch.expires_at_ms {
        _ if batch.ended_at_ms.is_some() => VoucherState::Ended,
        _ if batch.used >= batch.codes.saturating_mul(batch.uses) => VoucherState::UsedUp,
        Some(end_ms) if end_ms <= now_ms => VoucherState::Expired,
        _ => VoucherState::Open,
    }
}

fn badge(visit: &Visit, state: VoucherState) -> AnyView {
    let t = &visit.t().operating.vouchers;
    let (kind, label) = match state {
        VoucherState::Open => (BadgeKind::Live, t.open),
        VoucherState::UsedUp => (BadgeKind::Muted, t.used_up),
        VoucherState::Expired => (BadgeKind::Muted, t.expired),
        VoucherState::Ended => (BadgeKind::Danger, t.ended),
    };
    view! { <Badge kind=kind label=label/> }.into_any()
}

fn single_part(
    (visit, operator): (&Visit, &Operator),
    all: &[Voucher],
    moments: &Moments,
) -> Option<AnyView> {
    let t = &visit.t().operating.vouchers;
    let rows: Vec<AnyView> = all.iter().map(|one| single_line((visit, operator), one, moments)).collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="stack">
                <div><h2>{t.single}</h2><p class="soft">{t.single_lead}</p></div>
                <TableFrame caption=t.single>
                    <thead>
                        <tr>
                            <th scope="col">{t.note}</th>
                            <th scope="col" class="num">{t.worth}</th>
                            <th scope="col" class="num">{t.used}</th>
                            <th scope="col">{t.state}</th>
                            <th scope="col"><span class="visually-hidden">{t.action}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
            </section>
        }
        .into_any()
    })
}

fn single_line((visit, operator): (&Visit, &Operator), one: &Voucher, moments: &Moments) -> AnyView {
    let t = &visit.t().operating.vouchers;
    let state = one.state(moments.now_ms);
    let end = (state == VoucherState::Open).then(|| {
        let label = t.end_one(&one.note);
        view! {
            <form method="post" action=visit.link(&format!("{PATH}/{}/end", one.id)) class="inline">
                <Hidden name="csrf" value=operator.token.clone()/>
                <button type="submit" class="button small" aria-label=label>{t.end}</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row">{one.note.clone()}<span class="note" translate="no">{one.hint.clone()}</span></th>
            <td class="num" data-label=t.worth>{format::usd(one.amount_nano)}</td>
            <td class="num" data-label=t.used>{t.used_of(one.used, one.uses)}</td>
            <td data-label=t.state>{badge(visit, state)}</td>
            <td>{end}</td>
        </tr>
    }
    .into_any()
}
