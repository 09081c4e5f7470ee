//! Writes that are refused: by which status and code, and that nothing is changed.

use super::client::{Client, answer, row};
use ferry::sandbox::corners::corners;
use reqwest::Method;
use serde_json::{Value, json};

const ABSENT: &str = "00000000-0000-0000-0000-000000000001";

/// Status, code and message of a write.
async fn refused(client: &Client, method: Method, path: &str, body: &Value) -> (u16, String, String) {
    let (status, body) = answer(client.write(method, path, body)).await;
    let text = |name: &str| body["error"][name].as_str().unwrap_or("?").to_owned();
    (status, text("code"), text("message"))
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_and_nothing_is_stored() {
    let client = Client::start().await;
    let count = client.sandbox.table("account").len();
    let long = "x".repeat(161);
    let user = client.sandbox.table("systemuser")[0]["systemuserid"].as_str().unwrap().to_owned();
    let cases = [
        (json!({"nome": "x"}), 400, "0x80048d19", "Invalid property 'nome' was found in entity"),
        (json!({"Name": "x"}), 400, "0x80048d19", "Invalid property 'Name'"),
        (json!({"industrycodename": "x"}), 400, "0x80048d19", "Invalid property 'industrycodename'"),
        (json!({"name": long}), 400, "0x80044331", "exceeded the maximum allowed length of '160'"),
        (json!({"name": 5}), 400, "0x80048d19", "'5' to the expected type 'Edm.String'"),
        (json!({"numberofemployees": "5"}), 400, "0x80048d19", "'Edm.Int32'"),
        (json!({"numberofemployees": 5.5}), 400, "0x80048d19", "'Edm.Int32'"),
        (json!({"numberofemployees": 5_000_000_000_i64}), 400, "0x80048d19", "'Edm.Int32'"),
        (json!({"numberofemployees": -1}), 400, "0x80044330", "outside the valid range"),
        (json!({"industrycode": 99}), 400, "0x8004431a", "Accepted Values: 1,2,3"),
        (json!({"industrycode": "Accounting"}), 400, "0x80048d19", "'Edm.Int32'"),
        (json!({"creditonhold": 1}), 400, "0x80048d19", "'Edm.Boolean'"),
        (json!({"revenue": "5"}), 400, "0x80048d19", "'Edm.Decimal'"),
        (json!({"lastusedincampaign": "yesterday"}), 400, "0x80048d19", "'Edm.DateTimeOffset'"),
        (json!({"lastusedincampaign": "1700-01-01T00:00:00Z"}), 400, "0x80040239", "01/01/1753"),
        (json!({"accountid": "x"}), 400, "0x80048d19", "'Edm.Guid'"),
        (json!({"statecode": 0, "statuscode": 2}), 400, "0x80048408", "2 is not a valid status code"),
        (json!({"_primarycontactid_value": ABSENT}), 400, "0x80048d19", "Use Navigation properties instead"),
        (json!({"primarycontactid": ABSENT}), 400, "0x80048d19", "'StartObject'"),
        (json!({"primarycontactid@odata.bind": format!("/contacts({ABSENT})")}), 404, "0x80040217", "contact With Id"),
        (json!({"primarycontactid@odata.bind": format!("/systemusers({user})")}), 400, "0x80048d19", "not a target"),
        (json!({"primarycontactid@odata.bind": "/contact(1)"}), 404, "0x8006088a", "'contact'"),
        (json!({"primarycontactid@odata.bind": "/contacts(1)"}), 400, "0x0", "not a key"),
        (json!({"primarycontactid@odata.bind": "$1"}), 400, "0x80060888", "'$1' does not exist"),
        (json!({"primarycontactid@odata.bind": 1}), 400, "0x80048d19", "not a text"),
        (json!({"PrimaryContactId@odata.bind": "/contacts(1)"}), 400, "0x80048d19", "An undeclared property"),
        (json!({"@odata.type": "Microsoft.Dynamics.CRM.contact"}), 400, "0x80048d19", "not that of the set"),
        (json!({"@logicalName": "account"}), 400, "0x80048d19", "invalid instance annotation name"),
        (json!([{"name": "x"}]), 400, "0x80048d19", "'StartObject'"),
        (json!({"primarycontactid": {"lastname": "x"}}), 501, "0x80004001", "deep insert"),
        (json!({"contact_customer_accounts": []}), 501, "0x80004001", "deep insert"),
        (json!({"lastusedincampaign": "2026-01-01"}), 501, "0x80004001", "a day without a time"),
    ];
    for (body, status, code, words) in cases {
        let (found, found_code, message) = refused(&client, Method::POST, "accounts", &body).await;
        assert_eq!((found, found_code.as_str()), (status, code), "{body}: {message}");
        assert!(message.contains(words), "{body}: {message}");
    }
    for body in ["", "{", "{\"name\":\"x\"", "\u{1}", "null"] {
        let request = client.request(Method::POST, "accounts").header("Content-Type", "application/json").body(body);
        assert_eq!(answer(request).await.0, 400, "{body}");
    }
    assert_eq!(client.sandbox.table("account").len(), count);
}

#[tokio::test]
async fn columns_that_cannot_be_written_are_left_out() {
    let client = Client::start().await;
    let id = corners(1).account_renamed;
    let before = row(&client.sandbox, "account", &id);
    let body = json!({"accountid": id, "createdon": "2001-01-01T00:00:00Z", "versionnumber": 1, "revenue_base": 5, "name": "N",
        "@odata.etag": "W/\"1\"", "name@OData.Community.Display.V1.FormattedValue": "N"});
    assert_eq!(client.write(Method::PATCH, &format!("accounts({id})"), &body).send().await.unwrap().status(), 204);
    let after = row(&client.sandbox, "account", &id);
    assert_eq!((&after["createdon"], &after["revenue_base"]), (&before["createdon"], &before["revenue_base"]));
    assert!(after["versionnumber"].as_i64() > before["versionnumber"].as_i64());
    assert_eq!(after["name"], "N");
}

#[tokio::test]
async fn conditions_hold_or_nothing_happens() {
    let client = Client::start().await;
    let id = corners(1).account_renamed;
    let before = row(&client.sandbox, "account", &id);
    let (known, absent) = (format!("accounts({id})"), format!("accounts({ABSENT})"));
    let version = before["versionnumber"].as_i64().unwrap();
    let (right, wrong) = (format!("W/\"{version}\""), format!("W/\"{}\"", version - 1));
    for (method, path, header, value, status, code) in [
        (Method::PATCH, &absent, "If-Match", "*", 404, "0x80040217"),
        (Method::PATCH, &known, "If-None-Match", "*", 412, "0x80040237"),
        (Method::PATCH, &known, "If-Match", wrong.as_str(), 412, "0x80060882"),
        (Method::DELETE, &known, "If-Match", wrong.as_str(), 412, "0x80060882"),
        (Method::DELETE, &absent, "If-Match", "*", 404, "0x80040217"),
        (Method::PATCH, &absent, "If-Match", right.as_str(), 404, "0x80040217"),
        (Method::PATCH, &known, "If-Match", "\"1\"", 501, "0x80004001"),
        (Method::PATCH, &known, "If-None-Match", right.as_str(), 501, "0x80004001"),
    ] {
        let request = client.write(method.clone(), path, &json!({"name": "Never"})).header(header, value);
        let (found, body) = answer(request).await;
        assert_eq!((found, body["error"]["code"].as_str()), (status, Some(code)), "{method} {header}: {value}");
    }
    assert_eq!(row(&client.sandbox, "account", &id), before);
    let request = client.write(Method::PATCH, &known, &json!({"name": "Now"})).header("If-Match", right);
    assert_eq!(request.header("If-None-Match", "null").send().await.unwrap().status(), 204);
    assert_eq!(row(&client.sandbox, "account", &id)["name"], "Now");
}

#[tokio::test]
async fn keys_and_paths_are_looked_at() {
    let client = Client::start().await;
    let id = corners(1).account_renamed;
    let name = json!({"name": "x"});
    for (method, path, body, status) in [
        (Method::POST, "accounts".to_owned(), json!({"accountid": id}), 412),
        (Method::POST, "Accounts".to_owned(), name.clone(), 404),
        (Method::POST, "leads".to_owned(), name.clone(), 404),
        (Method::POST, format!("accounts({id})"), name.clone(), 405),
        (Method::PATCH, "accounts".to_owned(), name.clone(), 405),
        (Method::PUT, format!("accounts({id})"), name.clone(), 501),
        (Method::PATCH, format!("accounts({id})"), json!({"accountid": ABSENT}), 501),
        (Method::PATCH, "accounts(1)".to_owned(), name.clone(), 400),
        (Method::PUT, format!("accounts({ABSENT})/name"), json!({"value": "x"}), 404),
        (Method::PUT, format!("accounts({id})/nome"), json!({"value": "x"}), 404),
        (Method::PUT, format!("accounts({id})/name"), json!({"name": "x"}), 400),
        (Method::PUT, format!("accounts({id})/name"), json!({"value": "x".repeat(161)}), 400),
        (Method::DELETE, format!("accounts({id})/nome/$ref"), name.clone(), 400),
        (Method::POST, format!("accounts({id})/contact_customer_accounts/$ref"), name.clone(), 400),
        (Method::POST, format!("accounts({id})/nothing/$ref"), name.clone(), 404),
        (Method::POST, "BulkDelete".to_owned(), json!({}), 501),
        (Method::POST, "EntityDefinitions".to_owned(), json!({}), 501),
        (Method::POST, "accounts/Microsoft.Dynamics.CRM.DeleteMultiple".to_owned(), json!({"Targets": []}), 501),
    ] {
        let (found, _, message) = refused(&client, method.clone(), &path, &body).await;
        assert_eq!(found, status, "{method} {path} {body}: {message}");
    }
    assert_eq!(row(&client.sandbox, "account", &id)["name"], "Renamed Ltd");
}

#[tokio::test]
async fn an_action_on_several_rows_is_all_or_nothing() {
    let client = Client::start().await;
    let before = client.sandbox.table("account");
    let id = corners(1).account_renamed;
    let one = |members: Value| {
        let mut target = members;
        target["@odata.type"] = "Microsoft.Dynamics.CRM.account".into();
        target
    };
    let action = |name: &str| format!("accounts/Microsoft.Dynamics.CRM.{name}");
    for (name, targets, status) in [
        ("CreateMultiple", json!([one(json!({"name": "A"})), one(json!({"nome": "B"}))]), 400),
        ("CreateMultiple", json!([one(json!({"name": "A"})), {"name": "B"}]), 400),
        ("CreateMultiple", json!([one(json!({"name": "A"})), one(json!({"accountid": id}))]), 412),
        ("UpdateMultiple", json!([one(json!({"accountid": id, "name": "A"})), one(json!({"accountid": ABSENT}))]), 404),
        ("UpdateMultiple", json!([one(json!({"accountid": id, "name": "A"})), one(json!({"name": "B"}))]), 400),
        ("UpsertMultiple", json!([one(json!({"accountid": id, "name": "A"})), one(json!({"industrycode": 99}))]), 400),
        ("CreateMultiple", json!([]), 400),
        ("CreateMultiple", json!("x"), 400),
    ] {
        let (found, _, message) = refused(&client, Method::POST, &action(name), &json!({"Targets": targets})).await;
        assert_eq!(found, status, "{name} {targets}: {message}");
    }
    assert_eq!(client.sandbox.table("account"), before);
}
