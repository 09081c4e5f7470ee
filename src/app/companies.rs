//! `company`: which Gainsight company a Dynamics account is, read live. What a widget on the account form asks.
//!
//! It follows `COMPANY RESOLVED BY` of the project's Dynamics connection; where that says nothing, the product's own field.

use serde::Serialize;
use serde_json::{Map, Value};

use super::connections::{failed, not_revoked};
use super::error::Error;
use super::workspace::{Setting, connect, nothing_open, text_of};
use crate::lang::project::Parsed;
use crate::model::catalog::{Found, Object};
use crate::model::connection::{CompanyResolution, Connection, Service};
use crate::model::field::{Field, FieldKind};

/// One company that carries the account's id.
#[derive(Debug, Serialize)]
pub struct Company {
    /// Its GSID.
    pub gsid: String,
    /// What it is called.
    pub name: String,
    /// Its fields that have a value, by label.
    pub fields: Vec<(String, String)>,
}

/// The companies of an account: none if it is not linked, several if the tenant holds it twice.
///
/// # Errors
/// If the project has no connection to ask, its field does not exist, or the service says no.
pub async fn of_account(setting: &Setting, account: &str) -> Result<Vec<Company>, Error> {
    if account.trim().trim_matches(['{', '}']).is_empty() {
        return Err(Error::Usage("name the account by its id in Dynamics".to_owned()));
    }
    let text = text_of(setting)?;
    let (connection, label) = resolution(&text.parsed)?;
    not_revoked(&connection.name, setting)?;
    let mut services = nothing_open(setting);
    connect(connection, setting, &mut services).await?.map_err(|cause| failed(connection, cause))?;
    let said = |cause: crate::gainsight::error::Error| failed(connection, cause.into());
    let client = services.gainsight.get(&connection.name).expect("it has just been opened");
    let object = client.describe(&["company".to_owned()]).await.map_err(said)?.into_iter().next();
    let object = object.ok_or_else(|| Error::Usage("the tenant describes no Company".to_owned()))?;
    let field = match object.field(label) {
        Found::One(field) => field,
        _ => return Err(Error::Usage(format!("Company has no field \"{label}\"; COMPANY RESOLVED BY names another"))),
    };
    let shown: Vec<Field> = shown(&object);
    let rows = client.with(&object.name, &shown, field, &forms(account)).await.map_err(said)?;
    Ok(rows.iter().map(|row| company(row, &shown)).collect())
}

/// The connection to ask, and the field that holds the account's id.
fn resolution(parsed: &Parsed) -> Result<(&Connection, &str), Error> {
    let named = parsed.connections.values().find_map(|c| c.company_resolution.as_ref());
    let is_wanted = |c: &&Connection| {
        c.service == Service::Gainsight && named.is_none_or(|n| n.connection.eq_ignore_ascii_case(&c.name))
    };
    let connection = parsed.connections.values().find(is_wanted);
    let connection = connection.ok_or_else(|| Error::Usage("the project has no Gainsight connection".to_owned()))?;
    Ok((connection, named.map_or(CompanyResolution::FIELD, |n| n.field.as_str())))
}

/// The forms in which an id may have been stored: with and without braces, in small letters and in capitals.
fn forms(account: &str) -> Vec<String> {
    let id = account.trim().trim_matches(['{', '}']).to_lowercase();
    let upper = id.to_uppercase();
    vec![format!("{{{id}}}"), format!("{{{upper}}}"), upper, id]
}

/// What is shown of a company: everything that can be read as a text, its GSID first.
fn shown(object: &Object) -> Vec<Field> {
    let (mut ids, others): (Vec<Field>, Vec<Field>) =
        object.fields.iter().filter(|f| f.kind != FieldKind::Other).cloned().partition(|f| f.kind == FieldKind::Gsid);
    ids.extend(others);
    ids
}

fn company(row: &Map<String, Value>, fields: &[Field]) -> Company {
    let of = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let known = fields.iter().filter(|f| f.kind != FieldKind::Gsid && f.name != "Name");
    let fields = known.filter_map(|f| Some((f.label.clone(), text(row.get(&f.name)?, f)?)));
    Company { gsid: of("Gsid"), name: of("Name"), fields: fields.collect() }
}

/// A value as people read it; none if there is none.
fn text(value: &Value, field: &Field) -> Option<String> {
    let item = |id: &str| field.choices.iter().find(|c| c.code == id).map_or(id, |c| c.label.as_str()).to_owned();
    let moment = |millis: i64| chrono::DateTime::from_timestamp_millis(millis);
    match (value, field.kind) {
        (Value::Null, _) => None,
        (Value::Number(number), FieldKind::Date) => Some(moment(number.as_i64()?)?.date_naive().to_string()),
        (Value::Number(number), FieldKind::DateTime) => {
            Some(moment(number.as_i64()?)?.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
        }
        (Value::String(text), _) if text.is_empty() => None,
        (Value::String(text), FieldKind::Picklist) => Some(item(text)),
        (Value::String(text), FieldKind::MultiPicklist) => {
            Some(text.split(';').map(item).collect::<Vec<_>>().join(";"))
        }
        (Value::String(text), _) => Some(text.clone()),
        (other, _) => Some(other.to_string()),
    }
}
