//! What a company asks of whoever signs in to it.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{FieldKind, FormField, Section, Shell};

/// A role whose holders may be asked for a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChoice {
    pub name: String,
    pub checked: bool,
}

/// `GET /admin/security`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "security.html")]
pub struct SecurityPage {
    pub shell: Shell,
    pub roles: Vec<RoleChoice>,
    pub roles_error: Option<String>,
    /// Whether codes by mail count.
    pub mail_codes: bool,
    /// Whether this server can send any.
    pub sends_mail: bool,
    /// Lengths of sessions, days of remembered browsers, and networks.
    pub fields: Vec<FormField>,
}

impl SecurityPage {
    pub fn sample() -> Self {
        let role = |name: &str, checked| RoleChoice { name: name.into(), checked };
        let minutes = |value: &str| FieldKind::Number {
            value: value.into(),
            min: Some("5".into()),
            max: Some("720".into()),
            step: Some("1".into()),
        };
        let networks = FieldKind::TextArea { value: "192.0.2.0/24\n2001:db8::/32".into(), rows: 4 };
        Self {
            shell: Shell::new("Security", Section::Admin, "Harbour & Sons", "owner"),
            roles: vec![role("owner", true), role("admin", true), role("viewer", false)],
            roles_error: None,
            mail_codes: false,
            sends_mail: true,
            fields: vec![
                FormField::new("session_minutes", "Longest session, in minutes", minutes("480")).required(),
                FormField::new("idle_minutes", "Unused session, in minutes", minutes("30")).required(),
                FormField::new("networks", "Only from these networks", networks)
                    .with_help("One in each line. You are at 192.0.2.7."),
            ],
        }
    }

    pub fn sample_empty() -> Self {
        let mut page = Self::sample();
        for role in &mut page.roles {
            role.checked = false;
        }
        page.fields[2].kind = FieldKind::TextArea { value: String::new(), rows: 4 };
        page
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.roles.push(RoleChoice { name: EXTREME_TEXT.into(), checked: true });
        (page.mail_codes, page.sends_mail) = (true, false);
        page.roles_error = Some(EXTREME_TEXT.into());
        for field in &mut page.fields {
            field.error = Some(EXTREME_TEXT.into());
        }
        page
    }
}
