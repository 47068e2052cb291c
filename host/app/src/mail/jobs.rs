//! Sending what waits. It may be sent twice where a worker vanishes in between: both have the same id.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_access::{Client, MAIL_CODE_LASTS, RESET_LASTS};
use portolan_admin_ui::mails::{Mail, MailLink};
use portolan_core::Duration;
use portolan_jobs::{JobContext, JobError, JobHandler, RetryPolicy};
use serde_json::Value;
use uuid::Uuid;

use super::compose::{Words, mailbox_of, message, one_line};
use super::letter::{Asked, Letter};
use super::outbox::{self, SEND_MAIL, Waiting};
use super::{Mailer, SendError};
use crate::App;
use crate::web::error::{AppError, AppResult};

/// Hands one mail in.
pub struct SendMail {
    pub app: Arc<App>,
}

#[async_trait]
impl JobHandler for SendMail {
    fn kind(&self) -> &'static str {
        SEND_MAIL
    }

    async fn run(&self, context: &JobContext, payload: Value) -> Result<(), JobError> {
        let id = payload["mail"].as_str().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| JobError::fail("the job names no mail"))?;
        deliver(&self.app, id, context.is_last_attempt()).await
    }

    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy { base: Duration::from_secs(30), cap: Duration::from_hours(1) }
    }
}

async fn deliver(app: &Arc<App>, id: Uuid, is_last: bool) -> Result<(), JobError> {
    let later = |error: AppError| JobError::retry(error.full_detail());
    let Some(waiting) = outbox::open(app, id).await.map_err(later)? else { return Ok(()) };
    let sent = match &app.mail {
        Some(mailer) => send(app, mailer, id, waiting).await.map_err(later)?,
        None => Err(SendError {
            message: "this server is started without --smtp-url".to_owned(),
            permanent: false,
        }),
    };
    match sent {
        Ok(()) => outbox::remove(app, id).await.map_err(later),
        Err(error) => {
            let is_over = error.permanent || is_last;
            outbox::note_failure(app, id, &error.message, is_over).await.map_err(later)?;
            if is_over {
                tracing::error!(mail.id = %id, %error, "a mail could not be sent: see portolan mail status");
            }
            Err(if error.permanent { JobError::fail(error) } else { JobError::retry(error) })
        }
    }
}

async fn send(
    app: &Arc<App>,
    mailer: &Mailer,
    id: Uuid,
    waiting: Waiting,
) -> AppResult<Result<(), SendError>> {
    let Some(words) = words_of(app, mailer, waiting).await? else { return Ok(Ok(())) };
    let message = message(mailer, id, app.clock.now(), &words)?;
    Ok(mailer.send(message).await)
}

/// To whom and what; `None` where there is nobody to send it to, or no reason any more.
async fn words_of(app: &Arc<App>, mailer: &Mailer, waiting: Waiting) -> AppResult<Option<Words>> {
    let Waiting { letter, created_at } = waiting;
    let host = mailer.address.as_str();
    let (to, mail) = match letter {
        Letter::Invitation { to, company, link } => (to.clone(), invitation(host, &to, &company, link)),
        // Whoever asked has asked again by now, or not.
        Letter::PasswordReset { .. } if app.clock.now().since(created_at) >= RESET_LASTS => return Ok(None),
        Letter::PasswordReset { name, asked_from } => match reset_token(app, name, asked_from).await? {
            Some((token, name)) => {
                let mail = password_reset(host, &name, format!("{host}/sign-in/reset/{token}"));
                (name, mail)
            }
            None => return Ok(None),
        },
        Letter::PasswordWasReset { to, address } => (to.clone(), password_was_reset(host, &to, &address)),
        Letter::PasswordChanged { to, address } => (to.clone(), password_changed(host, &to, &address)),
        Letter::PasskeyAdded { to, name, address } => (to.clone(), passkey_added(host, &to, &name, &address)),
        Letter::PasskeyRemoved { to, address } => (to.clone(), passkey_removed(host, &to, &address)),
        // It opens nothing any more.
        Letter::SignInCode { .. } if app.clock.now().since(created_at) >= MAIL_CODE_LASTS => return Ok(None),
        Letter::SignInCode { to, code } => (to, sign_in_code(host, &code)),
    };
    let Some(to) = mailbox_of(&to) else { return Ok(None) };
    Ok(Some(Words { to, subject: mail.title.clone(), mail }))
}

/// The link's token is made now, in the place of one that an earlier attempt has made.
async fn reset_token(app: &Arc<App>, name: String, asked: Asked) -> AppResult<Option<(String, String)>> {
    // Nobody could be told.
    if mailbox_of(&name).is_none() {
        return Ok(None);
    }
    let (in_task, client) = (Arc::clone(app), Client::from(asked));
    app.db
        .system_write(move |tx| {
            Box::pin(async move { Ok(in_task.sessions.make_reset_token(tx, &name, &client).await?) })
        })
        .await
}

fn invitation(host: &str, to: &str, company: &str, link: String) -> Mail {
    let company = one_line(company);
    Mail {
        title: format!("{company} invites you to Portolan"),
        paragraphs: vec![
            format!("{company} invites you to its Portolan at {host}, as {to}."),
            "The link works once, for seven days.".to_owned(),
        ],
        link: Some(MailLink { text: format!("Join {company}"), href: link }),
        end: "If you don't know the company, delete this mail: nothing happens then.".to_owned(),
    }
}

fn password_reset(host: &str, name: &str, link: String) -> Mail {
    Mail {
        title: "A new password for Portolan".to_owned(),
        paragraphs: vec![
            format!("Somebody, you perhaps, has forgotten the password of {name} at {host}."),
            "The link works once, for 30 minutes. A second factor stays as it is.".to_owned(),
        ],
        link: Some(MailLink { text: "Set a new password".to_owned(), href: link }),
        end: "If it was not you, delete this mail: your password stays as it is.".to_owned(),
    }
}

/// Where it was done from, as part of a line.
fn from_where(address: &str) -> String {
    match address {
        "" => String::new(),
        address => format!(", from the address {}", one_line(address)),
    }
}

fn password_changed(host: &str, name: &str, address: &str) -> Mail {
    Mail {
        title: "Your password was changed".to_owned(),
        paragraphs: vec![
            format!(
                "The password of {name} at {host} was changed in Profile and security{}.",
                from_where(address)
            ),
            "All other sessions have ended.".to_owned(),
        ],
        link: None,
        end: format!(
            "If it was not you, ask for a new password at {host}/sign-in/forgot, then look who is signed in."
        ),
    }
}

fn passkey_added(host: &str, name: &str, passkey: &str, address: &str) -> Mail {
    Mail {
        title: "A passkey was added".to_owned(),
        paragraphs: vec![format!(
            "The passkey \u{201c}{}\u{201d} opens the account of {name} at {host} from now on. It was added in Profile and \
             security{}.",
            one_line(passkey),
            from_where(address)
        )],
        link: None,
        end: format!("If it was not you, remove it at {host}/account and change your password there."),
    }
}

fn passkey_removed(host: &str, name: &str, address: &str) -> Mail {
    Mail {
        title: "A passkey was removed".to_owned(),
        paragraphs: vec![format!(
            "A passkey opens the account of {name} at {host} no more. It was removed in Profile and security{}.",
            from_where(address)
        )],
        link: None,
        end: format!(
            "If it was not you, look at {host}/account what opens it, and change your password there."
        ),
    }
}

fn sign_in_code(host: &str, code: &str) -> Mail {
    let (first, last) = code.split_at(code.len() / 2);
    Mail {
        title: "Your code for Portolan".to_owned(),
        paragraphs: vec![
            format!("Your code to sign in at {host} is {first} {last}."),
            "It works once, for ten minutes, in the browser that asked for it. Nobody of Portolan asks you for it.".to_owned(),
        ],
        link: None,
        end: "If you are not signing in, somebody knows your password: change it, and look who is signed in.".to_owned(),
    }
}

fn password_was_reset(host: &str, name: &str, address: &str) -> Mail {
    let from = from_where(address);
    Mail {
        title: "Your password was changed".to_owned(),
        paragraphs: vec![
            format!(
                "The password of {name} at {host} was replaced by a link that was sent to this mailbox{from}."
            ),
            "All sessions have ended.".to_owned(),
        ],
        link: None,
        end: format!(
            "If it was not you, somebody else reads this mailbox: change its password first, then ask for a new one at {host}/sign-in/forgot."
        ),
    }
}

fn test(host: &str) -> Mail {
    Mail {
        title: "A test of Portolan's mail".to_owned(),
        paragraphs: vec![format!("Mail of the Portolan at {host} arrives here.")],
        link: None,
        end: "Sent by whoever runs it, with: portolan mail test".to_owned(),
    }
}

/// Sends a test at once, past the queue: whoever runs the server sees what the mail server says.
pub async fn send_test(app: &Arc<App>, to: &str) -> AppResult<()> {
    let no_server = "There is no mail server: start with --smtp-url and --mail-from.";
    let mailer = app.mail.as_ref().ok_or_else(|| AppError::conflict(no_server))?;
    let to = mailbox_of(to).ok_or_else(|| AppError::invalid("address", "This is no mail address."))?;
    let (id, now) = (portolan_core::id::new_uuid(&*app.clock, &*app.random), app.clock.now());
    let mail = test(mailer.address.as_str());
    let words = Words { to, subject: mail.title.clone(), mail };
    let sent = mailer.send(message(mailer, id, now, &words)?).await;
    sent.map_err(|error| AppError::conflict(format!("Nothing was sent: {error}.")))
}
