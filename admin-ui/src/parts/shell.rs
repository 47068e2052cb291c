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
    Admin,
    Audit,
    Privacy,
    ApiKeys,
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

pub(crate) const NAVIGATION: [NavEntry; 10] = [
    entry(Section::Pulse, "Pulse", "/pulse", "pulse", "p"),
    entry(Section::Orders, "Orders", "/orders", "orders", "o"),
    entry(Section::Finance, "Finance", "/finance", "finance", "f"),
    entry(Section::Connections, "Connections", "/connections", "connections", "c"),
    entry(Section::Syncs, "Syncs", "/syncs", "syncs", "s"),
    NavEntry { wide_only: true, ..entry(Section::Plugins, "Plugins", "/plugins", "plugins", "l") },
    NavEntry { wide_only: true, ..entry(Section::Admin, "Admin", "/admin/people", "admin", "a") },
    NavEntry { wide_only: true, ..entry(Section::Audit, "Audit", "/admin/audit", "audit", "u") },
    NavEntry { wide_only: true, ..entry(Section::Privacy, "Privacy", "/admin/privacy", "person", "v") },
    NavEntry { wide_only: true, ..entry(Section::ApiKeys, "API keys", "/admin/api-keys", "key", "k") },
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

/// A company that the person may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantChoice {
    pub id: String,
    pub name: String,
    /// The one whose pages these are.
    pub current: bool,
}

/// The theme that somebody prefers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThemeChoice {
    /// `light` or `dark`; the system's where absent.
    pub theme: Option<&'static str>,
    /// When they said so: what a browser has chosen by itself before that is over.
    pub since: Option<String>,
}

/// How a company looks, where it does not look like Portolan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brand {
    /// In the place of "Portolan".
    pub name: Option<String>,
    /// The address of its logo.
    pub logo: Option<String>,
    /// The address of its colours.
    pub style: Option<String>,
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
    /// Whether the person may look at people and roles.
    pub sees_admin: bool,
    /// Whether the person may look at who did what.
    pub sees_audit: bool,
    /// Whether the person may hand out and erase what is stored of customers.
    pub sees_privacy: bool,
    /// The companies that the person belongs to, where there are several.
    pub tenants: Vec<TenantChoice>,
    pub theme: ThemeChoice,
    pub brand: Brand,
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
            ..Self::default()
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

    pub fn with_tenants(mut self, tenants: Vec<TenantChoice>) -> Self {
        self.tenants = tenants;
        self
    }

    pub fn with_theme(mut self, theme: ThemeChoice) -> Self {
        self.theme = theme;
        self
    }

    pub fn with_brand(mut self, brand: Brand) -> Self {
        self.brand = brand;
        self
    }

    /// What stands where "Portolan" does.
    pub(crate) fn product(&self) -> &str {
        self.brand.name.as_deref().unwrap_or("Portolan")
    }

    pub fn with_admin(mut self, sees_admin: bool) -> Self {
        self.sees_admin = sees_admin;
        self
    }

    pub fn with_audit(mut self, sees_audit: bool) -> Self {
        self.sees_audit = sees_audit;
        self
    }

    pub fn with_privacy(mut self, sees_privacy: bool) -> Self {
        self.sees_privacy = sees_privacy;
        self
    }

    pub(crate) fn navigation(&self) -> impl Iterator<Item = &'static NavEntry> {
        let (sees_admin, sees_audit, sees_privacy) = (self.sees_admin, self.sees_audit, self.sees_privacy);
        NAVIGATION.iter().filter(move |entry| match entry.section {
            Section::Admin => sees_admin,
            Section::Audit => sees_audit,
            Section::Privacy => sees_privacy,
            _ => true,
        })
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
