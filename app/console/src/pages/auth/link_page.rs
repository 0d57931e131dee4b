//! The page that a link in a letter opens. Opening it changes nothing, because mail scanners open links; the button does.
use crate::shell::{self, Titled};
use crate::who::Visitor;
use axum::response::Response;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Hidden};
use leptos::prelude::*;

/// What the page says, and what its button sends.
pub(super) struct LinkPage {
    pub title: &'static str,
    pub lead: String,
    /// Where the button sends it.
    pub action: &'static str,
    pub submit: &'static str,
    /// What came with the link.
    pub kept: Vec<(&'static str, String)>,
    /// What the reader may choose besides.
    pub choice: Option<AnyView>,
}

impl LinkPage {
    pub async fn show(self, (visit, visitor): (&Visit, &Visitor)) -> Response {
        let kept: Vec<AnyView> = self
            .kept
            .into_iter()
            .map(|(name, value)| view! { <Hidden name=name value=value/> }.into_any())
            .collect();
        let content = view! {
            <h1>{self.title}</h1>
            <p>{self.lead}</p>
            <form method="post" action=visit.link(self.action)>
                <Hidden name="csrf" value=visitor.token.clone()/>
                {kept}
                {self.choice}
                <Button kind=ButtonKind::Primary>{self.submit}</Button>
            </form>
        };
        shell::narrow((visit, visitor), Titled::ok(self.title), content).await
    }
}
