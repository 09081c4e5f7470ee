//! Users of an organisation, a few at a time: who they are, for people who settle which Gainsight user each is.
//!
//! In: ids or a user name. Out: users as they are now.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/systemuser>

use serde::Deserialize;

use super::client::Dynamics;
use super::error::Error;
use super::odata::{encode, is_guid};

/// Users that are asked for in one request: so many ids fit into a URL.
const ASKED_TOGETHER: usize = 50;

/// A user of Dynamics.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SystemUser {
    /// The user's id.
    #[serde(rename = "systemuserid")]
    pub id: String,
    /// The full name.
    #[serde(rename = "fullname")]
    pub name: Option<String>,
    /// The name that the user signs in with.
    #[serde(rename = "domainname")]
    pub username: Option<String>,
    /// Whether the user is disabled.
    #[serde(rename = "isdisabled", default)]
    pub is_disabled: bool,
}

#[derive(Deserialize)]
struct Users {
    value: Vec<SystemUser>,
}

impl Dynamics {
    /// The users with these ids, as far as there are any. What is no id is nobody's.
    ///
    /// # Errors
    /// What the service or the network says.
    pub async fn users(&self, ids: &[String]) -> Result<Vec<SystemUser>, Error> {
        let ids: Vec<&String> = ids.iter().filter(|id| is_guid(id)).collect();
        let mut found = Vec::new();
        for some in ids.chunks(ASKED_TOGETHER) {
            let any: Vec<String> = some.iter().map(|id| format!("systemuserid eq {id}")).collect();
            found.extend(self.users_where(&any.join(" or ")).await?);
        }
        Ok(found)
    }

    /// The users who sign in with a name: one, as Dynamics has it, or none.
    ///
    /// # Errors
    /// What the service or the network says.
    pub async fn users_named(&self, username: &str) -> Result<Vec<SystemUser>, Error> {
        self.users_where(&format!("domainname eq '{}'", username.replace('\'', "''"))).await
    }

    async fn users_where(&self, filter: &str) -> Result<Vec<SystemUser>, Error> {
        let select = "$select=systemuserid,fullname,domainname,isdisabled";
        let url = self.api(&format!("systemusers?{select}&$filter={}", encode(filter)))?;
        let users: Users = self.json(url, None, "systemuser").await?;
        Ok(users.value)
    }
}
