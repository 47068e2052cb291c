//! From a letter to the mail itself: words, a text for whoever reads text, and the same as HTML.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use portolan_admin_ui::Template;
use portolan_admin_ui::mails::{Mail, MailHtml, MailText};
use portolan_core::Instant;
use uuid::Uuid;

use super::Mailer;
use crate::web::error::{AppError, AppResult};

/// Longer addresses are delivered nowhere (RFC 5321).
const LONGEST_ADDRESS_BYTES: usize = 254;

/// To whom, about what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub to: Mailbox,
    /// Whom it names in the place of the operator's name; the address stays.
    pub from_name: Option<String>,
    pub subject: String,
    pub mail: Mail,
}

/// The mailbox of a sign-in name; `None` where it is no mail address. Never with a display name, a comment or a second
/// address: the whole text has to be the address.
pub fn mailbox_of(name: &str) -> Option<Mailbox> {
    let plain = name.is_ascii() && name.bytes().all(|byte| byte.is_ascii_graphic());
    let address = name.parse::<Address>().ok().filter(|_| plain && name.len() <= LONGEST_ADDRESS_BYTES)?;
    Some(Mailbox::new(None, address))
}

/// The mail with its headers. The same letter has the same id, however often it is sent: whoever got it twice sees it once.
pub fn message(mailer: &Mailer, id: Uuid, now: Instant, words: &Words) -> AppResult<Message> {
    let text = MailText { mail: &words.mail }.render().map_err(AppError::internal)?;
    let html = MailHtml { mail: &words.mail }.render().map_err(AppError::internal)?;
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    Message::builder()
        .from(sender(&mailer.from, words.from_name.as_deref()))
        .to(words.to.clone())
        .subject(one_line(&words.subject))
        .date(UNIX_EPOCH + Duration::from_micros(u64::try_from(now.0).unwrap_or_default()))
        .message_id(Some(format!("<{id}@{}>", mailer.from.email.domain())))
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .multipart(MultiPart::alternative_plain_html(text, html))
        .map_err(AppError::internal)
}

/// The operator's address under the name of whoever has something sent.
fn sender(operator: &Mailbox, name: Option<&str>) -> Mailbox {
    let name = name.map(one_line).or_else(|| operator.name.clone());
    Mailbox::new(name, operator.email.clone())
}

/// What people have named, as part of a line.
pub fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests;
