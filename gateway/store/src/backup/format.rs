//! The lines of a backup, written and read. A backup is read twice: once to see that it is whole, once to restore it.
use super::{BackupError, Cell, Kind, Table};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};

const FORMAT: &str = "bytespike-backup";
const VERSION: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    format: String,
    version: u32,
    /// The shared migrations that the database had.
    pub migrations: Vec<i64>,
    pub made_at_ms: i64,
}

impl Header {
    pub fn new(migrations: Vec<i64>, made_at_ms: i64) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, migrations, made_at_ms }
    }
}

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    pub tables: u64,
    pub rows: u64,
    /// When it was made.
    pub made_at_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct End {
    rows: u64,
    sha256: String,
}

/// A line between the header and the end.
pub(super) enum Line {
    Table(Table),
    Row(Vec<Cell>),
}

pub(super) struct Writer<W: Write> {
    out: GzEncoder<W>,
    digest: Sha256,
    pub contents: Contents,
}

impl<W: Write> Writer<W> {
    pub fn start(out: W, header: &Header) -> Result<Self, BackupError> {
        let contents = Contents { tables: 0, rows: 0, made_at_ms: header.made_at_ms };
        let out = GzEncoder::new(out, Compression::default());
        let mut writer = Self { out, digest: Sha256::new(), contents };
        writer.line(&serde_json::to_string(header).map_err(std::io::Error::from)?)?;
        Ok(writer)
    }

    pub fn table(&mut self, table: &Table) -> Result<(), BackupError> {
        self.contents.tables += 1;
        Ok(self.line(&serde_json::to_string(table).map_err(std::io::Error::from)?)?)
    }

    pub fn row(&mut self, cells: Vec<Cell>) -> Result<(), BackupError> {
        self.contents.rows += 1;
        let row: Value = cells.into_iter().map(Cell::into_json).collect();
        Ok(self.line(&row.to_string())?)
    }

    pub fn finish(mut self) -> Result<(W, Contents), BackupError> {
        let sha256 = hex::encode(std::mem::take(&mut self.digest).finalize());
        let end = End { rows: self.contents.rows, sha256 };
        let end = serde_json::to_string(&serde_json::json!({ "end": end })).map_err(std::io::Error::from)?;
        self.line(&end)?;
        Ok((self.out.finish()?, self.contents))
    }

    fn line(&mut self, text: &str) -> std::io::Result<()> {
        for part in [text.as_bytes(), b"\n"] {
            self.digest.update(part);
            self.out.write_all(part)?;
        }
        Ok(())
    }
}

pub(super) struct Reader<R: Read> {
    lines: BufReader<GzDecoder<R>>,
    digest: Sha256,
    number: u64,
    table: Option<Table>,
    pub header: Header,
    pub contents: Contents,
}

impl<R: Read> Reader<R> {
    pub fn start(source: R) -> Result<Self, BackupError> {
        let mut reader = Self {
            lines: BufReader::new(GzDecoder::new(source)),
            digest: Sha256::new(),
            number: 0,
            table: None,
            header: Header::new(Vec::new(), 0),
            contents: Contents { tables: 0, rows: 0, made_at_ms: 0 },
        };
        let first = reader.text()?.ok_or(BackupError::Cut)?;
        reader.header = serde_json::from_str(&first).map_err(|error| reader.damaged(error.to_string()))?;
        if (reader.header.format.as_str(), reader.header.version) != (FORMAT, VERSION) {
            return Err(reader.damaged("the header is of another format".to_owned()));
        }
        reader.contents.made_at_ms = reader.header.made_at_ms;
        Ok(reader)
    }

    /// The next line; `None` at the end, once the end was found to fit what came before.
    pub fn next(&mut self) -> Result<Option<Line>, BackupError> {
        let before = self.digest.clone();
        let text = self.text()?.ok_or(BackupError::Cut)?;
        let value: Value = serde_json::from_str(&text).map_err(|error| self.damaged(error.to_string()))?;
        match value {
            Value::Array(values) => self.row(values).map(|cells| Some(Line::Row(cells))),
            Value::Object(mut object) => match object.remove("end") {
                Some(end) => self.end(end, before).map(|()| None),
                None => self.table(Value::Object(object)).map(|table| Some(Line::Table(table))),
            },
            _ => Err(self.damaged("neither a table nor a row".to_owned())),
        }
    }

    fn table(&mut self, value: Value) -> Result<Table, BackupError> {
        let table: Table = serde_json::from_value(value).map_err(|error| self.damaged(error.to_string()))?;
        self.contents.tables += 1;
        self.table = Some(table.clone());
        Ok(table)
    }

    fn row(&mut self, values: Vec<Value>) -> Result<Vec<Cell>, BackupError> {
        let columns = self.table.as_ref().map_or(&[][..], |table| &table.columns);
        let fits = !columns.is_empty() && columns.len() == values.len();
        let cells = columns.iter().zip(values).map(|((_, kind), value)| Cell::from_json(*kind, value));
        let cells: Option<Vec<Cell>> = cells.collect::<Option<_>>().filter(|_| fits);
        self.contents.rows += 1;
        cells.ok_or_else(|| self.damaged("the row does not fit its table".to_owned()))
    }

    fn end(&self, value: Value, before: Sha256) -> Result<(), BackupError> {
        let end: End = serde_json::from_value(value).map_err(|error| self.damaged(error.to_string()))?;
        if end.rows == self.contents.rows && end.sha256 == hex::encode(before.finalize()) {
            return Ok(());
        }
        Err(self.damaged("the digest does not fit: the content was changed".to_owned()))
    }

    fn text(&mut self) -> Result<Option<String>, BackupError> {
        let mut text = String::new();
        self.number += 1;
        let read = self.lines.read_line(&mut text).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => BackupError::Cut,
            _ => self.damaged(error.to_string()),
        })?;
        self.digest.update(&text);
        Ok((read > 0).then_some(text))
    }

    fn damaged(&self, problem: String) -> BackupError {
        BackupError::Damaged { line: self.number, problem }
    }
}

impl Cell {
    fn into_json(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::BigInt(number) => number.into(),
            Self::Boolean(truth) => truth.into(),
            Self::Double(number) => number.map(|number| number.to_string()).into(),
        }
    }

    /// `None` when the value is of another type.
    fn from_json(kind: Kind, value: Value) -> Option<Self> {
        Some(match (kind, value) {
            (Kind::Text, Value::Null) => Self::Text(None),
            (Kind::Text, Value::String(text)) => Self::Text(Some(text)),
            (Kind::BigInt, Value::Null) => Self::BigInt(None),
            (Kind::BigInt, Value::Number(number)) => Self::BigInt(Some(number.as_i64()?)),
            (Kind::Boolean, Value::Null) => Self::Boolean(None),
            (Kind::Boolean, Value::Bool(truth)) => Self::Boolean(Some(truth)),
            (Kind::Double, Value::Null) => Self::Double(None),
            (Kind::Double, Value::String(text)) => Self::Double(Some(text.parse().ok()?)),
            _ => return None,
        })
    }
}
