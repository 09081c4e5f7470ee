//! Reading back what was sent: the records with these keys, each value in the form in which it would be sent.
//!
//! What a lost answer leaves open is decided by it, so values compare as they are. In: keys. Out: records by API name, the GSID
//! among them.

use serde_json::{Value, json};

use super::client::Gainsight;
use super::error::Error;
use super::read::query;
use super::stored;
use super::write::Record;
use crate::model::field::Field;

impl Gainsight {
    /// The records whose key field has one of these values. `fields` begins with the GSID.
    ///
    /// # Errors
    /// What the service or the network says, or a value that cannot be read.
    pub async fn read_back(
        &self,
        object: &str,
        fields: &[Field],
        key: &Field,
        values: &[Value],
    ) -> Result<Vec<Record>, Error> {
        let mut body = query(fields, None);
        let condition = json!({ "name": key.name, "alias": "A", "operator": "IN", "value": values });
        body["where"] = json!({ "conditions": [condition], "expression": "A" });
        let rows = self.rows(object, body).await?;
        let unreadable = |detail: String| Error::Unreadable { what: object.to_owned(), detail };
        let batch = stored::batch(&rows, fields).map_err(unreadable)?;
        let record = |row| {
            let values = fields.iter().zip(batch.columns());
            values.map(|(field, column)| (field.name.clone(), stored::json(column, row))).collect()
        };
        Ok((0..batch.num_rows()).map(record).collect())
    }
}
