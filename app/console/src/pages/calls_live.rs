//! The newest calls as they come, for a browser that asks for a stream of events. The page says the same when it is
//! loaded again, and a link on it does that.
use crate::calls::{self, narrowed};
use crate::filter::Filter;
use crate::pages::calls_page::{PATH, ROWS};
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use bytespike_ui::Visit;
use bytespike_ui::components::ButtonLink;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use http::HeaderMap;
use http::header::ACCEPT;
use leptos::prelude::*;
use std::time::Duration;

/// New calls are looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A stream is looked at so often and then ends; the browser asks again, and is let in again or not. It ends within the
/// time that a process gives running answers when it stops.
const LOOKS: u32 = 8;
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// Who watches what.
struct Watch {
    state: ConsoleState,
    visit: Visit,
    who: SignedIn,
    filter: Filter,
}

/// `GET /console/calls/live`
pub(crate) async fn stream(
    State(state): State<ConsoleState>,
    headers: HeaderMap,
    visit: Visit,
    who: SignedIn,
) -> Response {
    let visit = who.reads(visit);
    let filter = Filter::of(&Query::of(&visit));
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accepts.contains("text/event-stream") {
        return see_other(&filter.address(&visit.link(PATH), ""));
    }
    Sse::new(events(Watch { state, visit, who, filter })).into_response()
}

/// The table whenever it has changed.
fn events(watch: Watch) -> impl Stream<Item = Result<Event, axum::BoxError>> + Send + 'static {
    try_unfold((watch, 0, String::new()), |(watch, mut looks, shown)| async move {
        while looks < LOOKS {
            if looks > 0 {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            looks += 1;
            let table = watch.table().await.map_err(|_| "the calls could not be read")?;
            if table != shown {
                let event = Event::default().retry(ASK_AGAIN).data(&table);
                return Ok(Some((event, (watch, looks, table))));
            }
        }
        Ok::<_, axum::BoxError>(None)
    })
}

impl Watch {
    async fn table(&self) -> Result<String, Problem> {
        let Self { state, visit, who, filter } = self;
        let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
        let asked = (filter.asked(&moments, narrowed(who)), filter.outcome);
        let found = calls::load((state, who), asked, (None, ROWS)).await?;
        let owner = Owner::new();
        let table = owner.with(|| calls::table(visit, &moments, &found.rows).to_html());
        // An event cannot carry them.
        Ok(table.replace('\r', ""))
    }
}

/// The newest calls, and how to see newer ones.
pub(super) fn frame(visit: &Visit, filter: &Filter, results: AnyView) -> AnyView {
    let t = &visit.t().calls.live;
    let again = filter.address(&visit.link(PATH), "");
    let live = filter.address(&visit.link("/console/calls/live"), "");
    view! {
        <div class="stack">
            <p class="actions" data-live=live data-live-into="newest-calls" data-start=t.start data-stop=t.stop>
                <ButtonLink href=again>{t.again}</ButtonLink>
            </p>
            <div id="newest-calls">{results}</div>
        </div>
    }
    .into_any()
}
