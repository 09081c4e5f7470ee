//! What the daemon answers over HTTP: whether it is alive and ready, and its metrics.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ferry::daemon::answers::{Answers, STAYS_AT_MOST, answer};
use ferry::daemon::health::{HANGS_AFTER, Health};
use ferry::daemon::metrics::Metrics;
use ferry::daemon::told::{Defined, Told};
use ferry::model::clock::Clock;
use ferry::store::home::state_path;
use ferry::store::state::State;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ADDRESS: &str = "127.0.0.1:0";

/// A door that is open, and what stands behind it.
struct Door {
    at: SocketAddr,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    by: &'static AtomicI64,
    home: TempDir,
}

impl Door {
    async fn open() -> Self {
        Self::open_for(STAYS_AT_MOST).await
    }

    async fn open_for(stays: Duration) -> Self {
        let home = tempfile::tempdir().unwrap();
        let by: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
        let clock = Clock::system(1.0).set_by(by);
        let (health, metrics) = (Arc::new(Health::new(clock)), Arc::new(Metrics::new()));
        let at = serve_for(stays, home.path(), &health, &metrics, clock).await;
        Self { at, health, metrics, by, home }
    }

    /// Status and body of an answer.
    async fn ask(&self, request: &str) -> (u16, String) {
        ask(self.at, request).await
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", self.at)).await
    }

    fn started(&self) {
        self.health.hear(&Told::Started(Defined { jobs: 1, chains: 0, scheduled: 0, ..Defined::default() }));
    }
}

pub async fn serve(home: &Path, health: &Arc<Health>, metrics: &Arc<Metrics>, clock: Clock) -> SocketAddr {
    serve_for(STAYS_AT_MOST, home, health, metrics, clock).await
}

async fn serve_for(
    stays: Duration,
    home: &Path,
    health: &Arc<Health>,
    metrics: &Arc<Metrics>,
    clock: Clock,
) -> SocketAddr {
    let listener = TcpListener::bind(ADDRESS).await.unwrap();
    let at = listener.local_addr().unwrap();
    let answers = Answers {
        health: Arc::clone(health),
        metrics: Arc::clone(metrics),
        place: state_path(home).as_path().into(),
        clock,
        stays,
    };
    tokio::spawn(answer(listener, answers));
    at
}

/// Sends a request as it stands here, and reads until the connection ends.
pub async fn ask(at: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(format!("{request}Connection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn whoever_stands_by_is_alive_and_not_ready() {
    let door = Door::open().await;
    door.health.hear(&Told::Started(Defined::default()));
    assert_eq!(door.get("/readyz").await.0, 200);
    door.health.hear(&Told::StandsBy { why: "another".to_owned() });
    let (code, why) = door.get("/readyz").await;
    assert!(code == 503 && why.contains("it stands by: another ferry serve follows the schedules"), "{code} {why}");
    assert_eq!(door.get("/healthz").await.0, 200);
    door.health.hear(&Told::Started(Defined::default()));
    assert_eq!(door.get("/readyz").await.0, 200);
}

#[tokio::test]
async fn it_is_alive_as_long_as_its_loop_turns() {
    let door = Door::open().await;
    assert_eq!(door.get("/healthz").await, (200, "ok\n".to_owned()));
    door.by.store(i64::try_from(HANGS_AFTER.as_millis()).unwrap() + 1_000, Ordering::SeqCst);
    assert_eq!(door.get("/healthz").await.0, 503);
    door.health.hear(&Told::Turned { has_home: false, under_way: 0, waiting: 0 });
    assert_eq!(door.get("/healthz").await.0, 200);
}

#[tokio::test]
async fn it_is_ready_with_definitions_and_a_state_until_it_stops() {
    let door = Door::open().await;
    assert_eq!(door.get("/readyz").await, (503, "it has no definitions yet\n".to_owned()));
    door.started();
    assert_eq!(door.get("/readyz").await, (200, "ok\n".to_owned()));
    // What lies there is no state.
    std::fs::write(state_path(door.home.path()), "no database at all, and longer than a header of one").unwrap();
    assert_eq!(door.get("/readyz").await, (503, "the state cannot be used\n".to_owned()));
    std::fs::remove_file(state_path(door.home.path())).unwrap();
    drop(State::open(&state_path(door.home.path())).unwrap());
    // A newer one put it there: it can be looked at, and no turn can join it.
    let database = Connection::open(state_path(door.home.path())).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(door.get("/readyz").await.0, 503);
    drop(database);
    std::fs::remove_file(state_path(door.home.path())).unwrap();
    drop(State::open(&state_path(door.home.path())).unwrap());
    assert_eq!(door.get("/readyz").await.0, 200);
    door.health.hear(&Told::Stopping { under_way: 0, seconds: 30 });
    assert_eq!(door.get("/readyz").await, (503, "it is stopping\n".to_owned()));
    assert_eq!(door.get("/healthz").await.0, 200, "what stops is alive");
}

#[tokio::test]
async fn metrics_are_answered_where_the_state_cannot_be_read() {
    let door = Door::open().await;
    std::fs::write(state_path(door.home.path()), "no database at all, and longer than a header of one").unwrap();
    door.metrics.hear(&Told::Turned { has_home: true, under_way: 3, waiting: 2 });
    let (code, body) = door.get("/metrics").await;
    assert_eq!(code, 200);
    assert!(body.contains("ferry_under_way 3\n"), "{body}");
}

/// A name that somebody has lead to this machine gets nothing, so that a page in a browser here reads nothing.
#[tokio::test]
async fn only_names_of_this_machine_are_answered() {
    let door = Door::open().await;
    let of = async |host: &str| door.ask(&format!("GET /metrics HTTP/1.1\r\n{host}")).await.0;
    for host in ["127.0.0.1", "127.0.0.1:9464", "localhost", "LOCALHOST:1", "[::1]:9464", "[::1]"] {
        assert_eq!(of(&format!("Host: {host}\r\n")).await, 200, "{host}");
    }
    for host in
        ["evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""]
    {
        let code = of(&format!("Host: {host}\r\n")).await;
        assert!(code == 421 || code == 400, "{host}: {code}");
    }
    let code = of("").await;
    assert!(code == 421 || code == 400, "none: {code}");
}

#[tokio::test]
async fn nothing_but_reading_is_answered() {
    let door = Door::open().await;
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let request = format!("{method} /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n");
        assert_eq!(door.ask(&request).await.0, 405, "{method}");
    }
    for path in ["/", "/metrics/", "/state.sqlite", "/../state.sqlite", "/healthz/x"] {
        assert_eq!(door.get(path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_ended() {
    let door = Door::open_for(Duration::from_millis(50)).await;
    let mut silent = TcpStream::connect(door.at).await.unwrap();
    silent.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = silent.read_to_end(&mut answer).await;
    assert_eq!(String::from_utf8_lossy(&answer), "");
}

#[tokio::test]
async fn those_who_keep_their_connections_leave_room_when_they_go() {
    let door = Door::open().await;
    let mut kept = Vec::new();
    for _ in 0..40 {
        kept.push(TcpStream::connect(door.at).await.unwrap());
    }
    drop(kept);
    assert_eq!(door.get("/healthz").await.0, 200);
}
