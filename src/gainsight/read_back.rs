//! Reading back what was sent: the records with these keys, each value in the form in which it would be sent.
//!
//! What a lost answer leaves open is decided by it, so values compare as they are, and no record is left out: it reads page by page.
//! In: keys. Out: records by API name, the GSID among them.

use serde_json::Value;

use super::client::Gainsight;
use super::error::Error;
use super::read::{narrow, query};
use super::stored;
use super::write::Record;
use crate::model::connection::Limits;
use crate::model::field::Field;

/// Key fields that are asked for in one query; more would only narrow what is found.
const CONDITIONS_AT_MOST: usize = 9;

impl Gainsight {
    /// The records of which each key field has one of its values: those with the keys, and where there are several key fields perhaps
    /// some more. Fields that cannot be asked for with a list are left to whoever compares. `fields` begins with the GSID.
    ///
    /// # Errors
    /// What the service or the network says, or a value that cannot be read.
    pub async fn read_back(
        &self,
        object: &str,
        fields: &[Field],
        keys: &[(&Field, Vec<Value>)],
    ) -> Result<Vec<Record>, Error> {
        let mut records: Vec<Record> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let rows = self.rows(object, narrowed(fields, keys, after.as_deref())).await?;
            let unreadable = |detail: String| Error::Unreadable { what: object.to_owned(), detail };
            let last = rows.last().and_then(|row| row.get("Gsid")).and_then(Value::as_str).map(str::to_owned);
            let is_done = rows.len() < Limits::READ_ROWS;
            if !is_done && (last.is_none() || last <= after) {
                return Err(unreadable("paging does not advance".to_owned()));
            }
            let batch = stored::batch(&rows, fields).map_err(unreadable)?;
            records.extend((0..batch.num_rows()).map(|row| {
                let values = fields.iter().zip(batch.columns());
                values.map(|(field, column)| (field.name.clone(), stored::json(column, row))).collect::<Record>()
            }));
            if is_done {
                return Ok(records);
            }
            after = last;
        }
    }
}

fn narrowed(fields: &[Field], keys: &[(&Field, Vec<Value>)], after: Option<&str>) -> Value {
    let mut body = query(fields, after);
    let asked = keys.iter().filter(|(field, values)| field.kind.can_be_listed() && !values.is_empty());
    asked.take(CONDITIONS_AT_MOST).for_each(|(field, values)| narrow(&mut body, &field.name, "IN", values));
    body
}
