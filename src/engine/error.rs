//! What can go wrong in a plan: only the world (memory, disk, a cluster) and our own bugs. A bad row is never an error here.

use super::elsewhere::failed;

/// A plan that could not be made or carried out.
#[derive(Debug, thiserror::Error)]
#[error("{}", told(.0))]
pub struct Error(#[source] pub(super) Box<datafusion::error::DataFusionError>);

impl From<datafusion::error::DataFusionError> for Error {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self(Box::new(error))
    }
}

/// What is said last where a cluster failed.
const ADVICE: &str = "nothing was written: mend that and give the command again, or plan on this machine: add --or-locally, or leave out --cluster";

fn told(error: &datafusion::error::DataFusionError) -> String {
    match failed(error) {
        Some(failed) => format!("{failed}; {ADVICE}"),
        None => format!("the plan failed: {error}"),
    }
}

impl Error {
    /// Whether a build side or a sort did not fit into the memory it may use.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self.0.find_root(), datafusion::error::DataFusionError::ResourcesExhausted(_))
    }

    /// Whether the place of the run folder did not answer, or not as it should.
    #[must_use]
    pub fn is_of_place(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self.0.as_ref());
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<object_store::Error>() {
                // A folder of this machine is read by the same means.
                return !matches!(error, object_store::Error::Generic { store: "LocalFileSystem", .. });
            }
            cause = error.source();
        }
        // Where the footer of a file cannot be had, its library keeps the words of the cause alone.
        let words = self.0.to_string();
        words.contains("Object Store error: Generic") && !words.contains("LocalFileSystem")
    }

    /// Whether the place where the plan was sent to failed, and not the plan.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        failed(&self.0).is_some()
    }
}

pub(super) type Result<T> = std::result::Result<T, Error>;
