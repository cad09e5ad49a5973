//! Which severity each rule has: the one place for overrides.

use std::collections::BTreeMap;

use super::report::Severity;
use super::rule::Rule;

/// What a rule's findings are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Findings are errors.
    Error,
    /// Findings are warnings.
    Warning,
    /// Findings are notes.
    Note,
    /// The rule is not run.
    Allow,
}

/// A code that no rule has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule \"{}\"", code.escape_debug())]
pub struct UnknownRule {
    /// The code as given.
    pub code: String,
}

/// Which severity each rule has, where it is not the rule's own.
///
/// ```
/// use parcel::validate::{Level, Policy};
///
/// let mut policy = Policy::default();
/// policy.set("N102", Level::Error)?;
/// policy.set("world-writable", Level::Allow)?;
/// assert!(policy.set("N999", Level::Error).is_err());
/// # Ok::<(), parcel::validate::UnknownRule>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Policy {
    overrides: BTreeMap<&'static str, Level>,
}

impl Policy {
    /// Sets the level of a rule, given by its code or its name. The last word counts.
    ///
    /// # Errors
    ///
    /// [`UnknownRule`] when there is no such rule.
    pub fn set(&mut self, rule: &str, level: Level) -> Result<(), UnknownRule> {
        let found = super::explain(rule).ok_or_else(|| UnknownRule {
            code: rule.to_owned(),
        })?;
        self.overrides.insert(found.code, level);
        Ok(())
    }

    /// The severity of a rule's findings; `None` where the rule is not run.
    pub fn severity(&self, rule: &Rule) -> Option<Severity> {
        match self.overrides.get(rule.code) {
            None => Some(rule.severity),
            Some(Level::Error) => Some(Severity::Error),
            Some(Level::Warning) => Some(Severity::Warning),
            Some(Level::Note) => Some(Severity::Note),
            Some(Level::Allow) => None,
        }
    }
}
