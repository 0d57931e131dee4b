//! OpenAI Chat Completions: read into the pivot, and written from it.

pub(crate) mod chunk;
pub(crate) mod facts;
pub(crate) mod from_pivot;
pub(crate) mod message;
pub(crate) mod pairing;
pub(crate) mod relay;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod stop;
pub(crate) mod stream_reader;
pub(crate) mod stream_writer;
pub(crate) mod to_pivot;
pub(crate) mod tool_queue;
pub(crate) mod usage;
