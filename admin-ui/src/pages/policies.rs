//! Policies: which rows and columns of the data are kept to some.

use askama::Template;

use super::EXTREME_TEXT;
use super::people::ChoiceForm;
use crate::parts::{
    Empty, Fact, FieldKind, FormField, Notice, PostAction, Section, SelectOption, Shell, Tone,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    pub name: String,
    pub href: String,
    /// "rows with country in DE, AT", "hides costs".
    pub keeps: String,
    /// "role viewer, team Accounts".
    pub applies_to: String,
}

/// `GET /admin/policies`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "policies.html")]
pub struct PoliciesPage {
    pub shell: Shell,
    /// Why what was sent is not saved.
    pub notice: Option<Notice>,
    pub scope: String,
    pub rows: Vec<PolicyRow>,
    /// Whose sight to explain, by GET.
    pub question: Vec<FormField>,
    pub answer: Option<Notice>,
    /// What is known of that person.
    pub attributes: Option<ChoiceForm>,
    pub new: ChoiceForm,
}

impl PoliciesPage {
    fn no_policies(&self) -> Empty {
        Empty::nothing_yet(
            "policies",
            "Everybody sees all rows, and the columns that their permissions open. A policy keeps rows or columns to some.",
        )
    }

    pub fn sample() -> Self {
        let row = |name: &str, keeps: &str, applies_to: &str| PolicyRow {
            name: name.into(),
            href: "/admin/policies/sample".into(),
            keeps: keeps.into(),
            applies_to: applies_to.into(),
        };
        let options = vec![SelectOption::new("1", "ben@example.com", true)];
        let checkbox =
            FormField::new("applies.role:viewer", "role viewer", FieldKind::Checkbox { checked: true });
        let lines = FieldKind::TextArea { value: "countries = DE, AT".into(), rows: 4 };
        Self {
            shell: Shell::new("Policies", Section::Admin, "Harbour & Sons", "owner"),
            notice: Some(Notice::new(Tone::Bad, "Not saved", "Another policy has this name.")),
            scope: "Who sees which data of Harbour & Sons. Every policy narrows; owners see everything"
                .into(),
            rows: vec![
                row("Countries of their own", "rows with country in attr.countries", "role viewer"),
                row("No margins", "hides costs", "team Accounts, ben@example.com"),
            ],
            question: vec![FormField::new("person", "Person", FieldKind::Select { options })],
            answer: Some(Notice::new(
                Tone::Neutral,
                "What ben@example.com sees",
                "Rows with country in DE, AT.",
            )),
            attributes: Some(ChoiceForm {
                action: "/admin/people/sample/attributes".into(),
                legend: "What is known of ben@example.com".into(),
                fields: vec![FormField::new("attributes", "Attributes", lines)],
                button: "Save".into(),
            }),
            new: ChoiceForm {
                action: "/admin/policies".into(),
                legend: "New policy".into(),
                fields: vec![FormField::text("name", "Name", "").required(), checkbox],
                button: "Make the policy".into(),
            },
        }
    }

    pub fn sample_empty() -> Self {
        Self { notice: None, rows: Vec::new(), answer: None, attributes: None, ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.rows[0].name = EXTREME_TEXT.into();
        page.rows[0].keeps = EXTREME_TEXT.into();
        page.rows[1].applies_to = EXTREME_TEXT.into();
        page
    }
}

/// `GET /admin/policies/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "policy.html")]
pub struct PolicyPage {
    pub shell: Shell,
    /// Why what was sent is not saved.
    pub notice: Option<Notice>,
    pub facts: Vec<Fact>,
    /// Why there is no form.
    pub note: Option<String>,
    pub form: Option<ChoiceForm>,
    pub danger: PostAction,
}

impl PolicyPage {
    pub fn sample() -> Self {
        let keeps = FieldKind::TextArea { value: "country in DE, AT".into(), rows: 4 };
        Self {
            shell: Shell::new("Germany and Austria", Section::Admin, "Harbour & Sons", "owner"),
            notice: Some(Notice::new(Tone::Bad, "Not saved", "One field is not accepted; it says why.")),
            facts: vec![
                Fact::new("Keeps", "rows with country in DE, AT"),
                Fact::new("Applies to", "role viewer"),
            ],
            note: None,
            form: Some(ChoiceForm {
                action: "/admin/policies/sample".into(),
                legend: "What it keeps, and from whom".into(),
                fields: vec![
                    FormField::text("name", "Name", "Germany and Austria").required(),
                    FormField::new("keeps", "Rules or columns", keeps),
                ],
                button: "Save".into(),
            }),
            danger: PostAction::danger(
                "Delete the policy",
                "/admin/policies/sample/delete",
                "Germany and Austria",
                "Whoever it applied to sees what it kept from them.",
            ),
        }
    }

    pub fn sample_empty() -> Self {
        Self { notice: None, form: None, note: Some("Change it over the API.".into()), ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.shell.title = EXTREME_TEXT.into();
        page.facts[0] = Fact::new("Keeps", EXTREME_TEXT);
        page
    }
}
