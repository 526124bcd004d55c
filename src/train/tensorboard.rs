//! TensorBoard event files: protobuf messages in the TFRecord framing, as TensorFlow's
//! `event.proto`, `summary.proto` and `record_writer.cc` define them.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use prost::Message;

use crate::fs::write_atomic;

/// Part of the names of our files.
const OURS: &str = ".retinamark.";

/// One record of an event file.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// Step that the values belong to.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// Version of the format; in the first record only.
    #[prost(string, optional, tag = "3")]
    pub file_version: Option<String>,
    /// Values.
    #[prost(message, optional, tag = "5")]
    pub summary: Option<Summary>,
    /// Marks a restart: readers forget later steps of earlier files.
    #[prost(message, optional, tag = "7")]
    pub session_log: Option<SessionLog>,
}

/// Values of one step.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// The values.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// A named number.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// Name; a slash makes groups.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// The number.
    #[prost(float, optional, tag = "2")]
    pub simple_value: Option<f32>,
}

/// Start of a session.
#[derive(Clone, PartialEq, Message)]
pub struct SessionLog {
    /// 1 is START.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

/// Writes one event file.
#[derive(Debug)]
pub struct EventWriter {
    file: File,
    path: PathBuf,
}

impl EventWriter {
    /// Start a new file in `folder`; `resumed_at` is the step that the run continues after.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(folder: &Path, resumed_at: Option<usize>) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let (file, path) = new_file(folder)?;
        let mut writer = Self { file, path };
        writer.write(&Event {
            wall_time: now(),
            file_version: Some("brain.Event:2".into()),
            ..Event::default()
        })?;
        if let Some(step) = resumed_at {
            writer.write(&Event {
                wall_time: now(),
                step: step as i64 + 1,
                session_log: Some(SessionLog { status: 1 }),
                ..Event::default()
            })?;
        }
        Ok(writer)
    }

    /// Write the values of one step; those that are not finite are left out.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn scalars(&mut self, step: usize, values: &[(String, f64)]) -> Result<()> {
        let finite = values.iter().filter(|(_, number)| number.is_finite());
        let value = finite
            .map(|(tag, number)| Value {
                tag: tag.clone(),
                simple_value: Some(*number as f32),
            })
            .collect();
        self.write(&Event {
            wall_time: now(),
            step: step as i64,
            summary: Some(Summary { value }),
            ..Event::default()
        })
    }

    fn write(&mut self, event: &Event) -> Result<()> {
        let record = frame(&event.encode_to_vec());
        self.file
            .write_all(&record)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// A file that no earlier session has, also when two start within one second.
fn new_file(folder: &Path) -> Result<(File, PathBuf)> {
    let seconds = now() as u64;
    for number in 0..1000 {
        let path = folder.join(format!("events.out.tfevents.{seconds:010}{OURS}{number}"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot make {}", path.display()));
            }
            Ok(file) => return Ok((file, path)),
        }
    }
    bail!("too many event files in {}", folder.display())
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// TFRecord: length, checksum of the length, payload, checksum of the payload.
fn frame(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(payload.len() + 16);
    record.extend_from_slice(&length);
    record.extend_from_slice(&masked_crc(&length).to_le_bytes());
    record.extend_from_slice(payload);
    record.extend_from_slice(&masked_crc(payload).to_le_bytes());
    record
}

/// CRC-32C, rotated and shifted so that a checksum of data holding checksums stays sound.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

/// Rewrite the event files in `folder` without the events that are not to be kept, and without
/// what a kill has torn. A file of which nothing is left goes.
///
/// # Errors
/// When a file cannot be read or written.
pub fn keep_events(folder: &Path, keep: impl Fn(&Event) -> bool) -> Result<()> {
    for path in event_files(folder)? {
        let (events, _) = read_whole_events(&path)?;
        let (named, values): (Vec<_>, Vec<_>) = events
            .into_iter()
            .partition(|event| event.summary.is_none());
        let before = values.len();
        let kept: Vec<Event> = values.into_iter().filter(&keep).collect();
        if kept.is_empty() {
            std::fs::remove_file(&path)
                .with_context(|| format!("cannot remove {}", path.display()))?;
        } else if kept.len() < before {
            write_atomic(&path, |out| {
                let events = named.iter().chain(&kept);
                let mut records = events.map(|event| frame(&event.encode_to_vec()));
                records.try_for_each(|record| Ok(out.write_all(&record)?))
            })?;
        }
    }
    Ok(())
}

/// The event files of this program.
fn event_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let context = || format!("cannot read {}", folder.display());
    let mut files = Vec::new();
    for item in std::fs::read_dir(folder).with_context(context)? {
        let item = item.with_context(context)?;
        if item.file_name().to_string_lossy().contains(OURS) {
            files.push(item.path());
        }
    }
    Ok(files)
}

/// Read an event file back, checking both checksums of each record.
///
/// # Errors
/// When the file cannot be read or a record is damaged.
pub fn read_events(path: &Path) -> Result<Vec<Event>> {
    let (events, damage) = read_whole_events(path)?;
    match damage {
        None => Ok(events),
        Some(error) => Err(error.context(format!("{}: record {}", path.display(), events.len()))),
    }
}

/// The records of a file up to the first damaged one, and what is wrong with that.
fn read_whole_events(path: &Path) -> Result<(Vec<Event>, Option<anyhow::Error>)> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut rest = bytes.as_slice();
    let mut events = Vec::new();
    while !rest.is_empty() {
        match take_record(&mut rest).and_then(|record| Ok(Event::decode(record)?)) {
            Ok(event) => events.push(event),
            Err(error) => return Ok((events, Some(error))),
        }
    }
    Ok((events, None))
}

fn take_record<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = take(rest, 8)?;
    let length_crc = take(rest, 4)?;
    ensure!(
        masked_crc(length).to_le_bytes() == length_crc,
        "length checksum"
    );
    let mut number = [0; 8];
    number.copy_from_slice(length);
    let payload = take(rest, usize::try_from(u64::from_le_bytes(number))?)?;
    let payload_crc = take(rest, 4)?;
    ensure!(
        masked_crc(payload).to_le_bytes() == payload_crc,
        "payload checksum"
    );
    Ok(payload)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count).context("cut short")?;
    *rest = tail;
    Ok(head)
}
