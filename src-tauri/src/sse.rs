//! Takes a server-sent event stream apart: bytes in, the text of each event out.
//!
//! Follows "Server-sent events" of the HTML standard as far as the node's own
//! stream goes: `data` lines joined by a line feed, other fields and comments
//! skipped, an event at each empty line. An event over [`MAX_EVENT_BYTES`] is
//! dropped whole, so a stream cannot fill the memory.

/// No event of the node is near this size.
const MAX_EVENT_BYTES: usize = 4 << 20;

/// What has arrived of the event that is not complete yet.
#[derive(Debug, Default)]
pub struct EventReader {
    line: Vec<u8>,
    data: Option<String>,
    oversized: bool,
}

impl EventReader {
    /// Takes the next bytes and answers with the events that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' => events.extend(self.end_line()),
                b'\r' => {}
                _ if self.line.len() < MAX_EVENT_BYTES => self.line.push(byte),
                _ => self.oversized = true,
            }
        }
        events
    }

    fn end_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let event = self.data.take();
            return if std::mem::take(&mut self.oversized) {
                None
            } else {
                event
            };
        }
        let text = String::from_utf8_lossy(&line);
        if let Some(value) = text.strip_prefix("data:") {
            self.add(value.strip_prefix(' ').unwrap_or(value));
        }
        None
    }

    fn add(&mut self, value: &str) {
        match &mut self.data {
            Some(data) if data.len() + value.len() > MAX_EVENT_BYTES => self.oversized = true,
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Streams cut at every place, and one event that is too large.
    use super::*;

    #[test]
    fn events_survive_any_cut() {
        let stream = b": hello\n\ndata: {\"a\":1}\n\nevent: x\r\ndata:two\r\ndata: lines\r\n\r\n";
        for cut in 0..=stream.len() {
            let (head, tail) = stream.split_at(cut);
            let mut reader = EventReader::default();
            let mut events = reader.push(head);
            events.extend(reader.push(tail));
            assert_eq!(events, ["{\"a\":1}", "two\nlines"], "cut at {cut}");
        }
    }

    #[test]
    fn an_endless_event_is_dropped_and_the_next_one_read() {
        let mut reader = EventReader::default();
        assert!(reader.push(b"data: ").is_empty());
        for _ in 0..5 {
            assert!(reader.push(&vec![b'x'; 1 << 20]).is_empty());
        }
        assert!(reader.push(b"\n\n").is_empty());
        assert_eq!(reader.push(b"data: next\n\n"), ["next"]);
    }
}
