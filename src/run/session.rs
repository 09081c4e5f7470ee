//! The engine over a run folder, wherever that lies.

use super::error::Error;
use crate::engine::session::Engine;
use crate::store::dataset::RunFolder;

/// A session that reads the datasets of a run folder.
///
/// # Errors
/// If the engine cannot be set up.
pub fn engine_over(folder: &RunFolder) -> Result<Engine, Error> {
    let engine = match folder.bucket() {
        Some(bucket) => Engine::in_store(bucket.url(), bucket.store(), folder.root()),
        None => Engine::new(folder.root()),
    };
    Ok(engine?)
}
