//! Mail: what is sent, to whom, and how. Written down in the transaction that causes it, sealed, and sent by a job; gone
//! once it is sent. Without a mail server nothing here happens, and pages say so.

pub mod compose;
pub mod jobs;
mod letter;
mod mailer;
pub mod outbox;
mod smtp;

pub use letter::Letter;
pub use mailer::{Mailer, SendError, read_sender};
pub use smtp::{NoSmtpAddress, SmtpAddress};

/// Whether mail can be sent to this sign-in name: many are mail addresses, and need not be.
pub fn is_mail_address(name: &str) -> bool {
    compose::mailbox_of(name).is_some()
}
