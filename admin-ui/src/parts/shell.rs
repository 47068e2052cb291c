//! What surrounds every page: title, navigation, who is signed in.

use super::Notice;
use crate::assets;

/// The entry of the navigation that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Section {
    Pulse,
    Orders,
    Connections,
    Syncs,
    Plugins,
    #[default]
    None,
}

/// An entry of the navigation as the layout shows it.
pub(crate) struct NavEntry {
    pub section: Section,
    pub text: &'static str,
    pub href: &'static str,
    pub icon: &'static str,
    /// Pressed after `g`.
    pub key: &'static str,
}

pub(crate) const NAVIGATION: [NavEntry; 5] = [
    NavEntry { section: Section::Pulse, text: "Pulse", href: "/pulse", icon: "pulse", key: "p" },
    NavEntry { section: Section::Orders, text: "Orders", href: "/orders", icon: "orders", key: "o" },
    NavEntry {
        section: Section::Connections,
        text: "Connections",
        href: "/connections",
        icon: "connections",
        key: "c",
    },
    NavEntry { section: Section::Syncs, text: "Syncs", href: "/syncs", icon: "syncs", key: "s" },
    NavEntry { section: Section::Plugins, text: "Plugins", href: "/plugins", icon: "plugins", key: "l" },
];

/// What surrounds every page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shell {
    /// The page's object; becomes the document title too.
    pub title: String,
    pub section: Section,
    /// Empty when nobody is signed in: then there is no navigation.
    pub tenant_name: String,
    pub user_name: String,
    /// Outcome of the action that led here.
    pub flash: Option<Notice>,
}

impl Shell {
    /// A page for somebody who is signed in.
    pub fn new(
        title: impl Into<String>,
        section: Section,
        tenant_name: impl Into<String>,
        user_name: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            section,
            tenant_name: tenant_name.into(),
            user_name: user_name.into(),
            flash: None,
        }
    }

    /// A page without navigation: sign-in, errors before anybody is known.
    pub fn plain(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    pub fn with_flash(mut self, flash: Option<Notice>) -> Self {
        self.flash = flash;
        self
    }

    pub(crate) fn signed_in(&self) -> bool {
        !self.user_name.is_empty()
    }

    pub(crate) fn navigation(&self) -> &'static [NavEntry] {
        &NAVIGATION
    }

    pub(crate) fn style_url(&self) -> &'static str {
        assets::url("app.css")
    }

    pub(crate) fn script_url(&self) -> &'static str {
        assets::url("app.js")
    }

    pub(crate) fn theme_script_url(&self) -> &'static str {
        assets::url("theme.js")
    }

    pub(crate) fn icons_url(&self) -> &'static str {
        assets::url("icons.svg")
    }

    pub(crate) fn favicon_url(&self) -> &'static str {
        assets::url("favicon.svg")
    }

    pub(crate) fn current(&self, section: &Section) -> bool {
        self.section == *section
    }
}
