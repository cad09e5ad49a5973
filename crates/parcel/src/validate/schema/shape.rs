//! The shapes of the four documents, as data.

use crate::validate::document::DocKind;

/// What a value must be.
pub(super) enum Shape {
    /// A string; numbers and booleans are converted.
    Text,
    /// A whole number of 32 bits.
    Integer,
    /// `true` or `false`.
    Flag,
    /// Milliseconds since 1970, or a text in ISO 8601.
    Instant,
    /// What to restart.
    Scope,
    /// A set of strings.
    Texts,
    /// A list of objects.
    List(&'static Record),
    /// Any keys, all of one shape.
    Map(&'static Shape),
    /// Known keys.
    Record(&'static Record),
}

impl Shape {
    /// A value for the hint about a missing field.
    pub(super) fn sample(&self) -> &'static str {
        match self {
            Self::Text => "\"...\"",
            Self::Integer => "1",
            Self::Flag => "true",
            Self::Instant => "1700000000000",
            Self::Scope => "\"SERVICE_ONLY\"",
            Self::Texts | Self::List(_) => "[]",
            Self::Map(_) => "{}",
            Self::Record(_) => "{...}",
        }
    }
}

/// A member that an object may have.
pub(super) struct Field {
    pub(super) key: &'static str,
    pub(super) shape: Shape,
    /// Whether it must be there, not null and, where it is a text, not blank.
    pub(super) required: bool,
}

/// An object with known keys.
pub(super) struct Record {
    /// What it is, for messages.
    pub(super) what: &'static str,
    pub(super) fields: &'static [Field],
    /// The field that must differ between the elements of a list.
    pub(super) unique: &'static str,
    /// Keys that newer Cloudera Managers write and the reference does not know.
    pub(super) newer: &'static [&'static str],
    /// Keys that were given up, with what to do instead.
    pub(super) retired: &'static [(&'static str, &'static str)],
}

impl Record {
    pub(super) fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// The key that this one is in another spelling, with humps or with underscores.
    pub(super) fn camel_case(&self, key: &str) -> Option<&'static str> {
        let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
        let key = plain(key);
        self.fields
            .iter()
            .map(|field| field.key)
            .find(|known| plain(known) == key)
    }

    /// The key that a misspelled one is nearest to, if any is near.
    pub(super) fn nearest(&self, key: &str) -> Option<&'static str> {
        let key: String = key.to_lowercase().chars().take(64).collect();
        self.fields
            .iter()
            .map(|field| {
                let distance = strsim::levenshtein(&key, &field.key.to_lowercase());
                (distance, field.key)
            })
            .filter(|&(distance, known)| distance <= known.len() / 3)
            .min()
            .map(|(_, known)| known)
    }
}

/// The constants of [`Shape::Scope`], in Java's order.
pub(super) const SCOPES: [&str; 3] = ["SERVICE_ONLY", "DEPENDENTS_ONLY", "SERVICE_AND_DEPENDENTS"];

const fn must(key: &'static str, shape: Shape) -> Field {
    Field {
        key,
        shape,
        required: true,
    }
}

const fn may(key: &'static str, shape: Shape) -> Field {
    Field {
        key,
        shape,
        required: false,
    }
}

const fn record(what: &'static str, fields: &'static [Field]) -> Record {
    Record {
        what,
        fields,
        unique: "name",
        newer: &[],
        retired: &[],
    }
}

/// The shape of a kind of document.
pub(super) fn of(kind: DocKind) -> &'static Shape {
    static SHAPES: [Shape; 4] = [
        Shape::Record(&PARCEL),
        Shape::Map(&Shape::Record(&ALTERNATIVE)),
        Shape::Map(&Shape::Record(&PERMISSION)),
        Shape::Record(&MANIFEST),
    ];
    &SHAPES[kind as usize]
}

static PARCEL: Record = Record {
    what: "parcel.json",
    fields: &[
        must("schema_version", Shape::Integer),
        must("name", Shape::Text),
        must("version", Shape::Text),
        may("extraVersionInfo", Shape::Map(&Shape::Text)),
        must("setActiveSymlink", Shape::Flag),
        may("depends", Shape::Text),
        may("replaces", Shape::Text),
        may("conflicts", Shape::Text),
        may("provides", Shape::Texts),
        must("scripts", Shape::Record(&SCRIPTS)),
        must("packages", Shape::List(&PACKAGE)),
        must("components", Shape::List(&COMPONENT)),
        must("users", Shape::Map(&Shape::Record(&USER))),
        must("groups", Shape::Texts),
        may("servicesRestartInfo", Shape::Record(&RESTART)),
    ],
    unique: "",
    newer: &[],
    retired: &[
        (
            "minPrevVersion",
            "say which versions can be upgraded in the release notes, or use replaces",
        ),
        (
            "maxPrevVersion",
            "say which versions can be upgraded in the release notes, or use replaces",
        ),
    ],
};

static SCRIPTS: Record = record("scripts", &[must("defines", Shape::Text)]);

static PACKAGE: Record = record(
    "a package",
    &[must("name", Shape::Text), must("version", Shape::Text)],
);

static COMPONENT: Record = record(
    "a component",
    &[
        must("name", Shape::Text),
        must("version", Shape::Text),
        may("pkg_version", Shape::Text),
        may("pkg_release", Shape::Text),
    ],
);

static USER: Record = record(
    "a user",
    &[
        must("longname", Shape::Text),
        must("home", Shape::Text),
        must("shell", Shape::Text),
        must("extra_groups", Shape::Texts),
    ],
);

static RESTART: Record = record(
    "servicesRestartInfo",
    &[may(
        "versionInfo",
        Shape::Map(&Shape::Record(&VERSION_RESTART)),
    )],
);

static VERSION_RESTART: Record = record(
    "a version of servicesRestartInfo",
    &[
        may("serviceInfo", Shape::Map(&Shape::Scope)),
        may("parentVersion", Shape::Text),
        may("childVersion", Shape::Text),
    ],
);

static ALTERNATIVE: Record = record(
    "an alternative",
    &[
        must("destination", Shape::Text),
        must("source", Shape::Text),
        must("priority", Shape::Integer),
        must("isDirectory", Shape::Flag),
    ],
);

static PERMISSION: Record = record(
    "a permission",
    &[
        must("user", Shape::Text),
        must("group", Shape::Text),
        must("permissions", Shape::Text),
    ],
);

static MANIFEST: Record = record(
    "manifest.json",
    &[
        must("lastUpdated", Shape::Instant),
        must("parcels", Shape::List(&ENTRY)),
    ],
);

static ENTRY: Record = Record {
    what: "an entry of manifest.json",
    fields: &[
        must("parcelName", Shape::Text),
        must("hash", Shape::Text),
        must("components", Shape::List(&COMPONENT)),
        may("released", Shape::Instant),
        may("depends", Shape::Text),
        may("replaces", Shape::Text),
        may("conflicts", Shape::Text),
        may("releaseNotes", Shape::Text),
        may("servicesRestartInfo", Shape::Record(&RESTART)),
    ],
    unique: "parcelName",
    newer: &["displayName", "description"],
    retired: &[],
};
