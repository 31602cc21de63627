//! Tar archives: where their members lie, and how new ones are written so that equal members give equal bytes.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// Bytes of a header, and what members are padded to.
const BLOCK: u64 = 512;
/// Longest name that is read.
const LONGEST: u64 = 1 << 16;

/// A file in an archive.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::nn::data) struct Member {
    /// Its path.
    pub name: String,
    /// Where its bytes begin.
    pub offset: u64,
    /// How many there are.
    pub len: u64,
}

/// Lists the regular files of an archive.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with its name.
pub(in crate::nn::data) fn members(file: &File) -> Result<Vec<Member>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let end = file.metadata().map_err(unreadable)?.len();
    let (mut members, mut at) = (Vec::new(), 0);
    let mut long_name = None;
    while at < end {
        let mut header = [0; BLOCK as usize];
        file.read_exact_at(&mut header, at).map_err(|_| format!("is cut short at byte {end}"))?;
        if header.iter().all(|byte| *byte == 0) {
            return Ok(members);
        }
        let sum: u64 =
            header.iter().enumerate().map(|(i, b)| u64::from(if (148..156).contains(&i) { b' ' } else { *b })).sum();
        if number(&header[148..156]) != Some(sum) {
            return Err(format!("is no tar archive, or is damaged at byte {at}"));
        }
        let len = number(&header[124..136]).ok_or_else(|| format!("is damaged at byte {at}"))?;
        let offset = at + BLOCK;
        let name = long_name.take().unwrap_or_else(|| short_name(&header));
        if offset.checked_add(len).is_none_or(|last| last > end) {
            return Err(format!("is cut short within its member `{name}`"));
        }
        let body = |len: u64| {
            let mut body = vec![0; len.min(LONGEST) as usize];
            file.read_exact_at(&mut body, offset).map(|()| body).map_err(unreadable)
        };
        match header[156] {
            b'0' | 0 | b'7' => members.push(Member { name, offset, len }),
            b'L' => long_name = Some(text(&body(len)?)),
            b'x' => long_name = extended_name(&body(len)?),
            _ => {}
        }
        at = offset + len.div_ceil(BLOCK) * BLOCK;
    }
    Ok(members)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn short_name(header: &[u8; BLOCK as usize]) -> String {
    let name = text(&header[..100]);
    let prefix = if header[257..].starts_with(b"ustar\0") { text(&header[345..500]) } else { String::new() };
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

/// Reads an octal number, or a binary one if it begins with the highest bit.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        return Some(field[field.len() - 8..].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
    }
    let digits = text(field);
    u64::from_str_radix(digits.trim(), 8).ok()
}

/// Finds the path among the `length name=value` lines of an extended header.
fn extended_name(body: &[u8]) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    body.lines().find_map(|line| line.split_once(' ')?.1.strip_prefix("path=").map(str::to_owned))
}

/// Writes archives whose bytes depend on their members only: no times, no owners.
pub(in crate::nn::data) struct Archive<W: Write> {
    out: W,
}

impl<W: Write> Archive<W> {
    /// Starts an archive.
    pub(in crate::nn::data) fn new(out: W) -> Self {
        Self { out }
    }

    /// Adds a file; its name has at most 100 bytes.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(in crate::nn::data) fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut header = [0; BLOCK as usize];
        let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, name.get(..100).unwrap_or(name));
        put(100, "0000644\0");
        put(108, "0000000\0");
        put(116, "0000000\0");
        put(124, &format!("{:011o}\0", bytes.len()));
        put(136, "00000000000\0");
        put(148, "        ");
        put(156, "0");
        put(257, "ustar\x0000");
        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.out.write_all(&header)?;
        self.out.write_all(bytes)?;
        let padding = (BLOCK - bytes.len() as u64 % BLOCK) % BLOCK;
        self.out.write_all(&vec![0; padding as usize])
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(in crate::nn::data) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK as usize])?;
        self.out.flush()?;
        Ok(self.out)
    }
}
