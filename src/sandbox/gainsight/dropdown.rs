//! A picklist category by its GSID.
//!
//! In: the category. Out: the category and its items, or nothing for an unknown one.

use serde_json::{Value, json};

use super::schema::{Field, Item, Kind};
use super::service::Gainsight;

pub(in crate::sandbox) fn category(gainsight: &Gainsight, id: &str) -> Option<Value> {
    let schema = gainsight.described();
    let mut fields = schema.objects.iter().flat_map(|object| &object.fields);
    let field: &Field = fields.find(|field| field.category.as_deref() == Some(id))?;
    let item = |(order, item): (usize, &Item)| {
        json!({
            "gsid": item.gsid,
            "name": item.label,
            "systemName": item.label.to_uppercase().replace(' ', "_"),
            "active": item.active,
            "displayOrder": order + 1,
            "default": field.default.as_deref() == Some(item.label.as_str()),
            "categoryId": id,
        })
    };
    let variant = if field.kind == Kind::Picklist { "SINGLE_SELECT" } else { "MULTI_SELECT" };
    Some(json!({
        "categoryDetails": {
            "gsid": id, "name": field.label, "variant": variant, "count": field.items.len(), "limit": 200,
        },
        "childItems": field.items.iter().enumerate().map(item).collect::<Vec<_>>(),
    }))
}
