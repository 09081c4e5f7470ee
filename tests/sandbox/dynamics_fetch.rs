//! FetchXML: what it selects, how its pages go on, and what it refuses.

use super::client::{Client, answer, with_query};
use serde_json::{Map, Value, json};

type Keeps = fn(&Map<String, Value>) -> bool;

const PAGING: &str =
    "odata.include-annotations=\"Microsoft.Dynamics.CRM.fetchxmlpagingcookie,Microsoft.Dynamics.CRM.morerecords\"";

fn text<'a>(row: &'a Map<String, Value>, name: &str) -> &'a str {
    row[name].as_str().unwrap_or("")
}

fn fetch(xml: &str) -> String {
    with_query("contacts", &[("fetchXml", xml)])
}

fn contacts(inside: &str) -> String {
    fetch(&format!("<fetch version=\"1.0\" mapping=\"logical\"><entity name='contact'>{inside}</entity></fetch>"))
}

#[tokio::test]
async fn each_operator_selects_what_it_says() {
    let client = Client::start().await;
    let rows = client.sandbox.table("contact");
    let cases: [(&str, Keeps); 17] = [
        ("attribute='gendercode' operator='eq' value='1'/>", |row| row["gendercode"] == 1),
        ("attribute='jobtitle' operator='ne' value='engineer'/>", |row| text(row, "jobtitle") != "Engineer"),
        ("attribute='birthdate' operator='gt' value='1980-01-01'/>", |row| text(row, "birthdate") > "1980-01-01"),
        ("attribute='createdon' operator='ge' value='2022-06-01T00:00:00'/>", |row| {
            text(row, "createdon") >= "2022-06-01"
        }),
        ("attribute='createdon' operator='lt' value='2022-06-01'/>", |row| text(row, "createdon") < "2022-06-01"),
        ("attribute='gendercode' operator='le' value='1'/>", |row| row["gendercode"] == 1),
        ("attribute='firstname' operator='like' value='Ma%'/>", |row| text(row, "firstname").starts_with("Ma")),
        ("attribute='firstname' operator='not-like' value='m%'/>", |row| !text(row, "firstname").starts_with('M')),
        ("attribute='gendercode' operator='in'><value>2</value><value>7</value></condition>", |row| {
            row["gendercode"] == 2
        }),
        ("attribute='gendercode' operator='not-in'><value>2</value></condition>", |row| row["gendercode"] == 1),
        ("attribute='emailaddress1' operator='null'/>", |row| row["emailaddress1"].is_null()),
        ("attribute='emailaddress1' operator='not-null'/>", |row| !row["emailaddress1"].is_null()),
        (
            "attribute='birthdate' operator='between'><value>1960-01-01</value><value>1979-12-31</value></condition>",
            |row| ("1960-01-01"..="1979-12-31").contains(&text(row, "birthdate")),
        ),
        ("attribute='createdon' operator='on-or-after' value='2023-01-01'/>", |row| {
            text(row, "createdon") >= "2023-01-01"
        }),
        ("attribute='createdon' operator='on-or-before' value='2023-01-01'/>", |row| {
            text(row, "createdon") < "2023-01-02"
        }),
        ("attribute='lastname' operator='eq' value='O&apos;Brien'/>", |row| text(row, "lastname") == "O'Brien"),
        ("attribute='donotemail' operator='eq' value='1'/>", |row| row["donotemail"] == true),
    ];
    for (condition, keeps) in cases {
        let path = contacts(&format!("<attribute name='fullname'/><filter><condition {condition}</filter>"));
        let (status, body) = client.read(&path).await;
        assert_eq!(status, 200, "{condition}: {body}");
        let expected = rows.iter().filter(|row| keeps(row)).count();
        assert_eq!(body["value"].as_array().unwrap().len(), expected, "{condition}");
    }
    let several = "<filter><condition attribute='new_stages' operator='contain-values'><value>100000001</value></condition></filter>";
    let xml = format!("<fetch><entity name='opportunity'>{several}</entity></fetch>");
    let (_, body) = client.read(&with_query("opportunities", &[("fetchXml", &xml)])).await;
    let has = |row: &&Map<String, Value>| text(row, "new_stages").contains("100000001");
    assert_eq!(body["value"].as_array().unwrap().len(), client.sandbox.table("opportunity").iter().filter(has).count());
}

#[tokio::test]
async fn groups_of_conditions_attributes_and_orders_are_heeded() {
    let client = Client::start().await;
    let owner = text(&client.sandbox.table("contact")[0], "_ownerid_value").to_owned();
    let path = contacts(&format!(
        "<attribute name='fullname'/><attribute name='ownerid'/><order attribute='fullname' descending='true'/>\
         <filter type='or'><condition attribute='ownerid' operator='eq' value='{{{owner}}}'/><filter type='and'>\
         <condition attribute='gendercode' operator='eq' value='1'/><condition attribute='statecode' operator='eq' value='1'/>\
         </filter></filter><filter/>"
    ));
    let (status, body) = client.read(&path).await;
    assert_eq!(status, 200, "{body}");
    let found = body["value"].as_array().unwrap();
    let kept = |row: &&Map<String, Value>| text(row, "_ownerid_value") == owner;
    assert_eq!(found.len(), client.sandbox.table("contact").iter().filter(kept).count());
    let names: Vec<String> = found.iter().map(|row| row["fullname"].as_str().unwrap_or("").to_lowercase()).collect();
    assert!(names.is_sorted_by(|a, b| a >= b), "{names:?}");
    let keys: Vec<&String> = found[0].as_object().unwrap().keys().collect();
    assert!(
        keys.iter().all(|key| ["@odata.etag", "contactid", "fullname", "_ownerid_value"].contains(&key.as_str())),
        "{keys:?}"
    );
    let (_, all) = client.read(&contacts("<all-attributes/><attribute name='fullname'/>")).await;
    assert!(all["value"][0].get("lastname").is_some());
    let (_, top) = client.read(&fetch("<fetch top='3'><entity name='contact'/></fetch>")).await;
    assert_eq!(top["value"].as_array().unwrap().len(), 3);
}

/// The cookie of an answer as a client puts it into its next fetch: decoded twice, then escaped.
fn next_cookie(annotation: &str) -> String {
    let (_, rest) = annotation.split_once("pagingcookie=\"").unwrap();
    let mut cookie = rest.split_once('"').unwrap().0.to_owned();
    for _ in 0..2 {
        let pair = format!("c={}", cookie.replace('+', "%2B"));
        cookie = url::form_urlencoded::parse(pair.as_bytes()).next().unwrap().1.into_owned();
    }
    cookie.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[tokio::test]
async fn pages_go_on_by_the_cookie() {
    let client = Client::start().await;
    for order in ["", "<order attribute='fullname'/>", "<order attribute='emailaddress1' descending='true'/>"] {
        let (mut page, mut cookie, mut seen) = (1, String::new(), Vec::new());
        loop {
            let xml = format!(
                "<fetch count='60' page='{page}'{cookie}><entity name='contact'><attribute name='fullname'/>{order}</entity></fetch>"
            );
            let (status, body) = answer(client.dynamics(&fetch(&xml)).header("Prefer", PAGING)).await;
            assert_eq!(status, 200, "{body}");
            assert!(body["@odata.nextLink"].is_null());
            seen.extend(body["value"].as_array().unwrap().iter().map(|row| row["contactid"].to_string()));
            let more = body["@Microsoft.Dynamics.CRM.morerecords"].as_bool().unwrap();
            let annotation = &body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"];
            assert_eq!(more, annotation.is_string(), "{body}");
            if !more {
                break;
            }
            page += 1;
            let start =
                format!("<cookie pagenumber=\"{page}\" pagingcookie=\"%253ccookie%2520page%253d%2522{}", page - 1);
            assert!(annotation.as_str().unwrap().starts_with(&start), "{annotation}");
            cookie = format!(" paging-cookie=\"{}\"", next_cookie(annotation.as_str().unwrap()));
        }
        let rows = client.sandbox.table("contact").len();
        assert_eq!((page, seen.len()), (rows.div_ceil(60), rows), "{order}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), rows, "{order}");
    }
}

#[tokio::test]
async fn without_a_cookie_pages_are_counted() {
    let client = Client::start().await;
    let all = client.sandbox.table("contact");
    let path = fetch("<fetch count='60' page='2'><entity name='contact'/></fetch>");
    let (_, body) = client.read(&path).await;
    assert_eq!(body["value"][0]["contactid"], all[60]["contactid"]);
    assert!(body.get("@Microsoft.Dynamics.CRM.morerecords").is_none(), "nobody asked");
    let (_, past) = client.read(&fetch("<fetch count='60' page='9'><entity name='contact'/></fetch>")).await;
    assert_eq!(past["value"], json!([]));
    for page in ["100", "18446744073709551615"] {
        let path = fetch(&format!("<fetch count='5000' page='{page}'><entity name='contact'/></fetch>"));
        let (status, code, _) = client.refused(&path).await;
        assert_eq!((status, code.as_str()), (400, "0x8004430a"), "{page}");
    }
}

#[tokio::test]
async fn a_cookie_of_elsewhere_is_refused() {
    let client = Client::start().await;
    let of = |cookie: &str, order: &str| {
        fetch(&format!(
            "<fetch count='60' page='2' paging-cookie=\"{cookie}\"><entity name='contact'>{order}</entity></fetch>"
        ))
    };
    let made_up = "&lt;cookie page=&quot;1&quot;&gt;&lt;contactid last=&quot;{D5026A4D-D01C-ED11-B83E-000D3A572421}&quot; /&gt;&lt;/cookie&gt;";
    for cookie in ["", "cookie", made_up] {
        let (status, code, _) = client.refused(&of(cookie, "")).await;
        assert_eq!((status, code.as_str()), (400, "0x8004112a"), "{cookie}");
    }
    let first = client.dynamics(&fetch("<fetch count='60'><entity name='contact'/></fetch>")).header("Prefer", PAGING);
    let (_, body) = answer(first).await;
    let cookie = next_cookie(body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"].as_str().unwrap());
    assert_eq!(client.read(&of(&cookie, "")).await.0, 200);
    let (status, code, _) = client.refused(&of(&cookie, "<order attribute='fullname'/>")).await;
    assert_eq!((status, code.as_str()), (400, "0x80041129"));
}

#[tokio::test]
async fn what_is_no_fetch_is_refused() {
    let client = Client::start().await;
    let deep = format!("{}{}", "<filter>".repeat(150), "</filter>".repeat(150));
    let entity = |inside: &str| format!("<fetch><entity name='contact'>{inside}</entity></fetch>");
    let condition = |inside: &str| entity(&format!("<filter><condition {inside}</filter>"));
    for (xml, status) in [
        (String::new(), 400),
        ("x".to_owned(), 400),
        ("<fetch>".to_owned(), 400),
        ("<fetch/>".to_owned(), 400),
        ("<entity name='contact'/>".to_owned(), 400),
        ("<fetch><entity name='account'/></fetch>".to_owned(), 400),
        ("<fetch><entity/></fetch>".to_owned(), 400),
        ("<fetch><entity name='contact'/><entity name='contact'/></fetch>".to_owned(), 400),
        ("<fetch count='0'><entity name='contact'/></fetch>".to_owned(), 400),
        ("<fetch page='x'><entity name='contact'/></fetch>".to_owned(), 400),
        ("<fetch top='1' page='1'><entity name='contact'/></fetch>".to_owned(), 400),
        ("<!DOCTYPE fetch [<!ENTITY a 'contact'>]><fetch><entity name='&a;'/></fetch>".to_owned(), 400),
        ("<fetch><entity name='&a;'/></fetch>".to_owned(), 400),
        (entity("<attribute name='nome'/>"), 400),
        (entity("<attribute name='_ownerid_value'/>"), 400),
        (entity("<attribute/>"), 400),
        (entity("<order attribute='nome'/>"), 400),
        (entity("<order attribute='fullname' descending='down'/>"), 400),
        (entity("<nothing/>"), 400),
        (entity("<filter type='xor'/>"), 400),
        (entity("<filter><attribute name='fullname'/></filter>"), 400),
        (entity(&deep), 400),
        (condition("attribute='nome' operator='null'/>"), 400),
        (condition("attribute='fullname'/>"), 400),
        (condition("attribute='fullname' operator='eq'/>"), 400),
        (condition("attribute='fullname' operator='null' value='x'/>"), 400),
        (condition("attribute='gendercode' operator='eq' value='one'/>"), 400),
        (condition("attribute='gendercode' operator='like' value='1%'/>"), 400),
        (condition("attribute='gendercode' operator='in' value='1'><value>2</value></condition>"), 400),
        (condition("attribute='birthdate' operator='between'><value>1980-01-01</value></condition>"), 400),
        (condition("attribute='contactid' operator='ge' value='5'/>"), 400),
        ("<fetch distinct='true'><entity name='contact'/></fetch>".to_owned(), 501),
        ("<fetch aggregate='true'><entity name='contact'/></fetch>".to_owned(), 501),
        ("<fetch returntotalrecordcount='true'><entity name='contact'/></fetch>".to_owned(), 501),
        (entity("<link-entity name='account' from='accountid' to='parentcustomerid'/>"), 501),
        (entity("<attribute name='fullname' alias='n'/>"), 501),
        (condition("entityname='a' attribute='fullname' operator='null'/>"), 501),
        (condition("attribute='firstname' operator='eq' valueof='lastname'/>"), 501),
        (condition("attribute='ownerid' operator='eq-userid'/>"), 501),
    ] {
        let (found, _, message) = client.refused(&fetch(&xml)).await;
        assert_eq!(found, status, "{xml}: {message}");
    }
    let beside = with_query("contacts", &[("fetchXml", &entity("")), ("$select", "fullname")]);
    assert_eq!(client.read(&beside).await.0, 501);
    let id = client.sandbox.table("contact")[0]["contactid"].as_str().unwrap().to_owned();
    assert_eq!(client.read(&with_query(&format!("contacts({id})"), &[("fetchXml", &entity(""))])).await.0, 501);
}
