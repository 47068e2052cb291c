//! The page of keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use portolan_access::api_keys::{Made, NewApiKey};
use portolan_admin_ui::pages::{ApiKeyRow, ApiKeysPage, NewApiKeyView, ScopeChoice};
use portolan_admin_ui::parts::{Badge, Empty, FieldKind, FormField, Section, Tone};
use portolan_core::{Duration, Instant};
use portolan_db::entity::{api_key, user};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::api::{own, reach_of};
use super::ops::{self, Reach};
use crate::App;
use crate::web::actor::{Oneself, PageActor, Require};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

/// The old secret goes on so long when somebody presses the button.
const OVERLAP_HOURS: i64 = 24;

pub async fn list_keys(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let mut page = page(&app, &actor, &viewer, &Typed::default()).await?;
    page.shell = viewer.shell_after("API keys", Section::ApiKeys, &flash);
    html(&page)
}

/// What was typed, for a form that is shown again.
#[derive(Default)]
struct Typed {
    name: String,
    days: String,
    networks: String,
    scopes: BTreeSet<String>,
    error: Option<AppError>,
}

impl Typed {
    fn error_of(&self, field: &str) -> Option<String> {
        let fields = self.error.iter().flat_map(|error| &error.fields);
        fields.into_iter().find(|found| found.path == field).map(|found| found.message.clone())
    }
}

pub async fn create_key(
    StepUp(PageActor(actor)): StepUp<PageActor<Oneself>>,
    State(app): State<Arc<App>>,
    Form(sent): Form<Vec<(String, String)>>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let value = |name: &str| {
        let found = sent.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let scopes = sent.iter().filter(|(field, _)| field == "scope").map(|(_, scope)| scope.clone()).collect();
    let mut typed =
        Typed { name: value("name"), days: value("days"), networks: value("networks"), scopes, error: None };
    let new = NewApiKey {
        name: typed.name.clone(),
        scopes: typed.scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
        // What is no number is refused like one that is out of range.
        days: Some(typed.days.parse().unwrap_or_default()),
        networks: typed.networks.split([' ', ',', '\n', '\r']).map(str::to_owned).collect(),
    };
    match ops::create(&app, actor.tenant, actor.who(), actor.user, new).await {
        Ok(made) => shown_once(&app, &actor, &viewer, made).await,
        Err(error) if error.status.is_client_error() => {
            let status = error.status;
            typed.error = Some(error);
            Ok((status, html(&page(&app, &actor, &viewer, &typed).await?)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub async fn rotate_key(
    StepUp(PageActor(actor)): StepUp<PageActor<Oneself>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    let overlap = Duration::from_hours(OVERLAP_HOURS);
    let made = ops::rotate(&app, actor.tenant, actor.who(), own(&actor), id, overlap).await?;
    let viewer = Viewer::load(&app, &actor).await?;
    shown_once(&app, &actor, &viewer, made).await
}

pub async fn revoke_key(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    ops::revoke(&app, actor.tenant, actor.who(), reach_of(&actor), id).await?;
    Ok(redirect_after("/admin/api-keys", "api-key-revoked"))
}

/// The secret stands in this answer alone: no address and no cookie carries it.
async fn shown_once(app: &App, actor: &Require<Oneself>, viewer: &Viewer, made: Made) -> PageResult {
    let mut page = page(app, actor, viewer, &Typed::default()).await?;
    page.made = Some(NewApiKeyView { name: made.row.name, key: made.key });
    html(&page)
}

async fn page(app: &App, actor: &Require<Oneself>, viewer: &Viewer, typed: &Typed) -> AppResult<ApiKeysPage> {
    let reach = reach_of(actor);
    let keys = ops::list(app, actor.tenant, reach).await?;
    let names = names(app, &keys).await?;
    let rows: Vec<ApiKeyRow> = keys.iter().map(|key| row(viewer, actor, key, &names)).collect();
    let policy = ops::policy_of(app, actor.tenant).await?;
    let scopes = ops::scopes_for(&policy, actor.user).into_iter().map(|scope| ScopeChoice {
        checked: typed.scopes.contains(scope.as_str()),
        name: scope.as_str().to_owned(),
    });
    let days = if typed.days.is_empty() { "90".to_owned() } else { typed.days.clone() };
    let days = FieldKind::Number {
        value: days,
        min: Some("1".to_owned()),
        max: Some("730".to_owned()),
        step: Some("1".to_owned()),
    };
    Ok(ApiKeysPage {
        shell: viewer.shell("API keys", Section::ApiKeys),
        scope: match reach {
            Reach::All => "Everybody's keys: a key can do no more than whoever made it".to_owned(),
            Reach::Own(_) => "Your keys: none can do more than you".to_owned(),
        },
        empty: rows.is_empty().then(|| {
            Empty::nothing_yet("keys", "A key lets a program ask what you may ask. Make the first one below.")
        }),
        rows,
        made: None,
        fields: vec![
            FormField::text("name", "Name", typed.name.as_str())
                .required()
                .with_help("Who uses it: the nightly export, for example.")
                .with_error(typed.error_of("name")),
            FormField::new("days", "Days that it lives", days).required().with_error(typed.error_of("days")),
            FormField::text("networks", "Only from these networks", typed.networks.as_str())
                .with_help("192.0.2.0/24, 2001:db8::/32; from anywhere where empty.")
                .with_error(typed.error_of("networks")),
        ],
        scopes: scopes.collect(),
        scopes_error: typed.error_of("scopes"),
    })
}

fn row(
    viewer: &Viewer,
    actor: &Require<Oneself>,
    key: &api_key::Model,
    names: &BTreeMap<Uuid, String>,
) -> ApiKeyRow {
    let now = viewer.now();
    let ended = key.revoked_at.is_some() || now.0 >= key.expires_at;
    let state = match (key.revoked_at, now.0 >= key.expires_at) {
        (Some(_), _) => Badge::new("ended", Tone::Neutral),
        (None, true) => Badge::new("expired", Tone::Warn),
        (None, false) => Badge::new("active", Tone::Good),
    };
    let here = format!("/admin/api-keys/{}", key.id);
    ApiKeyRow {
        name: key.name.clone(),
        owner: names.get(&key.created_by).cloned().unwrap_or_else(|| "somebody who has left".to_owned()),
        state,
        scopes: key.scopes.replace(' ', ", "),
        networks: key.networks.replace(' ', ", "),
        expires: viewer.when(Instant(key.expires_at)),
        last_used: viewer.when_us(key.last_used_at),
        rotate_href: (!ended && key.created_by == actor.user.0).then(|| format!("{here}/rotate")),
        revoke_href: key.revoked_at.is_none().then(|| format!("{here}/revoke")),
    }
}

async fn names(app: &App, keys: &[api_key::Model]) -> AppResult<BTreeMap<Uuid, String>> {
    let owners: BTreeSet<Uuid> = keys.iter().map(|key| key.created_by).collect();
    let tx = app.db.system_read().await?;
    let people = tx.find::<user::Entity>().filter(user::Column::Id.is_in(owners)).all(&tx).await?;
    Ok(people.into_iter().map(|person| (person.id, person.sign_in_name)).collect())
}
