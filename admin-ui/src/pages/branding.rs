//! How a company looks, and under which domains it is reached.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{Badge, Brand, Empty, FieldKind, FormField, PostAction, Section, Shell, Tone, When};

/// `GET /admin/branding`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "branding.html")]
pub struct BrandingPage {
    pub shell: Shell,
    pub fields: Vec<FormField>,
    /// What is used of the colour that was chosen.
    pub used: Option<String>,
    /// Its address.
    pub logo: Option<String>,
    pub logo_field: FormField,
    /// Absent where there is nothing to take back.
    pub reset: Option<PostAction>,
}

impl BrandingPage {
    pub fn sample() -> Self {
        let accept = Some("image/png,image/jpeg,image/webp".into());
        let brand = Brand { name: Some("Harbour".into()), ..Brand::default() };
        Self {
            shell: Shell::new("Branding", Section::Admin, "Harbour & Sons", "owner").with_brand(brand),
            fields: vec![
                FormField::text("name", "Name", "Harbour").with_help("In the place of \"Portolan\"."),
                FormField::text("mail_sender", "Sender of mails", "Harbour & Sons"),
                FormField::text("accent", "Colour", "#0f5280"), // tidy: colour because a company chose it
            ],
            used: Some("Used of it: #0f5280 in the light theme, #74b8ea in the dark one.".into()),
            logo: Some("/brand/logos/sample/sample".into()),
            logo_field: FormField::new("logo", "Logo", FieldKind::File { accept }).required(),
            reset: Some(PostAction::danger(
                "Back to Portolan's looks",
                "/admin/branding/reset",
                "Harbour & Sons",
                "Name, colour, sender and logo are gone.",
            )),
        }
    }

    pub fn sample_empty() -> Self {
        let mut page = Self { used: None, logo: None, reset: None, ..Self::sample() };
        page.shell.brand = Brand::default();
        page
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.shell.brand.name = Some(EXTREME_TEXT.into());
        for field in &mut page.fields {
            field.error = Some(EXTREME_TEXT.into());
        }
        page
    }
}

/// A domain that the company says is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainRow {
    /// As people write it.
    pub domain: String,
    /// As DNS knows it, where that differs.
    pub canonical: Option<String>,
    pub state: Badge,
    /// What to do next, or what was wrong.
    pub note: Option<String>,
    pub checked: Option<When>,
    /// Name and text of the TXT record that shows it.
    pub record_name: String,
    pub record_text: String,
    /// Where looking now is posted to.
    pub verify: String,
    pub remove: PostAction,
}

/// `GET /admin/domains`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "domains.html")]
pub struct DomainsPage {
    pub shell: Shell,
    /// Where a domain's CNAME should lead; absent where the operator does not say it, and then domains do nothing.
    pub host: Option<String>,
    pub domains: Vec<DomainRow>,
    /// What was refused of one of them.
    pub error: Option<String>,
    pub field: FormField,
}

impl DomainsPage {
    fn no_domains(&self) -> Empty {
        Empty::nothing_yet(
            "domains",
            "Under a domain of its own your company has a door of its own: the sign-in page shows its name and logo.",
        )
    }

    pub fn sample() -> Self {
        let here = "/admin/domains/0198c5a0-0000-7000-8000-000000000001";
        let row = |domain: &str, state: Badge, note: Option<&str>| DomainRow {
            domain: domain.into(),
            canonical: None,
            state,
            note: note.map(str::to_owned),
            checked: Some(When::sample()),
            record_name: format!("_portolan.{domain}"),
            record_text: "portolan-verification=S4mple0000000000000000000000000000000000000".into(),
            verify: format!("{here}/verify"),
            remove: PostAction::danger(
                "Remove",
                format!("{here}/remove"),
                domain,
                "Its door closes at once.",
            ),
        };
        let waits = "Make the TXT record below where the domain is managed, then look now.";
        let gone = "The record is not found since 3 Mar 2026. The domain lapses three days after that.";
        Self {
            shell: Shell::new("Domains", Section::Admin, "Harbour & Sons", "owner"),
            host: Some("portolan.example".into()),
            domains: vec![
                row("figures.harbour.example", Badge::new("verified", Tone::Good), None),
                row("data.harbour.example", Badge::new("verified", Tone::Warn), Some(gone)),
                row("quay.example", Badge::new("pending", Tone::Active), Some(waits)),
            ],
            error: None,
            field: FormField::text("domain", "Domain", "").required(),
        }
    }

    /// Where the operator does not say under which address the server is reached.
    pub fn sample_empty() -> Self {
        Self { host: None, domains: Vec::new(), ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.domains[0].domain = EXTREME_TEXT.into();
        page.domains[0].canonical = Some(format!("xn--{}.example", "a".repeat(59)));
        page.domains[1].note = Some(EXTREME_TEXT.into());
        page.error = Some(EXTREME_TEXT.into());
        page.field.error = Some(EXTREME_TEXT.into());
        page
    }
}
