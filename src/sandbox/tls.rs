//! A listener whose connections speak TLS.
//!
//! Handshakes go on side by side, so that a client that is slow at it holds nobody up. In: a TCP listener. Out: connections
//! ready for HTTP.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause when no connection can be taken, as when no descriptor is left.
const AFTER_FAILURE: Duration = Duration::from_millis(100);
/// Connections that wait to be served.
const WAITING_AT_MOST: usize = 64;

type Connected = (TlsStream<TcpStream>, SocketAddr);

/// A listener of a port.
pub(in crate::sandbox) struct TlsListener {
    address: io::Result<SocketAddr>,
    connected: mpsc::Receiver<Connected>,
    accepting: JoinHandle<()>,
}

impl TlsListener {
    pub(in crate::sandbox) fn new(listener: TcpListener, acceptor: TlsAcceptor) -> Self {
        let address = listener.local_addr();
        let (connect, connected) = mpsc::channel(WAITING_AT_MOST);
        let accepting = tokio::spawn(accept(listener, acceptor, connect));
        TlsListener { address, connected, accepting }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connected {
        match self.connected.recv().await {
            Some(connected) => connected,
            // Nobody accepts any more; the server is told to stop by other means.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.address.as_ref().map(|address| *address).map_err(|error| io::Error::from(error.kind()))
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, connect: mpsc::Sender<Connected>) {
    loop {
        // What goes wrong with one connection is its client's to see; the next may work.
        let Ok((stream, from)) = listener.accept().await else {
            tokio::time::sleep(AFTER_FAILURE).await;
            continue;
        };
        let (acceptor, connect) = (acceptor.clone(), connect.clone());
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                // The server has stopped: the connection closes.
                let _closed = connect.send((stream, from)).await;
            }
        });
    }
}
