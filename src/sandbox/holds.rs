//! Requests that are held before anything of them is done, until a test lets them go: what happens meanwhile is certain then.
//!
//! In: which requests, by service, method and path. Out: how many wait.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::calls::Service;

/// Which requests are held: those whose path begins so.
struct Hold {
    service: Service,
    method: String,
    path: String,
}

pub(in crate::sandbox) struct Holds {
    now: watch::Sender<Vec<Hold>>,
    waiting: AtomicUsize,
}

impl Default for Holds {
    fn default() -> Self {
        Self { now: watch::channel(Vec::new()).0, waiting: AtomicUsize::new(0) }
    }
}

/// A request that waits, also one whose client goes away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Holds {
    pub(in crate::sandbox) fn hold(&self, service: Service, method: &str, path: &str) {
        let (method, path) = (method.to_owned(), path.to_owned());
        self.now.send_modify(|holds| holds.push(Hold { service, method, path }));
    }

    pub(in crate::sandbox) fn let_go(&self) {
        self.now.send_replace(Vec::new());
    }

    pub(in crate::sandbox) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Waits while such requests are held.
    pub(in crate::sandbox) async fn pass(&self, service: Service, method: &str, path: &str) {
        let is_about = |hold: &Hold| hold.service == service && hold.method == method && path.starts_with(&hold.path);
        let mut now = self.now.subscribe();
        if !now.borrow().iter().any(is_about) {
            return;
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        // Its sender is here as long as the sandbox.
        let _let_go = now.wait_for(|holds| !holds.iter().any(is_about)).await;
    }
}
