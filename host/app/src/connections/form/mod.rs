//! Connecting a channel: choose a plugin, fill its form, consent to what it may reach.

mod fields;
mod read;
pub mod schema;
#[cfg(test)]
mod tests;
mod typed;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use portolan_admin_ui::pages::{
    ConnectionChoicePage, ConnectionFormPage, Consent, ConsentItem, PluginChoice,
};
use portolan_admin_ui::parts::{Empty, FieldKind, FormField, FormItem, Section};
use portolan_connector::manifest::{PluginKind, StreamMode};
use portolan_connector::{FieldError, Manifest};

pub use self::fields::{Fields, place_errors};
pub use self::read::read_config;
pub use self::typed::Typed;
use super::fresh::check_form;
use super::ops::{self, NewConnection};
use crate::App;
use crate::syncs::ops::{Trigger, start_sync};
use crate::web::actor::{ConnectionsWrite, PageActor};
use crate::web::error::{AppError, PageResult};
use crate::web::extract::{Form, Path};
use crate::web::html;
use crate::web::next::with_next;
use crate::web::step_up::check_fresh;
use crate::web::viewer::{Viewer, redirect_after};

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

pub(super) fn reads_files(manifest: &Manifest) -> bool {
    manifest.streams.iter().all(|stream| stream.mode == StreamMode::Files)
}

pub async fn show_form(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(plugin_id): Path<String>,
) -> PageResult {
    let plugin = ops::find_plugin(&app, &plugin_id)?;
    // Asked before the form is filled in, not after.
    if !plugin.manifest.secret_fields().is_empty() && check_fresh(&app, actor.signed_in()?).is_err() {
        let here = format!("/connections/new/{plugin_id}");
        return Ok(Redirect::to(&with_next("/sign-in/again", &here)).into_response());
    }
    let viewer = Viewer::load(&app, &actor).await?;
    html(&form_page(&viewer, &plugin.manifest, &Typed::default(), &[]))
}

pub async fn submit_form(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(plugin_id): Path<String>,
    Form(sent): Form<BTreeMap<String, String>>,
) -> PageResult {
    let plugin = ops::find_plugin(&app, &plugin_id)?;
    let manifest = &plugin.manifest;
    let mut typed = Typed::sent(sent);
    if typed.press_list_button().is_some() {
        let viewer = Viewer::load(&app, &actor).await?;
        return html(&form_page(&viewer, manifest, &typed, &[]));
    }
    let created = match read_config(&manifest.config, &mut typed) {
        Ok(config) => match check_form(&app, actor.signed_in()?, manifest, &config) {
            Ok(()) => {
                let new = NewConnection {
                    plugin_id,
                    label: typed.text("label"),
                    time_zone: typed.text("time_zone"),
                    day_cutover_minutes: typed.text("day_cutover_minutes").parse().unwrap_or(-1),
                    config,
                    consent: typed.text("consent") == "yes",
                };
                ops::create_connection(&app, actor.tenant, actor.who(), new).await
            }
            Err(error) => Err(error),
        },
        Err(errors) => Err(AppError::invalid_fields(errors)),
    };
    match created {
        Ok(id) => {
            let here = format!("/connections/{id}");
            if reads_files(manifest) {
                return Ok(redirect_after(&here, "connection-waits-for-files"));
            }
            start_sync(&app, actor.tenant, actor.who(), id, Trigger::Manual).await?;
            Ok(redirect_after(&here, "connection-created"))
        }
        Err(error) if error.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let viewer = Viewer::load(&app, &actor).await?;
            let page = form_page(&viewer, manifest, &typed, &error.fields);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn form_page(
    viewer: &Viewer,
    manifest: &Manifest,
    typed: &Typed,
    errors: &[FieldError],
) -> ConnectionFormPage {
    let stored = BTreeMap::new();
    let mut fields = own_fields(typed, &manifest.name, &viewer.tenant.time_zone, true);
    fields.extend(Fields { typed, stored: &stored }.of_schema(&manifest.config));
    let (about_consent, errors): (Vec<FieldError>, Vec<FieldError>) =
        errors.iter().cloned().partition(|error| error.path == "consent");
    let general = place_errors(&mut fields, &errors);
    ConnectionFormPage {
        shell: viewer.shell(format!("Connect {}", manifest.name), Section::Connections),
        plugin_name: manifest.name.clone(),
        plugin_version: manifest.version.clone(),
        action: format!("/connections/new/{}", manifest.id),
        error: (!general.is_empty()).then(|| general.join(" ")),
        fields,
        consent: consent(manifest, typed, about_consent.into_iter().next().map(|error| error.message)),
        submit: "Connect".to_owned(),
        cancel_href: "/connections/new".to_owned(),
    }
}

/// Portolan's own settings of a connection. Its days are left out where they cannot change any more.
pub(super) fn own_fields(
    typed: &Typed,
    default_label: &str,
    default_zone: &str,
    with_days: bool,
) -> Vec<FormItem> {
    let value = |name: &str, default: &str| typed.or_default(name, || Some(default.to_owned()));
    let label = FormField::text("label", "Name", value("label", default_label))
        .required()
        .with_help("How lists and charts call this connection.");
    if !with_days {
        return vec![label.into()];
    }
    let time_zone = FormField::text("time_zone", "Time zone of the store", value("time_zone", default_zone))
        .required()
        .with_help("Decides which day an order belongs to. Write an IANA name, such as Asia/Kolkata.");
    let cutover = FormField::new(
        "day_cutover_minutes",
        "Business day begins at (minutes after midnight)",
        FieldKind::Number {
            value: value("day_cutover_minutes", "0"),
            min: Some("0".into()),
            max: Some("1439".into()),
            step: Some("1".into()),
        },
    )
    .with_help("0 for midnight; 240 where sales until four in the morning belong to the day before.");
    vec![label.into(), time_zone.into(), cutover.into()]
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
        given: typed.get("consent") == Some("yes"),
        error,
    }
}
