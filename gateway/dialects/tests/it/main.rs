//! The dialects through their front door: bytes of one side in, bytes of the other side out.
//! Names such as `v13` number the field bugs that the cases come from.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "helpers of tests: a panic is how they fail, and values are made in place"
)]

mod chat_to_messages;
mod errors;
mod framing;
mod grammar;
mod messages_to_chat;
mod native;
mod properties;
mod reading;
mod requests_to_anthropic;
mod requests_to_chat;
mod support;
mod usage;
mod whole;
