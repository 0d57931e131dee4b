//! Names every file by its content, compresses it once, and writes the table the server answers from.

use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// Plain names and bytes.
pub type Files = Vec<(String, Vec<u8>)>;

/// Writes `assets.rs` (a static table) and the bytes beside it. Modules and sheets may refer to another asset as
/// `url(asset:name.ext)` or `"asset:name.ext"`; the reference becomes its hashed address.
pub fn write(public: &Path, sheets: Files, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut plain = Vec::new();
    for folder in ["fonts", "icons", "js"] {
        plain.extend(read_folder(&public.join(folder))?);
    }
    let mut files = Vec::new();
    for (name, bytes) in plain {
        files.push(File::new(name, bytes)?);
    }
    for (name, bytes) in sheets {
        files.push(File::new(name, resolve(bytes, &files)?)?);
    }
    let mut table = String::from("pub(crate) static ASSETS: &[Asset] = &[\n");
    for file in &files {
        table.push_str(&file.store(out)?);
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

fn read_folder(folder: &Path) -> Result<Files, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if media_type(&name).is_some() {
            files.push((name, fs::read(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

fn resolve(bytes: Vec<u8>, files: &[File]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut text = String::from_utf8(bytes)?;
    for file in files {
        text = text.replace(&format!("asset:{}", file.name), &format!("/_a/{}", file.hashed));
    }
    match text.find("asset:") {
        Some(at) => Err(format!("a style sheet names an unknown asset: {:.40}", &text[at..]).into()),
        None => Ok(text.into_bytes()),
    }
}

struct File {
    name: String,
    hashed: String,
    hash: String,
    media_type: &'static str,
    bytes: Vec<u8>,
}

impl File {
    fn new(name: String, bytes: Vec<u8>) -> Result<Self, Box<dyn Error>> {
        let hash = hex::encode(&Sha256::digest(&bytes)[..8]);
        let (stem, extension) = name.rsplit_once('.').ok_or("an asset has no extension")?;
        let media_type = media_type(&name).ok_or("an asset has an unknown extension")?;
        Ok(Self { hashed: format!("{stem}.{hash}.{extension}"), name, hash, media_type, bytes })
    }

    /// Stores the bytes and their codings; the table row that embeds them.
    fn store(&self, out: &Path) -> Result<String, Box<dyn Error>> {
        let mut row = format!(
            "    Asset {{ name: {:?}, hashed: {:?}, hash: {:?}, media_type: {:?}, identity: include_bytes!({:?}), ",
            self.name,
            self.hashed,
            self.hash,
            self.media_type,
            put(out, &self.hashed, &self.bytes)?
        );
        for (coding, bytes) in [("brotli", brotli(&self.bytes)?), ("gzip", gzip(&self.bytes)?)] {
            let path = put(out, &format!("{}.{coding}", self.hashed), &bytes)?;
            let worth = self.is_text() && bytes.len() < self.bytes.len();
            let value = if worth { format!("Some(include_bytes!({path:?}))") } else { "None".to_owned() };
            write!(row, "{coding}: {value}, ")?;
        }
        Ok(row + "},\n")
    }

    fn is_text(&self) -> bool {
        !self.media_type.starts_with("font/") && self.media_type != "image/png"
    }
}

fn put(out: &Path, name: &str, bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let path = out.join(name);
    fs::write(&path, bytes)?;
    Ok(path.to_string_lossy().into_owned())
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut &*bytes, &mut out, &params)?;
    Ok(out)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn media_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json; charset=utf-8",
        _ => return None,
    })
}
