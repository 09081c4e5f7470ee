//! Calls that were spent out of a window, remembered beyond one process.
//!
//! The windows are the tenant's, not a process's: one that starts anew must not believe that nothing was spent. `store` keeps
//! them, the client of the service counts.

/// Where the calls of one tenant are remembered.
pub trait Spent: Send + Sync {
    /// Adds calls to a window of an API, and says how many are in it then. A window of a greater number begins at nothing. One of a
    /// smaller number goes on from what is kept: only a clock that was set back asks for it.
    ///
    /// # Errors
    /// If they cannot be kept, in words.
    fn add(&self, api: &str, length_ms: i64, number: i64, calls: u32) -> Result<u32, String>;
}
