//! The page of one's company; also the third step of setting up.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use portolan_admin_ui::pages::{CompanyPage, SetUpStep};
use portolan_admin_ui::parts::{FieldKind, FormField, Section, SelectOption, Shell};
use serde::Deserialize;

use super::ops::{TypedCompany, change_company};
use crate::App;
use crate::web::actor::{CompanyManage, PageActor, Require};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Query};
use crate::web::html;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const COMPANY: &str = "/admin/company";
const IN_SET_UP: &str = "/setup/company";
const NEXT_STEP: &str = "/setup/first-data";

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[derive(Debug, Deserialize)]
pub struct CompanyForm {
    name: String,
    reporting_currency: String,
    time_zone: String,
    week_start: String,
}

impl From<CompanyForm> for TypedCompany {
    fn from(form: CompanyForm) -> Self {
        let CompanyForm { name, reporting_currency, time_zone, week_start } = form;
        Self { name, reporting_currency, time_zone, week_start }
    }
}

pub async fn show_company(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let shell = viewer.shell_after("Company", Section::Admin, &flash);
    html(&page(shell, &TypedCompany::of(&viewer.tenant), None, COMPANY))
}

pub async fn save_company(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    Form(form): Form<CompanyForm>,
) -> PageResult {
    let typed = TypedCompany::from(form);
    match change_company(&app, actor.tenant, actor.who(), &typed).await {
        Ok(()) => Ok(redirect_after(COMPANY, "company-saved")),
        Err(error) => {
            let viewer = Viewer::load(&app, &actor).await?;
            refuse(viewer.shell("Company", Section::Admin), &typed, error, COMPANY)
        }
    }
}

pub async fn show_company_in_set_up(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
) -> PageResult {
    let typed = present(&app, &actor).await?;
    html(&page(in_set_up(), &typed, None, IN_SET_UP))
}

pub async fn save_company_in_set_up(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    Form(form): Form<CompanyForm>,
) -> PageResult {
    let typed = TypedCompany::from(form);
    match change_company(&app, actor.tenant, actor.who(), &typed).await {
        Ok(()) => Ok(Redirect::to(NEXT_STEP).into_response()),
        Err(error) => refuse(in_set_up(), &typed, error, IN_SET_UP),
    }
}

fn in_set_up() -> Shell {
    Shell::plain("Your company")
}

async fn present(app: &App, actor: &Require<CompanyManage>) -> AppResult<TypedCompany> {
    Ok(TypedCompany::of(&Viewer::load(app, actor).await?.tenant))
}

/// The page again, with what was typed and what was wrong with it.
fn refuse(shell: Shell, typed: &TypedCompany, error: AppError, action: &'static str) -> PageResult {
    if error.fields.is_empty() {
        return Err(error.into());
    }
    Ok((error.status, html(&page(shell, typed, Some(&error), action))?).into_response())
}

fn page(shell: Shell, typed: &TypedCompany, error: Option<&AppError>, action: &'static str) -> CompanyPage {
    let fault = |name: &str| {
        let found = error.and_then(|error| error.fields.iter().find(|field| field.path == name));
        found.map(|field| field.message.clone())
    };
    let text = |name: &str, label: &str, value: &str, help: &str| {
        FormField::text(name, label, value).required().with_help(help).with_error(fault(name))
    };
    let days = WEEKDAYS.iter().zip(1..).map(|(day, number): (_, i32)| {
        let number = number.to_string();
        SelectOption::new(number.as_str(), *day, number == typed.week_start)
    });
    let week = FormField::new("week_start", "Weeks begin on", FieldKind::Select { options: days.collect() });
    CompanyPage {
        shell,
        step: (action == IN_SET_UP).then(|| SetUpStep::new(3)),
        fields: vec![
            text("name", "Name", &typed.name, "As it stands on every page."),
            text(
                "reporting_currency",
                "Reporting currency",
                &typed.reporting_currency,
                "Three letters, such as EUR. What was sold in another one is converted into it where exchange rates are known.",
            ),
            text(
                "time_zone",
                "Time zone",
                &typed.time_zone,
                "Such as Europe/Berlin: where a moment is shown. Each store has a zone of its own for its business days.",
            ),
            week.with_error(fault("week_start")),
        ],
        action,
    }
}
