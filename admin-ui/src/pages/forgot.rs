//! A new password for whoever forgot theirs.

use askama::Template;

use crate::parts::Shell;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForgotState {
    Ask,
    /// The same whether there is somebody of this name or not.
    Asked,
    /// No mail is sent by this server.
    NoMail,
}

/// `GET /sign-in/forgot`; the form posts `name` to the same address.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "forgot.html")]
pub struct ForgotPage {
    pub shell: Shell,
    pub state: ForgotState,
}

impl ForgotPage {
    pub fn new(state: ForgotState) -> Self {
        Self { shell: Shell::plain("A new password"), state }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetState {
    Ready,
    /// Was used, has expired, or never existed.
    Gone,
    Done,
}

/// `GET /sign-in/reset/{token}`; the form posts `password` and `repeated` to the same address.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "reset.html")]
pub struct ResetPage {
    pub shell: Shell,
    pub state: ResetState,
    pub action: String,
    pub error: Option<String>,
}

impl ResetPage {
    pub fn new(state: ResetState, action: impl Into<String>) -> Self {
        Self { shell: Shell::plain("A new password"), state, action: action.into(), error: None }
    }

    pub fn sample() -> Self {
        Self::new(ResetState::Ready, "/sign-in/reset/sample")
    }

    pub fn sample_refused() -> Self {
        Self { error: Some("Use at least 12 characters.".into()), ..Self::sample() }
    }
}
