//! Alternate keys: rows by their values, upserts by them, and that no two rows share one.

use super::client::{Client, answer, row};
use reqwest::Method;
use serde_json::{Value, json};

/// An account of the generated world that has a number.
fn numbered(client: &Client) -> (String, String) {
    let accounts = client.sandbox.table("account");
    let found = accounts.iter().find(|row| row["accountnumber"].is_string()).unwrap();
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("accountid"), text("accountnumber"))
}

async fn sent(client: &Client, method: Method, path: &str, body: Value) -> (u16, Value) {
    answer(client.write(method, path, &body)).await
}

#[tokio::test]
async fn a_row_is_read_changed_and_bound_by_its_alternate_key() {
    let client = Client::start().await;
    let (id, number) = numbered(&client);
    for key in [number.clone(), number.to_lowercase()] {
        let (status, found) = client.read(&format!("accounts(accountnumber='{key}')?$select=name")).await;
        assert_eq!((status, &found["accountid"]), (200, &json!(id)), "{key}");
    }
    let path = format!("accounts(accountnumber='{number}')");
    assert_eq!(sent(&client, Method::PATCH, &path, json!({"name": "By key"})).await.0, 204);
    assert_eq!(row(&client.sandbox, "account", &id)["name"], "By key");
    let bind = json!({"lastname": "x", "parentcustomerid_account@odata.bind": format!("/{path}")});
    let post = client.write(Method::POST, "contacts", &bind).header("Prefer", "return=representation");
    assert_eq!(answer(post).await.1["_parentcustomerid_value"], id);
    assert_eq!(sent(&client, Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(client.read(&format!("accounts({id})")).await.0, 404);
}

#[tokio::test]
async fn an_upsert_by_values_creates_a_row_with_them() {
    let client = Client::start().await;
    let path = "accounts(accountnumber='O''Key-1')";
    for (name, status) in [("First", 201), ("Second", 200)] {
        let patch = client.write(Method::PATCH, path, &json!({"name": name})).header("Prefer", "return=representation");
        let (found, body) = answer(patch).await;
        assert_eq!((found, &body["name"], &body["accountnumber"]), (status, &json!(name), &json!("O'Key-1")));
    }
    let target = |number: &str| {
        json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "name": number,
            "@odata.id": format!("accounts(accountnumber='{number}')")})
    };
    let count = client.sandbox.table("account").len();
    let targets = json!({"Targets": [target("A-1"), target("A-2"), target("A-1")]});
    let action = "accounts/Microsoft.Dynamics.CRM.UpsertMultiple";
    assert_eq!(sent(&client, Method::POST, action, targets).await.0, 204);
    assert_eq!(client.sandbox.table("account").len(), count + 2);
}

#[tokio::test]
async fn keys_that_no_row_or_no_table_has_are_refused() {
    let client = Client::start().await;
    let (id, number) = numbered(&client);
    let other = client.sandbox.table("account").into_iter().find(|row| row["accountid"] != id.as_str()).unwrap();
    let other = other["accountid"].as_str().unwrap().to_owned();
    let (gone, name) = ("accounts(accountnumber='Z-9')", json!({"name": "x"}));
    for (method, path, body, status, code) in [
        (Method::GET, gone.to_owned(), Value::Null, 404, "0x80060891"),
        (Method::DELETE, gone.to_owned(), Value::Null, 404, "0x80060891"),
        (Method::PUT, format!("{gone}/name"), json!({"value": "x"}), 404, "0x80060891"),
        (Method::GET, "accounts(name='x')".to_owned(), Value::Null, 400, "0x80060888"),
        (Method::GET, "accounts(accountnumber='x',name='x')".to_owned(), Value::Null, 400, "0x80060888"),
        (Method::GET, "contacts(emailaddress1='x')".to_owned(), Value::Null, 400, "0x80060888"),
        (Method::GET, "accounts(accountnumber=)".to_owned(), Value::Null, 400, "0x0"),
        (Method::GET, "accounts(accountnumber='x' 'y')".to_owned(), Value::Null, 400, "0x0"),
        (Method::GET, "accounts(accountnumber='x)".to_owned(), Value::Null, 400, "0x0"),
        (Method::GET, "accounts(accountnumber=5)".to_owned(), Value::Null, 400, "0x80048d19"),
        (Method::PATCH, format!("accounts(accountnumber='{}')", "x".repeat(21)), name.clone(), 400, "0x80044331"),
        (Method::POST, "accounts".to_owned(), json!({"accountnumber": number}), 412, "0x80060892"),
        (
            Method::PATCH,
            format!("accounts({other})"),
            json!({"accountnumber": number.to_lowercase()}),
            412,
            "0x80060892",
        ),
    ] {
        let (found, body) = sent(&client, method.clone(), &path, body).await;
        assert_eq!((found, body["error"]["code"].as_str()), (status, Some(code)), "{method} {path}: {body}");
    }
    let (status, body) = answer(client.write(Method::PATCH, gone, &name).header("If-Match", "*")).await;
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("0x80060891")));
    let known = format!("accounts(accountnumber='{number}')");
    assert_eq!(answer(client.write(Method::PATCH, &known, &name).header("If-None-Match", "*")).await.0, 412);
    let own = json!({"accountnumber": number});
    assert_eq!(
        sent(&client, Method::PATCH, &format!("accounts({id})"), own).await.0,
        204,
        "a row may keep its own key"
    );
}
