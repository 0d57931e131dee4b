//! A QR code as SVG, drawn by us: a white square with black modules, whatever the page's colours, because cameras want that.
use leptos::prelude::*;
use qrcode::{Color, QrCode};

/// Modules of white around the code; readers need four.
const QUIET: usize = 4;

/// The picture, or nothing for a text that is too long for any code.
pub(crate) fn qr(text: &str, label: &'static str) -> Option<AnyView> {
    let code = QrCode::new(text.as_bytes()).ok()?;
    let width = code.width();
    let side = width + 2 * QUIET;
    let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark);
    let path: String =
        dark.map(|(at, _)| format!("M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET)).collect();
    Some(
        view! {
            <svg
                class="qr" role="img" aria-label=label viewBox=format!("0 0 {side} {side}")
                shape-rendering="crispEdges"
            >
                <rect width=side height=side fill="#fff"/>
                <path d=path fill="#000"/>
            </svg>
        }
        .into_any(),
    )
}
