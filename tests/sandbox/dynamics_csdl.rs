//! `$metadata`: that it is whole, and says the same as the rest of the service.

use std::collections::HashSet;

use super::client::Client;
use serde_json::Value;

async fn document(client: &Client) -> String {
    let response = client.dynamics("$metadata").header("Accept", "application/xml").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/xml");
    response.text().await.unwrap()
}

/// Reads the tags of well-formed XML, with their attributes, and fails on any that is not closed.
fn tags(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
    let (mut found, mut open, mut rest) = (Vec::new(), Vec::new(), xml);
    while let Some(start) = rest.find('<') {
        assert!(rest[..start].trim().is_empty(), "there is text between tags");
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('?') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let (bare, empty) = tag.strip_suffix('/').map_or((tag, false), |bare| (bare.trim_end(), true));
        let (name, mut text) = bare.split_once(' ').unwrap_or((bare, ""));
        let mut attributes = Vec::new();
        while let Some((key, after)) = text.split_once("=\"") {
            let (value, after) = after.split_once('"').expect("a value ends");
            attributes.push((key.trim().to_owned(), value.to_owned()));
            text = after;
        }
        if !empty {
            open.push(name.to_owned());
        }
        found.push((name.to_owned(), attributes));
    }
    assert!(open.is_empty(), "{open:?}");
    found
}

fn value<'a>(attributes: &'a [(String, String)], name: &str) -> &'a str {
    attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

fn all<'a>(tags: &'a [(String, Vec<(String, String)>)], tag: &'a str, name: &'a str) -> Vec<&'a str> {
    tags.iter().filter(|(found, _)| found == tag).map(|(_, attributes)| value(attributes, name)).collect()
}

#[tokio::test]
async fn the_document_is_well_formed_and_every_name_in_it_leads_somewhere() {
    let client = Client::start().await;
    let xml = document(&client).await;
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?><edmx:Edmx Version=\"4.0\""));
    assert!(xml.contains("<Schema Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\""));
    let tags = tags(&xml);
    let mut types: HashSet<String> =
        all(&tags, "EntityType", "Name").iter().map(|name| format!("mscrm.{name}")).collect();
    types.extend(all(&tags, "ComplexType", "Name").iter().map(|name| format!("mscrm.{name}")));
    let used =
        ["Property", "NavigationProperty", "Parameter", "ReturnType"].map(|tag| all(&tags, tag, "Type")).concat();
    let bases = all(&tags, "EntityType", "BaseType").into_iter().filter(|name| !name.is_empty());
    for name in used.into_iter().chain(bases).chain(all(&tags, "EntitySet", "EntityType")) {
        let bare = name.strip_prefix("Collection(").and_then(|name| name.strip_suffix(')')).unwrap_or(name);
        assert!(bare.starts_with("Edm.") || types.contains(bare), "{name}");
    }
    let sets: HashSet<&str> = all(&tags, "EntitySet", "Name").into_iter().collect();
    assert!(all(&tags, "NavigationPropertyBinding", "Target").iter().all(|target| sets.contains(target)));
    let functions: HashSet<String> =
        all(&tags, "Function", "Name").iter().map(|name| format!("mscrm.{name}")).collect();
    assert!(all(&tags, "FunctionImport", "Function").iter().all(|name| functions.contains(*name)));
}

#[tokio::test]
async fn an_entity_has_its_key_its_columns_and_its_lookups() {
    let client = Client::start().await;
    let xml = document(&client).await;
    let start = xml.find("<EntityType Name=\"contact\" BaseType=\"mscrm.crmbaseentity\">").unwrap();
    let contact = &xml[start..start + xml[start..].find("</EntityType>").unwrap()];
    for element in [
        "<Key><PropertyRef Name=\"contactid\" /></Key>",
        "<Property Name=\"contactid\" Type=\"Edm.Guid\" Nullable=\"false\" />",
        "<Property Name=\"_parentcustomerid_value\" Type=\"Edm.Guid\" />",
        "<Property Name=\"birthdate\" Type=\"Edm.Date\" />",
        "<Property Name=\"createdon\" Type=\"Edm.DateTimeOffset\" />",
        "<Property Name=\"versionnumber\" Type=\"Edm.Int64\" />",
        "<Property Name=\"gendercode\" Type=\"Edm.Int32\" />",
        "<NavigationProperty Name=\"parentcustomerid_account\" Type=\"mscrm.account\" Nullable=\"false\" \
         Partner=\"contact_customer_accounts\"><ReferentialConstraint Property=\"_parentcustomerid_value\" \
         ReferencedProperty=\"accountid\" /></NavigationProperty>",
        "<NavigationProperty Name=\"account_primary_contact\" Type=\"Collection(mscrm.account)\" Partner=\"primarycontactid\" />",
        "<NavigationProperty Name=\"ownerid\" Type=\"mscrm.principal\"",
    ] {
        assert!(contact.contains(element), "{element}\n{contact}");
    }
    assert!(!contact.contains("gendercodename"));
    let (_, read) = client.read("contacts?$top=1").await;
    for name in read["value"][0].as_object().unwrap().keys().filter(|name| !name.starts_with('@')) {
        assert!(contact.contains(&format!("<Property Name=\"{name}\"")), "{name}");
    }
}

#[tokio::test]
async fn it_names_the_sets_and_relationships_of_the_other_documents() {
    let client = Client::start().await;
    let tags = tags(&document(&client).await);
    let (_, service) = client.read("").await;
    let sets: Vec<&str> =
        service["value"].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
    assert_eq!(all(&tags, "EntitySet", "Name"), sets);
    let (_, relationships) =
        client.read("RelationshipDefinitions/Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata").await;
    let navigations: HashSet<&str> = all(&tags, "NavigationProperty", "Name").into_iter().collect();
    // Lookups may lead to tables the sandbox does not have; their navigation properties would lead nowhere.
    let elsewhere = ["position", "territory", "lead", "queue"];
    let leads = |one: &&Value| !elsewhere.iter().any(|table| one["ReferencedEntity"] == *table);
    for one in relationships["value"].as_array().unwrap().iter().filter(leads) {
        let name = one["ReferencingEntityNavigationPropertyName"].as_str().unwrap();
        assert!(navigations.contains(name), "{one}");
    }
}

#[tokio::test]
async fn what_else_could_be_asked_of_it_is_refused() {
    let client = Client::start().await;
    for (path, status) in [
        ("$metadata?annotations=true", 501),
        ("$metadata?$format=json", 501),
        ("$metadata/accounts", 404),
        ("$Metadata", 404),
    ] {
        let (found, body) = client.read(path).await;
        assert_eq!(found, status, "{path}: {body}");
        assert_ne!(body["error"]["message"], Value::Null);
    }
    let response = client.request(reqwest::Method::POST, "$metadata").send().await.unwrap();
    assert_eq!(response.status(), 404);
}
