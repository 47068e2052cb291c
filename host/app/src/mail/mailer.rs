//! Handing mail in at a server.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::smtp::{Security, SmtpAddress};
use crate::web::address::PublicAddress;

/// A server that says nothing for this long is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The way out for mail, and what stands in all of them.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    pub from: Mailbox,
    /// What links begin with.
    pub address: PublicAddress,
}

/// Why a mail was not taken. Names nobody: it is logged and kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    pub message: String,
    /// Whether the same mail is refused again, whenever it is tried.
    pub permanent: bool,
}

impl Mailer {
    /// Connects to nobody yet.
    pub fn new(
        smtp: &SmtpAddress,
        password: Option<String>,
        from: Mailbox,
        address: PublicAddress,
    ) -> Result<Self, SendError> {
        let builder = match smtp.security {
            Security::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&smtp.host).map_err(told)?,
            Security::StartTls => {
                AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&smtp.host).map_err(told)?
            }
            Security::Loopback => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(smtp.host.as_str()),
        };
        let mut builder = builder.port(smtp.port).timeout(Some(PATIENCE));
        if let (Some(user), Some(password)) = (&smtp.user, password) {
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self { transport: builder.build(), from, address })
    }

    /// Hands a mail in: afterwards it is the server's.
    pub async fn send(&self, message: Message) -> Result<(), SendError> {
        self.transport.send(message).await.map(|_| ()).map_err(told)
    }
}

/// A sender as people write one: an address, or a name before it in angle brackets. `None` where it is neither.
pub fn read_sender(text: &str) -> Option<Mailbox> {
    text.trim().parse().ok()
}

/// Answers of servers quote addresses: only their numbers are told.
fn told(error: lettre::transport::smtp::Error) -> SendError {
    let permanent = error.is_permanent();
    let message = match error.status() {
        Some(code) if permanent => format!("the mail server refused it for good (answer {code})"),
        Some(code) => format!("the mail server does not take it now (answer {code})"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "there is no trusted TLS connection to the mail server".to_owned(),
        None if error.is_client() => "the mail server offers nothing that we can sign in with".to_owned(),
        None => "the mail server cannot be reached, or broke off".to_owned(),
    };
    SendError { message, permanent }
}
