//! A JSON reader that knows where everything stands.
//!
//! The documents of a parcel are read by Java (Cloudera Manager) and by Python (the agents), which
//! differ on byte-order marks, encodings and trailing data; so this reader takes what either takes
//! and notes every [`Flaw`]. Numbers keep their text and objects their duplicate keys, because
//! what Java makes of them depends on both.

mod encoding;
mod reader;

use super::report::Excerpt;
use encoding::{NOT_TEXT, decode};
use reader::Reader;

/// A part of a document's text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) node: Node,
    pub(crate) span: Span,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// The number as it is written.
    Number(Box<str>),
    String(Box<str>),
    Array(Vec<Value>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: Box<str>,
    pub(crate) key_span: Span,
    pub(crate) value: Value,
}

impl Value {
    /// The kind of value, for people, with its article.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.node {
            Node::Null => "null",
            Node::Bool(_) => "a boolean",
            Node::Number(_) => "a number",
            Node::String(_) => "a string",
            Node::Array(_) => "an array",
            Node::Object(_) => "an object",
        }
    }
}

/// What is wrong with a text as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlawKind {
    Syntax,
    ByteOrderMark,
    TrailingData,
    Comment,
    Encoding,
    Depth,
    Number,
    Empty,
    TooLarge,
}

/// One thing that is wrong with a text as JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flaw {
    pub(crate) kind: FlawKind,
    pub(crate) message: String,
    pub(crate) span: Span,
}

/// A text that was read, as far as it could be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parsed {
    pub(crate) text: String,
    /// The value; `None` where the text is not JSON.
    pub(crate) root: Option<Value>,
    pub(crate) flaws: Vec<Flaw>,
    /// Where each line begins.
    lines: Vec<u32>,
}

/// Where a span is, for people.
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) excerpt: Excerpt,
}

impl Parsed {
    /// Reads a document, whatever its bytes are.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut flaws = Vec::new();
        let text = decode(bytes, &mut flaws);
        let mut lines = vec![0];
        lines.extend(
            memchr::memchr_iter(b'\n', text.as_bytes())
                .map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX)),
        );
        let fatal = flaws.iter().any(|flaw| flaw.message == NOT_TEXT);
        let mut root = None;
        if !fatal {
            let mut reader = Reader {
                text: text.as_bytes(),
                source: &text,
                at: 0,
                values: 0,
                flaws,
            };
            root = reader.document();
            flaws = reader.flaws;
        }
        Self {
            text,
            root,
            flaws,
            lines,
        }
    }

    /// Line, column and line of text of a span.
    pub(crate) fn position(&self, span: Span) -> Position {
        let index = self.lines.partition_point(|&start| start <= span.start) - 1;
        let start = self.lines[index] as usize;
        let end = self
            .lines
            .get(index + 1)
            .map_or(self.text.len(), |&next| next as usize);
        let line = self.text.get(start..end).unwrap_or_default();
        let chars = |from: usize, to: usize| {
            let text = self.text.get(from..to).unwrap_or_default();
            u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
        };
        let before = chars(start, span.start as usize);
        let length = chars(span.start as usize, (span.end as usize).min(end));
        Position {
            line: u32::try_from(index + 1).unwrap_or(u32::MAX),
            column: before.saturating_add(1),
            excerpt: Excerpt::of_line(line, before, length),
        }
    }
}

/// The start of a text that may be very long.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return format!("\"{}\"", text.escape_debug());
    }
    let start: String = text.chars().take(MOST).collect();
    format!("\"{}…\"", start.escape_debug())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::reader::VALUE_LIMIT;
    use super::*;

    fn kinds(text: &[u8]) -> (bool, Vec<FlawKind>) {
        let parsed = Parsed::read(text);
        let kinds = parsed.flaws.iter().map(|flaw| flaw.kind).collect();
        (parsed.root.is_some(), kinds)
    }

    #[test]
    fn says_what_is_wrong_and_reads_on_where_java_would() {
        use FlawKind::*;
        for (text, readable, expected) in [
            (&b"{\"a\": 1}"[..], true, vec![]),
            (b"\xef\xbb\xbf{}", true, vec![ByteOrderMark]),
            (b"{} {}", true, vec![TrailingData]),
            (b"{} // x", true, vec![TrailingData]),
            (b"\xff\xfe{\0}\0", true, vec![Encoding]),
            (b"{\0}\0", true, vec![Encoding]),
            (b"{\"a\": \"\\ud800\"}", true, vec![Encoding]),
            (b"// c\n{}", false, vec![Comment]),
            (b"{/* c */}", false, vec![Comment]),
            (b"", false, vec![Empty]),
            (b" \n", false, vec![Empty]),
            (b"{\"a\": NaN}", false, vec![Number]),
            (b"{\"a\": -Infinity}", false, vec![Number]),
            (b"{\"a\": 0755}", false, vec![Number]),
            (b"{\"a\": +1}", false, vec![Number]),
            (b"{\"a\": .5}", false, vec![Number]),
            (b"{\"a\": 1.}", false, vec![Number]),
            (b"{\"a\": 1,}", false, vec![Syntax]),
            (b"[1,]", false, vec![Syntax]),
            (b"{'a': 1}", false, vec![Syntax]),
            (b"{\"a\": \"x\ny\"}", false, vec![Syntax]),
            (b"{\"a\": \"\\x\"}", false, vec![Syntax]),
            (b"{\"a\": tru", false, vec![Syntax]),
            (b"{\"a\": \"caf\xe9\"}", false, vec![Encoding]),
        ] {
            let name = String::from_utf8_lossy(text);
            assert_eq!(kinds(text), (readable, expected), "{name}");
        }
    }

    #[test]
    fn nesting_of_any_depth_is_a_flaw_and_not_a_crash() {
        let deep = "[".repeat(100_000);
        assert_eq!(kinds(deep.as_bytes()), (false, vec![FlawKind::Depth]));
        let deep = "{\"a\":".repeat(100_000);
        assert_eq!(kinds(deep.as_bytes()), (false, vec![FlawKind::Depth]));
    }

    #[test]
    fn very_many_values_are_a_flaw() {
        let many = format!("[{}0]", "0,".repeat(VALUE_LIMIT));
        assert_eq!(kinds(many.as_bytes()), (false, vec![FlawKind::TooLarge]));
    }

    #[test]
    fn positions_count_characters_from_one() {
        let parsed = Parsed::read("{\n  \"é\": true, \"b\": 1.5e3\n}".as_bytes());
        let Some(Value {
            node: Node::Object(members),
            ..
        }) = &parsed.root
        else {
            panic!("an object")
        };
        let position = parsed.position(members[1].value.span);
        assert_eq!((position.line, position.column), (2, 19));
        assert_eq!(position.excerpt.text, "  \"é\": true, \"b\": 1.5e3");
        assert_eq!((position.excerpt.before, position.excerpt.length), (18, 5));
        assert_eq!(members[1].value.node, Node::Number("1.5e3".into()));
    }

    proptest! {
        #[test]
        fn agrees_with_another_reader_on_what_is_json(text in "[\\[\\]{}:,\"a0-9.eE+ \\\\ntrufals-]{0,12}") {
            let ours = Parsed::read(text.as_bytes());
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            prop_assert_eq!(ours.root.is_some() && ours.flaws.is_empty(), theirs.is_ok(), "{}", text);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let parsed = Parsed::read(&bytes);
            for flaw in &parsed.flaws {
                parsed.position(flaw.span);
            }
        }
    }
}
