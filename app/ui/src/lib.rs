//! Design system, page rendering, locales, cache policy.
