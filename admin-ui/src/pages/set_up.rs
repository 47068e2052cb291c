//! Setting up a host on which nobody is yet.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::parts::Shell;

/// The steps, and which of them this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<ol class="steps" aria-label="Setting up">{% for name in self.over() %}<li>{{ name }}</li>{% endfor %}<li aria-current="step">{{ self.name() }}</li>{% for name in self.ahead() %}<li>{{ name }}</li>{% endfor %}</ol>"#
)]
pub struct SetUpStep {
    current: usize,
}
impl HtmlSafe for SetUpStep {}

const STEPS: [&str; 4] = ["Your account", "Second factor", "Your company", "First data"];

impl SetUpStep {
    /// Counted from one, up to four.
    pub fn new(current: usize) -> Self {
        Self { current: current.clamp(1, STEPS.len()) }
    }

    fn over(&self) -> &'static [&'static str] {
        &STEPS[..self.current - 1]
    }

    fn name(&self) -> &'static str {
        STEPS[self.current - 1]
    }

    fn ahead(&self) -> &'static [&'static str] {
        &STEPS[self.current..]
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetUpState {
    /// Says where the token is, and takes it.
    NoToken,
    WrongToken,
    /// The first owner may be made, with this token.
    Owner {
        token: String,
    },
    /// Somebody is there.
    Done,
}

/// `GET /setup`; the owner's form posts to the same address.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "set_up.html")]
pub struct SetUpPage {
    pub shell: Shell,
    pub state: SetUpState,
    pub step: SetUpStep,
    /// As typed.
    pub name: String,
    pub name_error: Option<String>,
    pub password_error: Option<String>,
    pub repeated_error: Option<String>,
}

impl SetUpPage {
    pub fn new(state: SetUpState) -> Self {
        Self {
            shell: Shell::plain("Set up Portolan"),
            state,
            step: SetUpStep::new(1),
            name: String::new(),
            name_error: None,
            password_error: None,
            repeated_error: None,
        }
    }

    /// Puts what was wrong beside its field.
    pub fn set_error(&mut self, field: &str, message: &str) {
        let error = match field {
            "name" => &mut self.name_error,
            "repeated" => &mut self.repeated_error,
            _ => &mut self.password_error,
        };
        *error = Some(message.to_owned());
    }

    pub fn sample() -> Self {
        Self::new(SetUpState::Owner { token: "c2FtcGxl".into() })
    }

    pub fn sample_refused() -> Self {
        let mut page = Self::sample();
        page.name = "ada lovelace".into();
        page.set_error("name", "Use 1 to 200 characters without spaces.");
        page.set_error("password", "The password is too short: use at least 12 characters.");
        page.set_error("repeated", "The two are not the same.");
        page
    }
}

/// `GET /setup/second-factor`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "set_up_factor.html")]
pub struct SetUpFactorPage {
    pub shell: Shell,
    pub step: SetUpStep,
    /// Whether it is on already.
    pub on: bool,
    /// The step behind it.
    pub next: &'static str,
}

impl SetUpFactorPage {
    pub fn new(on: bool, next: &'static str) -> Self {
        Self { shell: Shell::plain("A second factor"), step: SetUpStep::new(2), on, next }
    }
}

/// `GET /setup/first-data`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "set_up_data.html")]
pub struct SetUpDataPage {
    pub shell: Shell,
    pub step: SetUpStep,
}

impl Default for SetUpDataPage {
    fn default() -> Self {
        Self::new()
    }
}

impl SetUpDataPage {
    pub fn new() -> Self {
        Self { shell: Shell::plain("First data"), step: SetUpStep::new(4) }
    }
}
