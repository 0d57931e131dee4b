//! Between two dialects: one reader for the upstream's, one writer for the client's.

use super::{Flow, Lane, Out, Part, Sink};
use crate::response::Ending;
use crate::sse::Frame;
use crate::{AnswerContext, Cost, Dialect, TokenUsage, UpstreamFailure};
use crate::{anthropic, openai_chat};

pub(crate) struct Translation {
    reader: Reader,
    writer: Writer,
    ending: Ending,
}

enum Reader {
    Anthropic(anthropic::stream_reader::StreamReader),
    OpenAiChat(Box<openai_chat::stream_reader::StreamReader>),
}

enum Writer {
    Anthropic(anthropic::stream_writer::StreamWriter),
    OpenAiChat(openai_chat::stream_writer::StreamWriter),
}

/// Writes each part and counts it.
struct Tap<'t> {
    writer: &'t mut Writer,
    out: &'t mut Out,
}

impl Translation {
    pub(crate) fn new(from: Dialect, to: Dialect, context: AnswerContext) -> Self {
        let reader = match from {
            Dialect::Anthropic => Reader::Anthropic(anthropic::stream_reader::StreamReader::default()),
            Dialect::OpenAiChat => {
                Reader::OpenAiChat(Box::new(openai_chat::stream_reader::StreamReader::new(context.seed)))
            }
        };
        let writer = match to {
            Dialect::Anthropic => Writer::Anthropic(anthropic::stream_writer::StreamWriter::new(context)),
            Dialect::OpenAiChat => Writer::OpenAiChat(openai_chat::stream_writer::StreamWriter::new(context)),
        };
        Self { reader, writer, ending: Ending::default() }
    }
}

impl Lane for Translation {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Out) -> Result<Flow, UpstreamFailure> {
        let mut tap = Tap { writer: &mut self.writer, out };
        match &mut self.reader {
            Reader::Anthropic(reader) => reader.read(&frame.data, &mut tap),
            Reader::OpenAiChat(reader) => reader.read(&frame.data, &mut tap),
        }
    }

    fn finish_seen(&self) -> bool {
        match &self.reader {
            Reader::Anthropic(reader) => reader.finish_seen(),
            Reader::OpenAiChat(reader) => reader.finish_seen(),
        }
    }

    fn finish(&mut self, out: &mut Out) -> Result<Ending, UpstreamFailure> {
        let mut tap = Tap { writer: &mut self.writer, out };
        self.ending = match &mut self.reader {
            Reader::Anthropic(reader) => reader.finish(&mut tap)?,
            Reader::OpenAiChat(reader) => reader.finish(&mut tap)?,
        };
        Ok(self.ending.clone())
    }

    fn close(&mut self, cost: Option<&Cost>, counted: &TokenUsage, out: &mut Out) {
        let usage = self.ending.usage.unwrap_or(*counted);
        match &mut self.writer {
            Writer::Anthropic(writer) => writer.close(&self.ending, &usage, cost, &mut out.bytes),
            Writer::OpenAiChat(writer) => writer.close(&self.ending, &usage, cost, &mut out.bytes),
        }
    }
}

impl Sink for Tap<'_> {
    fn part(&mut self, part: Part<'_>) {
        self.out.count(&part);
        match self.writer {
            Writer::Anthropic(writer) => writer.part(&part, &mut self.out.bytes),
            Writer::OpenAiChat(writer) => writer.part(&part, &mut self.out.bytes),
        }
    }
}
