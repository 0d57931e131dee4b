//! Where somebody changes how their account is guarded, they are offered to cut the programs off that they let in: whoever
//! had the account may have let one in as well.
use crate::forms::Form;
use crate::problem::Problem;
use crate::state::ConsoleState;
use bytespike_accounts::Origin;
use bytespike_ui::Visit;
use bytespike_ui::components::Checkbox;
use leptos::prelude::*;

const FIELD: &str = "cut_programs";

/// The box, ticked unless it is unticked; nothing for whoever let no program in.
pub(crate) fn offer(visit: &Visit, apps: usize) -> Option<AnyView> {
    let t = &visit.t().security.cut_programs;
    let label = (apps > 0).then(|| t.label(u64::try_from(apps).unwrap_or(u64::MAX)))?;
    Some(view! { <Checkbox id=FIELD label=label checked=true hint=t.hint.to_owned()/> }.into_any())
}

/// Cuts them off with the keys they made, if the form says so, once the change is made.
pub(crate) async fn after(
    state: &ConsoleState,
    (origin, person_id): (&Origin, &str),
    form: &Form,
) -> Result<(), Problem> {
    if form.value(FIELD) == "on" {
        state.accounts.oauth.disconnect_all(origin, person_id).await?;
    }
    Ok(())
}
