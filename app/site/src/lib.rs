//! Home, pricing, blog.
