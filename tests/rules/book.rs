//! The rules as pages: their order, their texts, and the file made of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use parcel::distro;
use parcel::validate::{HEADINGS, Severity, rules};

#[test]
fn codes_are_sorted_and_unique_and_well_formed() {
    let codes: Vec<&str> = rules().map(|rule| rule.code).collect();
    let sorted: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(codes, Vec::from_iter(sorted));
    for code in codes {
        let (letter, digits) = code.split_at(1);
        assert!(
            letter.bytes().all(|byte| byte.is_ascii_uppercase()),
            "{code}"
        );
        assert!(
            digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()),
            "{code}"
        );
    }
}

#[test]
fn names_are_unique_and_in_kebab_case() {
    let mut seen = BTreeSet::new();
    for rule in rules() {
        let name = rule.name;
        assert!(seen.insert(name), "{name} twice");
        let kebab = name.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        assert!(kebab, "{name}");
    }
}

#[test]
fn explanations_have_every_heading_in_order_and_something_under_each() {
    for rule in rules() {
        let text = rule.explanation();
        let mut rest = text.as_str();
        for heading in HEADINGS {
            let (before, after) = rest
                .split_once(&format!("{heading}\n"))
                .unwrap_or_else(|| panic!("{}: {heading} is missing", rule.code));
            assert!(!before.trim().is_empty(), "{} before {heading}", rule.code);
            rest = after;
        }
        assert!(
            !rest.trim().is_empty(),
            "{}: the source is empty",
            rule.code
        );
        assert!(
            rule.summary().ends_with('.'),
            "{}: {}",
            rule.code,
            rule.summary()
        );
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Rules\n\n\
         Made from the doc comments above the rules; `parcelctl explain CODE` prints the same text.\n\n\
         The letter tells the subject: A `alternatives.json`, C content of files, D shape of documents, \
         E entries, J JSON, M `permissions.json`, N names, P `parcel.json`, R manifest and repository, \
         S defines script, T archive, X expressions.\n\n\
         | code | name | severity | |\n|---|---|---|---|\n",
    );
    for rule in rules() {
        let (code, name) = (rule.code, rule.name);
        writeln!(
            page,
            "| [{code}](#{}-{name}) | {name} | {} | {} |",
            code.to_lowercase(),
            severity(rule.severity),
            rule.summary()
        )
        .unwrap();
    }
    writeln!(page, "\n# The distro table, as of {}\n", distro::AS_OF).unwrap();
    page.push_str("| suffix | system | platform | glibc |\n|---|---|---|---|\n");
    for row in distro::TABLE {
        let cells = [row.suffix, row.system, row.platform, row.glibc];
        writeln!(page, "| {} |", cells.join(" | ")).unwrap();
    }
    for rule in rules() {
        writeln!(page, "\n# {} {}\n", rule.code, rule.name).unwrap();
        writeln!(page, "Severity: {}\n", severity(rule.severity)).unwrap();
        page.push_str(&rule.explanation());
    }
    page
}

/// Run with `BLESS=1` to write the page anew.
#[test]
fn the_page_of_rules_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let page = page();
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told by the environment"
    )]
    let bless = std::env::var_os("BLESS").is_some();
    if bless {
        fs_err::write(&path, &page).unwrap();
    }
    let kept = fs_err::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "docs/rules.md is out of date; write it anew with BLESS=1 cargo test -p parcel --test rules"
    );
}
