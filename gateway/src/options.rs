//! What an operator may set about the life of a call. Durations and sizes only; channels and prices come separately.

use std::time::Duration;

/// Limits and waits of the gateway. `Default` is what `config.default.toml` says.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// The address customers use, without a trailing slash: printed in receipts' links and account answers.
    pub public_base_url: String,
    /// The console's public address, which grants access tokens.
    pub issuer_url: String,
    /// Longest wait for a connection to a provider.
    pub connect_timeout: Duration,
    /// Longest wait for the head of a provider's streamed answer.
    pub first_byte_timeout: Duration,
    /// Longest wait for the head of an answer that is not streamed: the provider writes all of it first.
    pub whole_answer_timeout: Duration,
    /// Longest silence inside a provider's answer.
    pub idle_timeout: Duration,
    /// Longest whole call, from accept.
    pub total_timeout: Duration,
    /// A stream's status line waits this long for the first content before it is 200 and pings start.
    pub status_wait: Duration,
    /// Silence towards a streaming client after which a ping is sent.
    pub ping_interval: Duration,
    /// Largest request body, bytes.
    pub max_body_bytes: usize,
    /// Largest whole answer read from a provider, bytes.
    pub max_answer_bytes: usize,
    /// Output limit of a call whose client gave none, tokens.
    pub default_max_output_tokens: u32,
    /// Least output a clamped call may have, tokens; below it the call is refused for want of credit.
    pub min_clamped_output_tokens: u32,
    /// How many channels a call may try.
    pub max_attempts: usize,
    /// How long an answer is read on when its client has gone, to learn what it cost us. Zero: not at all.
    pub drain_for: Duration,
    /// Most bytes read for that.
    pub drain_bytes: usize,
    /// Most answers read on at once.
    pub max_drains: usize,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            public_base_url: "http://127.0.0.1:8080".to_owned(),
            issuer_url: "http://127.0.0.1:8080".to_owned(),
            connect_timeout: Duration::from_secs(5),
            first_byte_timeout: Duration::from_secs(120),
            whole_answer_timeout: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(60),
            total_timeout: Duration::from_secs(3600),
            status_wait: Duration::from_secs(10),
            ping_interval: Duration::from_secs(15),
            max_body_bytes: 32 << 20,
            max_answer_bytes: 64 << 20,
            default_max_output_tokens: 16_384,
            min_clamped_output_tokens: 256,
            max_attempts: 3,
            drain_for: Duration::from_secs(30),
            drain_bytes: 256 << 10,
            max_drains: 64,
        }
    }
}
