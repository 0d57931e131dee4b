//! Logs and metrics: one line per event on standard error, as text or JSON, with secrets taken out of every line.

mod redact;
mod requests;

use std::io::Write;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{Log, LogFormat};

pub use redact::redact;
pub use requests::log_request;

/// Bounds of every histogram of durations, seconds: from a local answer to a long stream.
const DURATION_BOUNDS_S: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("log.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Starts logging; events before this are lost.
///
/// # Errors
/// `log.level` is not a level or a list of rules.
pub fn start_logging(log: &Log) -> Result<(), TelemetryError> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&log.level)?)
        .with_writer(RedactedStderr);
    // Starting twice happens only in tests; the first one stays.
    match log.format {
        LogFormat::Text => drop(builder.with_ansi(false).try_init()),
        LogFormat::Json => drop(builder.json().flatten_event(true).try_init()),
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic's message may quote anything, so it goes through the log and its redaction instead of straight to the terminal.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let backtrace = std::backtrace::Backtrace::capture();
    tracing::error!(%panic, %backtrace, "a panic: please report it");
}

/// Starts counting; the handle renders what `/metrics` answers.
///
/// # Errors
/// Another recorder is installed.
pub fn start_metrics() -> Result<PrometheusHandle, TelemetryError> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BOUNDS_S)?;
    Ok(builder.install_recorder()?)
}

/// Standard error, through [`redact`]. The subscriber writes each event in one piece.
struct RedactedStderr;

impl<'a> MakeWriter<'a> for RedactedStderr {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        Self
    }
}

impl Write for RedactedStderr {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        std::io::stderr().write_all(redact(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}
