//! One's companies, and an agency's clients.

use askama::Template;

use super::{ChoiceForm, EXTREME_TEXT};
use crate::parts::{
    Badge, Empty, Fact, FieldKind, FormField, PostAction, Section, SelectOption, Shell, Tone, When,
};

/// A company that one belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRow {
    pub id: String,
    pub name: String,
    pub href: String,
    pub roles: String,
    /// Who looks after it.
    pub agency: Option<String>,
    /// The one whose pages these are.
    pub current: bool,
}

/// A client as its agency sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRow {
    pub name: String,
    pub href: String,
    pub state: Badge,
    pub people: String,
    pub since: When,
}

/// `GET /tenants`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "tenants.html")]
pub struct TenantsPage {
    pub shell: Shell,
    pub scope: String,
    pub tenants: Vec<TenantRow>,
    /// Absent where the company is no agency, or its clients are none of the person's business.
    pub clients: Option<Vec<ClientRow>>,
    pub new_client: Option<ChoiceForm>,
}

impl TenantsPage {
    fn no_clients(&self) -> Empty {
        Empty::nothing_yet(
            "clients",
            "Make a company for each client below. It has people, connections and figures of its own; you see them where \
             you belong to it.",
        )
    }

    pub fn sample() -> Self {
        let tenant = |name: &str, roles: &str, agency: Option<&str>, current| TenantRow {
            id: "0198c5a0-0000-7000-8000-000000000001".into(),
            name: name.into(),
            href: "/tenants/0198c5a0-0000-7000-8000-000000000001".into(),
            roles: roles.into(),
            agency: agency.map(str::to_owned),
            current,
        };
        let client = |name: &str, people: &str, state| ClientRow {
            name: name.into(),
            href: "/tenants/0198c5a0-0000-7000-8000-000000000002".into(),
            state,
            people: people.into(),
            since: When::sample(),
        };
        let options = vec![SelectOption::new("1", "ada@example.com", true)];
        Self {
            shell: Shell::new("Companies", Section::Admin, "Harbour & Sons", "owner"),
            scope: "Where owner belongs, and with which roles".into(),
            tenants: vec![
                tenant("Harbour & Sons", "owner", None, true),
                tenant("Quay Bakery", "analyst, finance", Some("Harbour & Sons"), false),
            ],
            clients: Some(vec![
                client("Lighthouse Books", "3 people", Badge::new("open", Tone::Good)),
                client("Quay Bakery", "0 people", Badge::new("nobody can come in", Tone::Warn)),
            ]),
            new_client: Some(ChoiceForm {
                action: "/tenants".into(),
                legend: "Client company".into(),
                fields: vec![
                    FormField::text("name", "Name", "").required(),
                    FormField::text("slug", "Short name", "").required(),
                    FormField::new("owner", "Its first owner", FieldKind::Select { options }),
                ],
                button: "Make the company".into(),
            }),
        }
    }

    /// One company, which is no agency.
    pub fn sample_empty() -> Self {
        let mut page = Self { clients: None, new_client: None, ..Self::sample() };
        page.tenants.truncate(1);
        page
    }

    /// An agency without clients.
    pub fn sample_no_clients() -> Self {
        Self { clients: Some(Vec::new()), ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.tenants[1].name = EXTREME_TEXT.into();
        page.tenants[1].roles = EXTREME_TEXT.into();
        page.tenants[1].agency = Some(EXTREME_TEXT.into());
        for client in page.clients.iter_mut().flatten() {
            client.name = EXTREME_TEXT.into();
        }
        if let Some(form) = &mut page.new_client {
            form.fields[0].error = Some(EXTREME_TEXT.into());
        }
        page
    }
}

/// Somebody of the agency who belongs to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    pub name: String,
    pub roles: String,
    pub banned: bool,
    /// Where taking them out is posted to.
    pub revoke: String,
}

/// `GET /tenants/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "tenant.html")]
pub struct TenantPage {
    pub shell: Shell,
    pub scope: String,
    pub state: Option<Badge>,
    pub facts: Vec<Fact>,
    /// What was refused.
    pub error: Option<String>,
    /// Present for whoever manages people in this client.
    pub grants: Option<Vec<GrantRow>>,
    pub grant: Option<ChoiceForm>,
    pub danger: Vec<PostAction>,
}

impl TenantPage {
    pub fn sample() -> Self {
        let here = "/tenants/0198c5a0-0000-7000-8000-000000000002";
        let row = |name: &str, roles: &str, banned| GrantRow {
            name: name.into(),
            roles: roles.into(),
            banned,
            revoke: format!("{here}/grants/0198c5a0-0000-7000-8000-000000000003/revoke"),
        };
        let options = vec![SelectOption::new("1", "ada@example.com", true)];
        Self {
            shell: Shell::new("Quay Bakery", Section::Admin, "Harbour & Sons", "owner"),
            scope: "A client: its data is seen by whoever belongs to it".into(),
            state: Some(Badge::new("open", Tone::Good)),
            facts: vec![Fact::new("Short name", "quay-bakery"), Fact::new("Can come in", "3 people")],
            error: None,
            grants: Some(vec![
                row("ada@example.com", "owner", false),
                row("ben@example.com", "analyst", true),
            ]),
            grant: Some(ChoiceForm {
                action: format!("{here}/grants"),
                legend: "Who, and with which roles".into(),
                fields: vec![
                    FormField::new("person", "Who", FieldKind::Select { options }),
                    FormField::new("role.viewer", "viewer", FieldKind::Checkbox { checked: true }),
                ],
                button: "Let them in".into(),
            }),
            danger: vec![PostAction::danger(
                "Release the client",
                format!("{here}/release"),
                "Quay Bakery",
                "The agency looks after the company no more.",
            )],
        }
    }

    /// What whoever does not belong to the client sees.
    pub fn sample_empty() -> Self {
        Self { grants: None, grant: None, danger: Vec::new(), ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.shell.title = EXTREME_TEXT.into();
        page.error = Some(EXTREME_TEXT.into());
        for row in page.grants.iter_mut().flatten() {
            row.name = EXTREME_TEXT.into();
        }
        page
    }
}
