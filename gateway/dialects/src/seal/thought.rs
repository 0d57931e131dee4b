//! A thought on its way to a client: shown or withheld, and signed at its end.

use sha2::{Digest, Sha256};

use super::{Reasoning, hex};
use crate::AnswerContext;

/// Gathers one block of thinking.
#[derive(Debug, Default)]
pub(crate) struct Thought {
    shown_sha256: Sha256,
    /// The text so far, where the client does not want to see it.
    hidden: Option<String>,
}

impl Thought {
    pub(crate) fn new(context: &AnswerContext) -> Self {
        Self { shown_sha256: Sha256::new(), hidden: context.thinking_hidden.then(String::new) }
    }

    /// Takes more text and gives back what of it is shown.
    pub(crate) fn add<'t>(&mut self, text: &'t str) -> &'t str {
        match &mut self.hidden {
            Some(hidden) => {
                hidden.push_str(text);
                ""
            }
            None => {
                self.shown_sha256.update(text);
                text
            }
        }
    }

    /// The signature with which the provider will know its thought again; empty without a seal.
    pub(crate) fn sign(self, context: &AnswerContext) -> String {
        let Some(seal) = &context.seal else { return String::new() };
        seal.seal(&Reasoning {
            origin: context.family.clone(),
            shown_sha256: hex(&self.shown_sha256.finalize()),
            hidden_text: self.hidden,
        })
    }
}
