//! Users of a tenant, a few at a time: who they are, for people who settle which of them a Dynamics user is.
//!
//! In: GSIDs or a user name. Out: users as they are now, whether they may sign in or not.

use serde_json::Value;

use super::client::Gainsight;
use super::error::Error;
use crate::model::dataset::gsid;
use crate::model::field::{Field, FieldKind};

/// The API name of the users' object.
pub const USERS: &str = "gsuser";
/// Values that one query takes.
const ASKED_TOGETHER: usize = 500;

/// A user of Gainsight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The GSID.
    pub gsid: String,
    /// The full name.
    pub name: Option<String>,
    /// The name that the user signs in with.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the user may sign in.
    pub is_active: Option<bool>,
}

impl Gainsight {
    /// The users with these GSIDs, as far as there are any.
    ///
    /// # Errors
    /// What the service or the network says.
    pub async fn users(&self, gsids: &[String]) -> Result<Vec<User>, Error> {
        let mut found = Vec::new();
        for some in gsids.chunks(ASKED_TOGETHER) {
            found.extend(self.users_with(&gsid(), some).await?);
        }
        Ok(found)
    }

    /// The users who sign in with a name: one, as Gainsight has it, or none.
    ///
    /// # Errors
    /// What the service or the network says.
    pub async fn users_named(&self, username: &str) -> Result<Vec<User>, Error> {
        self.users_with(&Field::bare("SFDCUserName", "Username", FieldKind::String), &[username.to_owned()]).await
    }

    async fn users_with(&self, field: &Field, values: &[String]) -> Result<Vec<User>, Error> {
        let text = |name: &str| Field::bare(name, name, FieldKind::String);
        let fields = [gsid(), text("Name"), text("SFDCUserName"), text("Email"), text("IsActiveUser")];
        let rows = self.with(USERS, &fields, field, values).await?;
        let users = rows.into_iter().filter_map(|row| {
            let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
            Some(User {
                gsid: text("Gsid")?,
                name: text("Name"),
                username: text("SFDCUserName"),
                email: text("Email"),
                is_active: row.get("IsActiveUser").and_then(Value::as_bool),
            })
        });
        Ok(users.collect())
    }
}
