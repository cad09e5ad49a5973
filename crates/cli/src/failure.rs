//! Why a command ended early: the error, the way out, and the exit status that goes with them.

use std::io;

use crate::output::ExitStatus;

/// An error with what a person and a shell need to know of it.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    hint: Option<String>,
    status: ExitStatus,
}

impl Failure {
    /// The command could not do its work.
    pub(crate) fn could_not_run(error: impl Into<anyhow::Error>) -> Self {
        Self {
            error: error.into(),
            hint: None,
            status: ExitStatus::CouldNotRun,
        }
    }

    /// The command did its work, and the answer is no.
    pub(crate) fn found_errors(error: impl Into<anyhow::Error>) -> Self {
        Self {
            error: error.into(),
            hint: None,
            status: ExitStatus::FoundErrors,
        }
    }

    /// Adds the way out.
    pub(crate) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    pub(crate) fn status(&self) -> ExitStatus {
        self.status
    }

    /// Whether standard output was closed by its reader.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The message and the way out on one line where there is nothing else to say, else the chain
    /// of causes, one on each line, and the hint.
    pub(crate) fn text(&self) -> String {
        let mut text = self.error.to_string();
        let mut last = text.clone();
        let mut causes = 0;
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            // Some libraries repeat their cause in their own message.
            if !last.ends_with(&cause) {
                text.push_str("\n  caused by: ");
                text.push_str(&cause);
                causes += 1;
            }
            last = cause;
        }
        if let Some(hint) = &self.hint {
            let one_line = causes == 0 && !text.contains('\n');
            text.push_str(if one_line { ". " } else { "\nhint: " });
            text.push_str(&sentence(hint));
        }
        text
    }
}

/// A hint as a sentence of its own.
fn sentence(hint: &str) -> String {
    let mut characters = hint.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    let full_stop = if hint.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{full_stop}", characters.as_str())
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::could_not_run(error)
    }
}

impl From<recipe::RecipeError> for Failure {
    fn from(error: recipe::RecipeError) -> Self {
        let hint = error.hint();
        Self::could_not_run(error).hint(hint)
    }
}

impl From<recipe::BuildError> for Failure {
    fn from(error: recipe::BuildError) -> Self {
        let hint = error.hint();
        match error {
            recipe::BuildError::Parcel(error) => (*error).into(),
            recipe::BuildError::Trial(
                recipe::TrialError::Failed { .. } | recipe::TrialError::Changed { .. },
            ) => Self::found_errors(error).hint(hint),
            error => Self::could_not_run(error).hint(hint),
        }
    }
}

impl From<parcel::BuildError> for Failure {
    fn from(error: parcel::BuildError) -> Self {
        use parcel::BuildError as E;
        let hint = error.hint();
        let text = match &error {
            E::Invalid { report } => Some(crate::report::findings(report)),
            E::Leftover { found } => Some(crate::report::leftovers(found)),
            _ => None,
        };
        match text {
            Some(text) => {
                Self::found_errors(anyhow::anyhow!("{error}\n{}", text.trim_end())).hint(hint)
            }
            None if matches!(error, E::Tree(_) | E::Meta(_)) => {
                Self::found_errors(error).hint(hint)
            }
            None => Self::could_not_run(error).hint(hint),
        }
    }
}

impl From<parcel::install::InstallError> for Failure {
    fn from(error: parcel::install::InstallError) -> Self {
        let hint = error.hint().or_else(|| {
            matches!(error, parcel::install::InstallError::Damage { .. })
                .then(|| "Copy or build the parcel again.".to_owned())
        });
        let failure = if error.is_finding() {
            Self::found_errors(error)
        } else {
            Self::could_not_run(error)
        };
        failure.hint(hint)
    }
}

impl From<parcel::repository::IndexError> for Failure {
    fn from(error: parcel::repository::IndexError) -> Self {
        use parcel::repository::IndexError as E;
        let hint = error.hint();
        let failure = match error {
            E::Io { .. } | E::Listing { .. } => Self::could_not_run(error),
            _ => Self::found_errors(error),
        };
        failure.hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_message_and_its_hint_share_a_line() {
        let failure =
            Failure::could_not_run(anyhow::anyhow!("it broke")).hint(Some("mend it".to_owned()));
        assert_eq!(failure.text(), "it broke. Mend it.");
    }

    #[test]
    fn causes_stand_on_lines_of_their_own() {
        let error = anyhow::anyhow!("disk full").context("cannot write");
        let failure = Failure::could_not_run(error).hint(Some("Make room.".to_owned()));
        assert_eq!(
            failure.text(),
            "cannot write\n  caused by: disk full\nhint: Make room."
        );
    }
}
