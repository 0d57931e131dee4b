//! Sign-up, keys, calls, wallet, settings.
