//! Lists of operators: a search in the address, and pages that begin where the last one ended.
use crate::query::{self, Query};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, ButtonLink, Field, InputKind, Pagination};
use leptos::prelude::*;

/// Rows of a page.
const ROWS: u32 = 50;
/// One more than a page has says whether there is another.
pub(super) const ONE_MORE: u32 = ROWS + 1;

/// Leaves the rows of one page. True when there are more.
pub(super) fn cut<R>(rows: &mut Vec<R>) -> bool {
    let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let has_more = rows.len() > most;
    rows.truncate(most);
    has_more
}

/// What a list's address asks for.
pub(super) struct Asked {
    pub text: String,
    /// When the last row of the page before came to be, and its id.
    pub before: Option<(i64, String)>,
    path: &'static str,
}

impl Asked {
    pub fn of(visit: &Visit, path: &'static str) -> Self {
        let query = Query::of(visit);
        let before = query.get("before").and_then(|place| place.split_once('.'));
        let before = before.and_then(|(at_ms, id)| Some((at_ms.parse().ok()?, id.to_owned())));
        Self { text: query.get("q").unwrap_or_default().to_owned(), before, path }
    }

    pub fn search(&self, visit: &Visit, (label, submit): (&'static str, &'static str)) -> AnyView {
        let here = visit.link(self.path);
        let clear = (!self.text.is_empty()).then(|| {
            let label = visit.t().console.word.clear;
            view! { <ButtonLink kind=ButtonKind::Quiet href=here.clone()>{label}</ButtonLink> }
        });
        view! {
            <form method="get" action=here class="call-filters" role="search" aria-label=label>
                <Field id="q" label=label kind=InputKind::Text value=self.text.clone() autocomplete="off"/>
                <Button>{submit}</Button>
                {clear}
            </form>
        }
        .into_any()
    }

    /// Links to the first page and to the next, `last` being the last row shown when there are more.
    pub fn pages(&self, visit: &Visit, last: Option<(i64, &str)>) -> AnyView {
        let address = |before: &str| match query::write(&[("q", &self.text), ("before", before)]) {
            query if query.is_empty() => visit.link(self.path),
            query => format!("{}?{query}", visit.link(self.path)),
        };
        let newer = self.before.as_ref().map(|_| address(""));
        let older = last.map(|(at_ms, id)| address(&format!("{at_ms}.{id}")));
        view! { <Pagination locale=visit.locale newer=newer older=older/> }.into_any()
    }
}
