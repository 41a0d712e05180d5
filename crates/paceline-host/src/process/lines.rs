//! Reads the output of a program line by line, in bounded memory.

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// The greatest length of a line in bytes. A longer line is returned in pieces.
const LONGEST: usize = 64 * 1024;

/// The lines of a stream.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    begun: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn of(stream: R) -> Self {
        Self { reader: BufReader::new(stream), begun: Vec::new() }
    }

    pub(crate) fn stream(&self) -> &R {
        self.reader.get_ref()
    }

    /// Returns the next line without its line ending. Bytes that are not text are replaced. `None` is the end
    /// of the stream; a stream that breaks off has ended. Cancelling this future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            let chunk = self.reader.fill_buf().await.unwrap_or_default();
            if chunk.is_empty() {
                return self.begun();
            }
            if self.begun.len() == LONGEST && chunk[0] != b'\n' {
                let rest = self.begun.split_off(whole_characters(&self.begun));
                return Some(text(&std::mem::replace(&mut self.begun, rest)));
            }
            let room = LONGEST - self.begun.len();
            let end = chunk.iter().position(|byte| *byte == b'\n').filter(|end| *end <= room);
            let taken = end.unwrap_or(chunk.len().min(room));
            self.begun.extend(&chunk[..taken]);
            self.reader.consume(end.map_or(taken, |end| end + 1));
            if end.is_some() {
                return Some(text(&std::mem::take(&mut self.begun)));
            }
        }
    }

    /// Returns the incomplete last line, if there is one.
    pub(crate) fn into_begun(mut self) -> Option<String> {
        self.begun()
    }

    fn begun(&mut self) -> Option<String> {
        (!self.begun.is_empty()).then(|| text(&std::mem::take(&mut self.begun)))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

/// The number of bytes before an incomplete character at the end.
fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(4);
    let cut = bytes.iter().enumerate().skip(last).rfind(|(_, byte)| **byte & 0xC0 != 0x80);
    match cut {
        Some((at, first)) if bytes.len() - at < length(*first) => at,
        _ => bytes.len(),
    }
}

/// The number of bytes of a character whose first byte is this one.
fn length(first: u8) -> usize {
    match first {
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::of(bytes);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await {
            all.push(line);
        }
        all
    }

    #[tokio::test]
    async fn lines_have_no_line_endings_and_the_last_line_needs_none() {
        assert_eq!(all(b"one\r\n\n two \nthree").await, ["one", "", " two", "three"]);
        assert_eq!(all(b"").await, [""; 0]);
    }

    #[tokio::test]
    async fn bytes_that_are_not_text_are_replaced() {
        assert_eq!(all(b"a\xff\n\xe2\x82\n").await, ["a\u{fffd}", "\u{fffd}"]);
    }

    #[tokio::test]
    async fn an_endless_line_is_returned_in_pieces_of_whole_characters() {
        let line = "€".repeat(50_000);
        let pieces = all(line.as_bytes()).await;
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.len() <= LONGEST));
        assert_eq!(pieces.concat(), line);
        let full = "x".repeat(LONGEST);
        assert_eq!(all(format!("{full}\ny\n").as_bytes()).await, [full, "y".to_owned()]);
    }
}
