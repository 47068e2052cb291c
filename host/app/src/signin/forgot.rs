//! A new password for whoever forgot theirs. The answer is the same whether there is somebody or not, and as quick: who
//! it is, is looked up by the job that sends the mail.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use portolan_access::{Client, PasswordError, ask_for_mail};
use portolan_admin_ui::pages::{ForgotPage, ForgotState, ResetPage, ResetState};
use serde::Deserialize;

use crate::App;
use crate::mail::{Letter, outbox};
use crate::people::ops::sentence;
use crate::web::client::FromWhere;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path};
use crate::web::html;

/// In `mail_limit`.
const PURPOSE: &str = "password_reset";
/// Longer names are nobody's.
const LONGEST_NAME_CHARS: usize = 200;
/// More than these wait only where somebody makes names up by the thousand, or no mail goes out at all.
const MOST_WAITING: u64 = 1_000;

#[derive(Deserialize)]
pub struct ForgotForm {
    name: String,
}

#[derive(Deserialize)]
pub struct ResetForm {
    password: String,
    repeated: String,
}

pub async fn show_forgot(State(app): State<Arc<App>>) -> PageResult {
    html(&ForgotPage::new(if app.mail.is_some() { ForgotState::Ask } else { ForgotState::NoMail }))
}

pub async fn ask_for_reset(
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Form(form): Form<ForgotForm>,
) -> PageResult {
    if app.mail.is_none() {
        return html(&ForgotPage::new(ForgotState::NoMail));
    }
    ask(&app, &form.name, client).await?;
    html(&ForgotPage::new(ForgotState::Asked))
}

/// Looking does not use the link up.
pub async fn show_reset(State(app): State<Arc<App>>, Path(token): Path<String>) -> PageResult {
    match app.sessions.reset_token_is_valid(&token).await? {
        true => html(&ResetPage::new(ResetState::Ready, format!("/sign-in/reset/{token}"))),
        false => gone(),
    }
}

pub async fn reset_password(
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Path(token): Path<String>,
    Form(form): Form<ResetForm>,
) -> PageResult {
    // Hashing costs memory and time: nobody has it done without a link.
    if !app.sessions.reset_token_is_valid(&token).await? {
        return gone();
    }
    let refuse = |message: String| -> PageResult {
        let mut page = ResetPage::new(ResetState::Ready, format!("/sign-in/reset/{token}"));
        page.error = Some(message);
        Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
    };
    if form.password != form.repeated {
        return refuse("The two are not the same. Enter the password twice.".to_owned());
    }
    let about = app.sessions.words_about_reset(&token).await?;
    let hash = match app.sessions.passwords().hash_new(&form.password, &about).await {
        Ok(hash) => hash,
        Err(PasswordError::TooShort) => return refuse("Use at least 12 characters.".to_owned()),
        Err(PasswordError::TooLong) => return refuse("This is too long: use at most 1024 bytes.".to_owned()),
        Err(error @ PasswordError::Guessable) => return refuse(sentence(&error.to_string())),
        Err(error) => return Err(AppError::internal(error).into()),
    };
    match replace(&app, &token, hash, client).await? {
        true => html(&ResetPage::new(ResetState::Done, String::new())),
        false => gone(),
    }
}

fn gone() -> PageResult {
    Ok((StatusCode::GONE, html(&ResetPage::new(ResetState::Gone, String::new()))?).into_response())
}

/// Writes down that a link is asked for. What is done here does not depend on whether there is somebody.
async fn ask(app: &Arc<App>, name: &str, client: Client) -> AppResult<()> {
    let name = name.trim().to_lowercase();
    if name.is_empty() || name.chars().count() > LONGEST_NAME_CHARS || name.contains('\0') {
        return Ok(());
    }
    let in_task = Arc::clone(app);
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let app = in_task;
                if !ask_for_mail(tx, PURPOSE, &name, app.clock.now()).await? {
                    tracing::info!("a link to a new password was asked for too often");
                    return Ok(());
                }
                let letter = Letter::PasswordReset { name, asked_from: client.into() };
                if outbox::waiting_of(tx, letter.kind()).await? >= MOST_WAITING {
                    tracing::warn!("too many links to new passwords wait to be sent: one is left out");
                    return Ok(());
                }
                outbox::post(&app, tx, &letter).await.map(|_| ())
            })
        })
        .await
}

/// Whether the password was replaced; its person is told by mail.
async fn replace(app: &Arc<App>, token: &str, hash: String, client: Client) -> AppResult<bool> {
    let (in_task, token) = (Arc::clone(app), token.to_owned());
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let app = in_task;
                let Some(reset) = app.sessions.use_reset_token(tx, &token, hash, &client).await? else {
                    return Ok(false);
                };
                let letter = Letter::PasswordWasReset { to: reset.sign_in_name, address: client.address };
                outbox::post(&app, tx, &letter).await?;
                Ok(true)
            })
        })
        .await
}
