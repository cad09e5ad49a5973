//! Makes text of bytes, and notes what is odd about their encoding.

use super::{Flaw, FlawKind, Span};

pub(super) const NOT_TEXT: &str = "the text is not UTF-8";

/// Makes text of bytes, and notes what is odd about their encoding.
pub(super) fn decode(bytes: &[u8], flaws: &mut Vec<Flaw>) -> String {
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
