//! The pages of plugins. Installing one is the operator's: it is done on the command line.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use portolan_admin_ui::pages::{PluginPage, PluginsPage};
use portolan_admin_ui::parts::{Empty, Section};
use portolan_connector::manifest::PluginKind;

use super::{queries, views};
use crate::App;
use crate::channels::find_plugin;
use crate::web::actor::{PageActor, PluginsRead};
use crate::web::error::PageResult;
use crate::web::extract::Path;
use crate::web::html;
use crate::web::viewer::Viewer;

pub async fn list_plugins(
    PageActor(actor): PageActor<PluginsRead>,
    State(app): State<Arc<App>>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let counts = queries::connection_counts(&app, actor.tenant, actor.seen()).await?;
    let used = |id: &str| counts.get(id).copied().unwrap_or_default();
    let mut loaded = app.runtime.plugins();
    loaded.sort_by(|left, right| left.manifest.name.cmp(&right.manifest.name));
    let mut rows: Vec<_> =
        loaded.iter().map(|plugin| views::plugin_row(plugin, used(&plugin.plugin.id))).collect();
    let known: BTreeSet<&str> = loaded.iter().map(|plugin| plugin.plugin.id.as_str()).collect();
    // The newest build speaks for a plugin that is installed but could not be loaded.
    let stored = queries::installed_rows(&app).await?;
    let mut told = BTreeSet::new();
    for row in stored.iter().rev().filter(|row| !known.contains(row.id.as_str())) {
        if told.insert(row.id.as_str()) {
            rows.push(views::absent_row(row, used(&row.id)));
        }
    }
    let empty = rows.is_empty().then(|| {
        Empty::nothing_yet(
            "plugins",
            "A plugin connects a channel. Install one with: portolan plugin install FILE",
        )
    });
    html(&PluginsPage { shell: viewer.shell("Plugins", Section::Plugins), rows, empty })
}

pub async fn show_plugin(
    PageActor(actor): PageActor<PluginsRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let installed = find_plugin(&app, &id)?;
    let used = queries::connection_counts(&app, actor.tenant, actor.seen())
        .await?
        .get(&id)
        .copied()
        .unwrap_or_default();
    let stored = queries::installed_rows(&app).await?;
    let stored = stored.iter().rev().find(|row| row.sha256 == installed.plugin.sha256);
    let manifest = &installed.manifest;
    html(&PluginPage {
        shell: viewer.shell(manifest.name.as_str(), Section::Plugins),
        state: views::state(true),
        description: manifest.description.clone(),
        facts: views::facts(&installed, used),
        hosts: views::hosts_text(&manifest.hosts),
        secrets: views::secrets(manifest),
        streams: manifest.streams.iter().map(views::stream_row).collect(),
        limits: views::limits(&manifest.limits),
        sha256: installed.plugin.sha256.clone(),
        installed_at: stored.and_then(|row| viewer.when_us(Some(row.installed_at))),
        connect_href: (manifest.kind == PluginKind::Connector).then(|| format!("/connections/new/{id}")),
        actions: Vec::new(),
    })
}
