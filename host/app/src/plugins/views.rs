//! Manifests in words.

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{PluginRow, PluginStreamRow};
use portolan_admin_ui::parts::{Badge, Fact, Tone};
use portolan_connector::manifest::{
    AuthMethod, AuthScheme, CursorKind, PluginKind, RequestedLimits, StreamDeclaration, StreamMode,
};
use portolan_connector::{InstalledPlugin, Manifest};
use portolan_core::Duration;
use portolan_db::entity::plugin;

use crate::ingest::entity_name;

const HASH_SHOWN: usize = 12;

pub fn state(loaded: bool) -> Badge {
    if loaded { Badge::new("enabled", Tone::Good) } else { Badge::new("not loaded", Tone::Bad) }
}

fn kind_text(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Connector => "connector",
        PluginKind::Report => "report",
    }
}

/// "2 connections".
pub(super) fn used_text(connections: usize) -> String {
    match connections {
        0 => "not used".to_owned(),
        1 => "1 connection".to_owned(),
        many => format!("{} connections", format::count(many as i64)),
    }
}

fn listed(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// Hosts with the configuration's fields in them: "{shop}.myshopify.com".
pub fn hosts_text(hosts: &[String]) -> Vec<String> {
    hosts.iter().map(|host| host.replace("{{", "{").replace("}}", "}")).collect()
}

pub fn plugin_row(installed: &InstalledPlugin, connections: usize) -> PluginRow {
    let manifest = &installed.manifest;
    PluginRow {
        href: format!("/plugins/{}", installed.plugin.id),
        name: manifest.name.clone(),
        id: installed.plugin.id.clone(),
        kind: kind_text(manifest.kind).to_owned(),
        version: installed.plugin.version.clone(),
        publisher: manifest.publisher.clone(),
        state: state(true),
        streams: listed(manifest.streams.iter().map(|stream| stream.name.clone())),
        hosts: listed(hosts_text(&manifest.hosts).into_iter()),
        connections: used_text(connections),
        hash: installed.plugin.sha256.chars().take(HASH_SHOWN).collect(),
    }
}

/// A plugin whose component is gone, damaged or switched off.
pub fn absent_row(row: &plugin::Model, connections: usize) -> PluginRow {
    let manifest: Option<Manifest> = serde_json::from_str(&row.manifest).ok();
    let manifest = manifest.as_ref();
    PluginRow {
        href: format!("/plugins/{}", row.id),
        name: manifest.map_or_else(|| row.id.clone(), |manifest| manifest.name.clone()),
        id: row.id.clone(),
        kind: manifest.map(|manifest| kind_text(manifest.kind)).unwrap_or_default().to_owned(),
        version: row.version.clone(),
        publisher: manifest.map(|manifest| manifest.publisher.clone()).unwrap_or_default(),
        state: if row.enabled { state(false) } else { Badge::new("switched off", Tone::Neutral) },
        streams: listed(
            manifest.into_iter().flat_map(|manifest| &manifest.streams).map(|stream| stream.name.clone()),
        ),
        hosts: listed(manifest.into_iter().flat_map(|manifest| hosts_text(&manifest.hosts))),
        connections: used_text(connections),
        hash: row.sha256.chars().take(HASH_SHOWN).collect(),
    }
}

pub fn facts(installed: &InstalledPlugin, connections: usize) -> Vec<Fact> {
    let manifest = &installed.manifest;
    let mut facts = vec![
        Fact::new("Id", installed.plugin.id.as_str()),
        Fact::new("Kind", kind_text(manifest.kind)),
        Fact::new("Version", installed.plugin.version.as_str()),
        Fact::new("Publisher", manifest.publisher.as_str()),
        Fact::new("Contract", manifest.contract.as_str()),
        Fact::new("Size", format::bytes(installed.size_bytes)),
        Fact::new("In use", used_text(connections)),
    ];
    facts.extend(manifest.homepage.as_deref().map(|homepage| Fact::new("Homepage", homepage)));
    facts
}

/// Each secret with where it is sent: "access_token: sent as X-Shopify-Access-Token to {shop}.myshopify.com".
pub fn secrets(manifest: &Manifest) -> Vec<String> {
    let told = manifest.secret_fields().into_iter().map(|field| {
        let uses: Vec<String> = manifest
            .auth
            .iter()
            .filter(|scheme| scheme.fields().contains(&field))
            .map(|scheme| scheme_text(scheme, manifest))
            .chain(
                manifest
                    .signing
                    .iter()
                    .filter(|entry| entry.secret == field)
                    .map(|entry| format!("signs with {}", entry.algorithms.join(", "))),
            )
            .collect();
        if uses.is_empty() {
            format!("{field}: kept, sent nowhere")
        } else {
            format!("{field}: {}", uses.join("; "))
        }
    });
    told.collect()
}

fn scheme_text(scheme: &AuthScheme, manifest: &Manifest) -> String {
    let how = match &scheme.method {
        AuthMethod::Header { header, .. } => format!("sent as {header}"),
        AuthMethod::Bearer { .. } => "sent as a bearer token".to_owned(),
        AuthMethod::Basic { .. } => "sent as user name or password".to_owned(),
        AuthMethod::Query { parameter, .. } => format!("sent in the address as {parameter}"),
        AuthMethod::None => "not sent".to_owned(),
    };
    let hosts = if scheme.hosts.is_empty() { &manifest.hosts } else { &scheme.hosts };
    format!("{how} to {}", listed(hosts_text(hosts).into_iter()))
}

pub fn stream_row(stream: &StreamDeclaration) -> PluginStreamRow {
    let entities = std::iter::once(stream.entity).chain(stream.further_entities.iter().copied());
    PluginStreamRow {
        name: stream.name.clone(),
        entity: listed(entities.map(|entity| entity_name(entity).replace('_', " "))),
        schedule: match (stream.mode, stream.default_schedule.as_deref()) {
            (StreamMode::Files, _) => "when a file is uploaded".to_owned(),
            (_, Some(cron)) => cron.to_owned(),
            (_, None) => "every 6 hours".to_owned(),
        },
        how: how_text(stream),
        personal: if stream.personal_data.is_empty() {
            "none requested".to_owned()
        } else {
            stream.personal_data.join(", ")
        },
    }
}

/// "by updatedAt, windows of at most 30 d".
pub(super) fn how_text(stream: &StreamDeclaration) -> String {
    match stream.mode {
        StreamMode::Snapshot => "whole each time".to_owned(),
        StreamMode::Files => "from uploaded files".to_owned(),
        StreamMode::Incremental => {
            let field = stream.cursor_field.as_deref().unwrap_or(match stream.cursor_kind {
                CursorKind::Updated => "time of change",
                CursorKind::Created => "time of creation",
            });
            match stream.largest_window() {
                Some(window) => format!("by {field}, windows of at most {}", format::span(window)),
                None => format!("by {field}"),
            }
        }
    }
}

pub fn limits(limits: &RequestedLimits) -> Vec<Fact> {
    let span = |ms: u64| format::span(Duration::from_ms(i64::try_from(ms).unwrap_or(i64::MAX)));
    vec![
        Fact::new("Memory", format::bytes(limits.memory_bytes)),
        Fact::new("Computing a page", span(limits.cpu_ms)),
        Fact::new("Time a page", span(limits.wall_ms)),
        Fact::new("An answer of the channel", format::bytes(limits.response_bytes)),
        Fact::new(
            "A page",
            format!("{}, {} records", format::bytes(limits.chunk_bytes), format::count(limits.chunk_records)),
        ),
        Fact::new("Pages in a slice", format::count(limits.pages_per_slice)),
        Fact::new("Retries", format::count(limits.retries)),
    ]
}
