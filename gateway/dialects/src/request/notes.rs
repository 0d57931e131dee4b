//! What was changed on the way to a provider, for the `x-bytespike-warning` header.

use super::FieldError;

/// Header values longer than this get in the way of proxies.
const HEADER_BYTES_MAX: usize = 1024;

/// One thing that was changed on the way, as `dropped=top_k`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub kind: WarningKind,
    pub field: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningKind {
    Dropped,
    Clamped,
    Moved,
    Emulated,
}

/// Collects warnings; where the caller is strict, dropping is refused instead.
#[derive(Debug)]
pub(crate) struct Notes {
    strict: bool,
    warnings: Vec<Warning>,
}

impl Notes {
    pub(crate) fn new(strict: bool) -> Self {
        Self { strict, warnings: Vec::new() }
    }

    pub(crate) fn dropped(&mut self, field: &str) -> Result<(), FieldError> {
        if self.strict {
            let problem = "the provider of this model does not take it, and this key is strict; leave it out";
            return Err(FieldError::unsupported(field, problem));
        }
        self.add(WarningKind::Dropped, field);
        Ok(())
    }

    pub(crate) fn clamped(&mut self, field: &str) {
        self.add(WarningKind::Clamped, field);
    }

    pub(crate) fn moved(&mut self, field: &str) {
        self.add(WarningKind::Moved, field);
    }

    pub(crate) fn emulated(&mut self, field: &str) {
        self.add(WarningKind::Emulated, field);
    }

    pub(crate) fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }

    fn add(&mut self, kind: WarningKind, field: &str) {
        let warning = Warning { kind, field: field.to_owned() };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// The `x-bytespike-warning` header: a comma list of at most 1 KiB; `None` when there is nothing to warn of.
pub fn warning_header(warnings: &[Warning]) -> Option<String> {
    let mut header = String::new();
    for warning in warnings {
        let item = format!("{}={}", warning.kind.name(), header_safe(&warning.field));
        if header.len() + item.len() + 2 > HEADER_BYTES_MAX {
            break;
        }
        if !header.is_empty() {
            header.push_str(", ");
        }
        header.push_str(&item);
    }
    (!header.is_empty()).then_some(header)
}

impl WarningKind {
    fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Clamped => "clamped",
            Self::Moved => "moved",
            Self::Emulated => "emulated",
        }
    }
}

/// Field names come from the client: only what cannot break a header stays.
fn header_safe(field: &str) -> String {
    field.chars().filter(|c| c.is_ascii_alphanumeric() || "._:[]-".contains(*c)).take(64).collect()
}
