//! An operator's own account: where they are signed in, and the one page that shows their recovery codes.
use super::act::Act;
use super::shell::{self, Part};
use super::who::Operator;
use crate::flash::{self, Notice};
use crate::next;
use crate::pages::security::codes as recovery;
use crate::pages::settings::sessions;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::factors::{FactorState, Subject};
use bytespike_accounts::operators::{Kept, OperatorSessionInfo};
use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, Button, Hidden, KeyValues, TableFrame};
use leptos::prelude::*;

const PATH: &str = "/admin/account";

/// `GET /admin/account`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let factor = state.accounts.factors.state(Subject::Operator(&operator.row().id)).await?;
    let sessions = state.accounts.operators.sessions.list(&operator.session).await?;
    let t = &visit.t().admin.account;
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {facts(&visit, &operator, (factor, &moments))}
        {sessions_part((&visit, &operator), &sessions, &moments)}
    };
    Ok(shell::page((&visit, &operator), Part::Account, Titled::ok(t.title), content).await)
}

/// `POST /admin/account/sessions/others`
pub(super) async fn end_others(act: Act) -> Result<Response, Problem> {
    act.state.accounts.operators.end_other_sessions(&act.operator.origin, &act.operator.session).await?;
    Ok(see_other(&flash::with(&act.visit.link(PATH), Notice::SessionsEnded)))
}

/// `GET /admin/account/codes`
pub(super) async fn codes(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let taken = state.accounts.operators.sessions.take(&operator.session, Kept::Codes).await?;
    let query = Query::of(&visit);
    let on = next::after_operator_sign_in(query.get("next"), &visit.link("/admin"));
    let t = &visit.t().security.codes;
    let (title, content) = match taken {
        Some(codes) => (t.title, recovery::shown(&visit, &codes, None, on)),
        None => {
            let t = &visit.t().admin.account;
            (visit.t().security.codes.gone_title, recovery::gone(&visit, t.codes_gone, (on, t.go_on)))
        }
    };
    let mut response = shell::page((&visit, &operator), Part::Account, Titled::ok(title), content).await;
    shell::unreferred(&mut response);
    Ok(response)
}

fn facts(visit: &Visit, operator: &Operator, (factor, moments): (Option<FactorState>, &Moments)) -> AnyView {
    let t = &visit.t().admin.account;
    let text = |text: String| text.into_any();
    let factor = factor.map(|factor| {
        let left = visit.t().security.factor.codes_left(factor.codes_left);
        (t.factor.to_owned(), text(t.factor_since(moments.date(factor.since_ms), left)))
    });
    let pairs = [
        (t.name.to_owned(), text(operator.row().name.clone())),
        (visit.t().auth.field.email.to_owned(), text(operator.row().email.clone())),
    ];
    let pairs: Vec<(String, AnyView)> = pairs.into_iter().chain(factor).collect();
    view! { <KeyValues pairs=pairs/> <p class="hint">{t.reset} " " <code>"bytespike operator reset"</code></p> }.into_any()
}

fn sessions_part(
    (visit, operator): (&Visit, &Operator),
    sessions: &[OperatorSessionInfo],
    moments: &Moments,
) -> AnyView {
    let t = &visit.t().admin.account;
    let rows: Vec<AnyView> = sessions.iter().map(|session| row(visit, session, moments)).collect();
    let others = (sessions.len() > 1).then(|| {
        view! {
            <form method="post" action=visit.link("/admin/account/sessions/others")>
                <Hidden name="csrf" value=operator.token.clone()/>
                <Button>{t.end_others}</Button>
            </form>
        }
    });
    view! {
        <section class="stack">
            <div><h2>{t.sessions}</h2><p class="soft">{t.sessions_lead}</p></div>
            <TableFrame caption=t.sessions>
                <thead>
                    <tr>
                        <th scope="col">{t.browser}</th>
                        <th scope="col">{t.address}</th>
                        <th scope="col">{t.since}</th>
                        <th scope="col">{t.seen}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {others}
        </section>
    }
    .into_any()
}

/// A browser by name; what it says itself is in the title.
pub(super) fn browser(visit: &Visit, user_agent: &str) -> AnyView {
    let name =
        sessions::browser(user_agent).unwrap_or_else(|| visit.t().admin.account.unknown_browser.to_owned());
    view! { <span title=user_agent.to_owned()>{name}</span> }.into_any()
}

fn row(visit: &Visit, session: &OperatorSessionInfo, moments: &Moments) -> AnyView {
    let t = &visit.t().admin.account;
    let here = session.is_current.then(|| view! { " " <Badge kind=BadgeKind::Live label=t.this_one/> });
    view! {
        <tr>
            <th scope="row">{browser(visit, &session.user_agent)}{here}</th>
            <td data-label=t.address>{session.ip.clone()}</td>
            <td data-label=t.since>{moments.exact(session.signed_in_at_ms)}</td>
            <td data-label=t.seen>{moments.relative(session.last_seen_at_ms)}</td>
        </tr>
    }
    .into_any()
}
