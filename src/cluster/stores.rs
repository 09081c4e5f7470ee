//! Where an executor reads: the folders of its machine, and object stores as plans name them by URL.
//!
//! Keys and tokens are the process's own; a plan carries none.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use object_store::ObjectStore;
use url::Url;

/// Opens the object store of a URL, or says why not.
pub type Opener = Arc<dyn Fn(&Url) -> std::result::Result<Arc<dyn ObjectStore>, String> + Send + Sync>;

/// Stores by URL, opened when a plan first asks for one.
pub(super) struct Stores {
    opener: Opener,
    local: DefaultObjectStoreRegistry,
    opened: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl Stores {
    pub(super) fn new(opener: Opener) -> Self {
        Self { opener, local: DefaultObjectStoreRegistry::new(), opened: Mutex::default() }
    }
}

impl ObjectStoreRegistry for Stores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.local.register_store(url, store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if let Ok(store) = self.local.get_store(url) {
            return Ok(store);
        }
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let key = url[..url::Position::BeforePath].to_owned();
        if let Some(store) = opened.get(&key) {
            return Ok(Arc::clone(store));
        }
        let store = (self.opener)(url).map_err(DataFusionError::Execution)?;
        opened.insert(key, Arc::clone(&store));
        Ok(store)
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stores")
    }
}
