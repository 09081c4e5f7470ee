//! A listener on loopback that answers as a test tells it to, and remembers what it was asked.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ferry::diagnostic::source::Sources;
use ferry::dynamics::client::{Credentials, Dynamics, Proof};
use ferry::dynamics::odata::{Query, Reach};
use ferry::gainsight::client::{Access, Gainsight};
use ferry::http::terms::Terms;
use ferry::lang::project::read;
use ferry::model::clock::Clock;
use ferry::model::connection::Connection;
use ferry::model::dataset;
use ferry::model::field::{Field, FieldKind};
use ferry::model::job::TableRef;
use ferry::model::secret::Secret;

pub struct Listener {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    is_over: Arc<AtomicBool>,
}

impl Listener {
    /// Answers each request by writing to its stream; the connection ends with the answer.
    pub fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (heard, is_over, answer) =
            (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default(), Arc::new(answer));
        let (kept, over) = (Arc::clone(&heard), Arc::clone(&is_over));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &kept, &*answer));
            }
        });
        Self { address, heard, is_over }
    }

    /// One that only remembers.
    pub fn recorder() -> Self {
        Self::start(|_, stream| send(stream, &reply("200 OK", &[], b"{}")))
    }

    /// A Dynamics organisation that lets everybody in, and then answers as told.
    pub fn organization(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::start(move |asked, stream| {
            if asked.starts_with("POST /tenant/oauth2/v2.0/token") {
                let token = br#"{"token_type":"Bearer","expires_in":3599,"access_token":"a-token"}"#;
                send(stream, &reply("200 OK", &[], token));
            } else if asked.contains("authorization: Bearer") {
                answer(asked, stream);
            } else {
                let host = asked.lines().find_map(|l| l.strip_prefix("host: ")).unwrap();
                let challenge = format!("Bearer authorization_uri=http://{host}/tenant/oauth2/authorize");
                send(stream, &reply("401 Unauthorized", &[("www-authenticate", &challenge)], b""));
            }
        })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, each with its head and its body.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub fn dynamics(&self) -> Dynamics {
        let auth = "client_credentials (tenant_id = SECRET 't', client_id = SECRET 'c', client_secret = SECRET 's')";
        let secret = |value: &str| Secret::new(value.to_owned());
        let credentials = Credentials {
            tenant_id: Some(secret("tenant")),
            client_id: secret("client"),
            proof: Proof::Secret(secret("the-secret")),
        };
        let connection = self.connection("DYNAMICS", auth);
        let terms = Terms::of(&connection, Clock::system(1_000.0), None);
        Dynamics::new(&connection, credentials, &terms).unwrap()
    }

    pub fn gainsight(&self) -> Gainsight {
        let connection = self.connection("GAINSIGHT", "access_key (key = SECRET 'k')");
        let terms = Terms::of(&connection, Clock::system(1_000.0), None);
        Gainsight::new(&connection, Access::Key(Secret::new("the-key".to_owned())), &terms).unwrap()
    }

    fn connection(&self, service: &str, auth: &str) -> Connection {
        let mut sources = Sources::default();
        let text = format!("CREATE CONNECTION it TO {service} URL '{}' AUTH {auth};", self.url());
        sources.add("connections.ferry".to_owned(), text);
        read(&sources).connections.remove("it").expect("the connection is right")
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the loop, so that it sees that it is over.
        let _woken = TcpStream::connect(self.address);
    }
}

/// The names of all accounts.
pub fn accounts() -> Query {
    let table = TableRef {
        connection: "dynamics".to_owned(),
        name: "account".to_owned(),
        set_name: "accounts".to_owned(),
        primary_id: "accountid".to_owned(),
        has_created: false,
        has_modified: false,
        tracks: false,
        is_of_files: false,
    };
    let name = Field::bare("name", "Name", FieldKind::Text);
    Query { table, fields: vec![name], filter: None, reach: Reach::Whole, dataset: dataset::SOURCE.to_owned() }
}

/// An answer as it stands on the wire.
pub fn reply(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut all = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        all.push_str(&format!("{name}: {value}\r\n"));
    }
    [all.as_bytes(), b"\r\n", body].concat()
}

/// Whoever asked may have gone away: that is for the test to see.
pub fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _sent = stream.write_all(bytes);
}

fn serve(mut stream: TcpStream, kept: &Mutex<Vec<String>>, answer: &dyn Fn(&str, &mut TcpStream)) {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(count) = stream.read(&mut part) {
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let is_whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length =
                head.lines().find_map(|l| l.strip_prefix("content-length: ")).map_or(0, |l| l.parse().unwrap());
            body.len() >= length
        });
        if is_whole {
            kept.lock().unwrap().push(text.clone());
            answer(&text, &mut stream);
            let _closed = stream.shutdown(Shutdown::Write);
            // What is unread when a connection is closed may take the answer with it.
            let _rest = stream.read(&mut part);
            return;
        }
        if count == 0 {
            return;
        }
    }
}
