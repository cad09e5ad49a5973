//! A JSON reader that knows where everything stands.
//!
//! The documents of a parcel are read by Java (Cloudera Manager) and by Python (the agents), which
//! differ on byte-order marks, encodings and trailing data; so this reader takes what either takes
//! and notes every [`Flaw`]. Numbers keep their text and objects their duplicate keys, because
//! what Java makes of them depends on both.

use super::report::Excerpt;

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

/// No document of a parcel is nested deeper than seven; Cloudera Manager's reader gives up at
/// a thousand or runs out of stack, depending on its age.
const DEPTH_LIMIT: usize = 100;
/// Keeps a document of a few megabytes of `[],[],[]` from filling the memory.
const VALUE_LIMIT: usize = 1_000_000;

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

const NOT_TEXT: &str = "the text is not UTF-8";

/// Makes text of bytes, and notes what is odd about their encoding.
fn decode(bytes: &[u8], flaws: &mut Vec<Flaw>) -> String {
    let mut flaw = |kind, message: String, at: usize| {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        flaws.push(Flaw {
            kind,
            message,
            span: Span { start: at, end: at },
        });
    };
    let other = |name: &str| format!("the text is {name}, not UTF-8");
    // As Jackson does: byte-order marks first, then where the zeros stand in the first character.
    let (name, width, big, skip) = match *bytes {
        [0xff, 0xfe, 0, 0, ..] => ("UTF-32", 4, false, 4),
        [0, 0, 0xfe, 0xff, ..] => ("UTF-32", 4, true, 4),
        [0xff, 0xfe, ..] => ("UTF-16", 2, false, 2),
        [0xfe, 0xff, ..] => ("UTF-16", 2, true, 2),
        [0, 0, 0, b, ..] if b != 0 => ("UTF-32", 4, true, 0),
        [b, 0, 0, 0, ..] if b != 0 => ("UTF-32", 4, false, 0),
        [0, b, ..] if b != 0 => ("UTF-16", 2, true, 0),
        [b, 0, ..] if b != 0 => ("UTF-16", 2, false, 0),
        _ => ("UTF-8", 1, false, 0),
    };
    if width > 1 {
        flaw(FlawKind::Encoding, other(name), 0);
        return decode_wide(&bytes[skip..], width, big);
    }
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => {
            let message = "the text begins with a byte-order mark".to_owned();
            flaw(FlawKind::ByteOrderMark, message, 0);
            rest
        }
        None => bytes,
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            // What follows is replaced, so that the line can still be shown.
            let text = String::from_utf8_lossy(bytes).into_owned();
            flaw(FlawKind::Encoding, NOT_TEXT.to_owned(), error.valid_up_to());
            text
        }
    }
}

fn decode_wide(bytes: &[u8], width: usize, big: bool) -> String {
    let units = bytes.chunks(width).map(|chunk| {
        let fold = |unit: u32, byte: &u8| unit << 8 | u32::from(*byte);
        if big {
            chunk.iter().fold(0, fold)
        } else {
            chunk.iter().rev().fold(0, fold)
        }
    });
    if width == 4 {
        return units
            .map(|unit| char::from_u32(unit).unwrap_or('\u{fffd}'))
            .collect();
    }
    let units = units.map(|unit| u16::try_from(unit).unwrap_or(0xfffd));
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or('\u{fffd}'))
        .collect()
}

struct Reader<'t> {
    text: &'t [u8],
    source: &'t str,
    at: usize,
    values: usize,
    flaws: Vec<Flaw>,
}

/// The text is not JSON; the flaw was noted.
struct Stop;

impl Reader<'_> {
    fn document(&mut self) -> Option<Value> {
        if self.blanks().is_err() {
            return None;
        }
        if self.at == self.text.len() {
            let _ = self.stop::<()>(FlawKind::Empty, "the document is empty");
            return None;
        }
        let root = self.value(0).ok()?;
        let end = self.at;
        // Whatever follows was not read by Java, so it cannot make the document unreadable.
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
        if let Some(byte) = self.peek() {
            let message = match byte {
                b'{' | b'[' => "a second document follows the first",
                b'/' | b'#' => "a comment follows the document; JSON has none",
                _ => "something follows the end of the document",
            };
            let start = self.at.max(end);
            self.flaw(FlawKind::TrailingData, message, start, self.text.len());
        }
        Some(root)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn flaw(&mut self, kind: FlawKind, message: impl Into<String>, start: usize, end: usize) {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.flaws.push(Flaw {
            kind,
            message: message.into(),
            span: Span {
                start: clamp(start),
                end: clamp(end),
            },
        });
    }

    fn stop<T>(&mut self, kind: FlawKind, message: impl Into<String>) -> Result<T, Stop> {
        let mut end = (self.at + 1).min(self.text.len());
        while !self.source.is_char_boundary(end) {
            end += 1;
        }
        self.flaw(kind, message, self.at, end);
        Err(Stop)
    }

    fn blanks(&mut self) -> Result<(), Stop> {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'/' | b'#' => {
                    return self.stop(FlawKind::Comment, "a comment, which JSON does not have");
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// What stands here instead of what should, for a message.
    fn here(&self) -> String {
        match self.source[self.at..].chars().next() {
            None => "the end of the text".to_owned(),
            Some(character) => format!("{character:?}"),
        }
    }

    fn span_from(&self, start: usize) -> Span {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span {
            start: clamp(start),
            end: clamp(self.at),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Stop> {
        self.values += 1;
        if self.values > VALUE_LIMIT {
            let message = format!("the document has more than {VALUE_LIMIT} values");
            return self.stop(FlawKind::TooLarge, message);
        }
        let start = self.at;
        let node = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Node::String(self.string()?.into()),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => self.number()?,
            Some(b'\'') => {
                let message = "a string in single quotes; JSON has double ones only";
                return self.stop(FlawKind::Syntax, message);
            }
            Some(byte) if byte.is_ascii_alphabetic() => self.word()?,
            _ => {
                let message = format!("a value is expected, not {}", self.here());
                return self.stop(FlawKind::Syntax, message);
            }
        };
        Ok(Value {
            node,
            span: self.span_from(start),
        })
    }

    fn deeper(&mut self, depth: usize) -> Result<(), Stop> {
        if depth >= DEPTH_LIMIT {
            let message = format!("the document is nested deeper than {DEPTH_LIMIT}");
            return self.stop(FlawKind::Depth, message);
        }
        self.at += 1;
        self.blanks()
    }

    fn object(&mut self, depth: usize) -> Result<Node, Stop> {
        self.deeper(depth)?;
        let mut members = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Node::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                let message = match self.peek() {
                    Some(b'}') => "a comma before the closing brace".to_owned(),
                    Some(b'\'') => "a key in single quotes; JSON has double ones only".to_owned(),
                    _ => format!("a key in double quotes is expected, not {}", self.here()),
                };
                return self.stop(FlawKind::Syntax, message);
            }
            let start = self.at;
            let key = self.string()?;
            let key_span = self.span_from(start);
            self.blanks()?;
            if self.peek() != Some(b':') {
                let message = format!("a colon is expected, not {}", self.here());
                return self.stop(FlawKind::Syntax, message);
            }
            self.at += 1;
            self.blanks()?;
            let value = self.value(depth + 1)?;
            members.push(Member {
                key: key.into(),
                key_span,
                value,
            });
            if !self.more(b'}')? {
                return Ok(Node::Object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Node, Stop> {
        self.deeper(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Node::Array(items));
        }
        loop {
            if self.peek() == Some(b']') {
                return self.stop(FlawKind::Syntax, "a comma before the closing bracket");
            }
            items.push(self.value(depth + 1)?);
            if !self.more(b']')? {
                return Ok(Node::Array(items));
            }
        }
    }

    /// After an element: whether another follows.
    fn more(&mut self, close: u8) -> Result<bool, Stop> {
        self.blanks()?;
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.blanks()?;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => {
                let close = char::from(close);
                let message = format!("a comma or {close:?} is expected, not {}", self.here());
                self.stop(FlawKind::Syntax, message)
            }
        }
    }

    fn word(&mut self) -> Result<Node, Stop> {
        let length = self.text[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let word = &self.source[self.at..self.at + length];
        let node = match word {
            "null" => Node::Null,
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            _ if word.starts_with("NaN") || word.starts_with("Infinity") => {
                let message = format!("{}, which JSON does not have", shorten(word));
                return self.stop(FlawKind::Number, message);
            }
            _ => {
                let hint = match word {
                    "True" | "False" | "None" => ", which is Python, not JSON",
                    _ => "",
                };
                let message = format!("the word {}{hint}", shorten(word));
                return self.stop(FlawKind::Syntax, message);
            }
        };
        self.at += length;
        Ok(node)
    }

    fn number(&mut self) -> Result<Node, Stop> {
        let length = self.text[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(byte))
            .count();
        let text = &self.source[self.at..self.at + length];
        if is_number(text) {
            let node = Node::Number(text.into());
            self.at += length;
            return Ok(node);
        }
        let digits = text.trim_start_matches(['-', '+']);
        let why = if digits.len() > 1
            && digits.starts_with('0')
            && digits[1..].starts_with(|c: char| c.is_ascii_digit())
        {
            "has a leading zero"
        } else {
            "is not a JSON number"
        };
        let message = format!("{} {why}", shorten(text));
        self.stop(FlawKind::Number, message)
    }

    fn string(&mut self) -> Result<String, Stop> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let run = self.text[self.at..]
                .iter()
                .position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let Some(run) = run else {
                self.at = start;
                return self.stop(FlawKind::Syntax, "a string that does not end");
            };
            text.push_str(&self.source[self.at..self.at + run]);
            self.at += run;
            match self.text[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => {
                    let character = self.escape()?;
                    text.push(character);
                }
                byte => {
                    let name = char::from(byte);
                    let message =
                        format!("the control character {name:?} in a string; it must be escaped");
                    return self.stop(FlawKind::Syntax, message);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Stop> {
        let simple = match self.text.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return self.stop(FlawKind::Syntax, "an unknown escape in a string"),
        };
        self.at += 2;
        Ok(simple)
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    fn unicode(&mut self) -> Result<char, Stop> {
        let Some(first) = self.hex(self.at + 2) else {
            return self.stop(FlawKind::Syntax, "\\u without four hexadecimal digits");
        };
        let start = self.at;
        self.at += 6;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with(b"\\u") {
            if let Some(second @ 0xdc00..0xe000) = self.hex(self.at + 2) {
                self.at += 6;
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
        }
        Ok(char::from_u32(first).unwrap_or_else(|| {
            let message = "half of a surrogate pair, which is no character";
            self.flaw(FlawKind::Encoding, message, start, start + 6);
            '\u{fffd}'
        }))
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

/// Whether a text is a number in JSON's grammar.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text.starts_with('0')) {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let count = digits(exponent);
        if count == 0 {
            return false;
        }
        rest = &exponent[count..];
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
