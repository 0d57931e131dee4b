//! The archive: written as a stream, and kept in sealed pieces as it grows, so that its size costs no memory.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytespike_accounts::data_exports::{DataExports, Preparing, PutError};
use bytespike_store::letter::NewLetter;
use bytespike_store::sqlx;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A piece, before it is sealed.
const PIECE_BYTES: usize = 256 * 1024;

/// An archive in the making.
pub(super) struct Archive<'a> {
    exports: &'a DataExports,
    preparing: Preparing,
    /// Nothing once it was finished.
    zip: Option<ZipWriter<StreamWriter<Written>>>,
    written: Written,
    made_at: DateTime,
}

/// Why it is not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error("another process has begun anew")]
    Lost,
    #[error("the archive cannot be written: {0}")]
    Zip(#[from] io::Error),
    #[error("its data cannot be read or kept: {0}")]
    Unavailable(#[from] sqlx::Error),
}

/// What was compressed and is not kept yet.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl<'a> Archive<'a> {
    pub fn new(exports: &'a DataExports, preparing: Preparing, now_ms: i64) -> Self {
        let written = Written::default();
        let zip = Some(ZipWriter::new_stream(written.clone()));
        Self { exports, preparing, zip, written, made_at: dos_time(now_ms) }
    }

    pub fn id(&self) -> &str {
        &self.preparing.id
    }

    pub fn person_id(&self) -> &str {
        &self.preparing.person_id
    }

    /// A whole file.
    pub async fn add(&mut self, name: &str, content: &[u8]) -> Result<(), ArchiveError> {
        self.begin(name)?;
        self.write(content).await
    }

    /// Begins the next file; [`Self::write`] fills it.
    pub fn begin(&mut self, name: &str) -> Result<(), ArchiveError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(self.made_at)
            // Nobody knows before how long a table of calls is.
            .large_file(true);
        Ok(self.zip()?.start_file(name, options).map_err(io::Error::from)?)
    }

    pub async fn write(&mut self, content: &[u8]) -> Result<(), ArchiveError> {
        self.zip()?.write_all(content)?;
        self.keep_pieces(PIECE_BYTES).await
    }

    /// Writes what ends an archive, and hands it over with its letter.
    pub async fn finish(
        &mut self,
        (expires_at_ms, letter): (i64, Option<NewLetter<'_>>),
    ) -> Result<(), ArchiveError> {
        let zip = self.zip.take().ok_or_else(finished)?;
        zip.finish().map_err(io::Error::from)?;
        self.keep_pieces(1).await?;
        match self.exports.finish(&self.preparing, (expires_at_ms, letter)).await? {
            true => Ok(()),
            false => Err(ArchiveError::Lost),
        }
    }

    pub async fn give_up(&self) -> sqlx::Result<()> {
        self.exports.give_up(&self.preparing).await
    }

    fn zip(&mut self) -> Result<&mut ZipWriter<StreamWriter<Written>>, io::Error> {
        self.zip.as_mut().ok_or_else(finished)
    }

    /// Keeps whole pieces as long as so much is waiting.
    async fn keep_pieces(&mut self, at_least: usize) -> Result<(), ArchiveError> {
        while let Some(piece) = self.written.take(at_least) {
            self.exports.put(&mut self.preparing, &piece).await?;
        }
        Ok(())
    }
}

impl Written {
    /// The next piece, once there are `at_least` so many bytes.
    fn take(&self, at_least: usize) -> Option<Vec<u8>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < at_least {
            return None;
        }
        let end = PIECE_BYTES.min(waiting.len());
        let rest = waiting.split_off(end);
        Some(std::mem::replace(&mut *waiting, rest))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<PutError> for ArchiveError {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Lost => Self::Lost,
            PutError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

fn finished() -> io::Error {
    io::Error::other("the archive is finished")
}

/// The moment as archives write it; in UTC, because they name no zone.
fn dos_time(now_ms: i64) -> DateTime {
    let at = Timestamp::from_millisecond(now_ms).unwrap_or_default().to_zoned(TimeZone::UTC);
    let small = |part: i8| u8::try_from(part).unwrap_or(0);
    let date = u16::try_from(at.year()).map(|year| {
        DateTime::from_date_and_time(
            year,
            small(at.month()),
            small(at.day()),
            small(at.hour()),
            small(at.minute()),
            small(at.second()),
        )
    });
    date.ok().and_then(Result::ok).unwrap_or_default()
}
