//! The life of a call, and the API around it. Knows no HTML.
