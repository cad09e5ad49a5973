//! X1xx: the expressions in `depends`, `replaces` and `conflicts`.

use crate::validate::context::Context;
use crate::validate::json::shorten;
use crate::validate::relation::empty_range;
use crate::validate::rule::{Findings, rules};

rules! {
    /// An expression cannot be understood.
    ///
    /// ## What it checks
    /// That `depends`, `replaces` and `conflicts` are terms `NAME` or `NAME (OP VERSION)` with commas
    /// between them, where OP is one of `<<`, `<=`, `=`, `>=`, `>>`.
    ///
    /// ## Why it matters
    /// Cloudera Manager reads the expression when the parcel is activated. What it makes of one that
    /// is malformed is not documented; it cannot be what was meant.
    ///
    /// ## Example
    /// `"depends": "CDH (5.2)"`
    ///
    /// ## How to fix
    /// `"depends": "CDH (>= 5.2), CDH (<< 6.0)"`
    ///
    /// ## Source
    /// Cloudera's wiki and published parcels; there is no public grammar. Cloudera's validator does
    /// not look.
    "X101" "relation-syntax" Warning [] => syntax;

    /// An expression is written in a loose form.
    ///
    /// ## What it checks
    /// That the version stands in brackets, that the operator is a full one (`<<`, not `<`), and that
    /// one blank stands between operator and version.
    ///
    /// ## Why it matters
    /// Such forms occur in public parcels, but nobody says which Cloudera Managers read them.
    ///
    /// ## Example
    /// `CDH >= 5.2`, `CDH (>=5.7.1 )`
    ///
    /// ## How to fix
    /// `CDH (>= 5.2)`
    ///
    /// ## Source
    /// The test data of Cloudera's validator and a public parcel.
    "X102" "loose-relation" Note [] => loose;

    /// No version fulfils an expression.
    ///
    /// ## What it checks
    /// That the bounds that `depends` puts on one product leave a version over.
    ///
    /// ## Why it matters
    /// All terms must hold, so the parcel can never be activated.
    ///
    /// ## Example
    /// `CDH (>= 5.7.1), CDH (<< 5.7.1)`
    ///
    /// ## How to fix
    /// Widen the range; for one version alone write `CDH (= 5.7.1)`.
    ///
    /// ## Source
    /// A public parcel with this very expression.
    "X103" "empty-range" Warning [] => range;

    /// A parcel depends on itself or conflicts with itself.
    ///
    /// ## What it checks
    /// That `depends` and `conflicts` do not name the parcel's own product. `replaces` may.
    ///
    /// ## Why it matters
    /// One version of a product is active at a time anyway; a parcel that conflicts with its own
    /// product cannot be upgraded without taking the old one away first, one that depends on it can
    /// never be the first.
    ///
    /// ## Example
    /// `"name": "KYUUBI", "conflicts": "KYUUBI"`
    ///
    /// ## How to fix
    /// Delete the term.
    ///
    /// ## Source
    /// A public parcel that conflicts with itself.
    "X104" "relation-to-itself" Warning [] => itself;
}

fn syntax(context: &Context<'_>, found: &mut Findings<'_>) {
    for relations in context.relations() {
        for fault in relations
            .terms
            .iter()
            .filter_map(|term| term.as_ref().err())
        {
            found
                .report(format!("{}: {fault}", relations.key))
                .at(&relations.place)
                .hint("write it like \"CDH (>= 5.15), SPARK\"");
        }
    }
}

fn loose(context: &Context<'_>, found: &mut Findings<'_>) {
    for relations in context.relations() {
        for term in relations.read() {
            if let Some(rule) = term.loose {
                found
                    .report(format!("{}: {rule}", relations.key))
                    .at(&relations.place)
                    .hint(format!("write {term}"));
            }
        }
    }
}

fn range(context: &Context<'_>, found: &mut Findings<'_>) {
    for relations in context.relations() {
        if relations.key != "depends" {
            continue;
        }
        if let Some((low, high)) = empty_range(&relations.read()) {
            found
                .report(format!("depends: no version is both {low} and {high}"))
                .at(&relations.place);
        }
    }
}

fn itself(context: &Context<'_>, found: &mut Findings<'_>) {
    for relations in context.relations() {
        let Some(product) = &relations.product else {
            continue;
        };
        let names_itself = relations.read().iter().any(|term| term.product == *product);
        if relations.key != "replaces" && names_itself {
            found
                .report(format!(
                    "{} names the parcel itself, {}",
                    relations.key,
                    shorten(product)
                ))
                .at(&relations.place);
        }
    }
}
