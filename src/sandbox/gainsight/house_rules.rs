//! Rules of this tenant that no metadata tells, so that a client meets refusals it cannot foresee.
//!
//! A company with negative employees, a company whose name starts with "Void ", and e-mail addresses of one domain are
//! refused. In: checked values. Out: the mistakes, or the refusal.

use serde_json::json;

use super::envelope::Refusal;
use super::record::{self, Cell};
use super::schema::Object;
use super::validate::{Changes, Wrong};
use super::values::Mistake;

const BLOCKED_DOMAIN: &str = "@blocked.example";
const VOID: &str = "Void ";

fn sent<'a>(object: &Object, changes: &'a Changes, name: &str) -> Option<&'a Cell> {
    let field = object.field(name)?;
    changes.iter().find(|(index, _)| *index == field).and_then(|(_, cell)| cell.as_ref())
}

/// The refused fields of a company; a refused name is not among them.
pub(in crate::sandbox) fn company(object: &Object, changes: &Changes) -> Vec<Wrong> {
    match (object.name.as_str(), sent(object, changes, "Employees")) {
        ("company", Some(Cell::Number(number))) if *number < 0.0 => {
            vec![Wrong {
                field: "Employees".to_owned(),
                value: record::json(&Cell::Number(*number)),
                mistake: Mistake::Rule,
            }]
        }
        _ => Vec::new(),
    }
}

/// Refuses a whole call for one name without saying which, so that a client must look for it.
pub(in crate::sandbox) fn company_names(object: &Object, all: &[Changes]) -> Result<(), Refusal> {
    let void =
        |changes: &Changes| matches!(sent(object, changes, "Name"), Some(Cell::Text(name)) if name.starts_with(VOID));
    if object.name != "company" || !all.iter().any(void) {
        return Ok(());
    }
    let data = Box::new(json!({"count": 0, "errors": null, "records": null}));
    Err(Refusal { data, ..Refusal::invalid() })
}

/// The refused e-mail of a person or a user.
pub(in crate::sandbox) fn email(object: &Object, changes: &Changes) -> Vec<Wrong> {
    match sent(object, changes, "Email") {
        Some(Cell::Text(text)) if text.to_lowercase().ends_with(BLOCKED_DOMAIN) => {
            vec![Wrong { field: "Email".to_owned(), value: text.as_ref().into(), mistake: Mistake::Rule }]
        }
        _ => Vec::new(),
    }
}
