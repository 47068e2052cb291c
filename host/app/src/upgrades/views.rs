//! Trials and switches as pages show them.

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{
    ShadowCashRow, ShadowDocumentRow, ShadowFieldRow, ShadowMoneyRow, ShadowStreamRow, ShadowView, SwitchRow,
};
use portolan_admin_ui::parts::{Badge, Link, Notice, Progress, Tone};
use portolan_connector::InstalledPlugin;
use portolan_core::{Currency, Instant};
use portolan_db::entity::replay::ReplayState;
use portolan_db::entity::{connection, plugin_switch, shadow_replay};

use super::queries::builds_of;
use super::report::{CashReport, FieldReport, MoneyReport, Reading, ShadowReport, StreamReport};
use crate::App;
use crate::channels::consent::NewAsks;
use crate::web::viewer::Viewer;

/// Told on a connection's page while a newer build is installed.
pub fn upgrade_notice(app: &App, connection: &connection::Model) -> Option<Notice> {
    let newer = builds_of(app, connection).newer?;
    let text = format!("{} is installed. Nothing changes before you switch.", newer.plugin.version);
    let mut notice = Notice::new(Tone::Active, "Another version of the plugin", text);
    notice.action =
        Some(Link::new("See what would change", format!("/connections/{}/upgrade", connection.id)));
    Some(notice)
}

/// "0.2.0 (a1b2c3d4e5f6)".
pub fn build_text(build: &InstalledPlugin) -> String {
    named(&build.plugin.version, &build.plugin.sha256)
}

fn named(version: &str, sha256: &str) -> String {
    format!("{version} ({})", short(sha256))
}

fn short(sha256: &str) -> String {
    sha256.chars().take(12).collect()
}

pub fn asks(asks: &NewAsks) -> Vec<String> {
    let hosts = asks.hosts.iter().map(|host| format!("Reach {}", host.replace("{{", "{").replace("}}", "}")));
    let secrets = asks.secrets.iter().map(|field| format!("Use the secret {field}"));
    let data = asks.personal_data.iter().map(|path| format!("Read personal data: {path}"));
    hosts.chain(secrets).chain(data).collect()
}

pub fn trial_badge(row: &shadow_replay::Model) -> Badge {
    let tone = match row.state {
        ReplayState::Queued | ReplayState::Cancelled => Tone::Neutral,
        ReplayState::Running => Tone::Active,
        ReplayState::Succeeded => Tone::Good,
        ReplayState::Failed => Tone::Bad,
    };
    Badge::new(row.state.as_str(), tone)
}

pub fn trial_progress(row: &shadow_replay::Model) -> Option<Progress> {
    if !row.state.is_open() {
        return None;
    }
    let percent = row.chunks_done.saturating_mul(100).checked_div(row.chunks_total);
    Some(Progress {
        percent: percent.and_then(|percent| u8::try_from(percent.clamp(0, 100)).ok()),
        done: format!("{} of {} pages", format::count(row.chunks_done), format::count(row.chunks_total)),
        rate: None,
        eta: None,
    })
}

pub fn switch_row(app: &App, viewer: &Viewer, row: &plugin_switch::Model) -> SwitchRow {
    let name = |sha256: &str| match app.runtime.build(sha256) {
        Some(build) => build_text(&build),
        None => named("no longer installed", sha256),
    };
    let from = row.from_sha256.as_deref().map_or_else(|| "the newest".to_owned(), name);
    SwitchRow {
        when: viewer.when(Instant(row.switched_at)),
        what: format!("{from} → {}", name(&row.to_sha256)),
    }
}

pub fn shadow_view(report: &ShadowReport) -> ShadowView {
    let unpostable = report.unpostable_before != report.unpostable_after;
    ShadowView {
        summary: summary(report),
        streams: report.streams.iter().map(stream_row).collect(),
        documents: report
            .documents
            .iter()
            .map(|row| ShadowDocumentRow {
                entity: row.entity.replace('_', " "),
                same: format::count(row.same),
                changed: format::count(row.changed),
                added: format::count(row.added),
                removed: format::count(row.removed),
            })
            .collect(),
        fields: report.fields.iter().map(field_row).collect(),
        fields_note: (report.fields_left_out > 0)
            .then(|| format!("{} further fields differ.", format::count(report.fields_left_out))),
        money: report.money.iter().map(money_row).collect(),
        cash: report.cash.iter().map(cash_row).collect(),
        money_note: unpostable.then(|| {
            format!(
                "Orders and payments that can't stand in the ledger: {}.",
                before_after(report.unpostable_before, report.unpostable_after)
            )
        }),
    }
}

fn summary(report: &ShadowReport) -> String {
    if report.streams.iter().all(|row| row.chunks == 0) {
        return "No page is stored yet: there is nothing to compare.".to_owned();
    }
    if report.is_unchanged() {
        return "Both versions say the same of everything that was compared.".to_owned();
    }
    let changed: u64 = report.documents.iter().map(|row| row.changed + row.added + row.removed).sum();
    let all: u64 = report.documents.iter().map(|row| row.same).sum::<u64>() + changed;
    format!("{} of {} documents would change.", format::count(changed), format::count(all))
}

/// "3 → 1", or the one number where it stays.
fn before_after(before: u64, after: u64) -> String {
    if before == after {
        return format::count(before);
    }
    format!("{} → {}", format::count(before), format::count(after))
}

fn stream_row(row: &StreamReport) -> ShadowStreamRow {
    let pages = format!("{} pages", format::count(row.chunks));
    let same = |of: fn(&Reading) -> u64| of(&row.before) == of(&row.after);
    let mut reasons = row.after.reasons.clone();
    reasons.retain(|reason| !row.before.reasons.contains(reason));
    ShadowStreamRow {
        name: row.stream.clone(),
        pages: match row.chunks_left_out {
            0 => pages,
            left => format!("{pages}, {} older ones not compared", format::count(left)),
        },
        read: before_after(row.before.emitted, row.after.emitted),
        skipped: before_after(row.before.skipped, row.after.skipped),
        failed: before_after(row.before.failed_chunks, row.after.failed_chunks),
        reasons,
        differs: !(same(|reading| reading.emitted)
            && same(|reading| reading.skipped)
            && same(|reading| reading.failed_chunks)),
    }
}

fn field_row(row: &FieldReport) -> ShadowFieldRow {
    ShadowFieldRow {
        field: format!("{} · {}", row.entity.replace('_', " "), row.path),
        documents: format::count(row.documents),
        examples: row
            .examples
            .iter()
            .map(|example| format!("{}: {} → {}", example.key, example.before, example.after))
            .collect(),
    }
}

/// "10.00 → 12.00", or the one amount where it stays.
fn amounts(currency: &str, before: i64, after: i64) -> String {
    let Ok(currency) = currency.parse::<Currency>() else { return format!("{before} → {after}") };
    if before == after {
        return format::money(before, currency);
    }
    format!("{} → {}", format::money(before, currency), format::money(after, currency))
}

fn cash_row(row: &CashReport) -> ShadowCashRow {
    let amounts = |before: i64, after: i64| amounts(&row.currency, before, after);
    let category = row.category.as_deref().map(|category| category.replace('_', " "));
    ShadowCashRow {
        what: format!("{}, {}", category.as_deref().unwrap_or("all movements"), row.currency),
        is_total: row.category.is_none(),
        entries: before_after(row.entries_before, row.entries_after),
        gross: amounts(row.gross_minor_before, row.gross_minor_after),
        fees: amounts(row.fee_minor_before, row.fee_minor_after),
        net: amounts(row.net_minor_before, row.net_minor_after),
        differs: !row.is_unchanged(),
    }
}

fn money_row(row: &MoneyReport) -> ShadowMoneyRow {
    let amounts = |before: i64, after: i64| amounts(&row.currency, before, after);
    ShadowMoneyRow {
        what: format!("{}, {}", row.kind.replace('_', " "), row.currency),
        events: before_after(row.events_before, row.events_after),
        net: amounts(row.net_minor_before, row.net_minor_after),
        charged: amounts(row.charged_minor_before, row.charged_minor_after),
        differs: !row.is_unchanged(),
    }
}
