//! Text into a tree whose every node knows its line and column.
//!
//! A scalar keeps the text it was written with: `1.20` stays `1.20`, which a typed reader would
//! have turned into `1.2`. What it means is decided where it is used.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::node::{At, Key, Kind, Node, Style};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct YamlError {
    pub at: At,
    /// The bytes of the text that it is about. A text that cannot be parsed has none.
    pub span: Range<usize>,
    pub message: String,
}

/// A document, and what in it is set more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    pub root: Node,
    /// Keys of one map that were there before. The tree has their first value.
    pub duplicates: Vec<YamlError>,
}

/// Aliases may repeat a node, so a short text can describe a huge tree. No buildspec comes near this.
const MAX_NODES: usize = 100_000;
/// The same for the length of all texts together, which a few nodes could make as large.
const MAX_TEXT: usize = 4 << 20;
/// The tree is built and dropped recursively, so its depth is bounded too.
const MAX_DEPTH: usize = 64;

/// Reads one YAML document in which no key is set twice. An empty text is a null scalar.
pub fn parse(text: &str) -> Result<Node, YamlError> {
    let Parsed { root, duplicates } = parse_with_duplicates(text)?;
    duplicates.into_iter().next().map_or(Ok(root), Err)
}

/// Reads one YAML document and continues after a key that is set twice.
pub fn parse_with_duplicates(text: &str) -> Result<Parsed, YamlError> {
    let mut events = Events {
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        duplicates: Vec::new(),
        size: Size::default(),
        depth: 0,
    };
    let mut root = None;
    while let Some((event, span)) = events.next()? {
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
            _ if root.is_some() => {
                return Err(error(span, "a second YAML document starts here, and only one is expected"));
            }
            event => root = Some(events.node(event, span)?),
        }
    }
    let nothing = Kind::Scalar { text: String::new(), style: Style::Plain };
    let nothing = Node { at: At { line: 1, column: 1 }, span: 0..0, kind: nothing, tag: None };
    Ok(Parsed { root: root.unwrap_or(nothing), duplicates: events.duplicates })
}

/// How much there is in a tree or a part of it.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    nodes: usize,
    text: usize,
}

struct Events<'input> {
    parser: Parser<'input, serde_saphyr::granit_parser::StrInput<'input>>,
    anchors: BTreeMap<usize, (Node, Size)>,
    duplicates: Vec<YamlError>,
    size: Size,
    depth: usize,
}

impl<'input> Events<'input> {
    fn next(&mut self) -> Result<Option<(Event<'input>, Span)>, YamlError> {
        loop {
            match self.parser.next_event() {
                None => return Ok(None),
                Some(Err(scan)) => {
                    let at = At { line: scan.marker().line().max(1), column: scan.marker().col() + 1 };
                    let byte = scan.marker().byte_offset().unwrap_or(0);
                    return Err(YamlError { at, span: byte..byte, message: scan.info() });
                }
                // Whether there are events for comments is a feature of the parser that any crate of the
                // build can turn on, so they are known by what they are not.
                Some(Ok(next)) if next.0.is_node() || is_structure(&next.0) => return Ok(Some(next)),
                Some(Ok(_)) => {}
            }
        }
    }

    fn inside(&mut self, within: Span) -> Result<(Event<'input>, Span), YamlError> {
        self.next()?.ok_or_else(|| error(within, "the text ends in the middle of this"))
    }

    fn count(&mut self, more: Size, span: Span) -> Result<(), YamlError> {
        self.size.nodes += more.nodes;
        self.size.text += more.text;
        if self.size.nodes > MAX_NODES || self.size.text > MAX_TEXT {
            return Err(error(
                span,
                "the document is larger than any buildspec, counting what aliases repeat",
            ));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'input>, span: Span) -> Result<Node, YamlError> {
        let before = self.size;
        let text = if let Event::Scalar(text, ..) = &event { text.len() } else { 0 };
        self.count(Size { nodes: 1, text }, span)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(span, "the document is nested too deeply"));
        }
        let local = event.tag().filter(|tag| tag.handle() == "!");
        let tag = local.map(|tag| tag.suffix().to_owned());
        let (kind, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tagged_string = tag.is_some_and(|tag| tag.core_suffix() == Some("str"));
                let style = match style {
                    ScalarStyle::Plain if tagged_string => Style::Tagged,
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                (Kind::Scalar { text: text.into_owned(), style }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (Kind::List(self.list(span)?), anchor),
            Event::MappingStart(_, anchor, _) => (Kind::Map(self.map(span)?), anchor),
            Event::Alias(id) => {
                let inside_itself = || error(span, "an alias stands inside its own anchor");
                let size = self.anchors.get(&id).ok_or_else(inside_itself)?.1;
                self.count(size, span)?;
                self.depth -= 1;
                let Node { kind, tag, .. } = self.anchors[&id].0.clone();
                return Ok(Node { at: At::of(span), span: bytes(span), kind, tag });
            }
            _ => return Err(error(span, "a value is expected here")),
        };
        self.depth -= 1;
        let node = Node { at: At::of(span), span: bytes(span), kind, tag };
        if anchor != 0 {
            let (nodes, text) = (self.size.nodes - before.nodes, self.size.text - before.text);
            self.anchors.insert(anchor, (node.clone(), Size { nodes, text }));
        }
        Ok(node)
    }

    fn list(&mut self, start: Span) -> Result<Vec<Node>, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.inside(start)? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn map(&mut self, start: Span) -> Result<Vec<(Key, Node)>, YamlError> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut merged = Vec::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let (event, span) = self.inside(start)?;
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, span)?;
            let Kind::Scalar { text, style } = key.kind else {
                return Err(error(span, "a key must be a single word or text"));
            };
            let (event, value_span) = self.inside(start)?;
            let value = self.node(event, value_span)?;
            if style == Style::Plain && text == "<<" {
                merged.extend(merge_sources(value, value_span)?);
            } else if let Some(line) = lines.get(&text) {
                self.duplicates.push(error(span, &format!("`{text}` is already set on line {line}")));
            } else {
                lines.insert(text.clone(), key.at.line);
                entries.push((Key { at: key.at, span: key.span, text }, value));
            }
        }
        // What stands in the map itself wins over what it merges in, and an earlier source over a later one.
        let mut known: BTreeSet<String> = lines.into_keys().collect();
        for (key, value) in merged {
            if known.insert(key.text.clone()) {
                entries.push((key, value));
            }
        }
        Ok(entries)
    }
}

fn is_structure(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd
    )
}

fn merge_sources(value: Node, span: Span) -> Result<Vec<(Key, Node)>, YamlError> {
    match value.kind {
        Kind::Map(entries) => Ok(entries),
        Kind::List(sources) => {
            let mut all = Vec::new();
            for source in sources {
                all.extend(merge_sources(source, span)?);
            }
            Ok(all)
        }
        Kind::Scalar { .. } => Err(error(span, "`<<` merges a map, and this is not one")),
    }
}

fn bytes(span: Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0)
}

fn error(span: Span, message: &str) -> YamlError {
    YamlError { at: At::of(span), span: bytes(span), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> serde_json::Value {
        parse(text).unwrap().to_json()
    }

    #[track_caller]
    fn check_error(text: &str, line: usize, column: usize, part: &str) {
        let error = parse(text).unwrap_err();
        assert_eq!((error.at.line, error.at.column), (line, column), "{error}");
        assert!(error.message.contains(part), "{error}");
    }

    #[test]
    fn reads_what_yaml_means() {
        assert_eq!(json(""), serde_json::Value::Null);
        assert_eq!(
            json("a: [1, x, '1', ~, true, 1.5, .inf]")["a"].to_string(),
            r#"[1,"x","1",null,true,1.5,".inf"]"#
        );
        assert_eq!(
            json("a: &x {k: v, l: w}\nb: {<<: *x, l: own}\n")["b"].to_string(),
            r#"{"k":"v","l":"own"}"#
        );
        assert_eq!(json("a: |\n  x\n   y\n\n  z\n")["a"], "x\n y\n\nz\n");
        assert_eq!(
            json("[!Ref A, !Sub 'x${A}', !GetAtt A.Arn, '!Ref A', !!str 1]").to_string(),
            r#"[{"Ref":"A"},{"Fn::Sub":"x${A}"},{"Fn::GetAtt":["A","Arn"]},"!Ref A","1"]"#
        );
    }

    #[test]
    fn keeps_positions_and_the_text_of_numbers() {
        let root = parse("a:\n  b: 1.20\n").unwrap();
        let Kind::Map(entries) = root.kind else { panic!("{root:?}") };
        let Kind::Map(inner) = &entries[0].1.kind else { panic!("{entries:?}") };
        assert_eq!(inner[0].0.at, At { line: 2, column: 3 });
        assert_eq!(inner[0].1.at, At { line: 2, column: 6 });
        assert_eq!(inner[0].1.kind, Kind::Scalar { text: "1.20".into(), style: Style::Plain });
    }

    #[test]
    fn refuses_what_would_be_misread() {
        check_error("a: 1\nb: 2\na: 3\n", 3, 1, "already set on line 1");
        check_error("a: 1\n---\nb: 2\n", 3, 1, "second YAML document");
        check_error("? [x]\n: 1\n", 1, 3, "a key must be");
        assert!(parse("a: [1, 2\nb: 3\n").is_err());
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(parse(&deep).unwrap_err().message.contains("nested"), "{:?}", parse(&deep));
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                    c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                    e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
        assert!(parse(bomb).unwrap_err().message.contains("larger than any buildspec"));
        let texts = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 1000].join(","));
        assert!(parse(&texts).unwrap_err().message.contains("larger than any buildspec"));
    }
}
