//! What surrounds every page: title, navigation, who is signed in.

use super::Notice;
use crate::assets;

/// The entry of the navigation that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Section {
    Pulse,
    Orders,
    Finance,
    Connections,
    Syncs,
    Plugins,
    Audit,
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
    /// Not in the bar of five at phone width; another page leads there.
    pub wide_only: bool,
}

pub(crate) const NAVIGATION: [NavEntry; 7] = [
    entry(Section::Pulse, "Pulse", "/pulse", "pulse", "p"),
    entry(Section::Orders, "Orders", "/orders", "orders", "o"),
    entry(Section::Finance, "Finance", "/finance", "finance", "f"),
    entry(Section::Connections, "Connections", "/connections", "connections", "c"),
    entry(Section::Syncs, "Syncs", "/syncs", "syncs", "s"),
    NavEntry { wide_only: true, ..entry(Section::Plugins, "Plugins", "/plugins", "plugins", "l") },
    NavEntry { wide_only: true, ..entry(Section::Audit, "Audit", "/admin/audit", "audit", "a") },
];

const fn entry(
    section: Section,
    text: &'static str,
    href: &'static str,
    icon: &'static str,
    key: &'static str,
) -> NavEntry {
    NavEntry { section, text, href, icon, key, wide_only: false }
}

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
