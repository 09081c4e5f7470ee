//! A PostgreSQL server for tests: a schema for each, and a way to do to it behind Ferry's back what happens to servers.

use std::sync::atomic::{AtomicU32, Ordering};

use ferry::model::secret::Secret;
use ferry::store::database::Server;
use ferry::store::place::Place;
use tokio_postgres::{NoTls, SimpleQueryMessage};

static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// A schema of its own, in the server that the environment names.
pub struct Schema {
    url: String,
    pub name: String,
}

/// The server of the environment; none where there is none, and the test has nothing to do.
pub fn url() -> Option<String> {
    let url = std::env::var("FERRY_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        println!("no FERRY_TEST_POSTGRES: tests/postgres/run.sh starts a server and names it");
    }
    url
}

impl Schema {
    /// Makes one; none without a server.
    pub fn make() -> Option<Self> {
        let url = url()?;
        let number = SCHEMAS.fetch_add(1, Ordering::SeqCst);
        let schema = Self { url, name: format!("ferry_{}_{number}", std::process::id()) };
        schema.say(&format!("CREATE SCHEMA {}", schema.name));
        Some(schema)
    }

    /// The URL that `--state` takes, with more behind it: `lease_seconds=2`.
    pub fn state(&self, more: &str) -> String {
        let more = if more.is_empty() { String::new() } else { format!("&{more}") };
        format!("{}?options=-csearch_path%3D{1}&application_name={1}{more}", self.url, self.name)
    }

    pub fn place(&self) -> Place {
        self.place_with("")
    }

    pub fn place_with(&self, more: &str) -> Place {
        Place::Server(Server::of(&Secret::new(self.state(more)), None, None).unwrap())
    }

    /// Says something to the server as an administrator would; gives what came, in texts.
    pub fn say(&self, words: &str) -> Vec<Vec<Option<String>>> {
        let (url, words) = (self.url.clone(), format!("SET search_path = {}; {words}", self.name));
        // A thread of its own: tests have runtimes.
        let said = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
                tokio::spawn(connection);
                client.simple_query(&words).await.unwrap_or_else(|error| panic!("{words}: {error:?}"))
            })
        });
        let rows = said.join().unwrap().into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect::<Vec<_>>())
            }
            _ => None,
        });
        rows.collect()
    }

    /// Says something of a whole database, which takes no other words beside it.
    pub fn database(&self, words: &str) {
        let (url, words) = (self.url.clone(), words.to_owned());
        let said = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
                tokio::spawn(connection);
                client.batch_execute(&words).await.unwrap();
            });
        });
        said.join().unwrap();
    }

    /// One value.
    pub fn one(&self, query: &str) -> String {
        self.say(query).pop().and_then(|mut row| row.pop().flatten()).unwrap_or_default()
    }

    /// Ends all connections to it, as a server does that restarts.
    pub fn end_all_connections(&self) {
        self.say(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}'",
            self.name
        ));
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.say(&format!("DROP SCHEMA {} CASCADE", self.name));
        }
    }
}
