//! A place in an object store: what a disk does with folders and renames, done with objects.
//!
//! An object is there whole or not at all, and is written once: whoever comes later with its name, such as a request of a process that was
//! killed, changes nothing. In: names relative to the place, and bytes. Out: the same. What is in an object is not known here, nor how
//! one signs in: that is the store's.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as StorePath;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, WriteMultipart};
use url::Url;

use super::durable;
use super::error::{Error, Result, disk};
use crate::model::sabotage;

/// Objects that are copied, looked at or removed side by side.
const AT_ONCE: usize = 8;

/// Bytes of one part of a file that is uploaded. S3 takes 10,000 parts of 5 MB at the least.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const PART_BYTES: usize = 8 << 20;

/// A place in an object store.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    url: Url,
    path: StorePath,
}

/// An object of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    /// Its name, relative to the place.
    pub(super) name: String,
    /// Its size.
    pub(super) bytes: u64,
}

impl Bucket {
    /// The place of a URL, in a store that was opened for it.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, url: Url, path: StorePath) -> Self {
        Self { store, url, path }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The store, by whose own paths a URL's path is read.
    #[must_use]
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// A place in it.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        let mut url = self.url.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(name.split('/'));
        }
        let path = name.split('/').fold(self.path.clone(), |path, part| path.join(part));
        Self { store: Arc::clone(&self.store), url, path }
    }

    /// The store as seen from here: names are relative.
    pub(super) fn seen_from_here(&self) -> Arc<dyn ObjectStore> {
        Arc::new(PrefixStore::new(Arc::clone(&self.store), self.path.clone()))
    }

    /// Writes an object. One that has its name is removed first, never written over: what a request of an earlier process
    /// brings afterwards is refused by the store.
    pub(super) async fn put(&self, name: &str, bytes: Bytes) -> Result<()> {
        sabotage::place("file.begun");
        if !self.put_new(name, bytes.clone()).await? {
            self.remove(name).await?;
            if !self.put_new(name, bytes).await? {
                let detail = "somebody else writes it at the same time".to_owned();
                return Err(Error::Bucket { what: "cannot write", place: self.place(name), detail });
            }
        }
        sabotage::place("file.placed");
        Ok(())
    }

    /// Writes an object that is not there; whether it was not.
    ///
    /// # Errors
    /// If the store says no.
    pub async fn put_new(&self, name: &str, bytes: Bytes) -> Result<bool> {
        let new = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&self.at(name), PutPayload::from_bytes(bytes), new).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(self.wrong("cannot write", name)(error)),
        }
    }

    /// The bytes of an object; none if it is not there.
    pub(super) async fn get(&self, name: &str) -> Result<Option<Bytes>> {
        let wrong = self.wrong("cannot read", name);
        match self.store.get(&self.at(name)).await {
            Ok(answer) => answer.bytes().await.map(Some).map_err(wrong),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(wrong(error)),
        }
    }

    /// Brings a file of this machine there, part by part, in place of what has the name.
    pub(super) async fn upload(&self, from: &Path, name: &str) -> Result<()> {
        let mut file = File::open(from).map_err(disk("cannot read", from))?;
        let upload = self.store.put_multipart(&self.at(name)).await.map_err(self.wrong("cannot write", name))?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut part = vec![0; PART_BYTES];
        let sent: Result<()> = async {
            loop {
                let read = file.read(&mut part).map_err(disk("cannot read", from))?;
                if read == 0 {
                    return Ok(());
                }
                upload.wait_for_capacity(AT_ONCE).await.map_err(self.wrong("cannot write", name))?;
                upload.write(&part[..read]);
            }
        }
        .await;
        if let Err(error) = sent {
            // Parts that stay are paid for; what stopped it is the error that counts.
            let _given_up = upload.abort().await;
            return Err(error);
        }
        upload.finish().await.map(drop).map_err(self.wrong("cannot write", name))
    }

    /// Brings an object to a file of this machine, which is there whole or not at all; whether there was one.
    pub(super) async fn download(&self, name: &str, to: &Path) -> Result<bool> {
        let answer = match self.store.get(&self.at(name)).await {
            Ok(answer) => answer,
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(self.wrong("cannot read", name)(error)),
        };
        let mut file = durable::begin(to)?;
        let mut parts = answer.into_stream();
        while let Some(part) = parts.next().await {
            let part = part.map_err(self.wrong("cannot read", name))?;
            file.write_all(&part).map_err(disk("cannot write", to))?;
        }
        durable::complete(&file, to)?;
        Ok(true)
    }

    /// The objects below a name, or all; those of a name that is not there are none.
    pub(super) async fn list(&self, below: Option<&str>) -> Result<Vec<Object>> {
        let top = below.map_or_else(|| self.path.clone(), |name| self.at(name));
        let wrong = self.wrong("cannot list", below.unwrap_or_default());
        let found: Vec<_> = self.store.list(Some(&top)).try_collect().await.map_err(wrong)?;
        let relative = |location: &StorePath| {
            let parts = location.prefix_match(&self.path)?;
            Some(parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
        };
        let objects =
            found.into_iter().filter_map(|meta| Some(Object { name: relative(&meta.location)?, bytes: meta.size }));
        Ok(objects.collect())
    }

    /// Whether anything is here.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn has_any(&self) -> Result<bool> {
        let first = self.store.list(Some(&self.path)).next().await;
        Ok(first.transpose().map_err(self.wrong("cannot list", ""))?.is_some())
    }

    /// Removes an object; whether there was one is not asked.
    pub(super) async fn remove(&self, name: &str) -> Result<()> {
        match self.store.delete(&self.at(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.wrong("cannot remove", name)(error)),
        }
    }

    /// Removes objects, and says how many bytes that freed.
    pub(super) async fn remove_all(&self, objects: Vec<Object>) -> Result<u64> {
        let bytes = objects.iter().map(|object| object.bytes).sum();
        let each = futures::stream::iter(objects.into_iter().map(Ok));
        each.try_for_each_concurrent(AT_ONCE, |object| async move { self.remove(&object.name).await }).await?;
        Ok(bytes)
    }

    /// Copies objects of another place of the same store, under names of this one: pairs of theirs and ours. Whether all were there.
    pub(super) async fn copy_from(&self, other: &Self, names: Vec<(String, String)>) -> Result<bool> {
        let each = futures::stream::iter(names).map(|(theirs, ours)| async move {
            match self.store.copy(&other.at(&theirs), &self.at(&ours)).await {
                Ok(()) => Ok(true),
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(error) => Err(self.wrong("cannot copy to", &ours)(error)),
            }
        });
        each.buffered(AT_ONCE).try_fold(true, |all, one| std::future::ready(Ok(all && one))).await
    }

    fn at(&self, name: &str) -> StorePath {
        name.split('/').fold(self.path.clone(), |path, part| path.join(part))
    }

    /// A name as a user finds it.
    fn place(&self, name: &str) -> String {
        if name.is_empty() { self.url.to_string() } else { self.below(name).url.to_string() }
    }

    /// That something of it cannot be read.
    pub(super) fn unread(&self, name: &str, error: &object_store::Error) -> Error {
        Error::Bucket { what: "cannot read", place: self.place(name), detail: error.to_string() }
    }

    fn wrong(&self, what: &'static str, name: &str) -> impl FnOnce(object_store::Error) -> Error + use<> {
        let place = self.place(name);
        move |error| Error::Bucket { what, place, detail: error.to_string() }
    }
}
