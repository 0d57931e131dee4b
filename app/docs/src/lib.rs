//! Documentation pages from content/docs.
