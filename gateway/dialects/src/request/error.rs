//! Why a request cannot be taken: the field, what is wrong with it, and what to send instead.

use crate::{ErrorCode, ErrorInfo};

/// A request that cannot be taken as it is.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", .0.message)]
pub struct RequestError(pub Box<ErrorInfo>);

/// A problem at a path that is still being put together while the error travels outwards.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldError {
    code: ErrorCode,
    path: String,
    problem: String,
}

impl FieldError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { code: ErrorCode::InvalidRequest, path: String::new(), problem: problem.into() }
    }

    /// Asks for what the target cannot do and what cannot be left out.
    pub(crate) fn unsupported(field: &str, problem: impl Into<String>) -> Self {
        Self { code: ErrorCode::UnsupportedParameter, path: field.to_owned(), problem: problem.into() }
    }

    /// Puts `outer` before the path: `content` within `messages.3` is `messages.3.content`.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.path = if self.path.is_empty() { outer.to_owned() } else { format!("{outer}.{}", self.path) };
        self
    }

    pub(crate) fn at(self, outer: &str, index: usize) -> Self {
        self.within(&index.to_string()).within(outer)
    }
}

impl From<FieldError> for RequestError {
    fn from(error: FieldError) -> Self {
        let FieldError { code, path, problem } = error;
        let reason = if path.is_empty() { problem } else { format!("{path}: {problem}") };
        let mut info = ErrorInfo::new(code, &[("reason", &reason)]);
        info.param = (!path.is_empty()).then_some(path);
        Self(Box::new(info))
    }
}
