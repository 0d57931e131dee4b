//! A content block of an answer, whole or at its start in a stream, and the pages it cites.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::UpstreamFailure;
use crate::json::Text;
use crate::stream::{Part, Sink};

/// Every field an answer's block can have; which ones it has depends on its kind.
#[derive(Deserialize)]
pub(crate) struct AnswerBlock<'a> {
    #[serde(rename = "type", borrow)]
    pub(crate) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) thinking: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<Text<'a>>,
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) citations: Option<&'a RawValue>,
}

impl AnswerBlock<'_> {
    /// Reports that a tool is called.
    pub(crate) fn tool_start(&self, sink: &mut (impl Sink + ?Sized)) -> Result<(), UpstreamFailure> {
        let name = self.name.as_deref().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| UpstreamFailure::invalid("it returned a tool call without a name."))?;
        sink.part(Part::ToolStart { id: self.id.as_deref().unwrap_or_default(), name });
        Ok(())
    }
}

/// What a text cites; only a page has an address.
#[derive(Deserialize)]
pub(crate) struct Citation<'a> {
    #[serde(borrow, default)]
    url: Option<Text<'a>>,
    #[serde(borrow, default)]
    title: Option<Text<'a>>,
}

impl Citation<'_> {
    pub(crate) fn report(&self, sink: &mut (impl Sink + ?Sized)) {
        if let Some(url) = &self.url {
            sink.part(Part::WebCitation { url, title: self.title.as_deref().unwrap_or_default() });
        }
    }
}
