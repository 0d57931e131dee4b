//! Redeeming a voucher.
use super::Faulty;
use super::top_up::may_pay;
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::switched_off;
use crate::voucher;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::switches::Feature;
use bytespike_accounts::vouchers::RedeemError;
use bytespike_ui::components::{Button, Field, Hidden};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

/// A code is shorter; a form that holds more was not typed by hand.
const MOST_CHARS: usize = 100;

/// `POST /console/wallet/voucher`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(&state, &visit, Feature::Vouchers).await {
        return Ok(off);
    }
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    if !may_pay(&who) {
        return Err(Problem::Forbidden);
    }
    let typed: String = form.value("voucher").trim().chars().take(MOST_CHARS).collect();
    if typed.is_empty() {
        form.refuse("voucher", visit.t().vouchers.error.missing);
        return again(&state, (&visit, &who), form).await;
    }
    let owed = match state.accounts.vouchers.redeem(&who.origin, &who.member, &typed).await {
        Ok(owed) => owed,
        Err(RedeemError::Unavailable(error)) => return Err(error.into()),
        Err(error) => {
            form.refuse("voucher", words(visit.locale, &error));
            return again(&state, (&visit, &who), form).await;
        }
    };
    let notice = match voucher::book((&state.accounts, &state.ledger), &owed).await {
        Ok(()) => Notice::VoucherRedeemed,
        Err(error) => {
            tracing::error!(%error, voucher_id = owed.voucher_id, "a voucher could not be booked yet; it is tried again");
            Notice::VoucherOwed
        }
    };
    Ok(see_other(&flash::with(&visit.link("/console/wallet"), notice)))
}

async fn again(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    form: Form,
) -> Result<Response, Problem> {
    super::show(state, (visit, who), Faulty { voucher: Some(form), ..Faulty::default() }).await
}

fn words(locale: Locale, error: &RedeemError) -> &'static str {
    let t = &locale.t().vouchers.error;
    match error {
        RedeemError::TooMany => t.many,
        RedeemError::AlreadyRedeemed => t.already,
        RedeemError::BatchLimit => t.batch_limit,
        RedeemError::UsedUp => t.used_up,
        RedeemError::Over => t.over,
        RedeemError::Unknown | RedeemError::Unavailable(_) => t.unknown,
    }
}

/// The form, for those who may use it; `faulty` is the one that came back.
pub(super) fn part((visit, who): (&Visit, &SignedIn), faulty: Option<Form>) -> Option<AnyView> {
    if !may_pay(who) {
        return None;
    }
    let t = &visit.t().vouchers.form;
    let form = faulty.unwrap_or_default();
    let view = view! {
        <section class="stack" id="voucher-form">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            {form.summary(visit.locale)}
            <form method="post" action=visit.link("/console/wallet/voucher") class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="voucher" label=t.code value=form.value("voucher") hint=t.hint
                    nostrip:fault=form.fault("voucher") autocomplete="off" max_length=64
                />
                <Button>{t.submit}</Button>
            </form>
        </section>
    };
    Some(view.into_any())
}
