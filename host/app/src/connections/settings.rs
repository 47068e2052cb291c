//! The settings of a connection that exists: its form again, filled in, and what a change means.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use portolan_admin_ui::pages::{ConflictRow, ConnectionSettingsPage};
use portolan_admin_ui::parts::{
    Fact, FieldGroup, FieldKind, FormField, FormItem, Link, Notice, SecretState, Section, Tone,
};
use portolan_connector::{FieldError, Manifest};
use portolan_core::{ConnectionId, Instant};
use portolan_db::TenantTx;
use portolan_db::entity::{connection, connection_secret, user};
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::Value;

use super::change::{ConnectionChange, SAME_ACCOUNT, change_connection, has_sales, revision};
use super::detail::check_view;
use super::form::schema::Node;
use super::form::{Fields, Typed, own_fields, place_errors, read_config, reads_files};
use super::fresh::check_form;
use super::{mapping, ops, queries};
use crate::App;
use crate::web::actor::{ConnectionsWrite, PageActor};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

pub async fn show_settings(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<ConnectionId>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let form = SettingsForm::load(&app, &tx, &viewer, id).await?;
    let mut page = form.page(&viewer, &form.stored_typed(), &[]);
    page.shell = viewer.shell_after(page.shell.title, Section::Connections, &flash);
    html(&page)
}

pub async fn submit_settings(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<ConnectionId>,
    Form(sent): Form<BTreeMap<String, String>>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let form = SettingsForm::load(&app, &tx, &viewer, id).await?;
    drop(tx);
    let mut typed = Typed::sent(sent);
    if typed.press_list_button().is_some() {
        let seen = typed.text("revision");
        return html(&ConnectionSettingsPage { revision: seen, ..form.page(&viewer, &typed, &[]) });
    }
    let changed = match read_config(&form.manifest.config, &mut typed) {
        Ok(config) => match check_form(&app, actor.signed_in()?, &form.manifest, &config) {
            Ok(()) => {
                let change = ConnectionChange {
                    revision: typed.text("revision"),
                    label: Some(typed.text("label")),
                    time_zone: typed.get("time_zone").map(str::to_owned),
                    day_cutover_minutes: typed
                        .get("day_cutover_minutes")
                        .map(|minutes| minutes.trim().parse().unwrap_or(-1)),
                    config: Some(config),
                    same_account: typed.is_checked(SAME_ACCOUNT, false),
                };
                change_connection(&app, actor.tenant, actor.who(), id, change).await
            }
            Err(error) => Err(error),
        },
        Err(errors) => Err(AppError::invalid_fields(errors)),
    };
    let error = match changed {
        Ok(changed) if changed.access => {
            let check =
                check_view(&viewer, ops::check_connection(&app, actor.tenant, actor.who(), id).await)?;
            let tx = app.db.read(actor.tenant).await?;
            let form = SettingsForm::load(&app, &tx, &viewer, id).await?;
            let mut page = form.page(&viewer, &form.stored_typed(), &[]);
            page.notice = Some(saved_and_checked(check.ok));
            page.check = Some(check);
            return html(&page);
        }
        Ok(_) => return Ok(redirect_after(&format!("/connections/{id}/settings"), "settings-saved")),
        Err(error) => error,
    };
    let page = match error.status {
        StatusCode::UNPROCESSABLE_ENTITY => ConnectionSettingsPage {
            revision: typed.text("revision"),
            ..form.page(&viewer, &typed, &error.fields)
        },
        // The form now holds the revision that it is compared with: sending it again is a decision.
        StatusCode::PRECONDITION_FAILED => ConnectionSettingsPage {
            notice: Some(Notice::new(
                Tone::Warn,
                "Somebody else changed these settings",
                "Nothing was overwritten. What differs is below: save again to put yours in its place, or open the page anew to start from what is stored.",
            )),
            conflict: form.conflict(&typed),
            ..form.page(&viewer, &typed, &[])
        },
        StatusCode::CONFLICT => ConnectionSettingsPage {
            revision: typed.text("revision"),
            notice: Some(Notice::new(Tone::Warn, "Not saved", error.detail.clone())),
            ..form.page(&viewer, &typed, &[])
        },
        _ => return Err(error.into()),
    };
    let status = match error.status {
        StatusCode::PRECONDITION_FAILED => StatusCode::CONFLICT,
        other => other,
    };
    Ok((status, html(&page)?).into_response())
}

fn saved_and_checked(passed: bool) -> Notice {
    if passed {
        Notice::new(Tone::Good, "Saved, and the channel accepts it", "It applies from the next sync on.")
    } else {
        let text = "The settings are stored. What the channel answered is below: correct them here, or check again later from the connection's page.";
        Notice::new(Tone::Warn, "Saved, but the check failed", text)
    }
}

/// What the form needs to know about a connection.
struct SettingsForm {
    connection: connection::Model,
    manifest: Arc<Manifest>,
    secrets: BTreeMap<String, SecretState>,
    has_sales: bool,
}

impl SettingsForm {
    async fn load(app: &App, tx: &TenantTx, viewer: &Viewer, id: ConnectionId) -> AppResult<Self> {
        let connection = ops::find_connection(tx, id).await?;
        let manifest = ops::plugin_of(app, &connection)?.manifest;
        let secrets = stored_secrets(tx, viewer, id).await?;
        let has_sales = has_sales(tx, id).await?;
        Ok(Self { connection, manifest, secrets, has_sales })
    }

    fn config(&self) -> Value {
        serde_json::from_str(&self.connection.config).unwrap_or_default()
    }

    /// The stored settings as texts of the form.
    fn stored_typed(&self) -> Typed {
        let mut typed = Typed::of_config(Node::root(&self.manifest.config), &self.config());
        typed.set("label", self.connection.label.as_str());
        typed.set("time_zone", self.connection.time_zone.as_str());
        typed.set("day_cutover_minutes", self.connection.day_cutover_minutes.to_string());
        typed
    }

    fn items(&self, typed: &Typed, errors: &[FieldError]) -> Vec<FormItem> {
        let mut items = own_fields(typed, "", "", !self.has_sales);
        let fields = Fields { typed, stored: &self.secrets }.of_schema(&self.manifest.config);
        let is_secret = |item: &FormItem| {
            matches!(item, FormItem::Field(FormField { kind: FieldKind::Secret { .. }, .. }))
        };
        let (secrets, fields): (Vec<FormItem>, Vec<FormItem>) = fields.into_iter().partition(is_secret);
        items.extend(fields);
        // Once asked it stays: secrets are never sent back, so the next round may be about them again.
        if typed.get(SAME_ACCOUNT).is_some() || errors.iter().any(|error| error.path == SAME_ACCOUNT) {
            let label = "It is the same account at a new address";
            let checked = typed.is_checked(SAME_ACCOUNT, false);
            items.push(FormField::new(SAME_ACCOUNT, label, FieldKind::Checkbox { checked }).into());
        }
        if !secrets.is_empty() {
            let mut group = FieldGroup::new("secrets", "Secrets", secrets);
            group.help = Some("Stored sealed and never shown again. Enter a new one to replace it: the channel is asked at once whether it accepts it.".to_owned());
            items.push(FormItem::Group(group));
        }
        items
    }

    fn page(&self, viewer: &Viewer, typed: &Typed, errors: &[FieldError]) -> ConnectionSettingsPage {
        let here = format!("/connections/{}", self.connection.id);
        let mut fields = self.items(typed, errors);
        let general = place_errors(&mut fields, errors);
        ConnectionSettingsPage {
            shell: viewer.shell(format!("Settings of {}", self.connection.label), Section::Connections),
            connection: Link::new(self.connection.label.as_str(), here.as_str()),
            plugin: format!("{} {}", self.manifest.name, self.manifest.version),
            action: format!("{here}/settings"),
            revision: revision(&self.connection),
            notice: None,
            conflict: Vec::new(),
            check: None,
            error: (!general.is_empty()).then(|| general.join(" ")),
            fields,
            meaning: self.meaning(),
            mappings: mapping::links(&self.connection, &self.manifest),
        }
    }

    fn meaning(&self) -> Vec<String> {
        let mut meaning =
            vec!["A new name is shown everywhere at once, also beside what is imported.".to_owned()];
        meaning.push(if reads_files(&self.manifest) {
            "Everything else applies to files that are read from now on, also to those that wait. What is imported stays as it was read; the same file is recognised and not read again.".to_owned()
        } else {
            "Everything else applies from the next sync on. What is imported stays as it was read, until the channel reports it as changed.".to_owned()
        });
        if self.has_sales {
            meaning.push(format!(
                "Its days stay: {}, beginning {} minutes after midnight. Sales and payments stand in the ledger by them.",
                self.connection.time_zone, self.connection.day_cutover_minutes
            ));
        }
        meaning
    }

    /// The settings that differ between what is stored and what was sent.
    fn conflict(&self, sent: &Typed) -> Vec<ConflictRow> {
        let stored = leaves(&self.items(&self.stored_typed(), &[]));
        let sent = leaves(&self.items(sent, &[]));
        let value = |leaves: &[Leaf], name: &str| {
            leaves.iter().find(|leaf| leaf.name == name).map(|leaf| leaf.value.clone()).unwrap_or_default()
        };
        let mut rows = Vec::new();
        let mut seen = Vec::new();
        for leaf in stored.iter().chain(&sent) {
            if seen.contains(&&leaf.name) {
                continue;
            }
            seen.push(&leaf.name);
            let (stored, entered) = (value(&stored, &leaf.name), value(&sent, &leaf.name));
            if stored != entered {
                rows.push(ConflictRow { label: leaf.label.clone(), stored, entered });
            }
        }
        rows
    }
}

/// A field with its value in words.
struct Leaf {
    name: String,
    label: String,
    value: String,
}

fn leaves(items: &[FormItem]) -> Vec<Leaf> {
    let mut found = Vec::new();
    for item in items {
        match item {
            FormItem::Field(field) => {
                let value = match &field.kind {
                    FieldKind::Text { value, .. }
                    | FieldKind::Number { value, .. }
                    | FieldKind::Date { value }
                    | FieldKind::TextArea { value, .. } => value.clone(),
                    FieldKind::Checkbox { checked } => if *checked { "yes" } else { "no" }.to_owned(),
                    FieldKind::Select { options } => {
                        let chosen = options.iter().find(|option| option.selected).or(options.first());
                        chosen
                            .filter(|chosen| !chosen.value.is_empty())
                            .map(|chosen| chosen.text.clone())
                            .unwrap_or_default()
                    }
                    FieldKind::Secret { .. } | FieldKind::File { .. } => continue,
                };
                found.push(Leaf { name: field.name.clone(), label: field.label.clone(), value });
            }
            FormItem::Group(group) => {
                found.extend(
                    leaves(&group.items)
                        .into_iter()
                        .map(|leaf| Leaf { label: format!("{} › {}", group.legend, leaf.label), ..leaf }),
                );
            }
        }
    }
    found
}

/// The plugin's own settings in words: only what is set.
pub fn facts(manifest: &Manifest, config: &Value) -> Vec<Fact> {
    let typed = Typed::of_config(Node::root(&manifest.config), config);
    let items = Fields { typed: &typed, stored: &BTreeMap::new() }.of_schema(&manifest.config);
    let set = leaves(&items).into_iter().filter(|leaf| typed.get(&leaf.name).is_some());
    set.map(|leaf| Fact::new(leaf.label, leaf.value)).collect()
}

/// When each stored secret was set, and by whom; never its value.
pub async fn stored_secrets(
    tx: &TenantTx,
    viewer: &Viewer,
    id: ConnectionId,
) -> AppResult<BTreeMap<String, SecretState>> {
    let mut stored = BTreeMap::new();
    for secret in queries::secrets_of(tx, id).await? {
        let set_on = viewer.date_and_time(Instant(secret.set_at));
        let set_by = setter(tx, &secret).await?;
        stored.insert(secret.field, SecretState { set_on, set_by });
    }
    Ok(stored)
}

/// The sign-in name of whoever set a secret.
pub async fn setter(tx: &TenantTx, secret: &connection_secret::Model) -> AppResult<String> {
    let Some(user_id) = secret.set_by else { return Ok("the operator".to_owned()) };
    let system = tx.host_wide();
    let found = system.find::<user::Entity>().filter(user::Column::Id.eq(user_id)).one(system).await?;
    Ok(found.map_or_else(|| "somebody who has left".to_owned(), |user| user.sign_in_name))
}
