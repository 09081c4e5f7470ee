//! One connection to a server, on a thread of its own: statements go to it by a channel, and their answers come back by another.
//!
//! The state is used from code that waits and from code that does not, so nothing here waits on anybody's runtime but its own. What is
//! asked together is sent together, and costs one way there and back. In: statements. Out: rows, or why there are none.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::task::Poll;
use std::time::Duration;

use futures::TryStreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut};
use tokio_postgres::{Client, Config, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::bound::{Bound, Held, Kind};
use super::dialect::translated;
use super::failure::{Failure, Why};

/// How long a connection to one host may take to be made.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long it may take beyond that, over all hosts, until one has let us in.
const SIGN_IN_WITHIN: Duration = Duration::from_secs(5);
/// How long the server works on a statement, or waits for a lock, at the most.
pub(super) const STATEMENT_WITHIN: Duration = Duration::from_secs(10);
/// How long an answer may be on its way beyond that: then the connection is taken for lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Statements that a connection keeps prepared; it begins anew beyond that.
const PREPARED_AT_MOST: usize = 256;

/// A statement with what is bound in it, ready to leave this thread.
pub(super) struct Sent {
    statement: String,
    params: Vec<Owned>,
}

/// What came of it.
pub(super) struct Answer {
    pub(super) rows: Vec<Row>,
    /// Rows that it changed.
    pub(super) changed: u64,
}

type Answers = Result<Vec<Answer>, Failure>;

struct Asked {
    statements: Vec<Sent>,
    reply: SyncSender<Answers>,
}

/// The end of the channel that statements go in at. The connection ends when it is dropped.
pub(super) struct Worker(UnboundedSender<Asked>);

#[derive(Debug)]
enum Owned {
    Null(Kind),
    Integer(i64),
    Real(f64),
    Text(String),
}

impl Sent {
    pub(super) fn of(statement: &str, params: &[Bound<'_>]) -> Self {
        let owned = |bound: &Bound<'_>| match bound.0 {
            Held::Null(kind) => Owned::Null(kind),
            Held::Integer(number) => Owned::Integer(number),
            Held::Real(number) => Owned::Real(number),
            Held::Text(text) => Owned::Text(kept(text)),
        };
        Self { statement: statement.to_owned(), params: params.iter().map(owned).collect() }
    }

    fn kinds(&self) -> Vec<Kind> {
        self.params.iter().map(Owned::kind).collect()
    }
}

/// A text as a server can keep it, which takes every character but U+0000: https://www.postgresql.org/docs/current/datatype-character.html
fn kept(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// How long all hosts of a configuration together may take to let us in: the driver gives each of them its time, one after the other.
fn connect_within(config: &Config) -> Duration {
    let hosts = config.get_hosts().len().max(config.get_hostaddrs().len()).max(1);
    CONNECT_WITHIN.saturating_mul(u32::try_from(hosts).unwrap_or(u32::MAX)).saturating_add(SIGN_IN_WITHIN)
}

impl Worker {
    /// Connects.
    pub(super) fn connect(config: Config, tls: MakeRustlsConnect) -> Result<Self, Failure> {
        let within = connect_within(&config);
        let (asked, to_do) = unbounded_channel();
        let (made, is_made) = sync_channel(1);
        let broken = |error: std::io::Error| Failure::of(Why::Other, format!("no thread for the connection: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(broken)?;
        let work = move || runtime.block_on(works(config, tls, within, to_do, made));
        std::thread::Builder::new().name("postgres".to_owned()).spawn(work).map_err(broken)?;
        heard(&is_made, within.saturating_add(ANSWER_WITHIN))?;
        Ok(Self(asked))
    }

    /// Sends statements, all of them before the first answer; gives the answer of each, or the first failure.
    pub(super) fn ask(&self, statements: Vec<Sent>) -> Answers {
        let count = u32::try_from(statements.len()).unwrap_or(u32::MAX).max(1);
        let (reply, answers) = sync_channel(1);
        self.0.send(Asked { statements, reply }).map_err(|_| gone())?;
        // The thread has bounds of its own; this one is for a thread that hangs.
        heard(&answers, (ANSWER_WITHIN * 2).saturating_mul(count.saturating_add(1)))
    }
}

fn heard<T>(from: &Receiver<Result<T, Failure>>, within: Duration) -> Result<T, Failure> {
    from.recv_timeout(within).unwrap_or_else(|_| Err(gone()))
}

fn gone() -> Failure {
    Failure::of(Why::Lost, "the connection to the server has ended")
}

fn silent() -> Failure {
    Failure::of(Why::Lost, format!("the server has not answered within {} seconds", ANSWER_WITHIN.as_secs()))
}

async fn works(
    config: Config,
    tls: MakeRustlsConnect,
    within: Duration,
    mut to_do: UnboundedReceiver<Asked>,
    made: SyncSender<Result<(), Failure>>,
) {
    let connected = match tokio::time::timeout(within, config.connect(tls)).await {
        Ok(connected) => connected.map_err(|error| Failure::unmade(&error)),
        Err(_) => {
            let words = format!("no answer within {} seconds", within.as_secs());
            Err(Failure::of(Why::Unreachable, words))
        }
    };
    let (client, connection) = match connected {
        Ok(both) => both,
        Err(failure) => return drop(made.send(Err(failure))),
    };
    let wire = tokio::spawn(connection);
    if made.send(Ok(())).is_err() {
        return;
    }
    let mut prepared = HashMap::new();
    while let Some(asked) = to_do.recv().await {
        let answers = carried_out(&client, &mut prepared, &asked.statements).await;
        if answers.is_err() {
            // It may be for what was prepared: tables that another has changed give other columns.
            prepared.clear();
        }
        let is_over = client.is_closed() || matches!(answers, Err(Failure::Server { why: Why::Lost, .. }));
        // Whoever asked may have gone meanwhile.
        let _heard = asked.reply.send(answers);
        if is_over {
            break;
        }
    }
    drop(client);
    // It says goodbye to the server, so that the server need not find out.
    let _ended = tokio::time::timeout(CONNECT_WITHIN, wire).await;
}

type Prepared = HashMap<(String, Vec<Kind>), Statement>;
type Doing<'a> = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + 'a>>;

async fn carried_out(client: &Client, prepared: &mut Prepared, statements: &[Sent]) -> Answers {
    if prepared.len() > PREPARED_AT_MOST {
        prepared.clear();
    }
    for one in statements {
        if let Entry::Vacant(place) = prepared.entry((one.statement.clone(), one.kinds())) {
            let types: Vec<Type> = place.key().1.iter().map(|kind| kind.of_server()).collect();
            let text = translated(&one.statement);
            let made = tokio::time::timeout(ANSWER_WITHIN, client.prepare_typed(&text, &types)).await;
            place.insert(made.map_err(|_| silent())?.map_err(|error| Failure::said(&error))?);
        }
    }
    // A statement is on its way when it is first looked at: all of them are, in their order, before the first answer is waited for.
    let mut doing: Vec<Result<Doing<'_>, Result<Answer, Failure>>> = Vec::with_capacity(statements.len());
    for one in statements {
        let Some(statement) = prepared.get(&(one.statement.clone(), one.kinds())) else { return Err(gone()) };
        let mut work: Doing<'_> = Box::pin(answered(client, statement, one));
        let first = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
        doing.push(match first {
            Poll::Ready(answer) => Err(answer),
            Poll::Pending => Ok(work),
        });
    }
    let mut answers = Vec::with_capacity(doing.len());
    for one in doing {
        answers.push(match one {
            Err(answer) => answer?,
            Ok(work) => tokio::time::timeout(ANSWER_WITHIN, work).await.map_err(|_| silent())??,
        });
    }
    Ok(answers)
}

async fn answered(client: &Client, statement: &Statement, one: &Sent) -> Result<Answer, Failure> {
    let read = async {
        let stream = client.query_raw(statement, &one.params).await?;
        let mut stream = std::pin::pin!(stream);
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await? {
            rows.push(row);
        }
        Ok(Answer { rows, changed: stream.rows_affected().unwrap_or(0) })
    };
    read.await.map_err(|error| Failure::said(&error))
}

impl Owned {
    fn kind(&self) -> Kind {
        match self {
            Self::Null(kind) => *kind,
            Self::Integer(_) => Kind::Integer,
            Self::Real(_) => Kind::Real,
            Self::Text(_) => Kind::Text,
        }
    }
}

impl Kind {
    fn of_server(self) -> Type {
        match self {
            Self::Integer => Type::INT8,
            Self::Real => Type::FLOAT8,
            Self::Text => Type::TEXT,
        }
    }
}

impl ToSql for Owned {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null(_) => Ok(IsNull::Yes),
            Self::Integer(number) => number.to_sql(kind, out),
            Self::Real(number) => number.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // A statement is prepared with the types of what is bound in it.
        true
    }

    tokio_postgres::types::to_sql_checked!();
}
