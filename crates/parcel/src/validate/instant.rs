//! Points in time as Cloudera Manager's reader (Joda-Time) takes them from a text.
//!
//! The grammar is ISO 8601 with almost everything optional: a year of up to nine digits alone is a
//! point in time, and so is `T`. A text of ten digits is not, which is why epoch seconds in quotes
//! are refused while epoch seconds as a number are taken for milliseconds.

/// Whether a text is a point in time. Blank texts are the caller's business.
pub(crate) fn is_instant(text: &str) -> bool {
    let mut cursor = Cursor { rest: text.trim() };
    if cursor.eat('T') {
        return !cursor.rest.is_empty() && cursor.time_and_offset() && cursor.rest.is_empty();
    }
    cursor.date() && (!cursor.eat('T') || cursor.time_and_offset()) && cursor.rest.is_empty()
}

struct Cursor<'t> {
    rest: &'t str,
}

impl Cursor<'_> {
    /// Takes a mark; letters in either case, as Joda does.
    fn eat(&mut self, mark: char) -> bool {
        let rest = self
            .rest
            .strip_prefix(mark)
            .or_else(|| self.rest.strip_prefix(mark.to_ascii_lowercase()));
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// So many digits at most, whose number lies in the range.
    fn number(&mut self, digits: usize, low: u32, high: u32) -> Option<u32> {
        let length = self
            .rest
            .bytes()
            .take(digits)
            .take_while(u8::is_ascii_digit)
            .count();
        let (number, rest) = self.rest.split_at(length);
        self.rest = rest;
        let number = number.parse().ok()?;
        (low..=high).contains(&number).then_some(number)
    }

    fn date(&mut self) -> bool {
        /// The last year that milliseconds in 64 bits reach.
        const LAST_YEAR: u32 = 292_275_053;
        if !self.eat('-') {
            self.eat('+');
        }
        let Some(year) = self.number(9, 0, LAST_YEAR) else {
            return false;
        };
        if !self.eat('-') {
            return true;
        }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        if self.eat('W') {
            // Few years have a week 53; which ones is not worth the code.
            return self.number(2, 1, 52).is_some()
                && (!self.eat('-') || self.number(1, 1, 7).is_some());
        }
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 3 {
            return self.number(3, 1, if leap { 366 } else { 365 }).is_some();
        }
        let Some(month) = self.number(2, 1, 12) else {
            return false;
        };
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        !self.eat('-') || self.number(2, 1, days).is_some()
    }

    fn time_and_offset(&mut self) -> bool {
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            if self.number(2, 0, 23).is_none() {
                return false;
            }
            for _ in 0..2 {
                if self.eat(':') && self.number(2, 0, 59).is_none() {
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
        if self.number(2, 0, 23).is_none() {
            return false;
        }
        self.eat(':');
        self.rest.is_empty() || self.number(2, 0, 59).is_some()
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
            "2016-02-29",
            "2014-02-10t00:00z",
            "2016-02-29",
            "2014-02-10t00:00z",
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
            "2014-02-30",
            "2015-02-29",
            "999999999",
            "T",
            "2014-02-10 10:00",
            "10/02/2014",
            "é",
        ] {
            assert!(!is_instant(text), "{text}");
        }
    }
}
