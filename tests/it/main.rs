//! Every black-box test of the gateway and the console, one module per promise.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has to fail on the spot"
)]

mod account_api;
mod admin;
mod admin_pages;
mod admin_prices;
mod admission;
mod alerts_api;
mod announcements;
mod backup;
mod bodies;
mod call_limits;
mod cancellation;
mod crash;
mod crossing;
mod cut_programs;
mod data_copy;
mod debits;
mod error_shapes;
mod failures;
mod first_run;
mod headers;
mod idempotency;
mod idor;
mod idor_admin;
mod idor_api;
mod invariants;
mod invoices;
mod key_api;
mod key_terms;
mod key_tree;
mod keys;
mod kills;
mod letters;
mod limits;
mod limits_api;
mod master_key;
mod model_test;
mod museum;
mod native_lane;
mod notices;
mod numbers;
mod oauth;
mod oauth_documents;
mod oauth_usage;
mod operator;
mod operator_costs;
mod passkeys;
mod payments;
mod people;
mod presets;
mod prices;
mod quota;
mod receipts;
mod recharge;
mod reversals;
mod second_factor;
mod second_operator;
mod secrets;
mod security;
mod shutdown;
mod sign_in_rules;
mod switched_off;
mod switches;
mod two_gateways;
mod usage;
mod vectors;
mod verification;
mod vouchers;
mod webhooks;
