//! An export whose files are rewritten or appended in place: only its snapshots can be read, which stay as they are.
//!
//! <https://learn.microsoft.com/power-apps/maker/data-platform/azure-synapse-link-data-lake>

use object_store::path::Path;
use url::Url;

use super::super::client::Files;
use super::super::csv::Fields;
use super::super::error::Error;
use super::super::reading::{Piece, Reading};
use super::super::shape::Shape;
use super::model::Entity;

/// The folder of the snapshots of a table.
const SNAPSHOT: &str = "/Snapshot/";

impl Files {
    /// What the newest snapshots hold of a table.
    pub(super) async fn read_snapshots(&self, entity: &Entity, shape: Shape) -> Result<Reading, Error> {
        let fields = Fields::Exported(entity.columns().into());
        if entity.partitions.is_empty() {
            let table = &entity.name;
            return Err(
                self.export_error(format!("model.json names no snapshot of {table}; Dataverse takes one each hour"))
            );
        }
        let (mut pieces, mut oldest) = (Vec::new(), None);
        for partition in &entity.partitions {
            let place = self.place_of(&partition.location)?;
            if !format!("/{place}").contains(SNAPSHOT) {
                let table = &entity.name;
                return Err(self.export_error(format!(
                    "{place} is written in place, and no snapshot of {table} is there yet; Dataverse takes one each hour"
                )));
            }
            let taken = taken(place.filename().unwrap_or_default());
            oldest = Some(oldest.map_or(taken, |oldest: Option<i64>| oldest.min(taken)));
            let meta = self.head(&place).await?;
            if meta.size > 0 {
                pieces.push(Piece { meta, fields: fields.clone() });
            }
        }
        pieces.sort_by(|a, b| a.meta.location.cmp(&b.meta.location));
        let mut reading = self.reading(shape, pieces.into());
        reading.complete_to_ms = oldest.flatten().map(|seconds| seconds.saturating_mul(1_000));
        Ok(reading)
    }

    /// Where a file lies that the description names by the whole URL of its account.
    fn place_of(&self, location: &str) -> Result<Path, Error> {
        let wrong = || self.export_error(format!("model.json names a file at {location}, which is no place of it"));
        let url = Url::parse(location).map_err(|_| wrong())?;
        let below = url.path_segments().and_then(|mut parts| {
            // The container comes first.
            parts.next()?;
            let rest: Vec<&str> = parts.collect();
            (!rest.is_empty() && rest.iter().all(|part| !part.is_empty() && *part != "..")).then(|| rest.join("/"))
        });
        let path = Path::from_url_path(below.ok_or_else(wrong)?).map_err(|_| wrong())?;
        // The export may lie in a folder of another container by now.
        let is_below = self.root.as_ref().is_empty() || path.prefix_matches(&self.root);
        Ok(if is_below { path } else { self.root.parts().chain(path.parts()).collect() })
    }
}

/// When a snapshot was taken: `2024_1712345678.csv`, in seconds since 1970.
fn taken(name: &str) -> Option<i64> {
    let stem = name.strip_suffix(".csv").unwrap_or(name);
    stem.rsplit('_').next().filter(|digits| digits.len() >= 10)?.parse().ok()
}
