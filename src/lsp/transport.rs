//! Messages over standard input and output.

use std::io::{self, BufRead, Write};

use crossbeam_channel::{Receiver, Sender, unbounded};
use lsp_server::{ErrorCode, Message};
use serde_json::{Value, json};

/// Longer messages are refused.
const MOST: usize = 1 << 28;

/// What comes from the editor.
pub(super) enum Incoming {
    /// A message.
    Message(Message),
    /// Something that is none, and the answer to it.
    Malformed(Value),
    /// The editor is gone.
    End,
}

/// Starts the threads that read and write.
pub(super) fn start() -> (Receiver<Incoming>, Sender<Value>, std::thread::JoinHandle<()>) {
    let (incoming, received) = unbounded();
    let (outgoing, sent) = unbounded::<Value>();
    std::thread::spawn(move || read_all(&mut io::stdin().lock(), &incoming));
    let writer = std::thread::spawn(move || write_all(&mut io::stdout().lock(), &sent));
    (received, outgoing, writer)
}

fn read_all(input: &mut dyn BufRead, incoming: &Sender<Incoming>) {
    loop {
        let next = match read(input) {
            Ok(Some(body)) => understand(&body),
            Ok(None) | Err(_) => Incoming::End,
        };
        let last = matches!(next, Incoming::End);
        if incoming.send(next).is_err() || last {
            return;
        }
    }
}

fn write_all(output: &mut dyn Write, sent: &Receiver<Value>) {
    for message in sent {
        let body = message.to_string();
        let written = write!(output, "Content-Length: {}\r\n\r\n{body}", body.len()).and_then(|()| output.flush());
        if written.is_err() {
            return;
        }
    }
}

/// Reads the body of a message; nothing at the end.
fn read(input: &mut dyn BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut length = None;
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let header = line.trim();
        if header.is_empty() {
            match length {
                Some(length) if length <= MOST => {
                    let mut body = vec![0; length];
                    input.read_exact(&mut body)?;
                    return Ok(Some(body));
                }
                Some(_) => return Err(io::ErrorKind::InvalidData.into()),
                // A blank line between messages.
                None => continue,
            }
        }
        if let Some((name, value)) = header.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
}

fn understand(body: &[u8]) -> Incoming {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => return malformed(&Value::Null, ErrorCode::ParseError, &format!("not JSON: {error}")),
    };
    let id = value.get("id").cloned().unwrap_or(Value::Null);
    match serde_json::from_value(value) {
        Ok(message) => Incoming::Message(message),
        Err(_) => malformed(&id, ErrorCode::InvalidRequest, "neither a request, nor a response, nor a notification"),
    }
}

fn malformed(id: &Value, code: ErrorCode, message: &str) -> Incoming {
    Incoming::Malformed(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code as i32, "message": message } }))
}

#[cfg(test)]
mod tests {
    use super::{Incoming, read, understand};

    #[test]
    fn messages_are_read_by_their_length() {
        let mut input = "content-length: 2\r\nX: y\r\n\r\n{}Content-Length: 4\r\n\r\ntrue".as_bytes();
        assert_eq!(read(&mut input).unwrap().as_deref(), Some(&b"{}"[..]));
        assert_eq!(read(&mut input).unwrap().as_deref(), Some(&b"true"[..]));
        assert!(read(&mut input).unwrap().is_none());
        assert!(read(&mut "Content-Length: 9\r\n\r\nshort".as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_message_is_answered() {
        assert!(matches!(understand(b"{"), Incoming::Malformed(answer) if answer["error"]["code"] == -32700));
        assert!(matches!(understand(b"{\"id\":7}"), Incoming::Malformed(answer) if answer["id"] == 7));
        let notification = br#"{"jsonrpc":"2.0","method":"exit"}"#;
        assert!(matches!(understand(notification), Incoming::Message(_)));
    }
}
