//! When the organisation is told of its balance and of its limits.
use super::Faulty;
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost, amount, words};
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::role::Permission;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Alerts, Wallet};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, Checkbox, Field, Hidden, InputKind};
use leptos::prelude::*;
use serde_json::json;

/// `POST /console/wallet/alerts`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    if !may_change(&who) {
        return Err(Problem::Forbidden);
    }
    let low_balance = match amount::parse_usd(form.value("low_balance")) {
        Ok(nano) => nano.map(NanoUsd),
        Err(error) => {
            form.refuse("low_balance", words::amount(visit.locale, error));
            return super::show(&state, (&visit, &who), Faulty { alerts: Some(form), ..Faulty::default() })
                .await;
        }
    };
    let alerts = Alerts { low_balance, limits: form.value("alert_limits") == "on" };
    let after = json!({ "low_balance_nano": low_balance.map(|nano| nano.0), "limits": alerts.limits });
    let event = who.member.did("org.alerts_changed").changed(json!(null), after);
    let entry = state.accounts.audit.entry(&who.origin, event);
    state.ledger.change_alerts(who.member.org_id(), alerts, &entry).await?;
    Ok(see_other(&flash::with(&visit.link("/console/wallet"), Notice::AlertsSaved)))
}

fn may_change(who: &SignedIn) -> bool {
    who.member.role().may(Permission::Billing)
}

/// The form, for those who may change it.
pub(super) fn part(
    (visit, who): (&Visit, &SignedIn),
    wallet: Option<&Wallet>,
    faulty: Option<Form>,
) -> Option<AnyView> {
    let alerts = wallet?.alerts;
    if !may_change(who) {
        return None;
    }
    let t = &visit.t().wallet.alerts;
    let form = faulty.unwrap_or_else(|| filled(alerts));
    let checked = form.value("alert_limits") == "on";
    let view = view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            {form.summary(visit.locale)}
            <form method="post" action=visit.link("/console/wallet/alerts") class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="low_balance" label=t.low_balance kind=InputKind::Number value=form.value("low_balance")
                    hint=t.low_balance_hint nostrip:fault=form.fault("low_balance") placeholder="$" autocomplete="off"
                />
                <Checkbox id="alert_limits" label=t.limits checked=checked/>
                <Button>{t.submit}</Button>
            </form>
        </section>
    };
    Some(view.into_any())
}

fn filled(alerts: Alerts) -> Form {
    let low_balance = alerts.low_balance.map(|balance| ("low_balance", amount::usd_field(balance.0)));
    let limits = alerts.limits.then(|| ("alert_limits", "on".to_owned()));
    Form::filled(low_balance.into_iter().chain(limits))
}
