//! The reader itself: one pass from left to right, which stops at the first thing that is not JSON.

use super::{Flaw, FlawKind, Member, Node, Span, Value, shorten};

/// No document of a parcel is nested deeper than seven; Cloudera Manager's reader gives up at
/// a thousand or runs out of stack, depending on its age.
const DEPTH_LIMIT: usize = 100;
/// Keeps a document of a few megabytes of `[],[],[]` from filling the memory.
pub(super) const VALUE_LIMIT: usize = 1_000_000;

/// Reads a text.
pub(super) struct Reader<'t> {
    pub(super) text: &'t [u8],
    pub(super) source: &'t str,
    pub(super) at: usize,
    pub(super) values: usize,
    pub(super) flaws: Vec<Flaw>,
}

/// The text is not JSON; the flaw was noted.
struct Stop;

impl Reader<'_> {
    /// The whole document.
    pub(super) fn document(&mut self) -> Option<Value> {
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
        if (0xd800..0xdc00).contains(&first)
            && self.text[self.at..].starts_with(b"\\u")
            && let Some(second @ 0xdc00..0xe000) = self.hex(self.at + 2)
        {
            self.at += 6;
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
        }
        Ok(char::from_u32(first).unwrap_or_else(|| {
            let message = "half of a surrogate pair, which is no character";
            self.flaw(FlawKind::Encoding, message, start, start + 6);
            '\u{fffd}'
        }))
    }
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
