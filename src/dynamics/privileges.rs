//! What the signed-in user may do with tables: read all of their rows, and, as nobody should have to fear, change them.
//!
//! In: tables by logical name. Out: what is allowed on each. It is asked only by `connection test`.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/security-model>

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client::Dynamics;
use super::error::Error;
use super::odata::{is_guid, is_name};

/// What is allowed on one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// How far reading goes; nothing if it is not allowed.
    pub read: Option<Depth>,
    /// What is allowed beside reading: `Create`, `Write`.
    pub more: Vec<String>,
}

/// Whose rows a privilege covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The whole organisation's.
    Organization,
    /// Those of a part: one's own, a business unit's, or of that and those below it.
    Part,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Held {
    role_privileges: Vec<RolePrivilege>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RolePrivilege {
    privilege_id: String,
    #[serde(default)]
    depth: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    #[serde(default)]
    privileges: Vec<Privilege>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Privilege {
    privilege_id: String,
    privilege_type: String,
}

/// The privileges that a user's roles and teams give him, by id.
pub struct Privileges(BTreeMap<String, Depth>);

impl Dynamics {
    /// The privileges of the signed-in user.
    ///
    /// # Errors
    /// If he may not even ask.
    pub async fn privileges(&self) -> Result<Privileges, Error> {
        let user = self.who_am_i().await?.user_id;
        let what = "the application user's privileges";
        if !is_guid(&user) {
            return Err(Error::Unreadable { what: what.to_owned(), detail: "WhoAmI names no user".to_owned() });
        }
        let url = self.api(&format!("systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges"))?;
        let held: Held = self.json(url, None, what).await?;
        let depth = |word: &str| if word == "Global" { Depth::Organization } else { Depth::Part };
        Ok(Privileges(
            held.role_privileges.into_iter().map(|p| (p.privilege_id.to_lowercase(), depth(&p.depth))).collect(),
        ))
    }

    /// What these privileges allow on a table.
    ///
    /// # Errors
    /// If the table cannot be described.
    pub async fn rights(&self, table: &str, privileges: &Privileges) -> Result<Rights, Error> {
        let table = table.to_lowercase();
        if !is_name(&table) {
            return Err(Error::NoTable(table));
        }
        let url = self.api(&format!("EntityDefinitions(LogicalName='{table}')?$select=Privileges"))?;
        let definition: Definition = self.json(url, None, &table).await?;
        let mut rights = Rights { read: None, more: Vec::new() };
        for privilege in definition.privileges {
            let Some(depth) = privileges.0.get(&privilege.privilege_id.to_lowercase()) else { continue };
            match privilege.privilege_type.as_str() {
                "Read" => rights.read = Some(*depth),
                // To be pointed at changes no row, and many roles come with it.
                "AppendTo" => {}
                other => rights.more.push(other.to_owned()),
            }
        }
        Ok(rights)
    }
}
