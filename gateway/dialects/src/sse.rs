//! Server-sent events cut out of bytes, as the WHATWG describes them. Nothing is decoded before a frame is whole.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr2};

use crate::UpstreamFailure;

/// Longest line taken.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Most bytes one event may gather over several lines.
const EVENT_BYTES_MAX: usize = 8 << 20;
const FIELD_NAME_BYTES: usize = "data: ".len();

/// Cuts a byte stream into events.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    buffer: Vec<u8>,
    /// Where the event being gathered begins.
    start: usize,
    /// Up to where lines were found.
    scanned: usize,
    /// Where the search for the current line's end goes on.
    searched: usize,
    past_bom: bool,
    /// The last line ended in a carriage return whose line feed may still come.
    after_cr: bool,
    event: Option<Span>,
    data: Vec<Span>,
}

/// Begin and end in the buffer.
type Span = (usize, usize);

/// One event that has data.
#[derive(Debug)]
pub(crate) struct Frame<'b> {
    /// The `event:` field; empty if there was none.
    pub(crate) event: &'b [u8],
    pub(crate) data: Cow<'b, [u8]>,
    /// The event as it came, if it holds nothing but its name and one line of data.
    pub(crate) plain: Option<&'b [u8]>,
}

impl Framer {
    /// Takes more bytes, and lets go of what was cut already.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.searched -= self.start;
            let shift = self.start;
            self.event = self.event.map(|(from, to)| (from - shift, to - shift));
            self.data.iter_mut().for_each(|span| *span = (span.0 - shift, span.1 - shift));
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole event, or `None` until more bytes come.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame<'_>>, UpstreamFailure> {
        while let Some((line, next)) = self.next_line()? {
            self.scanned = next;
            self.searched = next;
            if line.0 < line.1 {
                self.field(line);
            } else if !self.data.is_empty() {
                return Ok(Some(self.dispatch(next)));
            } else {
                self.event = None;
            }
            // Comments, and fields of no interest, need not be kept.
            if self.data.is_empty() && self.event.is_none() {
                self.start = next;
            }
            if self.scanned - self.start > EVENT_BYTES_MAX {
                return Err(UpstreamFailure::stream_broke("it sent an event of more than 8 MiB."));
            }
        }
        Ok(None)
    }

    /// The connection is closed: an event whose blank line is missing counts as whole.
    pub(crate) fn end(&mut self) {
        self.push(b"\n\n");
    }

    /// The span of the next line without its end, and where the one after begins.
    fn next_line(&mut self) -> Result<Option<(Span, usize)>, UpstreamFailure> {
        self.skip_bom();
        self.skip_line_feed();
        let rest = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(found) = memchr2(b'\n', b'\r', rest) else {
            self.searched = self.buffer.len();
            return self.checked_length(self.buffer.len()).map(|()| None);
        };
        let end = self.searched + found;
        self.checked_length(end)?;
        let next = match (self.buffer.get(end), self.buffer.get(end + 1)) {
            (Some(b'\r'), Some(b'\n')) => end + 2,
            (Some(b'\r'), None) => {
                self.after_cr = true;
                end + 1
            }
            _ => end + 1,
        };
        Ok(Some(((self.scanned, end), next)))
    }

    fn checked_length(&self, end: usize) -> Result<(), UpstreamFailure> {
        if end - self.scanned > LINE_BYTES_MAX + FIELD_NAME_BYTES {
            return Err(UpstreamFailure::stream_broke("it sent a line of more than 1 MiB."));
        }
        Ok(())
    }

    fn skip_bom(&mut self) {
        if !self.past_bom && self.buffer.len() >= 3 {
            if self.buffer.starts_with(b"\xef\xbb\xbf") {
                (self.start, self.scanned, self.searched) = (3, 3, 3);
            }
            self.past_bom = true;
        }
    }

    fn skip_line_feed(&mut self) {
        let Some(byte) = self.buffer.get(self.searched).filter(|_| self.after_cr) else { return };
        self.after_cr = false;
        if *byte == b'\n' {
            self.start += usize::from(self.start == self.scanned);
            self.scanned += 1;
            self.searched += 1;
        }
    }

    fn field(&mut self, (start, end): Span) {
        let line = self.buffer.get(start..end).unwrap_or_default();
        let value = |name: &[u8]| -> Option<Span> {
            let rest = line.strip_prefix(name)?;
            match rest {
                [] => Some((end, end)),
                [b':', b' ', ..] => Some((start + name.len() + 2, end)),
                [b':', ..] => Some((start + name.len() + 1, end)),
                _ => None,
            }
        };
        if let Some(span) = value(b"data") {
            self.data.push(span);
        } else if let Some(span) = value(b"event") {
            self.event = Some(span);
        }
    }

    fn dispatch(&mut self, next: usize) -> Frame<'_> {
        let start = std::mem::replace(&mut self.start, next);
        let event = self.event.take();
        let bytes = self.buffer.as_slice();
        let slice = |(from, to): Span| bytes.get(from..to).unwrap_or_default();
        let data = match self.data.as_slice() {
            [one] => Cow::Borrowed(slice(*one)),
            lines => Cow::Owned(lines.iter().map(|span| slice(*span)).collect::<Vec<_>>().join(&b'\n')),
        };
        self.data.clear();
        let whole = bytes.get(start..next).unwrap_or_default();
        let expected_lines = 2 + usize::from(event.is_some());
        let is_plain = whole.ends_with(b"\n\n")
            && memchr_iter(b'\n', whole).count() == expected_lines
            && !whole.contains(&b'\r');
        Frame { event: event.map_or(&[], slice), data, plain: is_plain.then_some(whole) }
    }
}

/// Writes one event in our own form. The data is JSON, in which a line end means no more than a space.
pub(crate) fn write(out: &mut Vec<u8>, event: &str, data: &[u8]) {
    if !event.is_empty() {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(event.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    let start = out.len();
    out.extend_from_slice(data);
    for byte in out.iter_mut().skip(start).filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    out.extend_from_slice(b"\n\n");
}
