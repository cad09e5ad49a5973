//! The word that was most likely meant.

/// The known word nearest to what was written, if one is near enough to be a slip of the keys.
pub(crate) fn nearest<'a, S: AsRef<str>>(written: &str, known: &'a [S]) -> Option<&'a str> {
    known
        .iter()
        .map(|word| (distance(written, word.as_ref()), word.as_ref()))
        .min()
        .filter(|&(distance, word)| distance <= 1 + word.chars().count() / 4)
        .map(|(_, word)| word)
}

/// How many characters must be added, removed or changed to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
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
