//! Sealing of whole files, piece by piece (STREAM of Hoang, Reyhanitabar, Rogaway and Vizár, over XChaCha20-Poly1305):
//! pieces open in their order only, and a file that was cut short has no last piece.
use bytespike_store::world::World;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::stream::{DecryptorBE32, EncryptorBE32, Nonce, StreamBE32};
use std::io::{self, BufRead, Read, Write};
use zeroize::Zeroizing;

use super::seal::SealKey;

/// What a sealed file begins with, before the nonce.
pub const SEALED_FILE: &[u8] = b"bytespike-sealed/1\n";
const NONCE_BYTES: usize = 19;
const TAG_BYTES: usize = 16;
const PIECE_BYTES: usize = 64 * 1024;

/// Why a sealed file does not open.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum SealedFileError {
    #[error("it was sealed under another master key, or its beginning was changed")]
    Key,
    #[error("it was changed or cut short")]
    Changed,
}

type Opener = DecryptorBE32<XChaCha20Poly1305>;
type StreamNonce = Nonce<XChaCha20Poly1305, StreamBE32<XChaCha20Poly1305>>;

/// Seals what is written to it. Without [`SealedWriter::finish`] the file never opens.
pub struct SealedWriter<W> {
    out: W,
    seal: EncryptorBE32<XChaCha20Poly1305>,
    piece: Zeroizing<Vec<u8>>,
}

impl<W: Write> SealedWriter<W> {
    /// # Errors
    /// The beginning of the file cannot be written.
    pub fn start(mut out: W, key: &SealKey, world: &World) -> io::Result<Self> {
        let nonce = world.bytes::<NONCE_BYTES>();
        out.write_all(SEALED_FILE)?;
        out.write_all(&nonce)?;
        let seal = EncryptorBE32::from_aead(key.sealing(), StreamNonce::from_slice(&nonce));
        Ok(Self { out, seal, piece: Zeroizing::new(Vec::with_capacity(PIECE_BYTES)) })
    }

    /// Writes the last piece.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        let sealed = self.seal.encrypt_last(self.piece.as_slice()).map_err(|_| too_long())?;
        self.out.write_all(&sealed)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece waits for more: it may be the last, which is sealed in another way.
        if self.piece.len() == PIECE_BYTES && !bytes.is_empty() {
            let sealed = self.seal.encrypt_next(self.piece.as_slice()).map_err(|_| too_long())?;
            self.out.write_all(&sealed)?;
            self.piece.clear();
        }
        let taken = bytes.len().min(PIECE_BYTES - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Opens what [`SealedWriter`] wrote.
pub struct SealedReader<R> {
    source: R,
    /// `None` once the last piece was opened.
    opener: Option<Opener>,
    piece: Zeroizing<Vec<u8>>,
    read: usize,
}

impl<R: BufRead> SealedReader<R> {
    /// Reads the beginning, [`SEALED_FILE`] included, and opens the first piece.
    ///
    /// # Errors
    /// The source fails, or was not sealed under this key.
    pub fn start(mut source: R, key: &SealKey) -> io::Result<Self> {
        let mut beginning = [0; SEALED_FILE.len() + NONCE_BYTES];
        source.read_exact(&mut beginning)?;
        let (name, nonce) = beginning.split_at(SEALED_FILE.len());
        if name != SEALED_FILE {
            return Err(refused(SealedFileError::Key));
        }
        let nonce = StreamNonce::from_slice(nonce);
        let (sealed, is_last) = sealed_piece(&mut source)?;
        let first = key.ciphers().iter().find_map(|cipher| {
            let opener = DecryptorBE32::from_aead(cipher.clone(), nonce);
            opened(opener, &sealed, is_last)
        });
        let (piece, opener) = first.ok_or_else(|| refused(SealedFileError::Key))?;
        Ok(Self { source, opener, piece, read: 0 })
    }

    fn open_next(&mut self) -> io::Result<()> {
        let Some(opener) = self.opener.take() else { return Ok(()) };
        let (sealed, is_last) = sealed_piece(&mut self.source)?;
        let next = opened(opener, &sealed, is_last).ok_or_else(|| refused(SealedFileError::Changed))?;
        (self.piece, self.opener) = next;
        Ok(())
    }
}

/// The next piece as it stands in the file, and whether nothing comes after it.
fn sealed_piece(source: &mut impl BufRead) -> io::Result<(Vec<u8>, bool)> {
    let mut sealed = Vec::with_capacity(PIECE_BYTES + TAG_BYTES);
    source.take((PIECE_BYTES + TAG_BYTES) as u64).read_to_end(&mut sealed)?;
    Ok((sealed, source.fill_buf()?.is_empty()))
}

/// What the piece holds, and what opens the one after it.
fn opened(mut opener: Opener, sealed: &[u8], is_last: bool) -> Option<(Zeroizing<Vec<u8>>, Option<Opener>)> {
    let (piece, opener) = match is_last {
        true => (opener.decrypt_last(sealed).ok()?, None),
        false => (opener.decrypt_next(sealed).ok()?, Some(opener)),
    };
    Some((Zeroizing::new(piece), opener))
}

impl<R: BufRead> Read for SealedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() {
            self.piece.clear();
            self.read = 0;
            self.open_next()?;
        }
        let taken = into.len().min(self.piece.len() - self.read);
        into[..taken].copy_from_slice(&self.piece[self.read..self.read + taken]);
        self.read += taken;
        Ok(taken)
    }
}

/// STREAM counts pieces in 32 bits.
fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "a sealed file ends after 256 TiB")
}

fn refused(error: SealedFileError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{MasterKey, SealPurpose};

    fn sealed(content: &[u8], seed: u64) -> Vec<u8> {
        let (world, _) = World::manual(0, seed);
        let key = MasterKey::of_the_vectors().seal(SealPurpose::Backup);
        let mut writer = SealedWriter::start(Vec::new(), &key, &world).expect("begun");
        writer.write_all(content).expect("written");
        writer.finish().expect("finished")
    }

    fn opened(file: &[u8], purpose: SealPurpose) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        SealedReader::start(file, &MasterKey::of_the_vectors().seal(purpose))?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn files_of_every_length_around_a_piece_open_again() {
        for length in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 200_003] {
            let content: Vec<u8> = (0..=250).cycle().take(length).collect();
            let file = sealed(&content, 7);
            assert_eq!(opened(&file, SealPurpose::Backup).expect("opens"), content, "{length} bytes");
        }
        assert_ne!(sealed(b"twice", 1), sealed(b"twice", 2), "a nonce of its own");
    }

    #[test]
    fn s115_s116_a_file_that_was_changed_cut_reordered_or_sealed_for_something_else_does_not_open() {
        let content = vec![b'x'; 3 * PIECE_BYTES + 5];
        let file = sealed(&content, 8);
        let (beginning, piece) = (SEALED_FILE.len() + NONCE_BYTES, PIECE_BYTES + TAG_BYTES);
        let other = opened(&file, SealPurpose::Letter).expect_err("another purpose");
        assert!(other.to_string().contains("another master key"), "{other}");
        for cut in [beginning, beginning + 20, beginning + piece, beginning + 2 * piece + 9, file.len() - 1] {
            assert!(opened(&file[..cut], SealPurpose::Backup).is_err(), "cut at {cut}");
        }
        for at in [0, SEALED_FILE.len(), beginning, beginning + piece + 1, file.len() - 1] {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(opened(&changed, SealPurpose::Backup).is_err(), "changed at {at}");
        }
        let mut swapped = file.clone();
        swapped[beginning..beginning + 2 * piece].rotate_left(piece);
        assert!(opened(&swapped, SealPurpose::Backup).is_err(), "pieces in another order");
        assert!(opened(&[file, vec![0]].concat(), SealPurpose::Backup).is_err(), "something behind the end");
    }
}
