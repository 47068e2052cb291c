//! Requests and connections as the page shows them.

use std::collections::BTreeMap;

use portolan_access::TenantKeys;
use portolan_admin_ui::format;
use portolan_admin_ui::pages::{KeptCustomersRow, PrivacyHookCell, PrivacyRequestRow};
use portolan_admin_ui::parts::{Badge, PostAction, Tone};
use portolan_core::Instant;
use portolan_db::TenantTx;
use portolan_db::entity::privacy_request::{self, PrivacyKind, PrivacySource, PrivacyState};
use serde_json::Value;
use uuid::Uuid;

use super::forms::label_of;
use super::ops::{can_be_cancelled, can_be_retried};
use super::retention::Kept;
use super::store::open_subject;
use crate::App;
use crate::channels::build_of_connection;
use crate::web::error::AppResult;
use crate::web::viewer::Viewer;

/// A connection with what is kept of its customers.
pub fn kept_row(app: &App, viewer: &Viewer, kept: &Kept) -> KeptCustomersRow {
    let href = format!("/connections/{}", kept.connection.id);
    let manifest = build_of_connection(app, &kept.connection).map(|plugin| plugin.manifest);
    let listens = manifest.is_some_and(|manifest| manifest.privacy_webhooks.is_some());
    let said = kept.said.as_ref();
    let made = said.is_some_and(|said| said.hook_sha256.is_some());
    let received = said.and_then(|said| said.hook_received_at);
    KeptCustomersRow {
        label: kept.connection.label.clone(),
        pseudonyms: match kept.connection.pseudonyms {
            true => Badge::new("pseudonyms", Tone::Good),
            false => Badge::new("ids as sent", Tone::Warn),
        },
        persons: format::count(kept.standing.persons),
        erased: format::count(kept.standing.erased),
        oldest: kept.standing.oldest.map(|at| viewer.when(at)),
        retention: match kept.retention_days() {
            Some(1) => "1 day".to_owned(),
            Some(days) => format!("{} days", format::count(days)),
            None => "without an end".to_owned(),
        },
        would_erase: kept.would_erase.map(|persons| format!("{} today", format::count(persons as u64))),
        hook: listens.then(|| PrivacyHookCell {
            state: match (made, received) {
                (false, _) => Badge::new("no address", Tone::Neutral),
                (true, None) => Badge::new("nothing came yet", Tone::Active),
                (true, Some(_)) => Badge::new("listens", Tone::Good),
            },
            received: viewer.when_us(received),
            make: PostAction::new(
                if made { "New address" } else { "Make an address" },
                format!("{href}/privacy-hook"),
            ),
        }),
        href,
    }
}

/// What rows of requests are made with.
pub struct RequestRows<'a> {
    pub viewer: &'a Viewer,
    pub keys: TenantKeys<'a>,
    pub kept: &'a [Kept],
    pub names: BTreeMap<Uuid, String>,
}

impl RequestRows<'_> {
    pub fn row(&self, tx: &TenantTx, row: &privacy_request::Model) -> AppResult<PrivacyRequestRow> {
        let now = self.viewer.now();
        let here = format!("/admin/privacy/requests/{}", row.id);
        let customer = match (&row.subject, row.kind) {
            (_, PrivacyKind::EraseShop) => "all".to_owned(),
            (Some(sealed), _) => open_subject(&self.keys, tx.tenant(), row.id, sealed)?,
            (None, _) => "not kept any more".to_owned(),
        };
        let mut actions = Vec::new();
        if can_be_cancelled(row) {
            actions.push(PostAction::new("Take back", format!("{here}/cancel")));
        }
        if can_be_retried(row, now) {
            actions.push(PostAction::new("Try again", format!("{here}/retry")));
        }
        let takes = row.export.is_some() && row.export_until.is_some_and(|until| now.0 < until);
        Ok(PrivacyRequestRow {
            what: match row.kind {
                PrivacyKind::Export => "Export",
                PrivacyKind::Erase => "Erase",
                PrivacyKind::EraseShop => "Erase all customers",
            }
            .to_owned(),
            customer,
            connection: label_of(self.kept, row.connection_id)
                .unwrap_or("a connection that is gone")
                .to_owned(),
            by: self.asked_by(row),
            received: self.viewer.when(Instant(row.received_at)),
            due: self.viewer.when(Instant(row.due_at)),
            state: badge(row, now),
            result: self.result(row, now),
            download_href: takes.then(|| format!("{here}/export")),
            actions,
        })
    }

    fn asked_by(&self, row: &privacy_request::Model) -> String {
        match (row.source, row.asked_by) {
            (PrivacySource::Shop, _) => "the channel".to_owned(),
            (PrivacySource::Operator, _) => "the operator".to_owned(),
            (_, Some(user)) => {
                let name = self.names.get(&user).cloned();
                name.unwrap_or_else(|| "somebody who has left".to_owned())
            }
            (_, None) => "nobody known".to_owned(),
        }
    }

    fn result(&self, row: &privacy_request::Model, now: Instant) -> String {
        if let Some(error) = &row.last_error {
            return error.clone();
        }
        if row.state == PrivacyState::Received && now.0 < row.starts_at {
            return format!("begins in {}", format::span(Instant(row.starts_at).since(now)));
        }
        let result: Value =
            row.result.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        match result["persons"].as_u64() {
            Some(0) => "nobody was stored".to_owned(),
            Some(1) => "1 customer".to_owned(),
            Some(persons) => format!("{} customers", format::count(persons)),
            None => String::new(),
        }
    }
}

fn badge(row: &privacy_request::Model, now: Instant) -> Badge {
    let overdue = row.state.is_open() && now.0 > row.due_at;
    match row.state {
        _ if overdue => Badge::new("overdue", Tone::Bad),
        PrivacyState::Received => Badge::new("waits", Tone::Active),
        PrivacyState::Running => Badge::new("running", Tone::Active),
        PrivacyState::Done => Badge::new("done", Tone::Good),
        PrivacyState::Failed => Badge::new("failed", Tone::Bad),
        PrivacyState::Cancelled => Badge::new("taken back", Tone::Neutral),
    }
}
