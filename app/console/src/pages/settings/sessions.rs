//! Where the account is signed in, and ending what should not be.
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::pages::settings;
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::sessions::SessionInfo;
use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, Button, Hidden, TableFrame};
use leptos::prelude::*;

/// `POST /console/settings/sessions/{id}`
pub(crate) async fn end(
    State(state): State<ConsoleState>,
    Path(public_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    if !state.accounts.sessions.end_one(&post.who.session, &public_id).await? {
        return Err(Problem::NotFound);
    }
    Ok(see_other(&flash::with(&settings::home(&visit), Notice::SessionEnded)))
}

/// `POST /console/settings/sessions/others`
pub(crate) async fn end_others(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    state.accounts.sessions.end_others(&post.who.session).await?;
    Ok(see_other(&flash::with(&settings::home(&visit), Notice::SessionsEnded)))
}

pub(super) fn part(
    (visit, who): (&Visit, &SignedIn),
    moments: &Moments,
    sessions: Vec<SessionInfo>,
) -> AnyView {
    let t = &visit.t().settings.sessions;
    let others = sessions.iter().any(|session| !session.is_current);
    let rows: Vec<AnyView> =
        sessions.into_iter().map(|session| row((visit, who), moments, session)).collect();
    let end_others = others.then(|| {
        view! {
            <form method="post" class="inline" action=format!("{}/sessions/others", settings::home(visit))>
                <Hidden name="csrf" value=who.token.clone()/>
                <Button>{t.end_others}</Button>
            </form>
        }
    });
    view! {
        <section class="stack">
            <div class="page-head"><div><h2>{t.title}</h2><p>{t.lead}</p></div>{end_others}</div>
            <TableFrame caption=t.title>
                <thead>
                    <tr>
                        <th scope="col">{t.device}</th>
                        <th scope="col">{t.address}</th>
                        <th scope="col">{t.started}</th>
                        <th scope="col">{t.seen}</th>
                        <td></td>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </section>
    }
    .into_any()
}

fn row((visit, who): (&Visit, &SignedIn), moments: &Moments, session: SessionInfo) -> AnyView {
    let t = &visit.t().settings.sessions;
    let action = if session.is_current {
        view! { <Badge kind=BadgeKind::Live label=t.this/> }.into_any()
    } else {
        view! {
            <form method="post" class="inline" action=format!("{}/sessions/{}", settings::home(visit), session.public_id)>
                <Hidden name="csrf" value=who.token.clone()/>
                <button type="submit" class="button small">{t.end}</button>
            </form>
        }
        .into_any()
    };
    let device = browser(&session.user_agent).unwrap_or_else(|| t.unknown.to_owned());
    view! {
        <tr>
            <th scope="row"><span title=session.user_agent.clone()>{device}</span></th>
            <td data-label=t.address>{session.ip}</td>
            <td data-label=t.started>{moments.exact(session.signed_in_at_ms)}</td>
            <td data-label=t.seen>{moments.relative(session.last_seen_at_ms)}</td>
            <td class="end">{action}</td>
        </tr>
    }
    .into_any()
}

/// Browser and system as the user agent claims them, for recognising one's own; proof of nothing.
pub(crate) fn browser(user_agent: &str) -> Option<String> {
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    // Order matters: each of these also claims to be those after it.
    let browser = named(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("MicroMessenger/", "WeChat"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ])?;
    let system = named(&[
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("Linux", "Linux"),
    ]);
    Some(system.map_or_else(|| browser.to_owned(), |system| format!("{browser} · {system}")))
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_named_for_people() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0";
        assert_eq!(browser(edge).as_deref(), Some("Edge · Windows"));
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1";
        assert_eq!(browser(phone).as_deref(), Some("Safari · iOS"));
        assert_eq!(browser("curl/8.5.0").as_deref(), Some("curl"));
        assert_eq!(browser("<script>"), None);
    }
}
