//! The pages of identity providers.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use portolan_access::oidc::{GOOGLE_ISSUER, NewProvider, Provider, ProviderHandle};
use portolan_admin_ui::pages::{ProviderPage, ProviderRow, ProvidersPage};
use portolan_admin_ui::parts::{Badge, Empty, FieldKind, FormField, Notice, PostAction, Section, Tone};
use portolan_core::id;
use portolan_db::entity::tenant;
use sea_orm::{ColumnTrait, QueryFilter};
use serde::Deserialize;
use uuid::Uuid;

use super::{ops::sentence, providers};
use crate::App;
use crate::web::actor::{PageActor, Require, SecurityManage};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const HERE: &str = "/admin/sign-in-providers";

#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    done: Option<String>,
    /// `google`: its form filled in.
    preset: Option<String>,
}

/// What stands in the form: what is stored, or what was typed and why it was refused.
struct Shown {
    id: Uuid,
    label: String,
    issuer: String,
    client_id: String,
    enabled: bool,
    /// Absent before it is stored.
    has_secret: Option<bool>,
    error: Option<AppError>,
}

#[derive(Debug, Default, Deserialize)]
pub struct ProviderForm {
    id: Option<String>,
    #[serde(default)]
    label: String,
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    enabled: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub struct DeleteForm {
    confirm: Option<String>,
}

impl ProviderForm {
    fn entered(&self) -> NewProvider {
        let secret = self.client_secret.trim();
        NewProvider {
            id: self.id.as_deref().and_then(|id| Uuid::try_parse(id).ok()),
            label: self.label.clone(),
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: (!secret.is_empty()).then(|| secret.to_owned()),
            enabled: self.enabled.is_some(),
        }
    }
}

impl Shown {
    fn refused(id: Uuid, form: ProviderForm, has_secret: Option<bool>, error: AppError) -> Self {
        Self {
            id,
            enabled: form.enabled.is_some(),
            label: form.label,
            issuer: form.issuer,
            client_id: form.client_id,
            has_secret,
            error: Some(error),
        }
    }

    fn error_of(&self, field: &str) -> Option<String> {
        let fields = self.error.iter().flat_map(|error| &error.fields);
        fields.into_iter().find(|found| found.path == field).map(|found| found.message.clone())
    }

    fn fields(&self) -> Vec<FormField> {
        let text = |name: &str, label: &str, value: &str| {
            FormField::text(name, label, value).required().with_error(self.error_of(name))
        };
        let secret_help = match self.has_secret {
            Some(true) => "One is stored. Leave this empty to keep it.",
            _ => "Empty for a public client, which has none.",
        };
        let mut fields = vec![text("label", "Name on the button", &self.label)];
        if self.has_secret.is_none() {
            fields.push(text("issuer", "Issuer", &self.issuer).with_help(
                "The provider's own address, letter for letter as it names itself. It cannot be changed later.",
            ));
        }
        fields.push(text("client_id", "Client id", &self.client_id));
        fields.push(
            FormField::new("client_secret", "Client secret", FieldKind::Secret { stored: None })
                .with_help(secret_help)
                .with_error(self.error_of("client_secret")),
        );
        let enabled = FieldKind::Checkbox { checked: self.enabled };
        fields.push(FormField::new("enabled", "People may come in by it", enabled));
        fields
    }
}

impl From<&Provider> for Shown {
    fn from(provider: &Provider) -> Self {
        Self {
            id: provider.id,
            label: provider.label.clone(),
            issuer: provider.issuer.clone(),
            client_id: provider.client_id.clone(),
            enabled: provider.enabled,
            has_secret: Some(provider.has_secret),
            error: None,
        }
    }
}

pub async fn list_providers(
    PageActor(actor): PageActor<SecurityManage>,
    State(app): State<Arc<App>>,
    Query(query): Query<ListQuery>,
) -> PageResult {
    let (label, issuer) = match query.preset.as_deref() {
        Some("google") => ("Google", GOOGLE_ISSUER),
        _ => ("", ""),
    };
    let shown = Shown {
        id: id::new_uuid(&*app.clock, &*app.random),
        label: label.to_owned(),
        issuer: issuer.to_owned(),
        client_id: String::new(),
        enabled: true,
        has_secret: None,
        error: None,
    };
    html(&list_page(&app, &actor, query.done, &shown).await?)
}

pub async fn add_provider(
    StepUp(PageActor(actor)): StepUp<PageActor<SecurityManage>>,
    State(app): State<Arc<App>>,
    Form(form): Form<ProviderForm>,
) -> PageResult {
    let entered = form.entered();
    let id = entered.id.unwrap_or_else(|| id::new_uuid(&*app.clock, &*app.random));
    match providers::create(&app, &actor, NewProvider { id: Some(id), ..entered }).await {
        Ok(made) => Ok(redirect_after(&format!("{HERE}/{}", made.id), "provider-added")),
        Err(error) if error.status.is_client_error() => {
            let status = error.status;
            let shown = Shown::refused(id, form, None, error);
            Ok((status, html(&list_page(&app, &actor, None, &shown).await?)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub async fn show_provider(
    PageActor(actor): PageActor<SecurityManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    let provider = providers::find(&app, actor.tenant, id).await?;
    html(&page(&app, &actor, &flash, &provider, &Shown::from(&provider)).await?)
}

pub async fn save_provider(
    StepUp(PageActor(actor)): StepUp<PageActor<SecurityManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(form): Form<ProviderForm>,
) -> PageResult {
    let provider = providers::find(&app, actor.tenant, id).await?;
    match providers::change(&app, &actor, id, form.entered()).await {
        Ok(_) => Ok(redirect_after(&format!("{HERE}/{id}"), "provider-saved")),
        Err(error) if error.status.is_client_error() => {
            let status = error.status;
            let shown = Shown::refused(id, form, Some(provider.has_secret), error);
            let page = page(&app, &actor, &FlashQuery::default(), &provider, &shown).await?;
            Ok((status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks it for its description, and shows what came back.
pub async fn check_provider(
    PageActor(actor): PageActor<SecurityManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    let (provider, found) = providers::check(&app, &actor, id).await?;
    let mut page = page(&app, &actor, &FlashQuery::default(), &provider, &Shown::from(&provider)).await?;
    let notice = match found {
        Ok(found) => {
            let keys = if found.keys == 1 { "1 key".to_owned() } else { format!("{} keys", found.keys) };
            let text = format!(
                "It sends people to {} and signs with {keys}. Whether it knows the client id, its secret and the address \
                 below shows the first time that somebody signs in.",
                found.sends_to
            );
            Notice::new(Tone::Good, "It answers as a provider", text)
        }
        Err(error) => Notice::new(Tone::Bad, "It does not answer as a provider", sentence(&error)),
    };
    page.shell = page.shell.with_flash(Some(notice));
    html(&page)
}

pub async fn remove_provider(
    StepUp(PageActor(actor)): StepUp<PageActor<SecurityManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(form): Form<DeleteForm>,
) -> PageResult {
    let provider = providers::find(&app, actor.tenant, id).await?;
    if form.confirm.as_deref().map(str::trim) != Some(provider.label.as_str()) {
        let error = format!("Type {:?} to have it deleted.", provider.label);
        return Err(AppError::invalid("confirm", error).into());
    }
    providers::delete(&app, &actor, id).await?;
    Ok(redirect_after(HERE, "provider-deleted"))
}

async fn list_page(
    app: &App,
    actor: &Require<SecurityManage>,
    done: Option<String>,
    shown: &Shown,
) -> AppResult<ProvidersPage> {
    let viewer = Viewer::load(app, actor).await?;
    let rows: Vec<ProviderRow> =
        providers::list(app, actor.tenant).await?.iter().map(|provider| row(&viewer, provider)).collect();
    let handle = ProviderHandle { tenant: actor.tenant, id: shown.id };
    Ok(ProvidersPage {
        shell: viewer.shell_after("Sign-in providers", Section::Admin, &FlashQuery { done }),
        empty: rows.is_empty().then(|| {
            Empty::nothing_yet(
                "providers",
                "With one, people sign in by the account that they have there: at Google, or at your company's own.",
            )
        }),
        rows,
        new_id: shown.id.to_string(),
        callback: callback(app, handle),
        sign_in_page: sign_in_page(app, actor).await?,
        fields: shown.fields(),
    })
}

async fn page(
    app: &App,
    actor: &Require<SecurityManage>,
    flash: &FlashQuery,
    provider: &Provider,
    shown: &Shown,
) -> AppResult<ProviderPage> {
    let viewer = Viewer::load(app, actor).await?;
    let here = format!("{HERE}/{}", provider.id);
    Ok(ProviderPage {
        shell: viewer.shell_after(provider.label.as_str(), Section::Admin, flash),
        state: state(provider),
        issuer: provider.issuer.clone(),
        changed: viewer.when(provider.changed_at),
        callback: callback(app, provider.handle()),
        fields: shown.fields(),
        check: format!("{here}/check"),
        delete: PostAction::danger(
            "Delete",
            format!("{here}/delete"),
            provider.label.as_str(),
            "Nobody comes in by it any more, and whoever is in by it alone is signed out.",
        ),
        action: here,
    })
}

fn row(viewer: &Viewer, provider: &Provider) -> ProviderRow {
    ProviderRow {
        label: provider.label.clone(),
        href: format!("{HERE}/{}", provider.id),
        issuer: provider.issuer.clone(),
        state: state(provider),
        changed: viewer.when(provider.changed_at),
    }
}

fn state(provider: &Provider) -> Badge {
    match provider.enabled {
        true => Badge::new("on", Tone::Good),
        false => Badge::new("off", Tone::Neutral),
    }
}

/// To copy into the provider's settings; none where this server does not know its own address.
fn callback(app: &App, handle: ProviderHandle) -> Option<String> {
    providers::callback_address(app, handle).ok()
}

/// Where the company's people find its buttons.
async fn sign_in_page(app: &App, actor: &Require<SecurityManage>) -> AppResult<Option<String>> {
    let Some(public) = &app.public_address else { return Ok(None) };
    let tx = app.db.system_read().await?;
    let found = tx.find::<tenant::Entity>().filter(tenant::Column::Id.eq(actor.tenant.0)).one(&tx).await?;
    Ok(found.map(|found| format!("{public}/sign-in/at/{}", found.slug)))
}
