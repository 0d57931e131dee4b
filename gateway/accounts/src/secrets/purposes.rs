//! What keys are derived for: one purpose, one key.

/// What an HMAC key is for. One purpose, one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacPurpose {
    ApiKey,
    OauthToken,
    SessionId,
    Csrf,
    OneTimeToken,
    Attempt,
    AuditChain,
    OperatorToken,
    RecoveryCode,
    Browser,
    IdentityTransaction,
    Voucher,
    OperatorSession,
    PasskeyCeremony,
}

/// What a sealing key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealPurpose {
    ChannelSecret,
    IdempotentAnswer,
    /// A new key on its way to the one page that shows it.
    ShownKey,
    /// A letter that waits to be sent, which may carry a one-time link.
    Letter,
    /// The answer that carries a key to the program that made it.
    ProvisionedKey,
    Totp,
    /// What waits for a browser that was sent to another provider.
    IdentityTransaction,
    /// What signs the messages to an org's endpoint.
    WebhookSecret,
    /// What an operator's session keeps for its next page.
    OperatorSession,
    /// A challenge that waits for a passkey's answer.
    PasskeyCeremony,
    /// The archive of a person's data.
    DataExport,
    /// What calls were asked and answered, where their org wants it kept.
    CallBody,
    /// A backup of the database, as a file.
    Backup,
    /// The keys that outlive the master key they were derived from.
    KeptKeys,
}

/// What a signing key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignPurpose {
    Receipt,
    PriceExport,
}

impl MacPurpose {
    pub(super) const ALL: [Self; 14] = [
        Self::ApiKey,
        Self::OauthToken,
        Self::SessionId,
        Self::Csrf,
        Self::OneTimeToken,
        Self::Attempt,
        Self::AuditChain,
        Self::OperatorToken,
        Self::RecoveryCode,
        Self::Browser,
        Self::IdentityTransaction,
        Self::Voucher,
        Self::OperatorSession,
        Self::PasskeyCeremony,
    ];

    pub(super) fn info(self) -> &'static str {
        match self {
            Self::ApiKey => "bytespike/v1/api-key-pepper",
            Self::OauthToken => "bytespike/v1/oauth-token-pepper",
            Self::SessionId => "bytespike/v1/session-id-pepper",
            Self::Csrf => "bytespike/v1/csrf",
            Self::OneTimeToken => "bytespike/v1/one-time-token-pepper",
            Self::Attempt => "bytespike/v1/attempt-pepper",
            Self::AuditChain => "bytespike/v1/audit-chain",
            Self::OperatorToken => "bytespike/v1/operator-token-pepper",
            Self::RecoveryCode => "bytespike/v1/recovery-code-pepper",
            Self::Browser => "bytespike/v1/browser-pepper",
            Self::IdentityTransaction => "bytespike/v1/identity-transaction-pepper",
            Self::Voucher => "bytespike/v1/voucher-pepper",
            Self::OperatorSession => "bytespike/v1/operator-session-pepper",
            Self::PasskeyCeremony => "bytespike/v1/passkey-ceremony-pepper",
        }
    }
}

impl SealPurpose {
    #[cfg(test)]
    pub(super) const ALL: [Self; 14] = [
        Self::ChannelSecret,
        Self::IdempotentAnswer,
        Self::Letter,
        Self::ShownKey,
        Self::ProvisionedKey,
        Self::Totp,
        Self::IdentityTransaction,
        Self::WebhookSecret,
        Self::OperatorSession,
        Self::PasskeyCeremony,
        Self::DataExport,
        Self::CallBody,
        Self::Backup,
        Self::KeptKeys,
    ];

    pub(super) fn info(self) -> &'static str {
        match self {
            Self::ChannelSecret => "bytespike/v1/channel-secret-aead",
            Self::IdempotentAnswer => "bytespike/v1/idempotent-answer-aead",
            Self::Letter => "bytespike/v1/letter-aead",
            Self::ShownKey => "bytespike/v1/shown-key-aead",
            Self::ProvisionedKey => "bytespike/v1/provisioned-key-aead",
            Self::Totp => "bytespike/v1/totp-aead",
            Self::IdentityTransaction => "bytespike/v1/identity-transaction-aead",
            Self::WebhookSecret => "bytespike/v1/webhook-secret-aead",
            Self::OperatorSession => "bytespike/v1/operator-session-aead",
            Self::PasskeyCeremony => "bytespike/v1/passkey-ceremony-aead",
            Self::DataExport => "bytespike/v1/data-export-aead",
            Self::CallBody => "bytespike/v1/call-body-aead",
            Self::Backup => "bytespike/v1/backup-aead",
            Self::KeptKeys => "bytespike/v1/kept-keys-aead",
        }
    }
}

impl SignPurpose {
    pub(super) const ALL: [Self; 2] = [Self::Receipt, Self::PriceExport];

    pub(super) fn info(self) -> &'static str {
        match self {
            Self::Receipt => "bytespike/v1/receipt-signing",
            Self::PriceExport => "bytespike/v1/price-export-signing",
        }
    }
}

/// The key under which gateways seal the reasoning state that clients carry from turn to turn.
pub(super) const REASONING_STATE: &str = "bytespike/v1/reasoning-state-aead";
