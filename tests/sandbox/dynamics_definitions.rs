//! Definitions as other clients ask for them: filters, ids, expansions and relationships.

use super::client::{Client, with_query};
use serde_json::{Value, json};

async fn list(client: &Client, path: &str) -> Vec<Value> {
    let (status, body) = client.read(path).await;
    assert_eq!(status, 200, "{path}: {body}");
    body["value"].as_array().expect("a list").clone()
}

fn names<'a>(list: &'a [Value], name: &str) -> Vec<&'a str> {
    list.iter().map(|one| one[name].as_str().unwrap()).collect()
}

#[tokio::test]
async fn entities_are_filtered_by_their_members() {
    let client = Client::start().await;
    let every = [
        "systemuser",
        "account",
        "contact",
        "opportunity",
        "transactioncurrency",
        "team",
        "businessunit",
        "new_project",
    ];
    for (filter, found) in [
        ("LogicalName eq 'account'", &["account"][..]),
        ("LogicalName eq 'contact' or LogicalName eq 'account'", &["account", "contact"]),
        ("SchemaName eq 'new_Project'", &["new_project"]),
        ("EntitySetName eq 'teams'", &["team"]),
        ("IsPrivate eq false", &every),
        ("TableType ne 'Virtual' and IsPrivate eq false", &every),
        ("IsPrivate eq false and (SchemaName eq 'Team')", &["team"]),
        ("IsCustomEntity eq true", &["new_project"]),
        ("not (ObjectTypeCode ne 1)", &["account"]),
        ("ChangeTrackingEnabled eq false", &["systemuser", "transactioncurrency", "team", "businessunit"]),
        ("OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'OrganizationOwned'", &["transactioncurrency"]),
        ("LogicalName eq 'lead'", &[]),
        ("LogicalName eq 'o''brien'", &[]),
        ("PrimaryNameAttribute eq null", &[]),
    ] {
        let query = [("$select", "LogicalName"), ("$filter", filter)];
        let all = list(&client, &with_query("EntityDefinitions", &query)).await;
        assert_eq!(names(&all, "LogicalName"), found, "{filter}");
        // The same bytes as a client sends that leaves blanks to its library.
        let plain = format!("EntityDefinitions?$filter={}&$select=LogicalName", filter.replace(' ', "%20"));
        assert_eq!(list(&client, &plain).await, all, "{filter}");
    }
    let (_, counted) = client.read("EntityDefinitions?$count=true&$select=LogicalName").await;
    assert_eq!(counted["@odata.count"], every.len());
    assert_eq!(client.read("EntityDefinitions/$count").await.1, every.len());
}

#[tokio::test]
async fn a_definition_is_found_by_name_and_by_id() {
    let client = Client::start().await;
    let (_, named) = client.read("EntityDefinitions(LogicalName='account')?$select=SchemaName,EntitySetName").await;
    assert_eq!((&named["SchemaName"], named.get("LogicalName")), (&json!("Account"), None));
    let id = named["MetadataId"].as_str().unwrap();
    for key in [id.to_owned(), id.to_uppercase(), format!("MetadataId={id}")] {
        let (_, found) = client.read(&format!("EntityDefinitions({key})?$select=SchemaName,EntitySetName")).await;
        assert_eq!(found["EntitySetName"], "accounts", "{key}");
    }
    let columns = list(&client, &format!("EntityDefinitions({id})/Attributes?$filter=LogicalName%20eq%20'name'")).await;
    assert_eq!(names(&columns, "LogicalName"), ["name"]);
    let column = columns[0]["MetadataId"].as_str().unwrap();
    let (_, same) = client.read(&format!("EntityDefinitions({id})/Attributes({column})")).await;
    assert_eq!((&same["LogicalName"], &same["EntityLogicalName"]), (&json!("name"), &json!("account")));
}

#[tokio::test]
async fn attributes_are_filtered_and_expanded() {
    let client = Client::start().await;
    let account = "EntityDefinitions(LogicalName='account')";
    let filter = "AttributeType eq Microsoft.Dynamics.CRM.AttributeTypeCode'Picklist'";
    let query = [("$select", "LogicalName,AttributeType"), ("$filter", filter)];
    let picklists = list(&client, &with_query(&format!("{account}/Attributes"), &query)).await;
    assert!(picklists.len() > 5 && picklists.iter().all(|one| one["AttributeType"] == "Picklist"));
    let cast = format!("{account}/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata");
    let typed = list(&client, &format!("{cast}?$select=LogicalName&$expand=OptionSet($select=Options)")).await;
    assert_eq!(names(&typed, "LogicalName"), names(&picklists, "LogicalName"));
    assert!(typed.iter().all(|one| one["OptionSet"]["Options"].is_array() && one["OptionSet"].get("Name").is_none()));
    let query = [("$filter", "LogicalName eq 'industrycode'"), ("$expand", "OptionSet,GlobalOptionSet")];
    let one = list(&client, &with_query(&cast, &query)).await;
    assert_eq!((one.len(), &one[0]["OptionSet"]["Name"]), (1, &json!("account_industrycode")));
    let query = [
        ("$select", "LogicalName"),
        ("$filter", "LogicalName eq 'contact'"),
        (
            "$expand",
            "Attributes($select=LogicalName,AttributeType;$filter=AttributeOf eq null),Keys($select=KeyAttributes),\
                     ManyToOneRelationships($select=SchemaName,ReferencedEntity)",
        ),
    ];
    let contact = &list(&client, &with_query("EntityDefinitions", &query)).await[0];
    let columns = contact["Attributes"].as_array().unwrap();
    assert!(names(columns, "LogicalName").contains(&"parentcustomerid"));
    assert!(!names(columns, "LogicalName").contains(&"parentcustomeridname"));
    assert_eq!(contact["Keys"], json!([]));
    let keys = list(&client, &format!("{account}/Keys?$select=LogicalName,KeyAttributes,EntityKeyIndexStatus")).await;
    assert_eq!(
        (&keys[0]["KeyAttributes"], &keys[0]["EntityKeyIndexStatus"]),
        (&json!(["accountnumber"]), &json!("Active"))
    );
    let (_, expanded) = client.read(&format!("{account}?$select=SchemaName&$expand=Keys($select=KeyAttributes)")).await;
    assert_eq!(expanded["Keys"][0]["KeyAttributes"], json!(["accountnumber"]));
    let (_, one) = client.read(&format!("{account}/Keys({})", keys[0]["MetadataId"].as_str().unwrap())).await;
    assert_eq!(one["LogicalName"], "new_accountnumber");
    let related = contact["ManyToOneRelationships"].as_array().unwrap();
    assert!(names(related, "SchemaName").contains(&"contact_customer_accounts"));
}

#[tokio::test]
async fn the_context_names_what_was_asked() {
    let client = Client::start().await;
    let account = "EntityDefinitions(LogicalName='account')";
    let cast = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata";
    let wish = "?$select=LogicalName&$expand=OptionSet,GlobalOptionSet";
    let wanted = "(LogicalName,OptionSet(),GlobalOptionSet())";
    for (path, context) in [
        ("EntityDefinitions?$select=LogicalName".to_owned(), "EntityDefinitions(LogicalName)".to_owned()),
        (account.to_owned(), "EntityDefinitions/$entity".to_owned()),
        (format!("{account}/Attributes"), "EntityDefinitions('account')/Attributes".to_owned()),
        (
            format!("{account}/Attributes/{cast}{wish}"),
            format!("EntityDefinitions('account')/Attributes/{cast}{wanted}"),
        ),
        (
            format!("{account}/Attributes(LogicalName='industrycode')/{cast}{wish}"),
            format!("EntityDefinitions('account')/Attributes/{cast}{wanted}/$entity"),
        ),
        (
            format!("{account}?$expand=Attributes($select=LogicalName)"),
            "EntityDefinitions(Attributes(LogicalName))/$entity".to_owned(),
        ),
    ] {
        let (_, body) = client.read(&path).await;
        let found = body["@odata.context"].as_str().unwrap();
        assert_eq!(found.split_once("$metadata#").unwrap().1, context, "{path}");
    }
}

#[tokio::test]
async fn relationships_follow_from_the_lookups() {
    let client = Client::start().await;
    let of = |table: &str, kind: &str| format!("EntityDefinitions(LogicalName='{table}')/{kind}");
    let to_account = list(&client, &of("account", "OneToManyRelationships")).await;
    let customers = to_account.iter().find(|one| one["SchemaName"] == "contact_customer_accounts").unwrap();
    for (member, value) in [
        ("ReferencedEntity", "account"),
        ("ReferencedAttribute", "accountid"),
        ("ReferencingEntity", "contact"),
        ("ReferencingAttribute", "parentcustomerid"),
        ("ReferencingEntityNavigationPropertyName", "parentcustomerid_account"),
        ("ReferencedEntityNavigationPropertyName", "contact_customer_accounts"),
    ] {
        assert_eq!(customers[member], value, "{member}");
    }
    assert!(to_account.iter().all(|one| one["ReferencedEntity"] == "account" && one.get("@odata.type").is_none()));
    let of_contact = list(&client, &of("contact", "ManyToOneRelationships")).await;
    let cast = "RelationshipDefinitions/Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata";
    let filtered = list(&client, &with_query(cast, &[("$filter", "ReferencingEntity eq 'contact'")])).await;
    assert_eq!(filtered, of_contact);
    assert_eq!(list(&client, &of("account", "ManyToManyRelationships")).await, Vec::<Value>::new());
    assert_eq!(list(&client, &of("contact", "Keys")).await, Vec::<Value>::new());
    let many = "RelationshipDefinitions/Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata";
    assert_eq!(list(&client, many).await, Vec::<Value>::new());
    let query = [("$filter", "SchemaName eq 'contact_customer_accounts'")];
    let found = list(&client, &with_query("RelationshipDefinitions", &query)).await;
    assert_eq!(found[0]["@odata.type"], "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata");
    let id = found[0]["MetadataId"].as_str().unwrap();
    for key in [id.to_owned(), "SchemaName='contact_customer_accounts'".to_owned()] {
        let (_, one) = client.read(&format!("RelationshipDefinitions({key})")).await;
        assert_eq!(one["ReferencingEntity"], "contact", "{key}");
    }
    let all = list(&client, "RelationshipDefinitions").await;
    let mut unique = names(&all, "SchemaName");
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), all.len(), "each relationship has a name of its own");
    assert_eq!(list(&client, "GlobalOptionSetDefinitions").await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_metadata_does_not_have_or_cannot_do_is_told_apart() {
    let client = Client::start().await;
    let of = |path: &str, filter: &str| with_query(path, &[("$filter", filter)]);
    let account = "EntityDefinitions(LogicalName='account')";
    for (path, status) in [
        (of("EntityDefinitions", "Nothing eq 1"), 400),
        (of("EntityDefinitions", "LogicalName eq 'account' or Nothing eq 1"), 400),
        (of("EntityDefinitions", "LogicalName eq"), 400),
        (of("EntityDefinitions", "LogicalName is 'x'"), 400),
        (of("EntityDefinitions", "(LogicalName eq 'x'"), 400),
        (of("EntityDefinitions", "LogicalName eq 'x"), 400),
        (of("EntityDefinitions", &"(".repeat(500)), 400),
        (of("EntityDefinitions", "IsManaged eq true"), 501),
        (of("EntityDefinitions", "ObjectTypeCode gt 10000"), 501),
        (of("EntityDefinitions", "startswith(LogicalName,'new_')"), 501),
        (of("EntityDefinitions", "DisplayName eq 'x'"), 501),
        (of("RelationshipDefinitions", "ReferencingEntity eq 'contact'"), 400),
        (of(account, "LogicalName eq 'account'"), 501),
        ("EntityDefinitions?$top=1".to_owned(), 501),
        ("EntityDefinitions?$skip=1".to_owned(), 400),
        ("EntityDefinitions(00000000-0000-0000-0000-000000000001)".to_owned(), 404),
        ("EntityDefinitions(1)".to_owned(), 501),
        ("EntityDefinitions(SchemaName=1)".to_owned(), 501),
        (format!("{account}/Keys(LogicalName='x')"), 404),
        (format!("{account}/Nothing"), 400),
        (format!("{account}/Attributes(LogicalName='nothing')"), 404),
        (format!("{account}/Attributes?$expand=OptionSet($expand=Options($expand=x($expand=y)))"), 501),
        ("RelationshipDefinitions(SchemaName='nothing')".to_owned(), 404),
        ("RelationshipDefinitions/Microsoft.Dynamics.CRM.Nothing".to_owned(), 501),
        ("GlobalOptionSetDefinitions(Name='nothing')".to_owned(), 404),
    ] {
        let (found, body) = client.read(&path).await;
        assert_eq!(found, status, "{path}: {body}");
    }
}
