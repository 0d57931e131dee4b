//! Hold, call, settle or release: what happens to the credit, and when the charge is zero.

use super::heading;
use bytespike_ui::Visit;
use bytespike_ui::components::{Icon, IconName};
use leptos::prelude::*;

pub(super) fn section(visit: &Visit) -> AnyView {
    let t = &visit.t().home.mechanism;
    view! {
        <section class="band mechanism" aria-labelledby="mechanism">
            <div class="wrap">
                {heading("mechanism", t.title, t.text)}
                <ol class="flow">
                    {step("1", t.hold.title, t.hold.text, "flow-step")}
                    {step("2", t.call.title, t.call.text, "flow-step")}
                    <li class="flow-fork">
                        <div class="flow-end landed"><h3>{t.settle.title}</h3><p>{t.settle.text}</p></div>
                        <div class="flow-end"><h3>{t.release.title}</h3><p>{t.release.text}</p></div>
                    </li>
                </ol>
                {zero(visit)}
            </div>
        </section>
    }
    .into_any()
}

fn step(number: &'static str, title: &'static str, text: &'static str, class: &'static str) -> AnyView {
    view! { <li class=class><span class="flow-number num" aria-hidden="true">{number}</span><h3>{title}</h3><p>{text}</p></li> }
        .into_any()
}

/// The cases a customer would argue about, with the answer, including the one that is not zero.
fn zero(visit: &Visit) -> AnyView {
    let t = &visit.t().home.zero;
    let rows = t.rows.iter().map(|row| {
        view! { <li><span>{row.case}</span><span class="zero-amount num">{row.charge}</span></li> }
    });
    let billing = visit.link("/docs/billing");
    view! {
        <div class="zero">
            <div class="zero-head"><h3>{t.title}</h3><p><a href=billing>{t.link}<Icon name=IconName::ArrowRight/></a></p></div>
            <ul>{rows.collect_view()}</ul>
        </div>
    }
    .into_any()
}
