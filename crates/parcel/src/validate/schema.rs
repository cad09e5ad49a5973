//! The shape that each document must have, and the walk that finds where it has not.
//!
//! The shapes are those of the descriptors in Cloudera's validator; the coercions are those of the
//! reader it uses (Jackson): a number where a text should be is taken, an array is not. The walk
//! only *collects* defects; the rules in `rules/document.rs` say what each kind of them means.

mod shape;

use std::collections::{HashMap, HashSet};

use super::document::{DocKind, is_blank, join_pointer, live_members, text_of};
use super::instant::is_instant;
use super::json::{Member, Node, Span, Value, shorten};
use shape::{Field, Record, Shape};

/// What is wrong with the shape of a document, somewhere.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Defect {
    pub(crate) kind: DefectKind,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) pointer: String,
    pub(crate) span: Span,
}

/// The kinds of [`Defect`], one rule each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefectKind {
    WrongType,
    Coerced,
    Missing,
    Blank,
    Unknown,
    CamelCase,
    Retired,
    Newer,
    NullEntry,
    NullElement,
    NotUnique,
    DuplicateKey,
    DuplicateEntry,
}

/// Examines a document from its root.
pub(crate) fn examine(kind: DocKind, root: &Value) -> Vec<Defect> {
    let mut walk = Walk {
        defects: Vec::new(),
    };
    let shape = shape::of(kind);
    walk.visit(root, shape, "", kind.file_name(), true);
    if root.node == Node::Null {
        let message = format!("{} is null", kind.file_name());
        walk.push(DefectKind::WrongType, message, "", root.span);
    }
    // Cloudera's reader builds a map that refuses a second entry of one name; everywhere else a
    // second member silently replaces the first.
    let at_top = match shape {
        Shape::Map(_) => DefectKind::DuplicateEntry,
        _ => DefectKind::DuplicateKey,
    };
    walk.duplicate_keys(root, "", at_top);
    walk.defects
}

struct Walk {
    defects: Vec<Defect>,
}

impl Walk {
    fn push(
        &mut self,
        kind: DefectKind,
        message: String,
        pointer: &str,
        span: Span,
    ) -> &mut Defect {
        self.defects.push(Defect {
            kind,
            message,
            hint: None,
            pointer: pointer.to_owned(),
            span,
        });
        self.defects.last_mut().expect("just pushed")
    }

    fn wrong(&mut self, value: &Value, expected: &str, pointer: &str, name: &str) {
        let message = format!("{name} must be {expected}, not {}", describe(value));
        self.push(DefectKind::WrongType, message, pointer, value.span);
    }

    fn coerced(&mut self, value: &Value, expected: &str, pointer: &str, name: &str) {
        let message = format!(
            "{name} should be {expected}; {} is converted",
            describe(value)
        );
        let defect = self.push(DefectKind::Coerced, message, pointer, value.span);
        if let (Node::Number(text), "a string") = (&value.node, expected) {
            defect.hint = Some(format!("write \"{text}\" in double quotes"));
        }
    }

    /// Looks at a value; null was dealt with by who knows whether it may be there. `live` is
    /// whether no later member of the same key replaces the value: Java checks the type of every
    /// one, but the content of the last one only.
    fn visit(&mut self, value: &Value, shape: &Shape, pointer: &str, name: &str, live: bool) {
        if value.node == Node::Null {
            return;
        }
        match shape {
            Shape::Text => self.text(value, pointer, name),
            Shape::Integer => self.integer(value, pointer, name),
            Shape::Flag => self.flag(value, pointer, name),
            Shape::Instant => self.instant(value, pointer, name),
            Shape::Scope => self.scope(value, pointer, name),
            Shape::Texts => self.texts(value, pointer, name),
            Shape::List(record) => self.list(value, record, pointer, name, live),
            Shape::Map(inner) => self.map(value, inner, pointer, name, live),
            Shape::Record(record) => self.record(value, record, pointer, name, live),
        }
    }

    fn text(&mut self, value: &Value, pointer: &str, name: &str) {
        match value.node {
            Node::String(_) => {}
            Node::Number(_) | Node::Bool(_) => self.coerced(value, "a string", pointer, name),
            _ => self.wrong(value, "a string", pointer, name),
        }
    }

    fn integer(&mut self, value: &Value, pointer: &str, name: &str) {
        const EXPECTED: &str = "a whole number";
        match &value.node {
            Node::Number(text) => match text.parse::<i128>() {
                Ok(number) if i32::try_from(number).is_ok() => {}
                Ok(_) => self.wrong(value, "a number of at most 32 bits", pointer, name),
                // A fraction is cut off without a word.
                Err(_) => match text.parse::<f64>() {
                    Ok(number) if number > -2_147_483_649.0 && number < 2_147_483_648.0 => {
                        self.coerced(value, EXPECTED, pointer, name);
                    }
                    _ => self.wrong(value, EXPECTED, pointer, name),
                },
            },
            Node::String(text) if is_blank(text) || text.trim() == "null" => {
                self.blank(value, pointer, name);
            }
            Node::String(text) if text.trim().parse::<i32>().is_ok() => {
                self.coerced(value, EXPECTED, pointer, name);
            }
            _ => self.wrong(value, EXPECTED, pointer, name),
        }
    }

    fn flag(&mut self, value: &Value, pointer: &str, name: &str) {
        const EXPECTED: &str = "true or false";
        match &value.node {
            Node::Bool(_) => {}
            Node::Number(text) if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
                self.coerced(value, EXPECTED, pointer, name);
            }
            Node::String(text) => match text.trim() {
                "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => {
                    self.coerced(value, EXPECTED, pointer, name);
                }
                "" | "null" => self.blank(value, pointer, name),
                _ => self.wrong(value, EXPECTED, pointer, name),
            },
            _ => self.wrong(value, EXPECTED, pointer, name),
        }
    }

    fn instant(&mut self, value: &Value, pointer: &str, name: &str) {
        const EXPECTED: &str = "a number of milliseconds since 1970";
        match &value.node {
            Node::Number(text) if text.parse::<i64>().is_ok() => {}
            // Only of something that must be there; the caller says so.
            Node::String(text) if is_blank(text) => self.coerced(value, EXPECTED, pointer, name),
            Node::String(text) if is_instant(text) => self.coerced(value, EXPECTED, pointer, name),
            _ => self.wrong(value, EXPECTED, pointer, name),
        }
    }

    fn scope(&mut self, value: &Value, pointer: &str, name: &str) {
        let expected = "one of SERVICE_ONLY, DEPENDENTS_ONLY, SERVICE_AND_DEPENDENTS";
        match &value.node {
            Node::String(text) if shape::SCOPES.contains(&&**text) => {}
            // Java takes the position of a constant for the constant.
            Node::Number(text) if matches!(&**text, "0" | "1" | "2" | "-0") => {
                self.coerced(value, expected, pointer, name);
            }
            Node::String(text) if matches!(text.trim(), "0" | "1" | "2") => {
                self.coerced(value, expected, pointer, name);
            }
            _ => self.wrong(value, expected, pointer, name),
        }
    }

    fn texts(&mut self, value: &Value, pointer: &str, name: &str) {
        let Node::Array(items) = &value.node else {
            return self.wrong(value, "an array of strings", pointer, name);
        };
        for (index, item) in items.iter().enumerate() {
            let pointer = join_pointer(pointer, &index.to_string());
            let name = format!("{name}[{index}]");
            if item.node == Node::Null {
                let message = format!("{name} is null");
                self.push(DefectKind::NullElement, message, &pointer, item.span);
            } else {
                self.text(item, &pointer, &name);
            }
        }
    }

    fn list(&mut self, value: &Value, record: &Record, pointer: &str, name: &str, live: bool) {
        let Node::Array(items) = &value.node else {
            return self.wrong(value, "an array of objects", pointer, name);
        };
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            let pointer = join_pointer(pointer, &index.to_string());
            let name = format!("{name}[{index}]");
            if item.node == Node::Null {
                self.wrong(item, "an object", &pointer, &name);
                continue;
            }
            self.record(item, record, &pointer, &name, live);
            let (Node::Object(members), true) = (&item.node, live) else {
                continue;
            };
            let Some(key) = members.iter().rev().find(|m| &*m.key == record.unique) else {
                continue;
            };
            let Some(text) = text_of(&key.value) else {
                continue;
            };
            if let Some(first) = seen.get(&*text) {
                let message = format!(
                    "{name}.{} {} occurs twice, first in element {first}",
                    record.unique,
                    shorten(&text)
                );
                let pointer = join_pointer(&pointer, record.unique);
                self.push(DefectKind::NotUnique, message, &pointer, key.value.span);
            } else {
                seen.insert(text.into_owned(), index);
            }
        }
    }

    fn map(&mut self, value: &Value, inner: &Shape, pointer: &str, name: &str, live: bool) {
        let Node::Object(members) = &value.node else {
            return self.wrong(value, "an object", pointer, name);
        };
        for (member, live) in with_live(members, live) {
            let pointer = join_pointer(pointer, &member.key);
            let name = match name {
                "alternatives.json" | "permissions.json" => shorten(&member.key),
                _ => format!("{name}[{}]", shorten(&member.key)),
            };
            if member.value.node == Node::Null {
                let has_required = match inner {
                    Shape::Record(record) => record.fields.iter().any(|field| field.required),
                    _ => false,
                };
                let kind = if has_required {
                    DefectKind::NullEntry
                } else {
                    DefectKind::NullElement
                };
                let message = format!("{name} is null");
                self.push(kind, message, &pointer, member.value.span);
            }
            self.visit(&member.value, inner, &pointer, &name, live);
        }
    }

    fn record(&mut self, value: &Value, record: &Record, pointer: &str, name: &str, live: bool) {
        let Node::Object(members) = &value.node else {
            return self.wrong(value, "an object", pointer, name);
        };
        let path = |key: &str| match pointer {
            "" => key.to_owned(),
            _ => format!("{name}.{key}"),
        };
        for (member, live) in with_live(members, live) {
            let Some(field) = record.field(&member.key) else {
                self.unknown(member, record, &join_pointer(pointer, &member.key));
                continue;
            };
            let pointer = join_pointer(pointer, field.key);
            let before = self.defects.len();
            self.visit(
                &member.value,
                &field.shape,
                &pointer,
                &path(field.key),
                live,
            );
            // A blank text is converted to no time at all, which is one more defect only here.
            let unseen = self.defects.len() == before || matches!(field.shape, Shape::Instant);
            if live && unseen {
                self.required(&member.value, field, &pointer, &path(field.key));
            }
        }
        if !live {
            return;
        }
        for field in record.fields.iter().filter(|field| field.required) {
            if !members.iter().any(|member| &*member.key == field.key) {
                let message = format!("{} is missing", path(field.key));
                let span = Span {
                    start: value.span.start,
                    end: value.span.start + 1,
                };
                let defect = self.push(DefectKind::Missing, message, pointer, span);
                defect.hint = Some(format!("add \"{}\": {}", field.key, field.shape.sample()));
            }
        }
    }

    /// A field that must have a value has null or a blank text.
    fn required(&mut self, value: &Value, field: &Field, pointer: &str, name: &str) {
        if !field.required {
            return;
        }
        let blank = match &value.node {
            Node::Null => true,
            Node::String(text) => {
                matches!(field.shape, Shape::Text | Shape::Instant) && is_blank(text)
            }
            _ => false,
        };
        if blank {
            self.blank(value, pointer, name);
        }
    }

    fn blank(&mut self, value: &Value, pointer: &str, name: &str) {
        let what = match &value.node {
            Node::Null => "null",
            _ => "blank",
        };
        let message = format!("{name} is {what}");
        self.push(DefectKind::Blank, message, pointer, value.span);
    }

    fn unknown(&mut self, member: &Member, record: &Record, pointer: &str) {
        let key = &*member.key;
        if record.newer.contains(&key) {
            let message = format!("{key} is a key that only newer Cloudera Managers know");
            self.push(DefectKind::Newer, message, pointer, member.key_span);
            return;
        }
        if let Some(right) = record.camel_case(key) {
            let message = format!("{key} is not a key; it is called {right}");
            let defect = self.push(DefectKind::CamelCase, message, pointer, member.key_span);
            defect.hint = Some(format!("rename it to \"{right}\""));
            return;
        }
        if let Some((_, instead)) = record.retired.iter().find(|(old, _)| *old == key) {
            let message = format!("{key} was a key before 2013");
            let defect = self.push(DefectKind::Retired, message, pointer, member.key_span);
            defect.hint = Some((*instead).to_owned());
            return;
        }
        let message = format!("{} is not a key of {}", shorten(key), record.what);
        let nearest = record
            .nearest(key)
            .map(|near| format!("did you mean \"{near}\"?"));
        let all = || {
            let keys: Vec<&str> = record.fields.iter().map(|field| field.key).collect();
            format!("the keys are {}", keys.join(", "))
        };
        let defect = self.push(DefectKind::Unknown, message, pointer, member.key_span);
        defect.hint = Some(nearest.unwrap_or_else(all));
    }

    /// Members of one object that have the same key.
    fn duplicate_keys(&mut self, value: &Value, pointer: &str, kind: DefectKind) {
        match &value.node {
            Node::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if matches!(item.node, Node::Array(_) | Node::Object(_)) {
                        let below = join_pointer(pointer, &index.to_string());
                        self.duplicate_keys(item, &below, DefectKind::DuplicateKey);
                    }
                }
            }
            Node::Object(members) => {
                let mut seen = HashSet::new();
                for member in members {
                    let below = join_pointer(pointer, &member.key);
                    if !seen.insert(&*member.key) {
                        let key = shorten(&member.key);
                        let message = match kind {
                            DefectKind::DuplicateEntry => format!("{key} is defined twice"),
                            _ => format!("{key} occurs twice in one object"),
                        };
                        self.push(kind, message, &below, member.key_span);
                    }
                    self.duplicate_keys(&member.value, &below, DefectKind::DuplicateKey);
                }
            }
            _ => {}
        }
    }
}

/// The members of an object, each with whether it is the one that counts.
fn with_live(members: &[Member], live: bool) -> impl Iterator<Item = (&Member, bool)> {
    let counted: Vec<*const Member> = live_members(members)
        .into_iter()
        .map(std::ptr::from_ref)
        .collect();
    let mut next = 0;
    members.iter().map(move |member| {
        let counts = counted.get(next) == Some(&std::ptr::from_ref(member));
        next += usize::from(counts);
        (member, live && counts)
    })
}

/// A value for people: short ones as they are, long ones by their kind.
fn describe(value: &Value) -> String {
    match &value.node {
        Node::String(text) if text.chars().count() <= 30 => format!("the string {}", shorten(text)),
        Node::Number(text) if text.len() <= 30 => format!("the number {text}"),
        Node::Bool(flag) => format!("the boolean {flag}"),
        _ => value.describe().to_owned(),
    }
}
