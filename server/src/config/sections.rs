//! The sections of the configuration. What each key means stands in `config.default.toml`, once.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytespike_catalog::extra::ExtraModel;
use bytespike_payments::Currency;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::secret::{DatabaseUrl, Secret};

/// All of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub urls: Urls,
    pub database: Database,
    pub secrets: Secrets,
    pub log: Log,
    pub metrics: Metrics,
    pub mail: Mail,
    pub accounts: Accounts,
    pub operators: Operators,
    pub sign_in: SignIn,
    pub oauth: Oauth,
    pub gateway: Gateway,
    pub prices: Prices,
    pub payments: Payments,
    pub webhooks: Webhooks,
    pub retention: Retention,
    pub reconciliation: Reconciliation,
    pub demo: Demo,
    pub channels: Vec<Channel>,
    pub models: Vec<ExtraModel>,
    /// Provider → API key found in the environment under the provider's usual name.
    #[serde(skip_deserializing, default)]
    pub provider_keys: BTreeMap<String, Secret>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    pub surface: Surface,
    pub extra_hosts: Vec<String>,
    pub trusted_proxies: Vec<IpNet>,
    pub header_read_timeout_ms: u64,
    pub keep_alive_ms: u64,
    pub slow_body_timeout_ms: u64,
    pub max_connections: usize,
    pub max_connections_per_ip: usize,
    pub insecure_http: bool,
    pub shutdown_grace_ms: u64,
}

/// What one process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Surface {
    All,
    Site,
    Docs,
    Console,
    Gateway,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Urls {
    pub public: String,
    pub site: String,
    pub docs: String,
    pub console: String,
    pub gateway: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: DatabaseUrl,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    pub master_key: Secret,
    pub master_key_file: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    pub bearer_token: Secret,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub smtp_host: String,
    pub smtp_port: u16,
    pub smtp_security: SmtpSecurity,
    pub smtp_username: String,
    pub smtp_password: Secret,
    pub from: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    StartTls,
    Tls,
    None,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    pub sign_up: bool,
    pub trial_grant_credits: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operators {
    pub second_above_usd: u32,
}

/// Programs that ask people for a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth {
    pub client_documents: ClientDocuments,
    pub client_document_hosts: Vec<String>,
}

/// Whose ids may be the addresses of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientDocuments {
    Off,
    Listed,
    Any,
}

/// Who else people can sign in with. A provider without a client id is not offered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub github: GitHubClient,
    pub google: GoogleClient,
    pub oidc: Vec<OidcClient>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitHubClient {
    pub client_id: String,
    pub client_secret: Secret,
    pub base_url: String,
    pub api_url: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoogleClient {
    pub client_id: String,
    pub client_secret: Secret,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcClient {
    pub id: String,
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Secret,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    pub connect_timeout_ms: u64,
    pub first_byte_timeout_ms: u64,
    pub idle_timeout_ms: u64,
    pub whole_answer_timeout_ms: u64,
    pub total_timeout_ms: u64,
    pub status_wait_ms: u64,
    pub ping_interval_ms: u64,
    pub max_body_bytes: usize,
    pub max_answer_bytes: usize,
    pub default_max_output_tokens: u32,
    pub min_clamped_output_tokens: u32,
    pub max_attempts: usize,
    pub private_upstreams: Vec<String>,
    pub drain_ms: u64,
    pub drain_bytes: usize,
    pub max_drains: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    pub markup: String,
    pub export_url: String,
    pub export_key: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payments {
    pub stripe_secret_key: Secret,
    pub stripe_webhook_secrets: Vec<Secret>,
    pub stripe_api_url: String,
    pub currencies: Vec<Currency>,
    pub usd: PaymentAmounts,
    pub cny: PaymentAmounts,
    pub bonus: Vec<BonusStep>,
    pub bonus_days: u32,
    pub recharge_failures: u32,
    pub recharge_wait_minutes: u32,
    pub seller: PaymentSeller,
}

/// Who sells, as invoices say it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentSeller {
    pub name: String,
    pub address: Vec<String>,
    pub tax_ids: Vec<String>,
    pub email: String,
    pub note_en: String,
    pub note_zh: String,
    pub invoice_series: String,
    pub credit_note_series: String,
}

/// In whole units of a currency.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentAmounts {
    pub presets: Vec<u32>,
    pub least: u32,
    pub most: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BonusStep {
    pub from_usd: u32,
    pub percent: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub max_endpoints: usize,
    pub timeout_ms: u64,
    pub retry_after_ms: Vec<u64>,
    pub switch_off_after_hours: u32,
    pub private_targets: Vec<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub free_call_days: u32,
    pub attempt_days: u32,
    pub invariant_run_days: u32,
    pub cost_report_days: u32,
    pub webhook_message_days: u32,
    pub body_days: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconciliation {
    pub folder: String,
    pub anthropic_admin_key: Secret,
    pub openai_admin_key: Secret,
    pub anthropic_url: String,
    pub openai_url: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    pub provider: DemoMode,
    pub listen: SocketAddr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DemoMode {
    Auto,
    On,
    Off,
}

/// One configured way to a provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    pub id: String,
    pub provider: String,
    /// Where the provider keeps what it is sent, such as `eu`; empty: not said.
    #[serde(default)]
    pub region: String,
    pub dialect: ChannelDialect,
    pub base_url: String,
    #[serde(default)]
    pub api_key: Secret,
    #[serde(default)]
    pub api_keys: Vec<Secret>,
    #[serde(default)]
    pub api_key_env: String,
    #[serde(default)]
    pub models: ChannelModels,
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// The wire formats a channel can speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelDialect {
    Anthropic,
    OpenaiChat,
}

/// The models of a channel: a list of slugs, or slugs with their names over there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ChannelModels {
    Slugs(Vec<String>),
    Renamed(BTreeMap<String, String>),
}

impl Default for ChannelModels {
    fn default() -> Self {
        Self::Slugs(Vec::new())
    }
}

impl Server {
    /// Whether only this machine can connect: the case in which missing secrets are made instead of demanded.
    pub fn is_loopback(&self) -> bool {
        self.listen.ip().is_loopback()
    }
}
