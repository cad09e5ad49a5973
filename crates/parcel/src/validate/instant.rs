//! Points in time as Cloudera Manager's reader (Joda-Time) takes them from a text.
//!
//! The grammar is ISO 8601 with almost everything optional: a year of up to nine digits alone is a
//! point in time, and so is `T`. A text of ten digits is not, which is why epoch seconds in quotes
//! are refused while epoch seconds as a number are taken for milliseconds.

/// Whether a text is a point in time. Blank texts are the caller's business.
pub(crate) fn is_instant(text: &str) -> bool {
    let mut cursor = Cursor { rest: text.trim() };
    if cursor.eat('T') {
        return cursor.time_and_offset() && cursor.rest.is_empty();
    }
    cursor.date() && (!cursor.eat('T') || cursor.time_and_offset()) && cursor.rest.is_empty()
}

struct Cursor<'t> {
    rest: &'t str,
}

impl Cursor<'_> {
    fn eat(&mut self, character: char) -> bool {
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// So many digits at most, whose number lies in the range.
    fn number(&mut self, digits: usize, low: u32, high: u32) -> bool {
        let length = self
            .rest
            .bytes()
            .take(digits)
            .take_while(u8::is_ascii_digit)
            .count();
        let (number, rest) = self.rest.split_at(length);
        self.rest = rest;
        number
            .parse::<u32>()
            .is_ok_and(|number| (low..=high).contains(&number))
    }

    fn date(&mut self) -> bool {
        if !self.eat('-') {
            self.eat('+');
        }
        if !self.number(9, 0, 999_999_999) {
            return false;
        }
        if !self.eat('-') {
            return true;
        }
        if self.eat('W') {
            return self.number(2, 1, 53) && (!self.eat('-') || self.number(1, 1, 7));
        }
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 3 {
            return self.number(3, 1, 366);
        }
        self.number(2, 1, 12) && (!self.eat('-') || self.number(2, 1, 31))
    }

    fn time_and_offset(&mut self) -> bool {
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            if !self.number(2, 0, 23) {
                return false;
            }
            for _ in 0..2 {
                if self.eat(':') && !self.number(2, 0, 59) {
                    return false;
                }
            }
            if (self.eat('.') || self.eat(',')) && !self.fraction() {
                return false;
            }
        }
        self.offset()
    }

    fn fraction(&mut self) -> bool {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        self.rest = &self.rest[length..];
        length > 0
    }

    fn offset(&mut self) -> bool {
        if self.eat('Z') {
            return true;
        }
        if !(self.eat('+') || self.eat('-')) {
            return true;
        }
        if !self.number(2, 0, 23) {
            return false;
        }
        self.eat(':');
        self.rest.is_empty() || self.number(2, 0, 59)
    }
}

#[cfg(test)]
mod tests {
    use super::is_instant;

    #[test]
    fn takes_what_joda_takes() {
        for text in [
            "1",
            "2014",
            "2014-02",
            "2014-02-10",
            "2014-02-10T00:00:00Z",
            "2014-02-10T00:00:00.123+01:00",
            "2014-W07-1",
            "2014-041",
            "-1",
            " 2014 ",
            "T10:00",
            "2014-02-10T10",
        ] {
            assert!(is_instant(text), "{text}");
        }
        for text in [
            "1392073012",
            "true",
            "x",
            "a-b",
            "..",
            "2014-13-01",
            "2014-02-10 10:00",
            "10/02/2014",
            "é",
        ] {
            assert!(!is_instant(text), "{text}");
        }
    }
}
