//! What a company says about itself.

use askama::Template;

use super::{EXTREME_TEXT, SetUpStep};
use crate::parts::{FieldKind, FormField, Section, SelectOption, Shell};

/// `GET /admin/company`, and the third step of setting up at `/setup/company`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "company.html")]
pub struct CompanyPage {
    pub shell: Shell,
    /// Present while the host is set up.
    pub step: Option<SetUpStep>,
    pub fields: Vec<FormField>,
    /// Where the form posts to.
    pub action: &'static str,
}

impl CompanyPage {
    pub fn sample() -> Self {
        let days = vec![SelectOption::new("1", "Monday", true), SelectOption::new("7", "Sunday", false)];
        Self {
            shell: Shell::new("Company", Section::Admin, "Harbour & Sons", "owner"),
            step: None,
            fields: vec![
                FormField::text("name", "Name", "Harbour & Sons").required(),
                FormField::text("reporting_currency", "Reporting currency", "EUR").required(),
                FormField::text("time_zone", "Time zone", "Europe/Berlin").required(),
                FormField::new("week_start", "Weeks begin on", FieldKind::Select { options: days }),
            ],
            action: "/admin/company",
        }
    }

    pub fn sample_set_up() -> Self {
        let shell = Shell::plain("Your company");
        Self { shell, step: Some(SetUpStep::new(3)), action: "/setup/company", ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        for field in &mut page.fields {
            field.error = Some(EXTREME_TEXT.into());
        }
        page
    }
}
