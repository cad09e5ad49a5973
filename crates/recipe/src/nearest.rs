//! The word that was most likely meant.

/// The known word nearest to what was written, if one is near enough to be a slip of the keys.
pub(crate) fn nearest<'a, S: AsRef<str>>(written: &str, known: &'a [S]) -> Option<&'a str> {
    known
        .iter()
        .map(|word| (strsim::levenshtein(written, word.as_ref()), word.as_ref()))
        .min()
        .filter(|&(distance, word)| distance <= 1 + word.chars().count() / 4)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_slip_and_does_not_guess_wildly() {
        let known = ["distros", "depends", "name"];
        assert_eq!(nearest("distro", &known), Some("distros"));
        assert_eq!(nearest("depend", &known), Some("depends"));
        assert_eq!(nearest("zzz", &known), None);
    }
}
