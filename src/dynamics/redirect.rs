//! The page on this machine to which a browser brings the code of a sign-in.
//!
//! It listens on loopback only, for one sign-in, and takes a code only with the state that this sign-in was begun with. In:
//! the state. Out: the code, or Entra's refusal. <https://datatracker.ietf.org/doc/html/rfc8252#section-7.3>

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::error::Error;
use super::grant::Denied;
use crate::model::secret::Secret;

/// How long the last answer may take to reach the browser.
const LAST_ANSWER: Duration = Duration::from_secs(1);

/// What the browser brings.
type Brought = Result<Secret, Denied>;

/// A page that waits for a browser.
pub(super) struct Redirect {
    uri: String,
    brought: mpsc::Receiver<Brought>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

struct Waiting {
    state: String,
    bring: mpsc::Sender<Brought>,
}

impl Redirect {
    /// Begins to listen.
    pub(super) async fn listen(state: &str) -> Result<Self, Error> {
        let closed = |error: std::io::Error| Error::SignIn {
            message: format!("no port of this machine can be opened: {error}"),
            help: "sign in with AUTH device_code instead",
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(closed)?;
        let port = listener.local_addr().map_err(closed)?.port();
        let (bring, brought) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel::<()>();
        let waiting = Arc::new(Waiting { state: state.to_owned(), bring });
        let router = Router::new().route("/", get(come)).with_state(waiting);
        let serving = tokio::spawn(async move {
            // Errors of single connections are seen by the browser itself.
            let stopped = async move { drop(stopped.await) };
            let _ended = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        Ok(Self { uri: format!("http://localhost:{port}"), brought, stop, serving })
    }

    /// Where Entra is to send the browser.
    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    /// Waits for the code.
    pub(super) async fn code(self, patience: Duration) -> Result<Secret, Error> {
        let Self { mut brought, stop, mut serving, .. } = self;
        let came = tokio::time::timeout(patience, brought.recv()).await;
        // The browser is to see its answer before this process may end.
        let _told = stop.send(());
        if tokio::time::timeout(LAST_ANSWER, &mut serving).await.is_err() {
            serving.abort();
        }
        match came {
            Ok(Some(Ok(code))) => Ok(code),
            Ok(Some(Err(denied))) => Err(denied.into()),
            Ok(None) | Err(_) => Err(Error::SignIn {
                message: "nobody signed in in the browser".to_owned(),
                help: "begin again, or sign in with AUTH device_code on another device",
            }),
        }
    }
}

async fn come(
    State(waiting): State<Arc<Waiting>>,
    Query(mut query): Query<HashMap<String, String>>,
) -> (StatusCode, &'static str) {
    // Any page can send a browser here; only Entra knows the state.
    if query.get("state") != Some(&waiting.state) {
        return (StatusCode::BAD_REQUEST, "This sign-in was not begun here.");
    }
    let description = query.remove("error_description").unwrap_or_default();
    let brought = match (query.remove("code"), query.remove("error")) {
        (Some(code), None) => Ok(Secret::new(code)),
        (_, error) => Err(Denied::new(error.as_deref().unwrap_or("no code came"), &description)),
    };
    let is_good = brought.is_ok();
    if waiting.bring.try_send(brought).is_err() {
        return (StatusCode::GONE, "This sign-in has ended.");
    }
    if is_good {
        (StatusCode::OK, "Signed in. You can close this page; Ferry goes on in the terminal.")
    } else {
        (StatusCode::OK, "The sign-in was refused. Ferry says why in the terminal.")
    }
}
