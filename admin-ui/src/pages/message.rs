//! The page for what went wrong.

use askama::Template;

use crate::parts::{Link, Section, Shell};

/// An error in words: what happened, what to do, and the reference that the log has too.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub shell: Shell,
    /// HTTP status.
    pub status: u16,
    /// What happened and why.
    pub message: String,
    /// What to do next.
    pub next_step: String,
    pub reference: Option<String>,
    pub links: Vec<Link>,
}

impl ErrorPage {
    pub fn not_found(shell: Shell) -> Self {
        Self {
            shell,
            status: 404,
            message: "There is nothing at this address, or it belongs to another tenant.".into(),
            next_step: "Check the address, or start from one of these pages.".into(),
            reference: None,
            links: vec![Link::new("Pulse", "/pulse"), Link::new("Orders", "/orders")],
        }
    }

    pub fn sample() -> Self {
        Self {
            shell: Shell::new("The database does not answer", Section::None, "Harbour & Sons", "owner"),
            status: 503,
            message: "The page could not be read because the database did not answer within 5 s.".into(),
            next_step: "Nothing that was stored is lost. Try again in a minute; if it stays, \
                        look at the log for the reference below."
                .into(),
            reference: Some("01932f1c-7a55-7c1e-9d7e-3a2b9f4a1c00".into()),
            links: vec![Link::new("Try again", "/pulse")],
        }
    }

    pub fn sample_not_found() -> Self {
        Self::not_found(Shell::new("Not found", Section::None, "Harbour & Sons", "owner"))
    }
}
