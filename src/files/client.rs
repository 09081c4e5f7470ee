//! An open connection to files: where they lie, in which form they are.

use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt};

use super::error::Error;
use super::location::{self, Storage};
use crate::model::catalog::ObjectName;
use crate::model::clock::Clock;
use crate::model::connection::Connection;
use crate::model::files::{CsvForm, FileFormat, FilesLayout};

/// The longest description of an export, in bytes.
const DESCRIPTION_BYTES_AT_MOST: u64 = 64 << 20;

/// Files that can be read.
#[derive(Clone)]
pub struct Files {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The folder of the connection.
    pub(super) root: Path,
    pub(super) layout: FilesLayout,
    pub(super) clock: Clock,
    /// As it stands in the script.
    pub url: String,
}

impl Files {
    /// Opens the files of a connection; a path without a scheme lies below the project's folder.
    ///
    /// # Errors
    /// If there is no such place, or it cannot be signed in to.
    pub fn open(connection: &Connection, project: &FilePath, storage: &Storage, clock: Clock) -> Result<Self, Error> {
        let (store, root) = location::open(&connection.url, project, storage)?;
        let layout = connection.files.clone();
        let layout = layout.unwrap_or(FilesLayout { format: FileFormat::Csv(CsvForm::default()), tables: Vec::new() });
        Ok(Self { store, root, layout, clock, url: connection.url.clone() })
    }

    /// The names of all tables.
    ///
    /// # Errors
    /// If the store cannot be listed.
    pub async fn tables(&self) -> Result<Vec<ObjectName>, Error> {
        let names = match self.layout.format {
            FileFormat::SynapseLink => self.exported_names().await?,
            _ => self.table_names().await?,
        };
        Ok(names.into_iter().map(|name| ObjectName { label: name.clone(), name }).collect())
    }

    /// Whether it is an export of Synapse Link.
    #[must_use]
    pub fn is_export(&self) -> bool {
        self.layout.format == FileFormat::SynapseLink
    }

    /// A small file whole; none if it is not there.
    pub(super) async fn small(&self, path: &Path) -> Result<Option<bytes::Bytes>, Error> {
        let wrong = |error: object_store::Error| Error::of(path.as_ref(), &error);
        match self.store.get_opts(path, GetOptions::default()).await {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(wrong(error)),
            Ok(answer) if answer.meta.size > DESCRIPTION_BYTES_AT_MOST => {
                let detail = format!("it is larger than {DESCRIPTION_BYTES_AT_MOST} bytes");
                Err(Error::Store { file: path.to_string(), detail })
            }
            Ok(answer) => answer.bytes().await.map(Some).map_err(wrong),
        }
    }

    /// What a file is now.
    pub(super) async fn head(&self, path: &Path) -> Result<ObjectMeta, Error> {
        self.store.head(path).await.map_err(|error| Error::of(path.as_ref(), &error))
    }
}
