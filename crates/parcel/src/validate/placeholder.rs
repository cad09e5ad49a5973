//! Placeholders that a template's build should have replaced.

/// The first placeholder in a text, in any of the styles that templates of parcels have.
pub(crate) fn find(text: &str) -> Option<&str> {
    text.char_indices().find_map(|(start, character)| {
        let rest = &text[start..];
        let length = match character {
            '%' => enclosed(rest, "%", "%", is_word),
            '$' => enclosed(rest, "${", "}", |c| is_word(c) || c == '-' || c == ':'),
            '{' => enclosed(rest, "{{", "}}", |c| is_word(c) || " -|()'\"".contains(c)),
            '_' => upper(rest, "__"),
            '#' => upper(rest, "##").or_else(|| upper(rest, "#")),
            '<' => enclosed(rest, "<", ">", |c| is_word(c) || c == '-' || c == ' '),
            '@' => upper(rest, "@"),
            _ => None,
        }?;
        Some(&rest[..length])
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

/// The length of a placeholder between two marks.
fn enclosed(text: &str, open: &str, close: &str, inside: impl Fn(char) -> bool) -> Option<usize> {
    let rest = text.strip_prefix(open)?;
    let end = rest.find(close)?;
    let name = &rest[..end];
    let named = name.chars().any(|c| c.is_ascii_alphabetic()) && name.chars().all(inside);
    named.then_some(open.len() + end + close.len())
}

/// The length of a placeholder in capital letters between two marks that also occur in names.
fn upper(text: &str, mark: &str) -> Option<usize> {
    let rest = text.strip_prefix(mark)?;
    let end = rest.find(mark)?;
    let name = &rest[..end];
    let inside = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let named = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(inside);
    named.then_some(mark.len() + end + mark.len())
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn knows_every_style() {
        for (text, placeholder) in [
            ("%VERSION%-1", "%VERSION%"),
            ("a-${parcel.version.base}", "${parcel.version.base}"),
            ("{{ version }}", "{{ version }}"),
            ("__PARCEL_VERSION__-el6", "__PARCEL_VERSION__"),
            ("#ARCH#", "#ARCH#"),
            ("##VERSION##", "##VERSION##"),
            ("<VERSION-FULL>", "<VERSION-FULL>"),
            ("@VERSION@", "@VERSION@"),
        ] {
            assert_eq!(find(text), Some(placeholder), "{text}");
        }
    }

    #[test]
    fn leaves_ordinary_texts_alone() {
        for text in [
            "100% of 5%",
            "1.0",
            "CDH (<< 7.0), CDH (>= 5)",
            "__init__",
            "c#",
            "a # b # c",
            "$HOME",
            "{}",
            "me@example.org",
            "_sysroot_linux-64_curr_repodata_hack",
            "__glibc",
            "5 < 6 > 4",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
