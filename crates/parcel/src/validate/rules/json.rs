//! J1xx: whether a document is JSON at all.

use crate::validate::context::{Context, Slot};
use crate::validate::document::{DocKind, Document};
use crate::validate::json::FlawKind;
use crate::validate::rule::{Findings, rules};

rules! {
    /// A document is not JSON.
    ///
    /// ## What it checks
    /// That `parcel.json`, `alternatives.json`, `permissions.json` and `manifest.json` are texts in
    /// the grammar of JSON: quotes are double, commas stand between elements and not after the last,
    /// control characters in strings are escaped.
    ///
    /// ## Why it matters
    /// Cloudera Manager cannot read the parcel's metadata and marks the parcel invalid; an agent logs
    /// an exception and does not know the parcel. No other rule can look at the document.
    ///
    /// ## Example
    /// ```json
    /// {"name": "ANALYTICS", "version": "1.0",}
    /// ```
    ///
    /// ## How to fix
    /// Mend the text at the line and column given; `python3 -m json.tool FILE` shows the same place.
    ///
    /// ## Source
    /// RFC 8259; the reader of Cloudera's validator (Jackson) with its default features.
    "J101" "invalid-json" Error [] => invalid_json;

    /// A document begins with a byte-order mark.
    ///
    /// ## What it checks
    /// That the first bytes are not `EF BB BF`.
    ///
    /// ## Why it matters
    /// Cloudera Manager's Java reader skips the mark, but the agents read `meta/*.json` with Python,
    /// which refuses it: the parcel is distributed and then unknown on every host.
    ///
    /// ## Example
    /// A file saved by an editor on Windows as "UTF-8 with BOM".
    ///
    /// ## How to fix
    /// `sed -i '1s/^\xef\xbb\xbf//' FILE`, or save it as UTF-8 without a byte-order mark.
    ///
    /// ## Source
    /// RFC 8259 section 8.1; Python's `json` module ("Unexpected UTF-8 BOM"). Cloudera's validator
    /// accepts it.
    "J102" "byte-order-mark" Error [] => byte_order_mark;

    /// Something follows the end of a document.
    ///
    /// ## What it checks
    /// That nothing but blanks follows the closing brace.
    ///
    /// ## Why it matters
    /// Java stops reading at the end of the first value and never sees the rest; Python, in the
    /// agents and in `make_manifest.py`, raises "Extra data". What is meant by the second half is
    /// lost without a word in one and fatal in the other.
    ///
    /// ## Example
    /// ```json
    /// {"name": "A"} {"name": "B"}
    /// ```
    ///
    /// ## How to fix
    /// Keep one document per file; delete what follows.
    ///
    /// ## Source
    /// Cloudera's validator accepts it (Jackson without `FAIL_ON_TRAILING_TOKENS`); Python's `json`
    /// does not.
    "J103" "trailing-data" Error [] => trailing_data;

    /// A document holds a comment.
    ///
    /// ## What it checks
    /// That no `//`, `/* */` or `#` stands outside strings.
    ///
    /// ## Why it matters
    /// JSON has no comments, and neither Cloudera Manager nor the agents read them: the parcel is
    /// invalid.
    ///
    /// ## Example
    /// ```json
    /// {
    ///   // the version
    ///   "version": "1.0"
    /// }
    /// ```
    ///
    /// ## How to fix
    /// Delete the comment; put remarks into `meta/release-notes.txt`.
    ///
    /// ## Source
    /// Jackson: "Feature 'ALLOW_COMMENTS' not enabled for parser".
    "J104" "json-comment" Error [] => comment;

    /// A document is not UTF-8.
    ///
    /// ## What it checks
    /// That the bytes are UTF-8, not UTF-16, UTF-32 or Latin-1, and that no escape is half of a
    /// surrogate pair.
    ///
    /// ## Why it matters
    /// Java guesses UTF-16 and UTF-32 right; Python 2 agents do not, and Latin-1 is read by neither.
    ///
    /// ## Example
    /// A file written by PowerShell's `>`, which is UTF-16.
    ///
    /// ## How to fix
    /// `iconv -f UTF-16 -t UTF-8 FILE` (or `-f LATIN1`).
    ///
    /// ## Source
    /// RFC 8259 section 8.1: "JSON text exchanged between systems MUST be encoded using UTF-8".
    /// Cloudera's validator accepts UTF-16 and UTF-32.
    "J105" "wrong-encoding" Error [] => encoding;

    /// A document is nested far too deep.
    ///
    /// ## What it checks
    /// That no value lies deeper than 100 levels. No document of a parcel needs more than seven.
    ///
    /// ## Why it matters
    /// Readers follow the nesting with their stack. Old ones run out of it and take the process
    /// along, new ones refuse at a limit of their own. Such a document is an attack or a broken
    /// generator.
    ///
    /// ## Example
    /// `[[[[[[...]]]]]]`, a hundred thousand times.
    ///
    /// ## How to fix
    /// Write the document anew.
    ///
    /// ## Source
    /// Jackson 2.15 and later refuse at 1000; older ones end in a `StackOverflowError`.
    "J106" "nested-too-deep" Error [] => depth;

    /// A number is not a JSON number.
    ///
    /// ## What it checks
    /// That no number has a leading zero or plus, ends in a point, or is `NaN` or `Infinity`.
    ///
    /// ## Why it matters
    /// Cloudera Manager refuses the document. The usual cause is a file mode written as a number.
    ///
    /// ## Example
    /// ```json
    /// {"bin/tool": {"user": "root", "group": "root", "permissions": 0755}}
    /// ```
    ///
    /// ## How to fix
    /// Write modes as strings: `"permissions": "0755"`.
    ///
    /// ## Source
    /// RFC 8259 section 6; Jackson: "Leading zeroes not allowed", "Non-standard token 'NaN'".
    "J107" "not-a-number" Error [] => number;

    /// A document is empty.
    ///
    /// ## What it checks
    /// That there is a value at all.
    ///
    /// ## Why it matters
    /// An empty file is not JSON: Cloudera Manager and the agents fail to read it. A document that
    /// has nothing to say is `{}`, or is left out.
    ///
    /// ## Example
    /// A `permissions.json` made by `touch`.
    ///
    /// ## How to fix
    /// Delete the file, or write `{}` into it.
    ///
    /// ## Source
    /// Jackson: "No content to map due to end-of-input".
    "J108" "empty-document" Error [] => empty;

    /// A document is too large to be looked at.
    ///
    /// ## What it checks
    /// That a document has at most 16 MiB and a million values.
    ///
    /// ## Why it matters
    /// Cloudera Manager and every agent hold the metadata of all parcels in memory. The largest
    /// `parcel.json` known, with every package of CDH, is under 100 KiB.
    ///
    /// ## Example
    /// A `parcel.json` that lists every file of the parcel as a component.
    ///
    /// ## How to fix
    /// List packages, not files.
    ///
    /// ## Source
    /// Our own limit; it keeps a hostile parcel from filling the memory of whoever validates it.
    "J109" "document-too-large" Error [] => too_large;
}

/// Reports the flaws of one kind in all documents.
fn flaws(context: &Context<'_>, kind: FlawKind, found: &mut Findings<'_>, hint: &str) {
    for document in context.documents() {
        for flaw in document
            .parsed
            .flaws
            .iter()
            .filter(|flaw| flaw.kind == kind)
        {
            let finding = found.report(flaw.message.clone());
            finding.in_document(document, "", flaw.span);
            // A text that is not JSON has no values to point at.
            finding.pointer = None;
            if !hint.is_empty() {
                finding.hint(hint);
            }
        }
    }
}

fn invalid_json(context: &Context<'_>, found: &mut Findings<'_>) {
    flaws(context, FlawKind::Syntax, found, "");
}

fn byte_order_mark(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "save the file as UTF-8 without a byte-order mark";
    flaws(context, FlawKind::ByteOrderMark, found, hint);
}

fn trailing_data(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "delete what follows; Java never sees it and Python refuses the file";
    flaws(context, FlawKind::TrailingData, found, hint);
}

fn comment(context: &Context<'_>, found: &mut Findings<'_>) {
    flaws(context, FlawKind::Comment, found, "delete the comment");
}

fn encoding(context: &Context<'_>, found: &mut Findings<'_>) {
    flaws(
        context,
        FlawKind::Encoding,
        found,
        "convert the file to UTF-8 with iconv",
    );
}

fn depth(context: &Context<'_>, found: &mut Findings<'_>) {
    flaws(context, FlawKind::Depth, found, "");
}

fn number(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "modes and versions are strings: put them in double quotes";
    flaws(context, FlawKind::Number, found, hint);
}

fn empty(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "delete the file, or write {} into it if it has nothing to say";
    flaws(context, FlawKind::Empty, found, hint);
}

fn too_large(context: &Context<'_>, found: &mut Findings<'_>) {
    flaws(context, FlawKind::TooLarge, found, "");
    for kind in DocKind::ALL {
        if let Slot::TooLarge { size_bytes } = context.slot(kind) {
            let message = format!("the document has {size_bytes} bytes, which is too large");
            found.report(message).file(Document::path_of(context, kind));
        }
    }
}
