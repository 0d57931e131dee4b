//! What stands behind the promise, four facts long.

use super::heading;
use bytespike_ui::Visit;
use bytespike_ui::components::{Icon, IconName};
use leptos::prelude::*;

const ICONS: [IconName; 4] = [IconName::Receipt, IconName::Wallet, IconName::Users, IconName::Shield];

pub(super) fn section(visit: &Visit) -> AnyView {
    let t = &visit.t().home.reasons;
    let cards = t.cards.iter().zip(ICONS).map(|(card, icon)| {
        view! { <li><Icon name=icon/><h3>{card.title}</h3><p>{card.text}</p></li> }
    });
    view! {
        <section class="band" aria-labelledby="reasons">
            <div class="wrap">
                {heading("reasons", t.title, t.text)}
                <ul class="reasons">{cards.collect_view()}</ul>
            </div>
        </section>
    }
    .into_any()
}
