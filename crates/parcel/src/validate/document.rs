//! A document under examination: its text, its values and what its shape is missing.

use std::borrow::Cow;
use std::collections::HashMap;

use super::json::{Member, Node, Parsed, Span, Value};
use super::report::SubjectKind;
use super::schema::{self, Defect};

/// The JSON documents that rules know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocKind {
    ParcelJson,
    Alternatives,
    Permissions,
    Manifest,
}

impl DocKind {
    pub(crate) const ALL: [Self; 4] = [
        Self::ParcelJson,
        Self::Alternatives,
        Self::Permissions,
        Self::Manifest,
    ];

    /// The file's name.
    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Self::ParcelJson => "parcel.json",
            Self::Alternatives => "alternatives.json",
            Self::Permissions => "permissions.json",
            Self::Manifest => "manifest.json",
        }
    }

    /// The kind of document that a subject of this kind is.
    pub(crate) fn of_subject(kind: SubjectKind) -> Option<Self> {
        match kind {
            SubjectKind::ParcelJson => Some(Self::ParcelJson),
            SubjectKind::AlternativesJson => Some(Self::Alternatives),
            SubjectKind::PermissionsJson => Some(Self::Permissions),
            SubjectKind::ManifestJson => Some(Self::Manifest),
            SubjectKind::Parcel | SubjectKind::Directory | SubjectKind::Repository => None,
        }
    }
}

/// A document that was met.
pub(crate) struct Document {
    /// Its path inside the subject.
    pub(crate) file: String,
    pub(crate) parsed: Parsed,
    /// Where its shape is not what it must be.
    pub(crate) defects: Vec<Defect>,
}

impl Document {
    pub(crate) fn read(kind: DocKind, file: String, bytes: &[u8]) -> Self {
        let parsed = Parsed::read(bytes);
        let defects = parsed
            .root
            .as_ref()
            .map(|root| schema::examine(kind, root))
            .unwrap_or_default();
        Self {
            file,
            parsed,
            defects,
        }
    }

    /// The whole value; `None` where the text is not JSON.
    pub(crate) fn root(&self) -> Option<Place<'_>> {
        self.parsed.root.as_ref().map(|value| Place {
            doc: self,
            pointer: String::new(),
            value,
            key_span: value.span,
        })
    }

    /// A member of the top object.
    pub(crate) fn get(&self, key: &str) -> Option<Place<'_>> {
        self.root()?.get(key)
    }

    /// The text of a member of the top object, where there is one that is not blank.
    pub(crate) fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        self.get(key)?.text().filter(|text| !is_blank(text))
    }
}

/// A value in a document, and how to get there.
#[derive(Clone)]
pub(crate) struct Place<'d> {
    pub(crate) doc: &'d Document,
    pub(crate) pointer: String,
    pub(crate) value: &'d Value,
    /// Where the key of the value stands, or the value itself.
    pub(crate) key_span: Span,
}

impl<'d> Place<'d> {
    fn below(&self, step: &str, value: &'d Value, key_span: Span) -> Self {
        Self {
            doc: self.doc,
            pointer: join_pointer(&self.pointer, step),
            value,
            key_span,
        }
    }

    /// A member of an object; of several with one key the last, as every reader does.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let Node::Object(members) = &self.value.node else {
            return None;
        };
        let member = members.iter().rev().find(|member| &*member.key == key)?;
        Some(self.below(key, &member.value, member.key_span))
    }

    /// The members of an object in their order; of several with one key only the last.
    pub(crate) fn members(&self) -> Vec<(&'d str, Self)> {
        let Node::Object(members) = &self.value.node else {
            return Vec::new();
        };
        live_members(members)
            .into_iter()
            .map(|member| {
                let below = self.below(&member.key, &member.value, member.key_span);
                (&*member.key, below)
            })
            .collect()
    }

    /// The elements of an array.
    pub(crate) fn items(&self) -> Vec<Self> {
        let Node::Array(items) = &self.value.node else {
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .map(|(index, item)| self.below(&index.to_string(), item, item.span))
            .collect()
    }

    /// The text that Java makes of a string, number or boolean.
    pub(crate) fn text(&self) -> Option<Cow<'d, str>> {
        text_of(self.value)
    }
}

/// The text that Java makes of a string, number or boolean; `None` for anything else.
pub(crate) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match &value.node {
        Node::String(text) | Node::Number(text) => Some(Cow::Borrowed(text)),
        Node::Bool(true) => Some(Cow::Borrowed("true")),
        Node::Bool(false) => Some(Cow::Borrowed("false")),
        Node::Null | Node::Array(_) | Node::Object(_) => None,
    }
}

/// The members of an object without those that a later one of the same key replaces.
pub(crate) fn live_members(members: &[Member]) -> Vec<&Member> {
    let last: HashMap<&str, usize> = members
        .iter()
        .enumerate()
        .map(|(index, member)| (&*member.key, index))
        .collect();
    members
        .iter()
        .enumerate()
        .filter(|(index, member)| last.get(&*member.key) == Some(index))
        .map(|(_, member)| member)
        .collect()
}

/// One step deeper in a JSON pointer (RFC 6901).
pub(crate) fn join_pointer(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// Whether a text holds nothing that can be seen.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c <= ' ' || c.is_whitespace())
}
