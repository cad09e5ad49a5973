//! The expressions in `depends`, `replaces` and `conflicts`.
//!
//! There is no public grammar. What is seen in the wild: terms `NAME` or `NAME (OP VERSION)`,
//! separated by commas, all of which must hold. Operators are Debian's: `<<`, `<=`, `=`, `>=`,
//! `>>`. Loose forms are read too, and marked: no brackets, a single `<` or `>`.

use std::cmp::Ordering;

use super::context::Context;
use super::document::{DocKind, Document, Place, is_blank};

/// How a version must compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

/// One term of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) product: String,
    pub(crate) bound: Option<(Operator, String)>,
    /// How the term differs from the form that Cloudera's own parcels have.
    pub(crate) loose: Option<&'static str>,
}

/// Reads an expression; for each term what it says, or what is wrong with it.
pub(crate) fn parse(text: &str) -> Vec<Result<Term, String>> {
    if is_blank(text) {
        return Vec::new();
    }
    text.split(',')
        .map(|term| parse_term(term.trim()))
        .collect()
}

fn parse_term(term: &str) -> Result<Term, String> {
    let end = term
        .find(|c: char| !is_word(c) || c == '<' || c == '>' || c == '=')
        .unwrap_or(term.len());
    let (product, rest) = term.split_at(end);
    if product.is_empty() {
        return Err(match term {
            "" => "a comma without a parcel beside it".to_owned(),
            _ => format!(
                "the name of a parcel is expected, not \"{}\"",
                term.escape_debug()
            ),
        });
    }
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok(Term {
            product: product.to_owned(),
            bound: None,
            loose: None,
        });
    }
    let mut loose = None;
    let inner = if let Some(inner) = rest.strip_prefix('(') {
        inner
            .strip_suffix(')')
            .ok_or_else(|| format!("the bracket after {product} is not closed"))?
    } else {
        loose = Some("the version stands in brackets");
        rest
    };
    let (operator, version) = parse_bound(inner, product, &mut loose)?;
    if loose.is_none() && !is_canonical(inner) {
        loose = Some("one blank stands between operator and version, and none elsewhere");
    }
    Ok(Term {
        product: product.to_owned(),
        bound: Some((operator, version.to_owned())),
        loose,
    })
}

/// Whether the inside of the brackets is `OP VERSION` with one blank.
fn is_canonical(inner: &str) -> bool {
    let version = inner.trim_start_matches(['<', '>', '=']);
    version.len() < inner.len()
        && version
            .strip_prefix(' ')
            .is_some_and(|version| version.trim() == version)
}

fn parse_bound<'t>(
    inner: &'t str,
    product: &str,
    loose: &mut Option<&'static str>,
) -> Result<(Operator, &'t str), String> {
    let inner = inner.trim();
    let length = inner
        .find(|c| !matches!(c, '<' | '>' | '=' | '!' | '~'))
        .unwrap_or(inner.len());
    let (operator, version) = inner.split_at(length);
    let operator = match operator {
        "<<" => Operator::Less,
        "<=" => Operator::AtMost,
        "=" => Operator::Equal,
        ">=" => Operator::AtLeast,
        ">>" => Operator::Greater,
        "<" => {
            loose.get_or_insert("less than is written <<");
            Operator::Less
        }
        ">" => {
            loose.get_or_insert("greater than is written >>");
            Operator::Greater
        }
        "==" => {
            loose.get_or_insert("equal is written =");
            Operator::Equal
        }
        "" => return Err(format!("an operator is expected after {product}")),
        other => return Err(format!("{other} after {product} is not an operator")),
    };
    let version = version.trim();
    if version.is_empty() {
        return Err(format!("a version is missing after {product}"));
    }
    if let Some(wrong) = version.chars().find(|&c| !is_word(c)) {
        return Err(format!(
            "the version of {product} has the character {wrong:?}"
        ));
    }
    Ok((operator, version))
}

/// Placeholders of templates count as words, so that they are reported once, as placeholders.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "._+~:-%${}#@".contains(c)
}

/// Compares versions as people do: numbers as numbers, the rest as text.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (segments(a), segments(b));
    loop {
        let ordering = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            // 5.2 comes before 5.2.1.
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                _ => a.cmp(b),
            },
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

/// Runs of digits and runs of letters.
fn segments(version: &str) -> impl Iterator<Item = &str> {
    let mut rest = version;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = rest.chars().next()?;
        let end = rest
            .find(|c: char| !c.is_alphanumeric() || c.is_ascii_digit() != first.is_ascii_digit())
            .unwrap_or(rest.len());
        let (segment, after) = rest.split_at(end);
        rest = after;
        Some(segment)
    })
}

/// A pair of bounds on one product that no version fulfils, if the terms have one.
pub(crate) fn empty_range(terms: &[&Term]) -> Option<(String, String)> {
    use Operator::{AtLeast, AtMost, Equal, Greater, Less};
    let bounds = |wanted: &[Operator]| -> Vec<(&Term, Operator, &str)> {
        terms
            .iter()
            .filter_map(|term| {
                let (operator, version) = term.bound.as_ref()?;
                wanted
                    .contains(operator)
                    .then_some((*term, *operator, version.as_str()))
            })
            .collect()
    };
    for (low, low_operator, from) in bounds(&[AtLeast, Greater, Equal]) {
        for (high, high_operator, to) in bounds(&[AtMost, Less, Equal]) {
            if low.product != high.product {
                continue;
            }
            let strict = low_operator == Greater || high_operator == Less;
            let empty = match compare(from, to) {
                Ordering::Less => false,
                Ordering::Equal => strict,
                Ordering::Greater => true,
            };
            if empty {
                return Some((low.to_string(), high.to_string()));
            }
        }
    }
    None
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some((operator, version)) = &self.bound else {
            return f.write_str(&self.product);
        };
        let operator = match operator {
            Operator::Less => "<<",
            Operator::AtMost => "<=",
            Operator::Equal => "=",
            Operator::AtLeast => ">=",
            Operator::Greater => ">>",
        };
        write!(f, "{} ({operator} {version})", self.product)
    }
}

/// An expression where it stands.
pub(crate) struct Relations<'d> {
    /// `depends`, `replaces` or `conflicts`.
    pub(crate) key: &'static str,
    pub(crate) place: Place<'d>,
    /// The product that says it.
    pub(crate) product: Option<String>,
    pub(crate) terms: Vec<Result<Term, String>>,
}

impl<'d> Relations<'d> {
    /// The expressions of all documents of a subject.
    pub(crate) fn of(context: &'d Context<'_>) -> Vec<Self> {
        let mut all = Vec::new();
        if let Some(root) = context.parcel_json().and_then(Document::root) {
            let product = root.get("name").and_then(|name| name.text());
            Self::collect(&root, product.as_deref(), &mut all);
        }
        let manifest = context.document(DocKind::Manifest);
        if let Some(parcels) = manifest.and_then(|doc| doc.get("parcels")) {
            for entry in parcels.items() {
                let name = entry.get("parcelName").and_then(|name| name.text());
                let product = name.as_deref().and_then(|name| name.split('-').next());
                Self::collect(&entry, product, &mut all);
            }
        }
        all
    }

    fn collect(object: &Place<'d>, product: Option<&str>, all: &mut Vec<Self>) {
        for key in ["depends", "replaces", "conflicts"] {
            let Some(place) = object.get(key) else {
                continue;
            };
            let Some(text) = place.text() else { continue };
            let terms = parse(&text);
            all.push(Self {
                key,
                place,
                product: product.map(str::to_owned),
                terms,
            });
        }
    }

    /// The terms that could be read.
    pub(crate) fn read(&self) -> Vec<&Term> {
        self.terms.iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> Result<Term, String> {
        parse(text).remove(0)
    }

    #[test]
    fn reads_the_forms_that_real_parcels_have() {
        for (text, printed) in [
            ("CDH", "CDH"),
            ("CDH (>= 5.2)", "CDH (>= 5.2)"),
            ("CDH (<< 7.0)", "CDH (<< 7.0)"),
            ("CDH (>> 5.13.1.)", "CDH (>> 5.13.1.)"),
        ] {
            let term = one(text).unwrap();
            assert_eq!((term.to_string().as_str(), term.loose), (printed, None));
        }
        assert_eq!(parse("IMPALA, SOLR, SPARK").len(), 3);
        assert!(parse(" ").is_empty());
    }

    #[test]
    fn reads_loose_forms_and_says_so() {
        for (text, printed) in [
            ("foo >= 1.0", "foo (>= 1.0)"),
            ("baz < 3.0", "baz (<< 3.0)"),
            ("CDH (>=5.7.1 )", "CDH (>= 5.7.1)"),
            ("CDH(>= 5)", "CDH (>= 5)"),
        ] {
            let term = one(text).unwrap();
            assert_eq!(term.to_string(), printed);
            assert!(term.loose.is_some() || text == "CDH(>= 5)", "{text}");
        }
    }

    #[test]
    fn refuses_what_means_nothing() {
        for text in [
            "CDH (",
            "CDH ()",
            "CDH (5.2)",
            "CDH (>= )",
            "CDH, ,",
            "(>= 5)",
            "CDH 5.2",
            "CDH (!= 5)",
            "CDH (>= 5 6)",
            "a/b",
        ] {
            assert!(parse(text).iter().any(Result::is_err), "{text}");
        }
    }

    #[test]
    fn finds_ranges_that_no_version_fulfils() {
        for (text, empty) in [
            ("CDH (>= 5.7.1), CDH (<< 5.7.1)", true),
            ("CDH (>= 6), CDH (<= 5.16)", true),
            ("CDH (>= 5.9), CDH (<< 5.15)", false),
            ("CDH (>= 5), CDH (<= 5)", false),
            ("CDH (>= 6), SPARK (<= 5)", false),
            ("CDH (= 5), CDH (= 6)", true),
        ] {
            let terms = parse(text);
            let terms: Vec<_> = terms.iter().flatten().collect();
            assert_eq!(empty_range(&terms).is_some(), empty, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[A-Z0-9.(),<>= é-]{0,30}") {
            let terms = parse(&text);
            let terms: Vec<_> = terms.iter().flatten().collect();
            let _ = empty_range(&terms);
        }

        #[test]
        fn what_is_printed_reads_back(product in "[A-Z]{1,8}", version in "[0-9.a-z]{1,8}") {
            let term = Term {
                product,
                bound: Some((Operator::AtLeast, version)),
                loose: None,
            };
            prop_assert_eq!(one(&term.to_string()).unwrap(), term);
        }
    }
}
