//! Markdown for docs and blog: one source text becomes HTML, a table of contents, and plain sections for search.
//! What is here knows nothing of pages; the crates that own content call it once, when they start.

mod document;
mod front;
mod script;
mod source;

pub use document::{Document, Heading, Section, render};
pub use front::{Fault, split};
pub use source::{Facts, resolve};

pub use script::is_han;
