//! What stands in for environments in a program that was built without conda.

use std::sync::Arc;

use parcel::archive::Epoch;

use crate::build::{BuildError, BuildOptions, LockOutcome};
use crate::progress::Progress;
use crate::recipe::{Recipe, Row};
use crate::render::StagedEnvironment;
use crate::stage::Stage;

/// There are none in this program.
pub(crate) struct Environments;

impl Environments {
    pub(crate) fn resolve(
        recipe: &Recipe,
        _: &BuildOptions,
        _: &Arc<dyn Progress>,
    ) -> Result<Self, BuildError> {
        if recipe.environments.is_empty() {
            Ok(Self)
        } else {
            Err(BuildError::WithoutConda)
        }
    }

    #[expect(clippy::unused_self, reason = "the same shape as with conda")]
    pub(crate) fn epoch(&self, _: &Row) -> Option<Epoch> {
        None
    }

    #[expect(clippy::unused_self, reason = "as above")]
    pub(crate) fn packed_bytes(&self, _: &Row) -> u64 {
        0
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as above")]
    pub(crate) fn stage(
        &self,
        _: &Row,
        _: &Stage,
        _: Epoch,
        _: &mut Vec<String>,
    ) -> Result<Vec<StagedEnvironment>, BuildError> {
        Ok(Vec::new())
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as above")]
    pub(crate) fn finish_lock(&self) -> Result<LockOutcome, BuildError> {
        Ok(LockOutcome::None)
    }
}
