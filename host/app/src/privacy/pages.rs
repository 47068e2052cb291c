//! The privacy centre. Customers' ids are sent in bodies alone: addresses end in logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use portolan_access::{TenantKeys, members};
use portolan_admin_ui::format;
use portolan_admin_ui::pages::{AskForCustomer, FoundCustomer, NewPrivacyHook, PrivacyPage};
use portolan_admin_ui::parts::{Notice, Pager, Section, Tone};
use portolan_core::ConnectionId;
use portolan_db::entity::connection_secret;
use portolan_db::entity::privacy_request::{PrivacyKind, PrivacySource};
use sea_orm::{ColumnTrait, QueryFilter};
use serde::Deserialize;
use uuid::Uuid;

use super::forms::Typed;
use super::ops::{self, Ask, ERASED, GRACE, NOT_FOUND};
use super::views::{RequestRows, kept_row};
use super::{queries, retention};
use crate::App;
use crate::channels::seen::check_seen;
use crate::channels::{find_connection, plugin_of};
use crate::web::actor::{PageActor, PrivacyManage, Require};
use crate::web::confirm::ConfirmForm;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::page::Paging;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const HERE: &str = "/admin/privacy";
const PAGE: u64 = 50;

/// Fields of a form by their names.
type Sent = BTreeMap<String, String>;
type Actor = Require<PrivacyManage>;

/// What a page shows beside what is stored.
#[derive(Default)]
struct Shown {
    typed: Typed,
    found: Option<FoundCustomer>,
    preview: Option<Notice>,
    made: Option<NewPrivacyHook>,
    cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub struct PrivacyQuery {
    cursor: Option<String>,
    done: Option<String>,
}

pub async fn show_privacy(
    PageActor(actor): PageActor<PrivacyManage>,
    State(app): State<Arc<App>>,
    Query(query): Query<PrivacyQuery>,
) -> PageResult {
    let flash = FlashQuery { done: query.done };
    let shown = Shown { cursor: query.cursor, ..Shown::default() };
    html(&page(&app, &actor, &flash, shown).await?)
}

fn value(sent: &Sent, name: &str) -> String {
    sent.get(name).map(|value| value.trim().to_owned()).unwrap_or_default()
}

pub async fn find_customer(
    PageActor(actor): PageActor<PrivacyManage>,
    State(app): State<Arc<App>>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let typed = of_customer(&sent);
    match look(&app, &actor, &typed).await {
        Ok(found) => {
            let shown = Shown { typed, found: Some(found), ..Shown::default() };
            html(&page(&app, &actor, &FlashQuery::default(), shown).await?)
        }
        Err(error) => again(&app, &actor, typed, None, error).await,
    }
}

fn of_customer(sent: &Sent) -> Typed {
    Typed {
        connection: value(sent, "connection_id"),
        customer_id: value(sent, "customer_id"),
        ..Typed::default()
    }
}

async fn look(app: &App, actor: &Actor, typed: &Typed) -> AppResult<FoundCustomer> {
    let id = ops::connection_of(&typed.connection)?;
    let tx = app.db.read(actor.tenant).await?;
    check_seen(&tx, actor.seen(), id).await?;
    let connection = find_connection(&tx, id).await?;
    let nobody = |title: &str, text: &str| FoundCustomer {
        notice: Notice::new(Tone::Neutral, title, text),
        ask: None,
    };
    if !connection.pseudonyms {
        return Ok(nobody(
            "Not known by this connection",
            "It was made before customers were kept apart from figures: their ids stand in its documents as they were sent. \
             Make the connection anew to have them under pseudonyms.",
        ));
    }
    Ok(match ops::find(app, &tx, id, &typed.customer_id).await? {
        None => nobody("Not found", NOT_FOUND),
        Some(found) => match found.customer_id {
            None => nobody("Erased", ERASED),
            Some(customer_id) => FoundCustomer {
                notice: Notice::new(
                    Tone::Good,
                    "Found",
                    format!("{} knows the customer {customer_id}.", connection.label),
                ),
                ask: Some(AskForCustomer {
                    connection: id.to_string(),
                    customer_id,
                    grace: format::span(GRACE),
                    error: None,
                }),
            },
        },
    })
}

pub async fn ask_by_page(
    StepUp(PageActor(actor)): StepUp<PageActor<PrivacyManage>>,
    State(app): State<Arc<App>>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let typed = of_customer(&sent);
    match ask(&app, &actor, &sent, &typed).await {
        Ok(done) => Ok(redirect_after(HERE, done)),
        Err(error) => {
            let found = look(&app, &actor, &typed).await.ok();
            again(&app, &actor, typed, found, error).await
        }
    }
}

async fn ask(app: &Arc<App>, actor: &Actor, sent: &Sent, typed: &Typed) -> AppResult<&'static str> {
    let connection = ops::connection_of(&typed.connection)?;
    check_seen(&app.db.read(actor.tenant).await?, actor.seen(), connection).await?;
    let at_once = value(sent, "at_once") == "true";
    let kind = match value(sent, "kind").as_str() {
        "export" => PrivacyKind::Export,
        "erase" => PrivacyKind::Erase,
        _ => return Err(AppError::invalid("kind", "Ask for an export or an erasure.")),
    };
    let done = match (kind, at_once) {
        (PrivacyKind::Export, _) => "privacy-export-asked",
        (_, true) => {
            ConfirmForm::of(value(sent, "confirm")).check(&typed.customer_id)?;
            "privacy-erasing"
        }
        (_, false) => "privacy-erase-asked",
    };
    let customer_id = typed.customer_id.clone();
    let ask = Ask { kind, source: PrivacySource::Page, connection, customer_id, at_once };
    ops::ask(app, actor.tenant, actor.who(), ask).await?;
    Ok(done)
}

pub async fn cancel_by_page(
    PageActor(actor): PageActor<PrivacyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    ops::cancel(&app, actor.tenant, actor.who(), actor.seen().clone(), id).await?;
    Ok(redirect_after(HERE, "privacy-cancelled"))
}

pub async fn retry_by_page(
    PageActor(actor): PageActor<PrivacyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    ops::retry(&app, actor.tenant, actor.who(), actor.seen().clone(), id).await?;
    Ok(redirect_after(HERE, "privacy-retried"))
}

pub async fn save_retention(
    StepUp(PageActor(actor)): StepUp<PageActor<PrivacyManage>>,
    State(app): State<Arc<App>>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let typed = Typed {
        retention_connection: value(&sent, "retention_connection_id"),
        days: Some(value(&sent, "days")),
        ..Typed::default()
    };
    let done = match value(&sent, "do").as_str() {
        "preview" => preview(&app, &actor, &typed).await.map(Some),
        _ => keep(&app, &actor, &typed).await.map(|()| None),
    };
    match done {
        Ok(None) => Ok(redirect_after(HERE, "retention-saved")),
        Ok(preview) => {
            let shown = Shown { typed, preview, ..Shown::default() };
            html(&page(&app, &actor, &FlashQuery::default(), shown).await?)
        }
        Err(error) => again(&app, &actor, typed, None, error).await,
    }
}

/// The connection and the days that were typed; none where they are kept without an end.
fn read_retention(typed: &Typed) -> AppResult<(ConnectionId, Option<i32>)> {
    let id = typed.retention_connection.parse();
    let id = id.map_err(|_| AppError::invalid("retention_connection_id", "Choose a connection."))?;
    let days = match typed.days.as_deref().unwrap_or_default() {
        "" => None,
        // What is no number is refused like one that is out of range.
        text => Some(text.parse().unwrap_or_default()),
    };
    Ok((id, days))
}

async fn keep(app: &Arc<App>, actor: &Actor, typed: &Typed) -> AppResult<()> {
    let (id, days) = read_retention(typed)?;
    retention::set(app, actor.tenant, actor.who(), actor.seen().clone(), id, days).await
}

async fn preview(app: &App, actor: &Actor, typed: &Typed) -> AppResult<Notice> {
    let (id, days) = read_retention(typed)?;
    let tx = app.db.read(actor.tenant).await?;
    check_seen(&tx, actor.seen(), id).await?;
    let Some(days) = days else {
        return Ok(Notice::new(Tone::Neutral, "Without an end", "Nobody would be erased."));
    };
    let persons = retention::would_erase(app, &tx, id, days).await?;
    let all = queries::standing(&tx, id).await?.persons;
    let text = format!(
        "{} of {} customers would be erased today.",
        format::count(persons as u64),
        format::count(all)
    );
    let tone = if persons == 0 { Tone::Neutral } else { Tone::Warn };
    Ok(Notice::new(tone, format!("{days} days"), text))
}

pub async fn make_hook_by_page(
    StepUp(PageActor(actor)): StepUp<PageActor<PrivacyManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    let address = ops::make_hook(&app, actor.tenant, actor.who(), ConnectionId(id)).await?;
    let made = Some(new_hook(&app, &actor, id, address).await?);
    // The secret stands in this answer alone: no address and no cookie carries it.
    html(&page(&app, &actor, &FlashQuery::default(), Shown { made, ..Shown::default() }).await?)
}

async fn new_hook(app: &App, actor: &Actor, id: Uuid, address: String) -> AppResult<NewPrivacyHook> {
    let tx = app.db.read(actor.tenant).await?;
    let connection = find_connection(&tx, ConnectionId(id)).await?;
    let manifest = plugin_of(app, &connection)?.manifest;
    let webhooks = manifest.privacy_webhooks.as_ref();
    let webhooks = webhooks.ok_or_else(|| AppError::internal("an address without topics"))?;
    let secret = webhooks.verification.secret.as_str();
    let entered = tx
        .find::<connection_secret::Entity>()
        .filter(connection_secret::Column::ConnectionId.eq(id))
        .filter(connection_secret::Column::Field.eq(secret))
        .one(&tx)
        .await?;
    let title = manifest.config.pointer(&format!("/properties/{secret}/title"));
    let title = title.and_then(|title| title.as_str()).unwrap_or(secret).to_owned();
    Ok(NewPrivacyHook {
        connection: connection.label,
        address,
        topics: webhooks.topics.iter().map(|topic| topic.topic.clone()).collect(),
        missing_secret: entered.is_none().then_some(title),
    })
}

/// The page with what was typed, and why it was refused.
async fn again(
    app: &App,
    actor: &Actor,
    mut typed: Typed,
    found: Option<FoundCustomer>,
    error: AppError,
) -> PageResult {
    // What is not there is told as such: the form names nothing that exists.
    if !error.status.is_client_error() || error.fields.is_empty() {
        return Err(error.into());
    }
    let status = error.status;
    typed.error = Some(error);
    let mut found = found;
    if let Some(ask) = found.as_mut().and_then(|found| found.ask.as_mut()) {
        ask.error = typed.confirm_error();
    }
    let shown = Shown { typed, found, ..Shown::default() };
    Ok((status, html(&page(app, actor, &FlashQuery::default(), shown).await?)?).into_response())
}

async fn page(app: &App, actor: &Actor, flash: &FlashQuery, shown: Shown) -> AppResult<PrivacyPage> {
    let viewer = Viewer::load(app, actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let kept = retention::list(app, &tx, actor.seen(), None).await?;
    let paging = Paging::new(app, HERE.to_owned(), Some(PAGE), shown.cursor.as_deref())?;
    let mut found = queries::list_requests(&tx, actor.seen(), paging.beside, paging.limit).await?;
    let neighbours = paging.cut(app, &mut found, |row| row.id);
    let rows = RequestRows {
        viewer: &viewer,
        keys: TenantKeys::load(&app.key_ring, &tx).await?,
        kept: &kept,
        names: members(&tx).await?.into_iter().map(|person| (person.user.0, person.sign_in_name)).collect(),
    };
    let requests = found.iter().map(|row| rows.row(&tx, row)).collect::<AppResult<Vec<_>>>()?;
    let place = |cursor: Option<String>| cursor.map(|cursor| format!("{HERE}?cursor={cursor}"));
    Ok(PrivacyPage {
        shell: viewer.shell_after("Privacy", Section::Privacy, flash),
        scope: format!("Customers of {}: what is kept of them, and what they ask", viewer.tenant.name),
        kept: kept.iter().map(|row| kept_row(app, &viewer, row)).collect(),
        made: shown.made,
        find: shown.typed.find(&kept),
        found: shown.found,
        pager: Pager {
            summary: format!("{} requests shown, newest first", format::count(requests.len() as u64)),
            first: shown.cursor.is_some().then(|| HERE.to_owned()),
            previous: place(neighbours.previous),
            next: place(neighbours.next),
        },
        requests,
        retention: shown.typed.retention(&kept),
        preview: shown.preview,
    })
}
