//! `$metadata`: the entity model as CSDL, for clients that make their types from it.
//!
//! Annotations (`?annotations=true`) answer 501. In: the schema. Out: XML in which every name and value is escaped.

use super::super::http::{Ask, Reply};
use super::errors::Refusal;
use super::filter::edm;
use super::functions::FUNCTIONS;
use super::relationships::{self, Relationship};
use super::schema::{Kind, Schema, TableSchema};
use super::service::Dynamics;

pub(in crate::sandbox) fn answer(dynamics: &Dynamics, ask: &Ask) -> Result<Reply, Refusal> {
    if !ask.query.is_empty() {
        return Err(Refusal::missing(&format!("$metadata?{}", ask.query)));
    }
    Ok(Reply::new(200, "application/xml", document(&dynamics.described())).with("odata-version", "4.0"))
}

/// The elements of the document, written one inside the other.
struct Writer(String);

impl Writer {
    fn open(&mut self, name: &str, attributes: &[(&str, &str)], empty: bool) {
        self.0.push('<');
        self.0.push_str(name);
        for (key, value) in attributes {
            self.0.push_str(&format!(" {key}=\"{}\"", escaped(value)));
        }
        self.0.push_str(if empty { " />" } else { ">" });
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.open(name, attributes, true);
    }

    fn within(&mut self, name: &str, attributes: &[(&str, &str)], inner: impl FnOnce(&mut Self)) {
        self.open(name, attributes, false);
        inner(self);
        self.0.push_str(&format!("</{name}>"));
    }
}

/// Text that can stand in an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no way to write the other control characters.
            control if control.is_control() => out.push_str(&format!("&#{};", control as u32)),
            other => out.push(other),
        }
    }
    out
}

fn document(schema: &Schema) -> String {
    let relationships = relationships::all(schema);
    let mut xml = Writer("<?xml version=\"1.0\" encoding=\"utf-8\"?>".to_owned());
    let edmx = ("xmlns:edmx", "http://docs.oasis-open.org/odata/ns/edmx");
    xml.within("edmx:Edmx", &[("Version", "4.0"), edmx], |xml| {
        xml.within("edmx:DataServices", &[], |xml| {
            let namespace = [("Namespace", "Microsoft.Dynamics.CRM"), ("Alias", "mscrm")];
            let namespace = [namespace[0], namespace[1], ("xmlns", "http://docs.oasis-open.org/odata/ns/edm")];
            xml.within("Schema", &namespace, |xml| {
                xml.empty("EntityType", &[("Name", "crmbaseentity"), ("Abstract", "true")]);
                principal(xml);
                for table in &schema.tables {
                    entity(xml, schema, table, &relationships);
                }
                functions(xml);
                container(xml, schema, &relationships);
            });
        });
    });
    xml.0
}

/// The type of what can own a row: users and teams.
fn principal(xml: &mut Writer) {
    xml.within("EntityType", &[("Name", "principal"), ("BaseType", "mscrm.crmbaseentity")], |xml| {
        xml.within("Key", &[], |xml| xml.empty("PropertyRef", &[("Name", "ownerid")]));
        xml.empty("Property", &[("Name", "ownerid"), ("Type", "Edm.Guid"), ("Nullable", "false")]);
    });
}

fn entity(xml: &mut Writer, schema: &Schema, table: &TableSchema, relationships: &[Relationship<'_>]) {
    xml.within("EntityType", &[("Name", &table.logical), ("BaseType", "mscrm.crmbaseentity")], |xml| {
        xml.within("Key", &[], |xml| xml.empty("PropertyRef", &[("Name", table.key())]));
        for (index, column) in table.columns.iter().enumerate() {
            let mut attributes = vec![("Name", column.property.as_str()), ("Type", edm(column))];
            if index == 0 {
                attributes.push(("Nullable", "false"));
            }
            if matches!(column.kind, Kind::Decimal | Kind::Money) {
                attributes.push(("Scale", "Variable"));
            }
            if column.is_text() || column.kind == Kind::MultiSelectPicklist {
                attributes.push(("Unicode", "false"));
            }
            xml.empty("Property", &attributes);
        }
        for one in relationships.iter().filter(|one| one.referencing.logical == table.logical) {
            lookup(xml, schema, one);
        }
        for one in relationships.iter().filter(|one| one.leads_to(table)) {
            let kind = format!("Collection(mscrm.{})", one.referencing.logical);
            let ends = [("Name", one.schema_name.as_str()), ("Type", &kind), ("Partner", &one.navigation)];
            xml.empty("NavigationProperty", &ends);
        }
    });
}

fn lookup(xml: &mut Writer, schema: &Schema, one: &Relationship<'_>) {
    let owner = one.referenced == "owner";
    if !owner && schema.table(&one.referenced).is_none() {
        return;
    }
    let kind = if owner { "mscrm.principal".to_owned() } else { format!("mscrm.{}", one.referenced) };
    let mut ends = vec![("Name", one.navigation.as_str()), ("Type", kind.as_str()), ("Nullable", "false")];
    if !owner {
        ends.push(("Partner", &one.schema_name));
    }
    xml.within("NavigationProperty", &ends, |xml| {
        let constraint = [("Property", one.column.property.as_str()), ("ReferencedProperty", &one.referenced_key)];
        xml.empty("ReferentialConstraint", &constraint);
    });
}

fn functions(xml: &mut Writer) {
    let collection = [("Name", "EntityRecordCountCollection")];
    xml.within("ComplexType", &collection, |xml| {
        for (name, kind) in [
            ("Count", "Edm.Int32"),
            ("IsReadOnly", "Edm.Boolean"),
            ("Keys", "Collection(Edm.String)"),
            ("Values", "Collection(Edm.Int64)"),
        ] {
            xml.empty("Property", &[("Name", name), ("Type", kind)]);
        }
    });
    for (name, parameters) in FUNCTIONS {
        let response = format!("{name}Response");
        xml.within("ComplexType", &[("Name", &response)], |xml| {
            for (name, kind) in members(name) {
                xml.empty("Property", &[("Name", name), ("Type", kind)]);
            }
        });
        xml.within("Function", &[("Name", name)], |xml| {
            for parameter in parameters {
                xml.empty(
                    "Parameter",
                    &[("Name", parameter), ("Type", "Collection(Edm.String)"), ("Nullable", "false")],
                );
            }
            xml.empty("ReturnType", &[("Type", &format!("mscrm.{response}")), ("Nullable", "false")]);
        });
    }
}

/// What a function answers.
fn members(function: &str) -> &'static [(&'static str, &'static str)] {
    match function {
        "WhoAmI" => &[("BusinessUnitId", "Edm.Guid"), ("UserId", "Edm.Guid"), ("OrganizationId", "Edm.Guid")],
        "RetrieveVersion" => &[("Version", "Edm.String")],
        _ => &[("EntityRecordCountCollection", "mscrm.EntityRecordCountCollection")],
    }
}

fn container(xml: &mut Writer, schema: &Schema, relationships: &[Relationship<'_>]) {
    xml.within("EntityContainer", &[("Name", "System")], |xml| {
        for table in &schema.tables {
            let set = [("Name", table.set.as_str()), ("EntityType", &format!("mscrm.{}", table.logical))];
            xml.within("EntitySet", &set, |xml| {
                for one in relationships.iter().filter(|one| one.referencing.logical == table.logical) {
                    if let Some(place) = schema.table(&one.referenced) {
                        let target = ("Target", schema.tables[place].set.as_str());
                        xml.empty("NavigationPropertyBinding", &[("Path", &one.navigation), target]);
                    }
                }
                for one in relationships.iter().filter(|one| one.leads_to(table)) {
                    let target = ("Target", one.referencing.set.as_str());
                    xml.empty("NavigationPropertyBinding", &[("Path", &one.schema_name), target]);
                }
            });
        }
        for (name, _) in FUNCTIONS {
            xml.empty("FunctionImport", &[("Name", name), ("Function", &format!("mscrm.{name}"))]);
        }
    });
}
