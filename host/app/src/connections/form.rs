//! Connecting a channel: choose a plugin, fill its form, consent to what it may reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use portolan_admin_ui::pages::{
    ConnectionChoicePage, ConnectionFormPage, Consent, ConsentItem, PluginChoice,
};
use portolan_admin_ui::parts::{Empty, FieldKind, FormField, Section, SelectOption};
use portolan_connector::manifest::{PluginKind, StreamMode};
use portolan_connector::{FieldError, Manifest};
use serde_json::{Map, Value};

use super::ops::{self, NewConnection};
use crate::App;
use crate::syncs::ops::{Trigger, start_sync};
use crate::web::actor::{ConnectionsWrite, PageActor};
use crate::web::error::{AppError, PageResult};
use crate::web::extract::{Form, Path};
use crate::web::html;
use crate::web::viewer::{Viewer, redirect_after};

/// What was typed, by field name.
type Typed = BTreeMap<String, String>;

pub async fn choose_plugin(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let connectors = app.runtime.plugins();
    let choices: Vec<PluginChoice> = connectors
        .iter()
        .filter(|plugin| plugin.manifest.kind == PluginKind::Connector)
        .map(|plugin| PluginChoice {
            href: format!("/connections/new/{}", plugin.plugin.id),
            name: plugin.manifest.name.clone(),
            publisher: plugin.manifest.publisher.clone(),
            version: plugin.plugin.version.clone(),
            description: plugin.manifest.description.clone(),
            how: if reads_files(&plugin.manifest) {
                "Reads files that you upload".to_owned()
            } else {
                "Fetches from the channel's API".to_owned()
            },
        })
        .collect();
    let empty = choices.is_empty().then(|| {
        Empty::nothing_yet(
            "plugins",
            "A plugin connects a channel. Install one with: portolan plugin install FILE",
        )
    });
    html(&ConnectionChoicePage {
        shell: viewer.shell("Connect a channel", Section::Connections),
        choices,
        empty,
    })
}

fn reads_files(manifest: &Manifest) -> bool {
    manifest.streams.iter().all(|stream| stream.mode == StreamMode::Files)
}

pub async fn show_form(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(plugin_id): Path<String>,
) -> PageResult {
    let plugin = ops::find_plugin(&app, &plugin_id)?;
    let viewer = Viewer::load(&app, &actor).await?;
    html(&form_page(&viewer, &plugin.manifest, &Typed::new(), &[]))
}

pub async fn submit_form(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(plugin_id): Path<String>,
    Form(typed): Form<Typed>,
) -> PageResult {
    let plugin = ops::find_plugin(&app, &plugin_id)?;
    let manifest = &plugin.manifest;
    let typed_text = |name: &str| typed.get(name).cloned().unwrap_or_default();
    let config = read_config(manifest, &typed);
    let created = match config {
        Ok(config) => {
            let new = NewConnection {
                plugin_id,
                label: typed_text("label"),
                time_zone: typed_text("time_zone"),
                day_cutover_minutes: typed_text("day_cutover_minutes").parse().unwrap_or(-1),
                config,
                consent: typed_text("consent") == "yes",
            };
            ops::create_connection(&app, actor.tenant, Some(actor.user), new).await
        }
        Err(errors) => Err(AppError::invalid_fields(errors)),
    };
    match created {
        Ok(id) => {
            if !reads_files(manifest) {
                start_sync(&app, actor.tenant, id, Trigger::Manual).await?;
            }
            Ok(redirect_after(&format!("/connections/{id}"), "connection-created"))
        }
        Err(error) if error.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let viewer = Viewer::load(&app, &actor).await?;
            let page = form_page(&viewer, manifest, &typed, &error.fields);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// What a form means in the words of the manifest's schema: numbers, booleans and nested JSON are
/// read as such; empty optional fields are absent.
fn read_config(manifest: &Manifest, typed: &Typed) -> Result<Value, Vec<FieldError>> {
    let mut config = Map::new();
    let mut errors = Vec::new();
    for (name, schema) in properties(manifest) {
        let text = typed.get(name).map(|text| text.trim()).unwrap_or_default();
        let refuse = |message: &str| FieldError { path: name.clone(), message: message.to_owned() };
        match schema_type(schema) {
            "boolean" => {
                config.insert(name.clone(), Value::Bool(!text.is_empty()));
            }
            _ if text.is_empty() => {}
            "integer" | "number" => match serde_json::from_str::<Value>(text) {
                Ok(number) if number.is_number() => {
                    config.insert(name.clone(), number);
                }
                _ => errors.push(refuse("Write a number.")),
            },
            "object" | "array" => match serde_json::from_str::<Value>(text) {
                Ok(value) => {
                    config.insert(name.clone(), value);
                }
                Err(error) => errors.push(refuse(&format!("This is no JSON: {error}."))),
            },
            _ => {
                config.insert(name.clone(), Value::String(text.to_owned()));
            }
        }
    }
    if errors.is_empty() { Ok(Value::Object(config)) } else { Err(errors) }
}

fn properties(manifest: &Manifest) -> impl Iterator<Item = (&String, &Value)> {
    manifest.config.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn schema_type(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => names.first().and_then(Value::as_str).unwrap_or("string"),
        _ if schema.get("properties").is_some() || schema.get("$ref").is_some() => "object",
        _ => "string",
    }
}

fn form_page(
    viewer: &Viewer,
    manifest: &Manifest,
    typed: &Typed,
    errors: &[FieldError],
) -> ConnectionFormPage {
    let error_of = |name: &str| {
        let found: Vec<&FieldError> = errors.iter().filter(|error| field_of(&error.path) == name).collect();
        let said = found.iter().map(|error| match error.path.trim_start_matches('/') == name {
            true => error.message.clone(),
            false => format!("{}: {}", error.path.trim_start_matches('/'), error.message),
        });
        (!found.is_empty()).then(|| said.collect::<Vec<_>>().join(" "))
    };
    let mut fields = own_fields(viewer, manifest, typed);
    let required: Vec<&str> = manifest
        .config
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, schema) in properties(manifest) {
        fields.push(config_field(name, schema, typed.get(name), required.contains(&name.as_str())));
    }
    let mut placed = Vec::new();
    for field in fields {
        let error = error_of(&field.name);
        placed.push(field.with_error(error));
    }
    let known = |error: &&FieldError| {
        let name = field_of(&error.path);
        !placed.iter().any(|field| field.name == name) && name != "consent"
    };
    let general: Vec<&str> = errors.iter().filter(known).map(|error| error.message.as_str()).collect();
    ConnectionFormPage {
        shell: viewer.shell(format!("Connect {}", manifest.name), Section::Connections),
        plugin_name: manifest.name.clone(),
        plugin_version: manifest.version.clone(),
        action: format!("/connections/new/{}", manifest.id),
        error: (!general.is_empty()).then(|| general.join(" ")),
        fields: placed,
        consent: Some(consent(manifest, typed, error_of("consent"))),
        submit: "Connect".to_owned(),
        cancel_href: "/connections/new".to_owned(),
    }
}

/// The form's field that an error is about: `/orders/currency` and `orders.currency` are `orders`.
fn field_of(path: &str) -> &str {
    path.trim_start_matches('/').split(['/', '.']).next().unwrap_or_default()
}

/// Portolan's own settings of a connection.
fn own_fields(viewer: &Viewer, manifest: &Manifest, typed: &Typed) -> Vec<FormField> {
    let value = |name: &str, fallback: &str| typed.get(name).cloned().unwrap_or_else(|| fallback.to_owned());
    vec![
        FormField::text("label", "Name", value("label", &manifest.name))
            .required()
            .with_help("How lists and charts call this connection."),
        FormField::text("time_zone", "Time zone of the store", value("time_zone", &viewer.tenant.time_zone))
            .required()
            .with_help("Decides which day an order belongs to. Write an IANA name, such as Asia/Kolkata."),
        FormField::new(
            "day_cutover_minutes",
            "Business day begins at (minutes after midnight)",
            FieldKind::Number {
                value: value("day_cutover_minutes", "0"),
                min: Some("0".into()),
                max: Some("1439".into()),
                step: Some("1".into()),
            },
        )
        .with_help("0 for midnight; 240 where sales until four in the morning belong to the day before."),
    ]
}

fn config_field(name: &str, schema: &Value, typed: Option<&String>, required: bool) -> FormField {
    let text = |key: &str| schema.get(key).and_then(Value::as_str).map(str::to_owned);
    let fallback = match schema.get("default") {
        Some(Value::String(default)) => default.clone(),
        Some(default) => default.to_string(),
        None => String::new(),
    };
    let value = typed.cloned().unwrap_or(fallback);
    let choices = schema.get("enum").and_then(Value::as_array);
    let kind = if schema.get("format").and_then(Value::as_str) == Some("secret") {
        FieldKind::Secret { stored: None }
    } else if let Some(choices) = choices {
        let options = choices
            .iter()
            .filter_map(Value::as_str)
            .map(|choice| SelectOption::new(choice, choice, choice == value));
        FieldKind::Select { options: options.collect() }
    } else {
        match schema_type(schema) {
            "boolean" => FieldKind::Checkbox { checked: value == "true" || value == "on" || value == "yes" },
            "integer" | "number" => FieldKind::Number { value, min: None, max: None, step: None },
            "object" | "array" => FieldKind::TextArea { value, rows: 8 },
            _ => FieldKind::Text { value, placeholder: text("examples") },
        }
    };
    let label = text("title").unwrap_or_else(|| name.replace('_', " "));
    let mut field = FormField::new(name, label, kind);
    field.help = text("description");
    field.required = required;
    field
}

fn consent(manifest: &Manifest, typed: &Typed, error: Option<String>) -> Consent {
    let item = |text: &str, detail: String| ConsentItem { text: text.to_owned(), detail };
    let hosts = manifest.hosts.iter().map(|host| item(host, "over https, to nobody else".to_owned()));
    let secrets = manifest.secret_fields().into_iter().map(|field| {
        let bound: Vec<&str> = manifest
            .auth
            .iter()
            .filter(|scheme| scheme.fields().contains(&field))
            .flat_map(|scheme| scheme.hosts.iter().map(String::as_str))
            .collect();
        item(&field, format!("sent to {} alone; the plugin never sees it", bound.join(", ")))
    });
    let streams = manifest.streams.iter().map(|stream| item(&stream.name, stream.description.clone()));
    Consent {
        hosts: hosts.collect(),
        secrets: secrets.collect(),
        streams: streams.collect(),
        given: typed.get("consent").is_some_and(|value| value == "yes"),
        error,
    }
}
