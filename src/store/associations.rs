//! The identity map as people see and settle it: who is who, since when, by whom, and who could be one of several.
//!
//! In: what somebody says of a Dynamics user. Out: the map, and the update activity in the same transaction.

use super::database::{OptionalExtension, Row, params};
use super::error::Result;
use super::state::{State, Tenancy};
use super::updates::{Update, keep_update};
use super::users::{PERSON, forget_ambiguous};

/// A Dynamics user, and which Gainsight user he is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// Whose state it belongs to.
    pub of: Tenancy,
    /// The Dynamics user's id.
    pub source_id: String,
    /// Whether the Dynamics user is enabled, as far as a run has seen.
    pub active: Option<bool>,
    /// The Gainsight user's GSID; none if somebody parted the two.
    pub user_gsid: Option<String>,
    /// A Gainsight user that he is not, as somebody said.
    pub parted_gsid: Option<String>,
    /// Since when: RFC 3339, UTC; unknown of what an earlier version entered.
    pub since: Option<String>,
    /// [`super::users::KEY`], or [`PERSON`] and a name.
    pub settled_by: Option<String>,
}

/// A Dynamics user that could be one of several Gainsight users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguous {
    /// Whose state it belongs to.
    pub of: Tenancy,
    /// The Dynamics user's id.
    pub source_id: String,
    /// The job that found it.
    pub job: String,
    /// The last run that did.
    pub run: String,
    /// Since when: RFC 3339, UTC.
    pub since: String,
    /// The users' GSIDs.
    pub candidates: Vec<String>,
}

impl State {
    /// The whole map. A state that an earlier version made is looked at as it is.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn associations(&self) -> Result<Vec<Association>> {
        let query = self.database.prepare("SELECT * FROM identity ORDER BY organization, tenant, source_id");
        query.query_map((), association)
    }

    /// What the map says of one Dynamics user.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn association(&self, of: &Tenancy, source_id: &str) -> Result<Option<Association>> {
        let found = self.database.query_row(
            "SELECT * FROM identity WHERE organization = ?1 AND tenant = ?2 AND source_id = ?3",
            params![of.organization, of.tenant, source_id],
            association,
        );
        found.optional()
    }

    /// The Dynamics user that a Gainsight user is.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn owner(&self, of: &Tenancy, user_gsid: &str) -> Result<Option<Association>> {
        let found = self.database.query_row(
            "SELECT * FROM identity WHERE organization = ?1 AND tenant = ?2 AND user_gsid = ?3 ORDER BY source_id LIMIT 1",
            params![of.organization, of.tenant, user_gsid],
            association,
        );
        found.optional()
    }

    /// Users that could be one of several.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn ambiguous(&self) -> Result<Vec<Ambiguous>> {
        if !self.has_table("ambiguous")? {
            return Ok(Vec::new());
        }
        let query = self.database.prepare("SELECT * FROM ambiguous ORDER BY organization, tenant, source_id");
        query.query_map((), |row| {
            Ok(Ambiguous {
                of: tenancy(row)?,
                source_id: row.get("source_id")?,
                job: row.get("job")?,
                run: row.get("run")?,
                since: row.get("since")?,
                candidates: row.get::<String>("candidates")?.split(' ').map(str::to_owned).collect(),
            })
        })
    }

    /// Enters what a person said of a Dynamics user: which user he is, or that he is none; and which he is not. Each update is an
    /// activity; where it names another Dynamics user, that one is parted from the user.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn settle_user(&self, of: &Tenancy, said: &[Said<'_>]) -> Result<()> {
        self.change("associate", |change| {
            for one in said {
                change.queue(
                    "INSERT INTO identity (organization, tenant, source_id, user_gsid, parted_gsid, since, settled_by, said_behind)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT coalesce(max(began), 0) FROM run))
                     ON CONFLICT (organization, tenant, source_id) DO UPDATE SET user_gsid = excluded.user_gsid,
                         parted_gsid = excluded.parted_gsid, since = excluded.since, settled_by = excluded.settled_by,
                         said_behind = excluded.said_behind",
                    params![
                        of.organization,
                        of.tenant,
                        one.source_id,
                        one.user_gsid,
                        one.parted_gsid,
                        one.update.at,
                        format!("{PERSON}{}", one.update.by)
                    ],
                )?;
                // What the row became before is not its record any more: no clause about lost rows may touch it.
                change.queue(
                    "DELETE FROM link WHERE organization = ?1 AND tenant = ?2 AND source_id = ?3 AND gsid IS DISTINCT FROM ?4
                     AND object = 'gsuser'",
                    params![of.organization, of.tenant, one.source_id, one.user_gsid],
                )?;
                if one.user_gsid.is_some() {
                    forget_ambiguous(change, of, one.source_id)?;
                }
                keep_update(change, &one.update)?;
            }
            Ok(())
        })
    }
}

/// What a person said of a Dynamics user.
#[derive(Debug, Clone)]
pub struct Said<'a> {
    /// The Dynamics user's id.
    pub source_id: &'a str,
    /// The Gainsight user that he is.
    pub user_gsid: Option<&'a str>,
    /// A Gainsight user that he is not.
    pub parted_gsid: Option<&'a str>,
    /// The activity.
    pub update: Update,
}

fn association(row: &Row<'_>) -> Result<Association> {
    Ok(Association {
        of: tenancy(row)?,
        source_id: row.get("source_id")?,
        active: row.get("active")?,
        user_gsid: row.get("user_gsid")?,
        parted_gsid: row.get("parted_gsid").unwrap_or_default(),
        since: row.get("since").unwrap_or_default(),
        settled_by: row.get("settled_by").unwrap_or_default(),
    })
}

fn tenancy(row: &Row<'_>) -> Result<Tenancy> {
    Ok(Tenancy { organization: row.get("organization")?, tenant: row.get("tenant")? })
}
