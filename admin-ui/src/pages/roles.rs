//! Roles: what each allows and denies, and why somebody may do something or not.

use askama::Template;

use super::EXTREME_TEXT;
use super::people::ChoiceForm;
use crate::parts::{FieldKind, FormField, Link, Notice, PostAction, Section, SelectOption, Shell, Tone};

/// A role as a column of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleColumn {
    pub name: String,
    pub description: String,
    /// Where a role of the company's own is changed.
    pub href: Option<String>,
}

/// What a role says about a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleSays {
    Allows,
    Denies,
    Nothing,
}

impl RoleSays {
    fn sign(self) -> &'static str {
        match self {
            Self::Allows => "●",
            Self::Denies => "✕",
            Self::Nothing => "",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Allows => "allows",
            Self::Denies => "denies",
            Self::Nothing => "says nothing",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixRow {
    pub permission: String,
    pub description: String,
    /// One per role.
    pub cells: Vec<RoleSays>,
}

/// `GET /admin/roles`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "roles.html")]
pub struct RolesPage {
    pub shell: Shell,
    pub scope: String,
    pub roles: Vec<RoleColumn>,
    pub rows: Vec<MatrixRow>,
    /// Whom and what to explain, by GET.
    pub question: Vec<FormField>,
    pub answer: Option<Notice>,
    /// Absent for whoever may not make roles.
    pub new_role: Option<Link>,
    /// For whoever may see what is kept from whom.
    pub policies: Option<Link>,
}

impl RolesPage {
    pub fn sample() -> Self {
        let role = |name: &str, href: Option<&str>| RoleColumn {
            name: name.into(),
            description: "Asks questions and builds reports.".into(),
            href: href.map(str::to_owned),
        };
        let row = |permission: &str, cells: [RoleSays; 3]| MatrixRow {
            permission: permission.into(),
            description: "See payouts and what providers' balances did.".into(),
            cells: cells.to_vec(),
        };
        let select = |name: &str, label: &str, value: &str| {
            let options = vec![SelectOption::new(value, value, true)];
            FormField::new(name, label, FieldKind::Select { options })
        };
        Self {
            shell: Shell::new("Roles", Section::Admin, "Harbour & Sons", "owner"),
            scope: "What each role allows; a denial wins over whatever else allows".into(),
            roles: vec![
                role("owner", None),
                role("analyst", None),
                role("night-shift", Some("/admin/roles/night-shift")),
            ],
            rows: vec![
                row("orders:read", [RoleSays::Allows, RoleSays::Allows, RoleSays::Nothing]),
                row("finance:read", [RoleSays::Allows, RoleSays::Nothing, RoleSays::Denies]),
            ],
            question: vec![
                select("person", "Person", "ben@example.com"),
                select("permission", "May they do this?", "finance:read"),
            ],
            answer: Some(Notice::new(
                Tone::Warn,
                "ben@example.com may not do finance:read",
                "finance allows it; night-shift, by the team Counter, denies it.",
            )),
            new_role: Some(Link::new("New role", "/admin/roles/new")),
            policies: Some(Link::new("Policies", "/admin/policies")),
        }
    }

    /// What whoever may only look sees.
    pub fn sample_empty() -> Self {
        Self { answer: None, new_role: None, policies: None, ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.roles[2].name = EXTREME_TEXT.into();
        page.answer = Some(Notice::new(Tone::Bad, EXTREME_TEXT, EXTREME_TEXT));
        page
    }
}

/// `GET /admin/roles/new` and `GET /admin/roles/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "role.html")]
pub struct RolePage {
    pub shell: Shell,
    /// "Held by ben@example.com and the team Counter".
    pub holders: String,
    /// Name, description, and a choice for each permission; disabled nowhere: whoever may not change it sees none.
    pub form: Option<ChoiceForm>,
    pub error: Option<Notice>,
    pub danger: Vec<PostAction>,
}

impl RolePage {
    pub fn sample() -> Self {
        let options = vec![
            SelectOption::new("", "says nothing", false),
            SelectOption::new("allow", "allows", false),
            SelectOption::new("deny", "denies", true),
        ];
        Self {
            shell: Shell::new("night-shift", Section::Admin, "Harbour & Sons", "owner"),
            holders: "Held by the team Counter".into(),
            form: Some(ChoiceForm {
                action: "/admin/roles/night-shift".into(),
                legend: "What it allows and denies".into(),
                fields: vec![
                    FormField::text("description", "Description", "At the counter after eight"),
                    FormField::new("rule.finance:read", "finance:read", FieldKind::Select { options })
                        .with_help("See payouts and what providers' balances did."),
                ],
                button: "Save the role".into(),
            }),
            error: None,
            danger: vec![PostAction::danger(
                "Delete",
                "/admin/roles/night-shift/delete",
                "night-shift",
                "It is gone.",
            )],
        }
    }

    pub fn sample_extreme() -> Self {
        let error = Some(Notice::new(Tone::Bad, "Not saved", EXTREME_TEXT));
        Self { holders: EXTREME_TEXT.into(), error, ..Self::sample() }
    }
}
