//! Images and files inside a request: how large they are, read from their first bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A JPEG's dimensions can follow long metadata; beyond this they are taken as unknown. A multiple of four.
const HEADER_BASE64_MAX: usize = 512 * 1024;

/// An image or a document in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub kind: MediaKind,
    /// Size once decoded; `None` when it is given by URL or file id.
    pub bytes: Option<u64>,
    /// Width and height in pixels, read from the file's header.
    pub pixels: Option<(u32, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    Image,
    Pdf,
    Audio,
    Other,
}

impl Media {
    /// Media carried as base64.
    pub(crate) fn inline(kind: MediaKind, base64: &str) -> Self {
        let pixels = (kind == MediaKind::Image).then(|| pixels(&header(base64))).flatten();
        let digits = base64.trim_end_matches('=').len() as u64;
        Self { kind, bytes: Some(digits * 3 / 4), pixels }
    }

    /// Media that the provider fetches.
    pub(crate) fn remote(kind: MediaKind) -> Self {
        Self { kind, bytes: None, pixels: None }
    }
}

/// Splits `data:image/png;base64,AAAA` into media type and data.
pub(crate) fn data_uri(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    Some((head.strip_suffix(";base64")?, data))
}

/// Media given as a URL, which may carry the data itself.
pub(crate) fn media_of_data_uri(kind: MediaKind, url: &str) -> Media {
    data_uri(url).map_or_else(|| Media::remote(kind), |(_, data)| Media::inline(kind, data))
}

/// The image type that the first bytes say; clients often name the wrong one.
pub(crate) fn sniffed_type(base64: &str) -> Option<&'static str> {
    let start = base64.get(..16)?;
    let bytes = STANDARD_NO_PAD.decode(start).ok()?;
    match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn header(base64: &str) -> Vec<u8> {
    let digits = base64.trim_end_matches('=').as_bytes();
    let start = digits.get(..HEADER_BASE64_MAX).unwrap_or(digits);
    STANDARD_NO_PAD.decode(start).unwrap_or_default()
}

fn pixels(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some((big_endian(bytes, 16, 4)?, big_endian(bytes, 20, 4)?)),
        [b'G', b'I', b'F', b'8', ..] => Some((little_endian(bytes, 6, 2)?, little_endian(bytes, 8, 2)?)),
        [0xff, 0xd8, ..] => jpeg_pixels(bytes),
        [b'R', b'I', b'F', b'F', ..] => webp_pixels(bytes),
        _ => None,
    }
}

/// Walks the segments to the frame header (SOF0–SOF15 without DHT, JPG and DAC).
fn jpeg_pixels(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xff => at += 1,
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some((big_endian(bytes, at + 7, 2)?, big_endian(bytes, at + 5, 2)?));
            }
            _ => at += 2 + usize::try_from(big_endian(bytes, at + 2, 2)?).ok()?.max(2),
        }
    }
}

fn webp_pixels(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8 " => Some((little_endian(bytes, 26, 2)? & 0x3fff, little_endian(bytes, 28, 2)? & 0x3fff)),
        b"VP8L" => {
            let bits = little_endian(bytes, 21, 4)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => Some((little_endian(bytes, 24, 3)? + 1, little_endian(bytes, 27, 3)? + 1)),
        _ => None,
    }
}

fn big_endian(bytes: &[u8], at: usize, len: usize) -> Option<u32> {
    Some(bytes.get(at..at + len)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

fn little_endian(bytes: &[u8], at: usize, len: usize) -> Option<u32> {
    Some(bytes.get(at..at + len)?.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    fn image(bytes: &[u8]) -> Media {
        Media::inline(MediaKind::Image, &STANDARD.encode(bytes))
    }

    #[test]
    fn dimensions_are_read_from_each_format() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x02";
        assert_eq!(image(png).pixels, Some((640, 480)));
        assert_eq!(image(b"GIF89a\x10\x00\x20\x00....").pixels, Some((16, 32)));
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x30\x00\x40\x03....";
        assert_eq!(image(jpeg).pixels, Some((64, 48)));
        let webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\0\0\x2f\0\0....";
        assert_eq!(image(webp).pixels, Some((64, 48)));
    }

    #[test]
    fn size_is_that_of_the_decoded_bytes() {
        assert_eq!(image(b"12345").bytes, Some(5));
        assert_eq!(Media::inline(MediaKind::Pdf, "").bytes, Some(0));
    }

    #[test]
    fn broken_headers_have_no_dimensions() {
        assert_eq!(image(b"\xff\xd8\xff").pixels, None);
        assert_eq!(image(b"\x89PNG").pixels, None);
        assert_eq!(Media::inline(MediaKind::Image, "!!not base64!!").pixels, None);
    }
}
