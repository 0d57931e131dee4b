//! Anthropic Messages, which is also the pivot: other dialects are read into these types and written from them.

pub(crate) mod answer_block;
pub(crate) mod block;
pub(crate) mod facts;
pub(crate) mod pairing;
pub(crate) mod relay;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod schema;
pub(crate) mod stop;
pub(crate) mod stream_reader;
pub(crate) mod stream_writer;
pub(crate) mod typed_tools;
pub(crate) mod usage;
pub(crate) mod write;
