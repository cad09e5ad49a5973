//! Templates of the files in `meta/`.
//!
//! The usual ones are embedded in the program (the workspace's `meta-templates/`). A file of the
//! same name in the recipe's folder takes the place of one, and the recipe may name any other.

use std::io;
use std::path::{Path, PathBuf};

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::nearest::nearest;

/// The embedded templates, by file name.
const EMBEDDED: &[(&str, &str)] = &[
    (
        "conda_env.sh",
        include_str!("../../../meta-templates/conda_env.sh"),
    ),
    ("env.sh", include_str!("../../../meta-templates/env.sh")),
    (
        "parcel.json",
        include_str!("../../../meta-templates/parcel.json"),
    ),
];

/// Why a template could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is no template of that name.
    #[error("there is no template \"{name}\" in {} or among the built-in ones", folder.display())]
    Unknown {
        /// The name.
        name: String,
        /// The recipe's folder.
        folder: PathBuf,
    },
    /// The template could not be read. The error names the file.
    #[error("cannot read a template")]
    Io(#[from] io::Error),
    /// The template is wrong, or uses a variable that there is not.
    #[error("{}{}: {message}", origin.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Render {
        /// The template.
        origin: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// The template did not make the JSON it should.
    #[error("{} does not make JSON", origin.display())]
    Json {
        /// The template.
        origin: PathBuf,
        /// Where in the text that it made.
        #[source]
        cause: serde_json::Error,
    },
}

impl TemplateError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let Self::Unknown { name, .. } = self else {
            return None;
        };
        let names: Vec<_> = EMBEDDED.iter().map(|(name, _)| *name).collect();
        Some(match nearest(name, &names) {
            Some(near) => format!("Did you mean \"{near}\"?"),
            None => format!("The built-in ones are {}.", names.join(", ")),
        })
    }
}

/// A template that was found.
pub(crate) struct Template {
    origin: PathBuf,
    text: String,
}

impl Template {
    /// Finds a template by its file name.
    pub(crate) fn find(name: &str, folder: &Path) -> Result<Self, TemplateError> {
        let path = folder.join(name);
        match fs_err::read_to_string(&path) {
            Ok(text) => return Ok(Self { origin: path, text }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let embedded = EMBEDDED.iter().find(|(embedded, _)| *embedded == name);
        let (_, text) = embedded.ok_or_else(|| TemplateError::Unknown {
            name: name.to_owned(),
            folder: folder.to_owned(),
        })?;
        Ok(Self {
            origin: Path::new("meta-templates").join(name),
            text: (*text).to_owned(),
        })
    }

    /// Fills the template in.
    pub(crate) fn render(&self, context: &impl Serialize) -> Result<String, TemplateError> {
        let mut environment = Environment::new();
        // A misspelled variable must not become an empty text in a document.
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_keep_trailing_newline(true);
        environment
            .render_str(&self.text, context)
            .map_err(|error| TemplateError::Render {
                origin: self.origin.clone(),
                line: error.line(),
                message: match (error.detail(), error.line()) {
                    (Some(detail), _) => format!("{}: {detail}", error.kind()),
                    // An undefined value is told without its name.
                    (None, Some(line)) => format!(
                        "{} in `{}`",
                        error.kind(),
                        self.text.lines().nth(line - 1).unwrap_or_default().trim()
                    ),
                    (None, None) => error.kind().to_string(),
                },
            })
    }

    /// Fills a template of a JSON document in; the text is laid out anew.
    pub(crate) fn render_json(&self, context: &impl Serialize) -> Result<String, TemplateError> {
        let rendered = self.render(context)?;
        let json_error = |cause| TemplateError::Json {
            origin: self.origin.clone(),
            cause,
        };
        let value: serde_json::Value = serde_json::from_str(&rendered).map_err(json_error)?;
        let mut text = serde_json::to_string_pretty(&value).map_err(json_error)?;
        text.push('\n');
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_recipe_takes_the_place_of_an_embedded_template() {
        let folder = tempfile::tempdir().unwrap();
        let context = serde_json::json!({ "name": "A" });
        let built_in = Template::find("env.sh", folder.path()).unwrap();
        assert!(built_in.render(&context).unwrap().contains("for A."));
        fs_err::write(folder.path().join("env.sh"), "export X={{ name }}\n").unwrap();
        let own = Template::find("env.sh", folder.path()).unwrap();
        assert_eq!(own.render(&context).unwrap(), "export X=A\n");
    }

    #[test]
    fn a_variable_that_there_is_not_is_an_error_with_its_line() {
        let template = Template {
            origin: "x.sh".into(),
            text: "a\n{{ nmae }}\n".into(),
        };
        let error = template
            .render(&serde_json::json!({ "name": "A" }))
            .unwrap_err();
        assert!(
            error.to_string().starts_with("x.sh:2: undefined value"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_template_names_the_nearest() {
        let Err(error) = Template::find("conda-env.sh", Path::new("/nowhere")) else {
            panic!()
        };
        assert_eq!(error.hint().unwrap(), "Did you mean \"conda_env.sh\"?");
    }
}
