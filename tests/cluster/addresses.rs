//! What may be written as the address of a cluster.

use ferry::cluster::address::Address;

#[test]
fn an_address_leads_to_this_machine_or_goes_with_tls() {
    let right = [
        ("http://127.0.0.1:50050", "http://127.0.0.1:50050"),
        ("http://localhost", "http://localhost:50050"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("https://ballista.acme.example:8443/", "https://ballista.acme.example:8443"),
        ("https://ballista.acme.example", "https://ballista.acme.example"),
    ];
    for (written, shown) in right {
        assert_eq!(Address::parse(written).unwrap().shown(), shown);
    }
    let wrong = [
        ("", "write it as"),
        ("127.0.0.1:50050", "write it as"),
        ("df://127.0.0.1:50050", "write it as"),
        ("http://", "write it as"),
        ("http://127.0.0.1:50050/jobs", "write it as"),
        ("http://somebody:secret@127.0.0.1:50050", "write it as"),
        ("http://127.0.0.1:50050?a=b", "write it as"),
        ("http://10.0.0.5:50050", "without TLS"),
        ("http://scheduler.acme.example:50050", "without TLS"),
        ("http://127.0.0.1.acme.example", "without TLS"),
    ];
    for (written, why) in wrong {
        let said = Address::parse(written).unwrap_err().to_string();
        assert!(said.contains(why), "{written}: {said}");
    }
}
