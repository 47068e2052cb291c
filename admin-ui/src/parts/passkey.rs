//! A button that asks a passkey: a script fetches the question, hands it to the browser, and sends the form with the answer.

use askama::Template;
use askama::filters::HtmlSafe;

/// A form of its own. Without scripts, or in a browser without passkeys, it is a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_passkey_form.html")]
pub struct PasskeyForm {
    pub label: &'static str,
    /// Where the answer is posted to, as `ceremony` and `answer`.
    pub action: &'static str,
    /// Where the question is fetched from.
    pub ask: &'static str,
    /// Where to go afterwards, sent as `next`.
    pub next: Option<String>,
    /// What was refused.
    pub error: Option<String>,
}
impl HtmlSafe for PasskeyForm {}

impl PasskeyForm {
    /// By a passkey alone.
    pub fn sign_in(next: Option<String>) -> Self {
        Self {
            label: "Sign in with a passkey",
            action: "/sign-in/passkey",
            ask: "/api/v1/auth/passkeys/sign-in",
            next,
            error: None,
        }
    }

    /// In the place of a code.
    pub fn second_step(next: Option<String>) -> Self {
        Self {
            label: "Use a passkey",
            action: "/sign-in/second-step/passkey",
            ask: "/api/v1/auth/passkeys/second-step",
            next,
            error: None,
        }
    }

    /// To show again who one is.
    pub fn again(next: Option<String>) -> Self {
        Self {
            label: "Use a passkey",
            action: "/sign-in/again/passkey",
            ask: "/api/v1/auth/passkeys/again",
            next,
            error: None,
        }
    }

    #[must_use]
    pub fn refused(self) -> Self {
        let error = "The passkey was not taken: it is not known here, its answer came too late, or was used before. Try again.";
        Self { error: Some(error.to_owned()), ..self }
    }
}
