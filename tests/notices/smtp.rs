//! A small mail server on loopback: EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, as a test tells it to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What the server does with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It takes it.
    Take,
    /// It refuses the recipient in these words, with their code.
    Refuse(&'static str),
    /// It takes the text, answers nothing and closes the connection.
    Break,
    /// It answers nothing at all.
    Silence,
}

/// A mail that was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    pub from: String,
    pub to: String,
    /// Header and body.
    pub text: String,
    /// The user that signed in.
    pub user: Option<String>,
    pub was_encrypted: bool,
}

/// How the server is.
#[derive(Clone, Default)]
pub struct Manner {
    /// TLS from the first byte.
    pub is_wrapped: bool,
    /// STARTTLS is offered.
    pub offers_tls: bool,
    /// The user and the password that it wants.
    pub sign_in: Option<(&'static str, &'static str)>,
}

pub struct Smtp {
    pub port: u16,
    /// The authority of its certificate, as PEM.
    pub authority: String,
    taken: Arc<Mutex<Vec<Taken>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Smtp {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (acceptor, authority) = certificate();
        let (taken, answers) = (Arc::<Mutex<Vec<Taken>>>::default(), Arc::<Mutex<VecDeque<Answer>>>::default());
        let desk = Desk { manner, acceptor, taken: Arc::clone(&taken), answers: Arc::clone(&answers) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let desk = desk.clone();
                tokio::spawn(async move { desk.serve(stream).await });
            }
        });
        Self { port, authority, taken, answers }
    }

    /// What it does with the next mails; those behind them are taken.
    pub fn answers(&self, answers: &[Answer]) {
        self.answers.lock().unwrap().extend(answers.iter().cloned());
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }
}

/// A certificate for this machine, and its authority.
fn certificate() -> (TlsAcceptor, String) {
    let mut of = CertificateParams::default();
    of.distinguished_name.push(DnType::CommonName, "An authority for tests");
    of.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(of, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let own = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![own.der().clone()], key).unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}

#[derive(Clone)]
struct Desk {
    manner: Manner,
    acceptor: TlsAcceptor,
    taken: Arc<Mutex<Vec<Taken>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

/// How a part of a session ended.
enum Ended {
    Closed,
    /// TLS begins.
    Upgrade,
}

impl Desk {
    async fn serve(&self, stream: TcpStream) {
        if self.manner.is_wrapped {
            if let Ok(stream) = self.acceptor.accept(stream).await {
                self.session(BufReader::new(stream), true, true).await;
            }
            return;
        }
        let mut stream = BufReader::new(stream);
        if let Ended::Upgrade = self.session(&mut stream, false, true).await
            && let Ok(stream) = self.acceptor.accept(stream.into_inner()).await
        {
            self.session(BufReader::new(stream), true, false).await;
        }
    }

    async fn session<S>(&self, mut stream: S, is_encrypted: bool, greets: bool) -> Ended
    where
        S: AsyncBufReadExt + AsyncRead + AsyncWrite + Unpin,
    {
        if greets && stream.write_all(b"220 mail.test ESMTP\r\n").await.is_err() {
            return Ended::Closed;
        }
        let mut mail = Taken { was_encrypted: is_encrypted, ..Taken::default() };
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await.is_ok_and(|bytes| bytes == 0) {
                return Ended::Closed;
            }
            let said = line.trim_end().to_owned();
            let verb = said.to_ascii_uppercase();
            let answer = match verb.split(' ').next().unwrap_or_default() {
                "EHLO" => self.hello(is_encrypted),
                "STARTTLS" => {
                    let _sent = stream.write_all(b"220 go ahead\r\n").await;
                    return Ended::Upgrade;
                }
                "AUTH" => self.signed_in(&said, &mut mail),
                "MAIL" => {
                    mail.from = address(&said);
                    "250 ok".to_owned()
                }
                "RCPT" => {
                    mail.to = address(&said);
                    let mut answers = self.answers.lock().unwrap();
                    match answers.front() {
                        Some(Answer::Refuse(words)) => {
                            let words = (*words).to_owned();
                            answers.pop_front();
                            words
                        }
                        _ => "250 ok".to_owned(),
                    }
                }
                "DATA" => {
                    let _sent = stream.write_all(b"354 go on\r\n").await;
                    mail.text = text(&mut stream).await;
                    let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Answer::Take);
                    match answer {
                        Answer::Break => return Ended::Closed,
                        Answer::Silence => std::future::pending().await,
                        _ => {}
                    }
                    self.taken.lock().unwrap().push(mail.clone());
                    "250 2.0.0 queued as 42".to_owned()
                }
                "QUIT" => "221 bye".to_owned(),
                _ => "250 ok".to_owned(),
            };
            if stream.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() || verb == "QUIT" {
                return Ended::Closed;
            }
        }
    }

    fn hello(&self, is_encrypted: bool) -> String {
        let mut lines = vec!["mail.test", "8BITMIME"];
        if self.manner.offers_tls && !is_encrypted {
            lines.push("STARTTLS");
        }
        if self.manner.sign_in.is_some() {
            lines.push("AUTH PLAIN");
        }
        let last = lines.pop().unwrap();
        let first: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        format!("{first}250 {last}")
    }

    fn signed_in(&self, said: &str, mail: &mut Taken) -> String {
        let (user, password) = self.manner.sign_in.unwrap();
        let given = said.rsplit(' ').next().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
        if given == format!("\0{user}\0{password}").as_bytes() {
            mail.user = Some(user.to_owned());
            return "235 welcome".to_owned();
        }
        // A rude server repeats what it was told.
        format!("535 not you: {}", String::from_utf8_lossy(&given).replace('\0', " "))
    }
}

fn address(said: &str) -> String {
    said.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

async fn text<S: AsyncBufReadExt + Unpin>(stream: &mut S) -> String {
    let (mut text, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await.is_ok_and(|bytes| bytes == 0) || line == ".\r\n" {
            return text;
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
