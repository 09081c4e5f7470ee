//! Run folders in an object store: the same runs, the same files, and what becomes of a run when the store fails it.
//!
//! The stores here are in memory; `run.sh` beside this does the same with servers of S3 and Azure Blob, and kills processes.

mod failing;
mod same;
mod whose;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ferry::store::bucket::Bucket;
use futures::TryStreamExt;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};
use url::Url;

/// Files by their names below `runs`.
type Files = BTreeMap<String, Vec<u8>>;

/// A place in a store.
fn bucket(store: Arc<dyn ObjectStore>) -> Bucket {
    Bucket::new(store, Url::parse("s3://acme/ferry").expect("a URL"), StorePath::from("ferry"))
}

async fn in_store(store: &dyn ObjectStore) -> Files {
    let top = StorePath::from("ferry/runs");
    let found: Vec<_> = store.list(Some(&top)).try_collect().await.expect("it is listed");
    let mut files = Files::new();
    for meta in found {
        let name = meta.location.as_ref().strip_prefix("ferry/runs/").expect("it lies there").to_owned();
        let bytes = store.get(&meta.location).await.expect("it is there").bytes().await.expect("it is read");
        files.insert(name, bytes.to_vec());
    }
    files
}

fn on_disk(home: &Path) -> Files {
    fn below(top: &Path, at: &Path, files: &mut Files) {
        for entry in std::fs::read_dir(at).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                below(top, &path, files);
            } else {
                let name = path.strip_prefix(top).expect("it lies there").display().to_string();
                files.insert(name, std::fs::read(&path).expect("it is read"));
            }
        }
    }
    let mut files = Files::new();
    below(&home.join("runs"), &home.join("runs"), &mut files);
    files
}
