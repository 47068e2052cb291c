//! What a person prefers, wherever they are: the theme of pages, and the page that they begin on. Without a row, the
//! system's theme and Pulse.

use portolan_admin_ui::parts::ThemeChoice;
use portolan_core::UserId;
use portolan_db::entity::preference;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system of whoever looks says.
    #[default]
    System,
    Light,
    Dark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartPage {
    #[default]
    Pulse,
    Orders,
    Finance,
    Connections,
    Syncs,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == name)
    }
}

impl StartPage {
    pub const ALL: [Self; 5] = [Self::Pulse, Self::Orders, Self::Finance, Self::Connections, Self::Syncs];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pulse => "pulse",
            Self::Orders => "orders",
            Self::Finance => "finance",
            Self::Connections => "connections",
            Self::Syncs => "syncs",
        }
    }

    pub const fn path(self) -> &'static str {
        match self {
            Self::Pulse => "/pulse",
            Self::Orders => "/orders",
            Self::Finance => "/finance",
            Self::Connections => "/connections",
            Self::Syncs => "/syncs",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.as_str() == name)
    }
}

/// What is stored of somebody. What cannot be read is as if it were not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    pub theme: Theme,
    pub start_page: StartPage,
    pub changed_at: Option<i64>,
}

impl From<preference::Model> for Preferences {
    fn from(row: preference::Model) -> Self {
        Self {
            theme: Theme::of_name(&row.theme).unwrap_or_default(),
            start_page: StartPage::of_name(&row.start_page).unwrap_or_default(),
            changed_at: Some(row.changed_at),
        }
    }
}

impl Preferences {
    pub async fn of(tx: &SystemTx, user: UserId) -> Result<Self, DbError> {
        let row = tx.find::<preference::Entity>().filter(preference::Column::UserId.eq(user.0));
        Ok(row.one(tx).await?.map(Self::from).unwrap_or_default())
    }

    /// What a page says of its theme. A browser's own choice holds until somebody prefers something anew.
    pub fn theme_choice(&self) -> ThemeChoice {
        let theme = match self.theme {
            Theme::System => None,
            chosen @ (Theme::Light | Theme::Dark) => Some(chosen.as_str()),
        };
        ThemeChoice { theme, since: self.changed_at.map(|at| at.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::next::is_place;

    #[test]
    fn every_choice_is_read_back_and_every_start_is_a_page() {
        for theme in Theme::ALL {
            assert_eq!(Theme::of_name(theme.as_str()), Some(theme));
        }
        for page in StartPage::ALL {
            assert_eq!(StartPage::of_name(page.as_str()), Some(page));
            assert!(is_place(page.path()));
        }
        assert_eq!(StartPage::of_name("https://evil.example"), None);
    }
}
