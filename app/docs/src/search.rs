//! Search over the documentation, on the server: an inverted index built when the surface starts, and a page of
//! results. Written here because the known engines either need WebAssembly in the browser or are larger than the
//! documentation, and none splits Chinese as simply as overlapping pairs do.

pub(crate) mod index;
pub(crate) mod page;
mod snippet;
mod tokens;
