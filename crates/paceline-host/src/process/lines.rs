//! Reads the output of a program line by line, in bounded memory.

use paceline_text::secrets::cut;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// A longer line is returned in pieces of at most so many bytes.
pub(crate) const LONGEST: usize = 64 * 1024;
/// The greatest length of a piece that begins with a secret longer than [`LONGEST`].
const LONGEST_SECRET: usize = 16 * LONGEST;

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
            let over = self.begun.len() % LONGEST;
            if over == 0
                && !self.begun.is_empty()
                && chunk[0] != b'\n'
                && let Some(piece) = piece(&mut self.begun)
            {
                return Some(piece.trim_end().to_owned());
            }
            let room = LONGEST - over;
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

/// Takes the beginning of an unfinished line out of it, up to where no secret is cut in two. `None` if the line has to be
/// longer first.
pub(crate) fn piece(begun: &mut Vec<u8>) -> Option<String> {
    let rest = begun.split_off(whole_characters(begun));
    let mut text = String::from_utf8_lossy(begun).into_owned();
    let at = match cut(&text) {
        0 if text.len() < LONGEST_SECRET => 0,
        0 => text.len(),
        at => at,
    };
    *begun = [&text.as_bytes()[at..], &rest].concat();
    text.truncate(at);
    (at > 0).then_some(text)
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
    use paceline_text::secrets::hide;

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

    #[tokio::test]
    async fn no_piece_ends_within_a_secret() {
        let secret = "cut-in-two-0815";
        hide(secret);
        // Later ones, too: the pieces before have other lengths.
        for before in [LONGEST - 8, LONGEST - 1, 2 * LONGEST - 600] {
            let line = format!("{}{secret}{}", "x".repeat(before), "y".repeat(2 * LONGEST));
            let pieces = all(line.as_bytes()).await;
            assert!(pieces.len() > 2 && pieces.iter().any(|piece| piece.contains(secret)), "{before}");
            assert_eq!(pieces.concat(), line);
        }
        let endless = format!("A_TOKEN={}", "z".repeat(LONGEST + 9));
        assert_eq!(all(endless.as_bytes()).await, [endless]);
    }
}
