//! One limit of many nodes at once: everything is checked first, and nothing is changed when something does not fit.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::keys::limits::{brief, label_of, named, read_one, said};
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::keys::Manager;
use bytespike_gateway::quota::{By, Change, OrgLimits, Which};
use bytespike_ui::components::{
    Button, ButtonKind, Field, Hidden, InputKind, Select, SelectOption, TableFrame,
};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

/// `POST /console/limits/several`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    if !super::may_set(&who) {
        return Err(Problem::Forbidden);
    }
    let all = state.quotas().of_org(who.member.org_id()).await?;
    let nodes: Vec<String> = form.all("node").map(str::to_owned).collect();
    if let Some((which, value)) = read(&mut form, &visit, (&all, &nodes)) {
        let by = By {
            org_id: who.member.org_id(),
            actor: Manager::Member(&who.member).actor(),
            origin: &who.origin,
        };
        for node in &nodes {
            let change = Change { node, which, before: all.value(node, which), after: value };
            state.quotas().change(by, change).await.map_err(|error| Problem::unavailable(&error))?;
        }
        return Ok(see_other(&flash::with(&visit.link("/console/limits"), Notice::LimitsSaved)));
    }
    super::show(&state, (&visit, &who), &form).await
}

/// The limit and its value, if it fits at every chosen node.
fn read(
    form: &mut Form,
    visit: &Visit,
    (all, nodes): (&OrgLimits, &[String]),
) -> Option<(Which, Option<i64>)> {
    let t = &visit.t().limits.nodes;
    // A node of another organisation is no node.
    if nodes.is_empty() || nodes.iter().any(|node| all.tree.get(node).is_none()) {
        form.refuse("which", t.none_chosen);
        return None;
    }
    let which = Which::parse(form.value("which"))?;
    let value = match read_one(form.value("value"), (which, visit.locale)) {
        Ok(value) => value,
        Err(fault) => {
            form.refuse("value", fault);
            return None;
        }
    };
    for (node, wanted) in nodes.iter().filter_map(|node| Some((node, value?))) {
        // Nodes that are chosen as well will have the same limit.
        let above: Vec<_> =
            all.tree.above(node).into_iter().filter(|above| !nodes.contains(&above.id)).collect();
        if let Err(above) = all.check(&above, (which, wanted)) {
            let at = named(visit.locale, &above.node, all);
            form.refuse(
                "value",
                visit.t().keys.error.limit_above(said(visit.numbers, (which, above.most)), at),
            );
            return None;
        }
    }
    Some((which, value))
}

/// Every node with its limits, to choose from.
pub(super) fn section((visit, who): (&Visit, &SignedIn), all: &OrgLimits, form: &Form) -> AnyView {
    let t = &visit.t().limits.nodes;
    let chosen: Vec<&str> = form.all("node").collect();
    let mut nodes: Vec<&str> = all.tree.nodes().map(|node| node.id.as_str()).collect();
    nodes.sort_by_key(|node| ["org:", "dep:", "mem:", "key:"].iter().position(|kind| node.starts_with(kind)));
    let rows: Vec<AnyView> =
        nodes.into_iter().map(|node| row(visit, all, node, chosen.contains(&node))).collect();
    let kinds = Which::ALL.map(|which| SelectOption::new(which.name(), label_of(visit.locale, which))).into();
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            <form method="post" action=visit.link("/console/limits/several") class="stack">
                <Hidden name="csrf" value=who.token.clone()/>
                <TableFrame caption=t.title>
                    <thead>
                        <tr>
                            <th scope="col">{t.name}</th>
                            <th scope="col">{t.limits}</th>
                            <th scope="col"><span class="visually-hidden">{t.edit}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
                <div class="form-row sheet">
                    <Select id="which" label=t.which options=kinds selected=form.value("which") nostrip:fault=form.fault("which")/>
                    <Field
                        id="value" label=t.value kind=InputKind::Number value=form.value("value")
                        nostrip:fault=form.fault("value") autocomplete="off"
                    />
                </div>
                <p class="hint">{t.value_hint}</p>
                <p class="actions"><Button kind=ButtonKind::Primary>{t.submit}</Button></p>
            </form>
        </section>
    }
    .into_any()
}

fn row(visit: &Visit, all: &OrgLimits, node: &str, is_chosen: bool) -> AnyView {
    let t = &visit.t().limits.nodes;
    let name = format::sentence(&named(visit.locale, node, all));
    let edit = visit.link(&format!("/console/limits/node/{node}"));
    let id = format!("choose-{node}");
    view! {
        <tr>
            <th scope="row">
                <span class="field checkbox">
                    <input type="checkbox" id=id.clone() name="node" value=node.to_owned() checked=is_chosen/>
                    <label for=id>{name}</label>
                </span>
            </th>
            <td data-label=t.limits>{brief(visit, node, all)}</td>
            <td class="end"><a href=edit>{t.edit}</a></td>
        </tr>
    }
    .into_any()
}
