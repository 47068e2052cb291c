//! Signing in by password or by a one-time link.

use askama::Template;

use crate::parts::Shell;

/// `GET /sign-in`; the form posts `name` and `password` to `/sign-in`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    pub shell: Shell,
    /// As typed; kept when the password was wrong.
    pub name: String,
    pub error: Option<String>,
    /// Where to go afterwards, sent as `next`.
    pub next: Option<String>,
}

impl SignInPage {
    pub fn new(next: Option<String>) -> Self {
        Self { shell: Shell::plain("Sign in"), name: String::new(), error: None, next }
    }

    pub fn sample() -> Self {
        Self::new(Some("/pulse".into()))
    }

    pub fn sample_error() -> Self {
        Self {
            name: "owner".into(),
            error: Some("Name and password do not match. Check both, or ask for a one-time link.".into()),
            ..Self::sample()
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInLinkState {
    /// Works once, by the button.
    Ready,
    /// Was used, has expired, or never existed.
    Invalid,
}

/// `GET /sign-in/link/{token}`: looking at a link does not use it up, the button posts to the same
/// address and does.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "sign_in_link.html")]
pub struct SignInLinkPage {
    pub shell: Shell,
    pub state: SignInLinkState,
    /// Address of this page.
    pub action: String,
}

impl SignInLinkPage {
    pub fn new(state: SignInLinkState, action: impl Into<String>) -> Self {
        Self { shell: Shell::plain("Sign in"), state, action: action.into() }
    }

    fn ready(&self) -> bool {
        self.state == SignInLinkState::Ready
    }

    pub fn sample() -> Self {
        Self::new(SignInLinkState::Ready, "/sign-in/link/sample")
    }

    pub fn sample_used() -> Self {
        Self::new(SignInLinkState::Invalid, "/sign-in/link/sample")
    }
}
