//! Saying what one prefers: on the account's page and over the API.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use portolan_access::audit::{self, Who};
use portolan_admin_ui::parts::{FieldKind, FormField, SelectOption};
use portolan_core::{TenantId, UserId};
use portolan_db::DbError;
use portolan_db::entity::preference;
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::pages::ACCOUNT;
use crate::App;
use crate::web::actor::{Oneself, PageActor, Require};
use crate::web::error::{AppError, AppResult, PageResult, Problem};
use crate::web::extract::Form;
use crate::web::json::Json;
use crate::web::preferences::{Preferences, StartPage, Theme};
use crate::web::viewer::redirect_after;

/// What one prefers, in every company alike.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreferencesResponse {
    pub theme: Theme,
    /// Where signing in leads, and the address of the server alone.
    pub start_page: StartPage,
}

impl From<Preferences> for PreferencesResponse {
    fn from(preferences: Preferences) -> Self {
        Self { theme: preferences.theme, start_page: preferences.start_page }
    }
}

/// All of it: what is left out is as if nobody had preferred anything.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferencesRequest {
    #[serde(default)]
    theme: Theme,
    #[serde(default)]
    start_page: StartPage,
}

/// Show what one prefers.
#[utoipa::path(get, path = "/api/v1/account/preferences", tag = "account",
    responses((status = 200, body = PreferencesResponse), (status = "4XX", body = Problem)))]
pub async fn show_preferences(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<PreferencesResponse>> {
    let preferences = Preferences::of(&app.db.system_read().await?, actor.user).await?;
    Ok(Json(preferences.into()))
}

/// Say what one prefers.
#[utoipa::path(put, path = "/api/v1/account/preferences", tag = "account", request_body = PreferencesRequest,
    responses((status = 200, body = PreferencesResponse), (status = "4XX", body = Problem)))]
pub async fn change_preferences(
    actor: Require<Oneself>,
    State(app): State<Arc<App>>,
    request: Result<Json<PreferencesRequest>, JsonRejection>,
) -> AppResult<Json<PreferencesResponse>> {
    let Json(request) = request?;
    let (theme, start_page) = (request.theme, request.start_page);
    store(&app, (actor.user, actor.tenant), actor.who(), theme, start_page).await?;
    Ok(Json(PreferencesResponse { theme, start_page }))
}

#[derive(Debug, Deserialize)]
pub struct PreferencesForm {
    theme: String,
    start_page: String,
}

pub async fn save_preferences(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
    Form(form): Form<PreferencesForm>,
) -> PageResult {
    let theme = Theme::of_name(&form.theme);
    let theme = theme.ok_or_else(|| AppError::invalid("theme", "Choose one of those that are listed."))?;
    let start_page = StartPage::of_name(&form.start_page);
    let start_page =
        start_page.ok_or_else(|| AppError::invalid("start_page", "Choose one of those that are listed."))?;
    store(&app, (actor.user, actor.tenant), actor.who(), theme, start_page).await?;
    Ok(redirect_after(ACCOUNT, "preferences-saved"))
}

/// Told to the company that their session works for, like everything that people do about their own account.
async fn store(
    app: &App,
    (user, tenant): (UserId, TenantId),
    who: Who,
    theme: Theme,
    start_page: StartPage,
) -> AppResult<()> {
    let now = app.clock.now();
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let own = preference::Column::UserId.eq(user.0);
                tx.delete_many::<preference::Entity>().filter(own).exec(tx).await.map_err(DbError::from)?;
                let row = preference::Model {
                    user_id: user.0,
                    theme: theme.as_str().to_owned(),
                    start_page: start_page.as_str().to_owned(),
                    changed_at: now.0,
                };
                tx.insert(row.into_active_model()).await?;
                let told = json!({ "theme": theme.as_str(), "start_page": start_page.as_str() });
                let entry = who.did("preferences.change", "person", user).after(told);
                audit::write_in_house(tx, tenant, now, entry);
                Ok(())
            })
        })
        .await
}

/// The fields of the form on the account's page.
pub(super) fn fields(preferences: Preferences) -> Vec<FormField> {
    let themes = Theme::ALL.map(|theme| {
        let text = match theme {
            Theme::System => "as the system says",
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        SelectOption::new(theme.as_str(), text, theme == preferences.theme)
    });
    let pages = StartPage::ALL.map(|page| {
        let name = page.as_str();
        SelectOption::new(
            name,
            format!("{}{}", name[..1].to_uppercase(), &name[1..]),
            page == preferences.start_page,
        )
    });
    vec![
        FormField::new("theme", "Theme", FieldKind::Select { options: themes.to_vec() }).with_help(
            "In every browser; the button at the top changes it in one browser until you save here again.",
        ),
        FormField::new("start_page", "Begin on", FieldKind::Select { options: pages.to_vec() }),
    ]
}
