//! The link to the next page, seen at the end of an answer.

#[path = "../src/dynamics/next_link.rs"]
mod seen;

use seen::linked;

#[test]
fn the_link_is_found_where_it_is_a_property() {
    let found = |text: &str| linked(text.as_bytes());
    assert_eq!(found(r#"{"value":[],"@odata.nextLink":"https:\/\/a\u002fb"}"#).as_deref(), Some("https://a/b"));
    assert_eq!(
        found(r#"{"@odata.nextLink": "one", "value": [{"name": "\"@odata.nextLink\":\"two\""}]}"#).as_deref(),
        Some("one")
    );
    for none in ["", "{", r#"{"value":[]}"#, r#"{"@odata.nextLink":7}"#, r#"{"@odata.nextLink":"cut"#] {
        assert_eq!(found(none), None, "{none}");
    }
}
