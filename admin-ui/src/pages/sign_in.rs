//! Signing in by password or by a one-time link.

use askama::Template;

use crate::parts::{CodeField, PasskeyForm, Shell};

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
    /// Where passkeys can be used.
    pub passkey: Option<PasskeyForm>,
}

impl SignInPage {
    pub fn new(next: Option<String>) -> Self {
        Self { shell: Shell::plain("Sign in"), name: String::new(), error: None, next, passkey: None }
    }

    pub fn sample() -> Self {
        let next = Some("/pulse".to_owned());
        Self { passkey: Some(PasskeyForm::sign_in(next.clone())), ..Self::new(next) }
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

/// `GET /sign-in/second-step`; the form posts `code` to the same address.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "second_step.html")]
pub struct SecondStepPage {
    pub shell: Shell,
    /// Absent where there is no authenticator, and no code was mailed.
    pub code: Option<CodeField>,
    pub passkey: Option<PasskeyForm>,
    /// Of somebody who has neither.
    pub by_mail: Option<CodeByMail>,
    /// For how many days this browser may be remembered; 0: not at all.
    pub remember_days: i64,
    /// Where both forms post to.
    pub action: &'static str,
    /// Where to go afterwards, sent as `next`.
    pub next: Option<String>,
}

/// A code that is mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeByMail {
    /// Whether one was asked for just now.
    pub asked: bool,
}

impl CodeByMail {
    fn text(self) -> &'static str {
        if self.asked {
            "If a code may be sent now, it is on its way: one a minute, and two an hour. It works for ten minutes, in this browser."
        } else {
            "Your company asks for a second factor. You have none yet, so a code is mailed to you."
        }
    }
}

/// What is read beside a code that was not taken, whatever the reason.
const CODE_REFUSED: &str = "This code is not right, was used already, or there were too many tries. Wait for the next one, then try again.";

impl SecondStepPage {
    pub fn new(next: Option<String>) -> Self {
        let code = Some(CodeField::new("Code of your authenticator", None).alone());
        Self {
            shell: Shell::plain("Sign in"),
            code,
            passkey: None,
            by_mail: None,
            remember_days: 30,
            action: "/sign-in/second-step",
            next,
        }
    }

    /// For somebody whose code comes by mail.
    pub fn by_mail(next: Option<String>, asked: bool) -> Self {
        let code = asked.then(|| CodeField::new("Code from the mail", None).mailed().alone());
        Self { code, by_mail: Some(CodeByMail { asked }), ..Self::new(next) }
    }

    pub fn refused(mut self) -> Self {
        if let Some(code) = &mut self.code {
            code.error = Some(CODE_REFUSED.to_owned());
        }
        self
    }

    pub fn sample() -> Self {
        let next = Some("/pulse".to_owned());
        Self { passkey: Some(PasskeyForm::second_step(next.clone())), ..Self::new(next) }
    }

    /// A passkey alone.
    pub fn sample_passkey() -> Self {
        let mut page = Self::sample();
        page.code = None;
        page.remember_days = 0;
        page.passkey = page.passkey.map(PasskeyForm::refused);
        page
    }
}

/// What somebody shows again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedFor {
    Code,
    /// Nothing but a passkey, or a recovery code.
    Passkey,
    Password,
    /// Neither is there: only a new link can show it.
    Link,
}

/// `GET /sign-in/again`; the form posts `code`, which is the code or the password, to the same address.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "again.html")]
pub struct AgainPage {
    pub shell: Shell,
    pub asked_for: AskedFor,
    pub code: CodeField,
    pub passkey: Option<PasskeyForm>,
    pub refused: bool,
    pub action: &'static str,
    pub next: Option<String>,
}

impl AgainPage {
    pub fn new(asked_for: AskedFor, next: Option<String>) -> Self {
        let code = CodeField::new("Code of your authenticator", None).alone();
        let shell = Shell::plain("Show that it is you");
        Self { shell, asked_for, code, passkey: None, refused: false, action: "/sign-in/again", next }
    }

    pub fn refused(mut self) -> Self {
        self.refused = true;
        self.code.error = Some(CODE_REFUSED.to_owned());
        self
    }

    pub fn sample() -> Self {
        Self::new(AskedFor::Code, Some("/account".into()))
    }

    pub fn sample_passkey() -> Self {
        let page = Self::new(AskedFor::Passkey, None);
        Self { passkey: Some(PasskeyForm::again(None)), ..page }
    }

    pub fn sample_password() -> Self {
        Self::new(AskedFor::Password, None).refused()
    }

    pub fn sample_link() -> Self {
        Self::new(AskedFor::Link, None)
    }
}
