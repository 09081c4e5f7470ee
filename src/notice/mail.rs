//! A mail by SMTP, encrypted on its way: by TLS from the first byte, or by STARTTLS, which the server must offer.
//!
//! Plain is for a server on this machine. Certificates are verified against the public authorities and those that the environment names.
//! <https://www.rfc-editor.org/rfc/rfc8314>, <https://www.rfc-editor.org/rfc/rfc5321>

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::response::Response;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use url::Url;

use super::error::Error;
use super::letter;
use super::{Parcel, TIMEOUT};
use crate::http::quoted::quoted;
use crate::model::clock::Clock;
use crate::model::connection::{Mail, is_loopback};
use crate::model::secret::Secret;

/// How the way to a mail server is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte: `smtps://`.
    Tls,
    /// The server must offer STARTTLS: `smtp://`.
    StartTls,
    /// Not at all: `smtp://` to this machine.
    None,
}

/// Where mails go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its host, as its certificate names it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is talked to.
    pub security: Security,
}

impl Server {
    /// The server of a mail connection.
    ///
    /// # Errors
    /// If its URL names none; the checker lets no such through.
    pub fn of(mail: &Mail) -> Result<Self, Error> {
        let none = || Error::Unable(format!("connection `{}` names no mail server", mail.name));
        let url = Url::parse(&mail.url).map_err(|_| none())?;
        let (security, port) = match url.scheme() {
            "smtps" => (Security::Tls, 465),
            _ if is_here(&url) => (Security::None, 25),
            _ => (Security::StartTls, 587),
        };
        let host = url.host_str().ok_or_else(none)?.trim_matches(['[', ']']).to_owned();
        Ok(Self { host, port: url.port().unwrap_or(port), security })
    }

    fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// URLs of other schemes than the web's have their host as a bare text.
fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    is_loopback(url) || address.is_ok_and(|ip| ip.is_loopback())
}

/// Sends mails by one server.
pub struct Sender {
    /// The server.
    pub server: Server,
    /// Who the mails are from.
    pub from: String,
    /// The user's name and password, where the server asks for them.
    pub sign_in: Option<(Secret, Secret)>,
    /// Authorities to trust beside the public ones, as PEM.
    pub authorities: Option<Arc<str>>,
    /// The time.
    pub clock: Clock,
}

impl Sender {
    /// Sends a notice to a person; gives what the server said.
    ///
    /// # Errors
    /// Why it was not sent. It may have been, where the connection broke at the very end.
    pub async fn send(&self, to: &str, parcel: &Parcel<'_>) -> Result<String, Error> {
        let mail = self.written(to, parcel)?;
        let transport = self.transport()?;
        match tokio::time::timeout(TIMEOUT, transport.send(mail)).await {
            Ok(Ok(response)) => Ok(self.said(&response)),
            Ok(Err(error)) => Err(self.failure(&error)),
            Err(_) => Err(Error::TimedOut(self.server.name())),
        }
    }

    fn written(&self, to: &str, parcel: &Parcel<'_>) -> Result<Message, Error> {
        let address = |text: &str| text.parse().map_err(|_| Error::Address(quoted(text)));
        let from: lettre::Address = address(&self.from)?;
        let id = format!("<{}.ferry@{}>", parcel.delivery, from.domain());
        let names: Vec<&str> = parcel.attached.iter().map(|file| file.name.as_str()).collect();
        let mut body = MultiPart::mixed()
            .singlepart(SinglePart::plain(letter::text(parcel.content, &names).replace('\n', "\r\n")));
        let kind = ContentType::parse("text/csv; charset=utf-8").expect("a type of RFC 4180");
        for file in &parcel.attached {
            // Lines of a file may end otherwise than those of a mail must, and servers refuse such mails.
            let bytes = Body::new_with_encoding(file.bytes.clone(), ContentTransferEncoding::Base64);
            let bytes = bytes.map_err(|_| Error::Unable("the error file cannot be attached".to_owned()))?;
            body = body.singlepart(Attachment::new(file.name.clone()).body(bytes, kind.clone()));
        }
        let unable = |error: lettre::error::Error| Error::Unable(format!("the mail cannot be written: {error}"));
        let mut mail = Message::builder()
            .from(Mailbox::new(Some("Ferry".to_owned()), from))
            .to(Mailbox::new(None, address(to)?))
            .subject(letter::subject(parcel.content))
            .date(SystemTime::from(self.clock.now()))
            .message_id(Some(id))
            .multipart(body)
            .map_err(unable)?;
        // Nobody's absence is to be told to a machine. <https://www.rfc-editor.org/rfc/rfc3834#section-5>
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        mail.headers_mut().insert_raw(HeaderValue::new(automatic, "auto-generated".to_owned()));
        Ok(mail)
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Error> {
        let tls = || -> Result<TlsParameters, Error> {
            let failed =
                |error: lettre::transport::smtp::Error| Error::Unable(format!("TLS cannot be set up: {error}"));
            let mut parameters = TlsParameters::builder(self.server.host.clone());
            for authority in self.authorities()? {
                parameters = parameters.add_root_certificate(authority);
            }
            parameters.build_rustls().map_err(failed)
        };
        let tls = match self.server.security {
            Security::Tls => Tls::Wrapper(tls()?),
            Security::StartTls => Tls::Required(tls()?),
            Security::None => Tls::None,
        };
        // It begins without anything; how it is encrypted stands right behind that.
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(self.server.host.clone())
            .port(self.server.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some((user, password)) = &self.sign_in {
            builder = builder.credentials(Credentials::new(user.expose().to_owned(), password.expose().to_owned()));
        }
        Ok(builder.build())
    }

    fn authorities(&self) -> Result<Vec<Certificate>, Error> {
        let Some(pem) = &self.authorities else { return Ok(Vec::new()) };
        let unusable = || Error::from(crate::http::error::Error::Authorities);
        let found = CertificateDer::pem_slice_iter(pem.as_bytes()).map(|one| {
            let der = one.map_err(|_| unusable())?;
            Certificate::from_der(der.as_ref().to_vec()).map_err(|_| unusable())
        });
        let found: Vec<Certificate> = found.collect::<Result<_, _>>()?;
        if found.is_empty() { Err(unusable()) } else { Ok(found) }
    }

    fn said(&self, response: &Response) -> String {
        let words: Vec<&str> = response.message().collect();
        self.without_secrets(&format!("{} {}", response.code(), words.join(" ")))
    }

    fn failure(&self, error: &lettre::transport::smtp::Error) -> Error {
        let host = self.server.name();
        let said = self.without_secrets(&causes(error));
        let code = error.status().map(u16::from);
        match code {
            // Who signs in wrongly, or has to, may do so rightly tomorrow: that is a setting. The others are about this mail.
            Some(530 | 534 | 535 | 538) => Error::NotTaken { host, said },
            Some(500..=599) => Error::Refused { host, said },
            Some(_) => Error::NotTaken { host, said },
            None if error.is_tls() || said.contains("certificate") => Error::Untrusted { host, reason: said },
            None if error.is_timeout() => Error::TimedOut(host),
            None if error.is_client() && said.contains("STARTTLS") => Error::NotEncrypted(host),
            None => Error::Broken { host, reason: said },
        }
    }

    /// A server may repeat what it was told.
    fn without_secrets(&self, said: &str) -> String {
        let mut said = quoted(said);
        for secret in self.sign_in.iter().flat_map(|(user, password)| [user, password]) {
            if !secret.expose().is_empty() {
                said = said.replace(secret.expose(), "(secret)");
            }
        }
        said
    }
}

/// An error with its causes, each said once.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}
