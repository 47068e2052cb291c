//! Identity providers: a company's list and form, the page of one, and what people see on the way there and back.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{Badge, Empty, FieldKind, FormField, PostAction, Section, Shell, Tone, When};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRow {
    pub label: String,
    pub href: String,
    pub issuer: String,
    pub state: Badge,
    pub changed: When,
}

/// `GET /admin/sign-in-providers`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "providers.html")]
pub struct ProvidersPage {
    pub shell: Shell,
    pub rows: Vec<ProviderRow>,
    pub empty: Option<Empty>,
    /// What the next one will be called: its address is registered before it is stored.
    pub new_id: String,
    /// Absent where this server does not know its own address.
    pub callback: Option<String>,
    /// Where the company's people find its buttons.
    pub sign_in_page: Option<String>,
    pub fields: Vec<FormField>,
}

/// `GET /admin/sign-in-providers/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "provider.html")]
pub struct ProviderPage {
    pub shell: Shell,
    pub state: Badge,
    pub issuer: String,
    pub changed: When,
    pub callback: Option<String>,
    pub fields: Vec<FormField>,
    pub action: String,
    /// Where a look at it is posted to.
    pub check: String,
    pub delete: PostAction,
}

/// `GET /sign-in/at`: which company's sign-in page.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "company_sign_in.html")]
pub struct CompanySignInPage {
    pub shell: Shell,
    /// As typed, where it is no short name.
    pub company: String,
}

/// Signing in by a provider, joining or linking did not work.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "provider_trouble.html")]
pub struct ProviderTroublePage {
    pub shell: Shell,
    pub error: String,
    /// Where it begins again.
    pub again: Option<String>,
}

/// The step from here to the provider that is to be linked.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link_provider.html")]
pub struct LinkProviderPage {
    pub shell: Shell,
    pub label: String,
    /// At the provider.
    pub href: String,
}

fn fields(new: bool) -> Vec<FormField> {
    let mut fields = vec![FormField::text("label", "Name on the button", "Google").required()];
    if new {
        fields.push(FormField::text("issuer", "Issuer", "https://accounts.google.com").required());
    }
    fields.push(FormField::text("client_id", "Client id", "1234.apps.example").required());
    fields.push(FormField::new("client_secret", "Client secret", FieldKind::Secret { stored: None }));
    fields.push(FormField::new("enabled", "People may come in by it", FieldKind::Checkbox { checked: true }));
    fields
}

const CALLBACK: &str = "https://portolan.example/auth/oidc/0193ab0193ab/callback";

impl ProvidersPage {
    pub fn sample() -> Self {
        let row = ProviderRow {
            label: "Google".into(),
            href: "/admin/sign-in-providers/01932f1c-0000-7000-8000-0000000000aa".into(),
            issuer: "https://accounts.google.com".into(),
            state: Badge::new("on", Tone::Good),
            changed: When::sample(),
        };
        let off = ProviderRow {
            label: "Harbour accounts".into(),
            issuer: "https://id.harbour.example/realms/people".into(),
            state: Badge::new("off", Tone::Neutral),
            ..row.clone()
        };
        Self {
            shell: Shell::new("Sign-in providers", Section::Admin, "Harbour & Sons", "owner"),
            rows: vec![row, off],
            empty: None,
            new_id: "01932f1c-0000-7000-8000-0000000000ab".into(),
            callback: Some(CALLBACK.into()),
            sign_in_page: Some("https://portolan.example/sign-in/at/harbour".into()),
            fields: fields(true),
        }
    }

    pub fn sample_empty() -> Self {
        Self {
            rows: Vec::new(),
            empty: Some(Empty::nothing_yet("providers", "With one, people sign in by an account elsewhere.")),
            callback: None,
            sign_in_page: None,
            ..Self::sample()
        }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        for row in &mut page.rows {
            row.label = EXTREME_TEXT.into();
            row.issuer = EXTREME_TEXT.into();
        }
        for field in &mut page.fields {
            field.error = Some(EXTREME_TEXT.into());
        }
        page
    }
}

impl ProviderPage {
    pub fn sample() -> Self {
        let action = "/admin/sign-in-providers/01932f1c-0000-7000-8000-0000000000aa";
        Self {
            shell: Shell::new("Google", Section::Admin, "Harbour & Sons", "owner"),
            state: Badge::new("on", Tone::Good),
            issuer: "https://accounts.google.com".into(),
            changed: When::sample(),
            callback: Some(CALLBACK.into()),
            fields: fields(false),
            action: action.into(),
            check: format!("{action}/check"),
            delete: PostAction::danger(
                "Delete",
                format!("{action}/delete"),
                "Google",
                "Nobody comes in by it.",
            ),
        }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.issuer = EXTREME_TEXT.into();
        page.callback = None;
        for field in &mut page.fields {
            field.error = Some(EXTREME_TEXT.into());
        }
        page
    }
}

impl CompanySignInPage {
    pub fn new(company: String) -> Self {
        Self { shell: Shell::plain("Sign in"), company }
    }

    pub fn sample() -> Self {
        Self::new(String::new())
    }

    pub fn sample_refused() -> Self {
        Self::new(EXTREME_TEXT.into())
    }
}

impl ProviderTroublePage {
    pub fn new(error: String, again: Option<String>) -> Self {
        Self { shell: Shell::plain("That did not work"), error, again }
    }

    pub fn sample() -> Self {
        Self::new("The provider did not let you go on.".into(), Some("/auth/oidc/sample/start".into()))
    }

    pub fn sample_extreme() -> Self {
        Self::new(EXTREME_TEXT.into(), None)
    }
}

impl LinkProviderPage {
    pub fn sample() -> Self {
        Self {
            shell: Shell::new("Link Google", Section::None, "Harbour & Sons", "owner"),
            label: "Google".into(),
            href: "https://accounts.google.com/o/oauth2/v2/auth?client_id=1234".into(),
        }
    }
}
