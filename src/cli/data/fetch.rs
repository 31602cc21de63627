//! Fetching a file over HTTP: what is there already is kept, and nothing counts before its checksum is right.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::manifest::profile::Download;

/// Times that a broken connection is taken up again.
const TRIES: usize = 4;
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// It was here already.
    Kept,
    /// So many bytes came over the network.
    Bytes(u64),
}

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The address does not end in a name for a file.
    #[error("`{0}` does not end in the name of a file")]
    Nameless(String),
    /// The server refuses or cannot be reached.
    #[error("`{url}` cannot be fetched: {reason}")]
    Refused { url: String, reason: String },
    /// A file cannot be written or read.
    #[error("`{}` cannot be written: {source}", path.display())]
    Local { path: PathBuf, source: io::Error },
    /// The bytes are not the ones that the profile promises.
    #[error("`{url}` has the SHA-256 {found}, the profile says {expected}; it is set aside as `{}`", aside.display())]
    Sum { url: String, found: String, expected: String, aside: PathBuf },
}

/// One attempt ended early.
enum Broken {
    /// The connection did; what came is kept.
    Connection(String),
    Final(FetchError),
}

/// Returns where the file of an address is kept.
///
/// # Errors
/// If the address names none.
pub(super) fn target(directory: &Path, url: &str) -> Result<PathBuf, FetchError> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name =
        path.split_once("://").and_then(|(_, rest)| rest.split_once('/')).and_then(|(_, path)| path.rsplit('/').next());
    match name {
        Some(name) if !name.is_empty() && !name.starts_with('.') => Ok(directory.join(name)),
        _ => Err(FetchError::Nameless(url.to_owned())),
    }
}

/// Fetches a file into a directory. An interrupted transfer goes on where it stopped, if the server allows it.
///
/// # Errors
/// If the server refuses, the file cannot be written, or its checksum is wrong.
pub(super) fn fetch(download: &Download, directory: &Path) -> Result<(PathBuf, Fetched), FetchError> {
    let target = target(directory, &download.url)?;
    let local = |path: &Path, source| FetchError::Local { path: path.to_owned(), source };
    fs::create_dir_all(directory).map_err(|error| local(directory, error))?;
    if target.is_file() && sum_of(&target).map_err(|error| local(&target, error))? == download.sha256 {
        return Ok((target, Fetched::Kept));
    }
    let part = beside(&target, "part");
    let mut received = 0;
    for attempt in 1.. {
        match receive(&download.url, &part, &mut received) {
            Ok(()) => break,
            Err(Broken::Final(error)) => return Err(error),
            Err(Broken::Connection(reason)) if attempt >= TRIES => {
                return Err(FetchError::Refused { url: download.url.clone(), reason });
            }
            Err(Broken::Connection(_)) => {}
        }
    }
    let found = sum_of(&part).map_err(|error| local(&part, error))?;
    if found != download.sha256 {
        let aside = beside(&target, "wrong");
        fs::rename(&part, &aside).map_err(|error| local(&aside, error))?;
        let (url, expected) = (download.url.clone(), download.sha256.clone());
        return Err(FetchError::Sum { url, found, expected, aside });
    }
    fs::rename(&part, &target).map_err(|error| local(&target, error))?;
    Ok((target, Fetched::Bytes(received)))
}

fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    name.into()
}

/// Receives what is missing of a file.
fn receive(url: &str, part: &Path, received: &mut u64) -> Result<(), Broken> {
    let local = |source| Broken::Final(FetchError::Local { path: part.to_owned(), source });
    let refused = |reason: String| Broken::Final(FetchError::Refused { url: url.to_owned(), reason });
    let here = part.metadata().map_or(0, |file| file.len());
    let configuration = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE));
    let agent: ureq::Agent = configuration.build().into();
    let mut request = agent.get(url);
    if here > 0 {
        request = request.header("Range", format!("bytes={here}-"));
    }
    let response = request.call().map_err(|error| match error {
        ureq::Error::Io(error) => Broken::Connection(error.to_string()),
        error => refused(error.to_string()),
    })?;
    let range = response.headers().get("content-range").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let goes_on = range.starts_with(&format!("bytes {here}-"));
    match response.status().as_u16() {
        206 if goes_on => {}
        // The server sends everything again, or has nothing after what is here: the checksum decides.
        200 => drop(File::create(part).map_err(local)?),
        416 if here > 0 => return Ok(()),
        status => return Err(refused(format!("the server answers {status}"))),
    }
    let mut file = OpenOptions::new().create(true).append(true).open(part).map_err(local)?;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = body.read(&mut buffer).map_err(|error| Broken::Connection(error.to_string()))?;
        if count == 0 {
            return file.sync_all().map_err(local);
        }
        file.write_all(&buffer[..count]).map_err(local)?;
        *received += count as u64;
    }
}

/// SHA-256 of a file in hexadecimal digits.
fn sum_of(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hexadecimal(&hasher.finalize()));
        }
        hasher.update(&buffer[..count]);
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What a server does with the n-th request.
    #[derive(Clone, Copy)]
    enum Manner {
        /// Sends what is asked for.
        Obey,
        /// Sends everything, whatever is asked for.
        Ignore,
        /// Hangs up after so many bytes.
        Break(usize),
        /// Answers 404.
        Miss,
    }

    /// Serves a file on this machine, one request after the other; returns its address and the ranges asked for.
    fn serve(data: Vec<u8>, manners: Vec<Manner>) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/some/set.bin?x=1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for manner in manners {
                let (mut stream, _) = listener.accept().unwrap();
                let lines: Vec<String> = BufReader::new(stream.try_clone().unwrap())
                    .lines()
                    .map(Result::unwrap)
                    .take_while(|l| !l.is_empty())
                    .collect();
                let range = lines
                    .iter()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
                log.lock().unwrap().push(range.clone().unwrap_or_default());
                let from = match manner {
                    Manner::Ignore => 0,
                    _ => range.and_then(|range| range.trim_end_matches('-').parse().ok()).unwrap_or(0),
                };
                let body = &data[from..];
                let head = match (manner, from) {
                    (Manner::Miss, _) => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n".to_owned(),
                    (_, 0) => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", body.len()),
                    _ => format!(
                        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {from}-{}/{}\r\ncontent-length: {}\r\n",
                        data.len() - 1,
                        data.len(),
                        body.len()
                    ),
                };
                let sent = match manner {
                    Manner::Break(count) => count.min(body.len()),
                    Manner::Miss => 0,
                    Manner::Obey | Manner::Ignore => body.len(),
                };
                let _ = stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes());
                let _ = stream.write_all(&body[..sent]);
            }
        });
        (url, asked)
    }

    fn sum(data: &[u8]) -> String {
        hexadecimal(&Sha256::digest(data))
    }

    fn data() -> Vec<u8> {
        (0..100_000_u32).map(|i| (i * 7 / 3) as u8).collect()
    }

    #[test]
    fn files_are_fetched_once() {
        let here = tempfile::tempdir().unwrap();
        let (url, asked) = serve(data(), vec![Manner::Obey]);
        let download = Download { url, sha256: sum(&data()) };
        let (path, fetched) = fetch(&download, here.path()).unwrap();
        assert_eq!((path.file_name().unwrap().to_str(), fetched), (Some("set.bin"), Fetched::Bytes(100_000)));
        assert_eq!(fs::read(&path).unwrap(), data());
        assert_eq!(fetch(&download, here.path()).unwrap().1, Fetched::Kept);
        assert_eq!(*asked.lock().unwrap(), [""]);
    }

    #[test]
    fn broken_transfers_go_on_where_they_stopped() {
        let here = tempfile::tempdir().unwrap();
        let (url, asked) = serve(data(), vec![Manner::Break(30_000), Manner::Break(20_000), Manner::Obey]);
        let (path, fetched) = fetch(&Download { url, sha256: sum(&data()) }, here.path()).unwrap();
        assert_eq!((fs::read(path).unwrap(), fetched), (data(), Fetched::Bytes(100_000)));
        assert_eq!(*asked.lock().unwrap(), ["", "30000-", "50000-"]);
    }

    #[test]
    fn what_an_earlier_call_left_is_used_and_servers_may_ignore_it() {
        for (manner, bytes) in [(Manner::Obey, 60_000), (Manner::Ignore, 100_000)] {
            let here = tempfile::tempdir().unwrap();
            fs::write(here.path().join("set.bin.part"), &data()[..40_000]).unwrap();
            let (url, _) = serve(data(), vec![manner]);
            let (path, fetched) = fetch(&Download { url, sha256: sum(&data()) }, here.path()).unwrap();
            assert_eq!((fs::read(path).unwrap(), fetched), (data(), Fetched::Bytes(bytes)));
        }
    }

    #[test]
    fn wrong_sums_are_set_aside_and_missing_files_are_told() {
        let here = tempfile::tempdir().unwrap();
        let (url, _) = serve(data(), vec![Manner::Obey, Manner::Miss]);
        let download = Download { url, sha256: sum(b"other") };
        let error = fetch(&download, here.path()).unwrap_err().to_string();
        assert!(error.contains("set.bin.wrong") && here.path().join("set.bin.wrong").is_file(), "{error}");
        assert!(!here.path().join("set.bin").exists() && !here.path().join("set.bin.part").exists());
        let error = fetch(&download, here.path()).unwrap_err().to_string();
        assert!(error.contains("404"), "{error}");
        let nowhere = Download { url: "http://127.0.0.1:9/".to_owned(), ..download };
        assert!(matches!(fetch(&nowhere, here.path()), Err(FetchError::Nameless(_))));
    }
}
