//! Whether a table can be read at all: one row of it, and what its definition says of change tracking.

use serde::Deserialize;

use super::client::Dynamics;
use super::error::Error;
use super::odata::is_name;

/// What a table allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Whether changes can be asked for.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/use-change-tracking-synchronize-data-external-systems>
    pub tracks_changes: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    entity_set_name: String,
    primary_id_attribute: String,
    #[serde(default)]
    change_tracking_enabled: bool,
}

impl Dynamics {
    /// Reads one row of a table.
    ///
    /// # Errors
    /// [`Error::NoTable`] if there is none of that name; otherwise what the service says, such as a missing privilege.
    pub async fn probe(&self, table: &str) -> Result<Probe, Error> {
        if !is_name(table) {
            return Err(Error::NoTable(table.to_owned()));
        }
        let key = format!("EntityDefinitions(LogicalName='{}')", table.to_lowercase());
        let select = "$select=EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled";
        let definition: Definition = match self.json(self.api(&format!("{key}?{select}"))?, None, table).await {
            Err(Error::Refused { status: 404, .. }) => return Err(Error::NoTable(table.to_owned())),
            other => other?,
        };
        let (set, id) = (&definition.entity_set_name, &definition.primary_id_attribute);
        let rows = self.api(&format!("{set}?$select={id}&$top=1"))?;
        self.get(rows, None, table).await?;
        Ok(Probe { tracks_changes: definition.change_tracking_enabled })
    }
}
