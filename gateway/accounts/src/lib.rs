//! Users, orgs, members, keys, browser sessions and the secrets under them.
