//! What cannot be undone is confirmed by typing the name of what it is about.

use serde::Deserialize;

use crate::web::error::{AppError, AppResult};

#[derive(Debug, Default, Deserialize)]
pub struct ConfirmForm {
    confirm: Option<String>,
}

impl ConfirmForm {
    /// What was typed in a form that holds more.
    pub fn of(confirm: String) -> Self {
        Self { confirm: Some(confirm) }
    }

    /// Whether it was confirmed by this name.
    pub fn check(&self, name: &str) -> AppResult<()> {
        match self.confirm.as_deref().map(str::trim) == Some(name.trim()) {
            true => Ok(()),
            false => Err(AppError::invalid("confirm", format!("Type {name:?} to confirm."))),
        }
    }
}
