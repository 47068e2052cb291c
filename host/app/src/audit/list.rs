//! The list of who did what.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use portolan_admin_ui::format;
use portolan_admin_ui::pages::{AuditEventRow, AuditPage};
use portolan_admin_ui::parts::{Empty, FieldKind, FormField, Pager, Section, SelectOption};
use portolan_core::calendar::{DateRange, StoreCalendar};
use portolan_core::{Instant, LocalDate};
use portolan_db::TenantTx;
use portolan_db::entity::audit_event;
use serde::Deserialize;
use uuid::Uuid;

use super::queries::{self, EventFilter, place_of};
use crate::App;
use crate::web::actor::{AuditRead, PageActor};
use crate::web::error::{AppResult, PageResult};
use crate::web::extract::Query;
use crate::web::html;
use crate::web::page::Paging;
use crate::web::viewer::Viewer;

const PAGE: u64 = 50;
/// In the place of a person's id.
const OPERATOR: &str = "operator";

/// `GET /admin/audit?who=&what=&subject=&from=&until=&cursor=`.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct AuditQuery {
    #[serde(default)]
    who: String,
    #[serde(default)]
    what: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    cursor: Option<String>,
}

impl AuditQuery {
    fn filters(&self) -> [(&'static str, &str); 5] {
        [
            ("who", self.who.as_str()),
            ("what", self.what.as_str()),
            ("subject", self.subject.as_str()),
            ("from", self.from.as_str()),
            ("until", self.until.as_str()),
        ]
    }

    fn is_filtered(&self) -> bool {
        self.filters().iter().any(|(_, value)| !value.trim().is_empty())
    }

    fn address(&self, cursor: Option<&str>) -> String {
        let set = self.filters().into_iter().chain(cursor.map(|cursor| ("cursor", cursor)));
        let set = set.filter(|(_, value)| !value.is_empty());
        let set = form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish();
        if set.is_empty() { "/admin/audit".to_owned() } else { format!("/admin/audit?{set}") }
    }

    fn filter(&self, calendar: &StoreCalendar) -> EventFilter {
        let text = |value: &str| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        let day = |text: &str| LocalDate::parse(text).map(|day| calendar.instants(DateRange::day(day)));
        EventFilter {
            // What names nobody names none of the events.
            actor: text(&self.who).filter(|who| who != OPERATOR).map(|who| who.parse().unwrap_or_default()),
            operator: self.who == OPERATOR,
            action: text(&self.what),
            subject: text(&self.subject),
            from: day(&self.from).map(|(first, _)| first),
            until: day(&self.until).map(|(_, next)| next),
            beside: None,
        }
    }
}

pub async fn list_events(
    PageActor(actor): PageActor<AuditRead>,
    State(app): State<Arc<App>>,
    Query(query): Query<AuditQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let paging = Paging::new(&app, query.address(None), Some(PAGE), query.cursor.as_deref())?;
    let calendar = StoreCalendar::new(&viewer.tenant.time_zone, 0).unwrap_or_else(|_| StoreCalendar::utc());
    let filter = EventFilter { beside: paging.beside, ..query.filter(&calendar) };
    let mut found = queries::list_events(&tx, &filter, paging.limit).await?;
    let neighbours = paging.cut(&app, &mut found, place_of);
    let place = |cursor: Option<String>| cursor.map(|cursor| query.address(Some(&cursor)));
    let names = queries::names(&tx, &found).await?;
    let rows: Vec<AuditEventRow> = found.iter().map(|event| event_row(&viewer, event, &names)).collect();
    let empty = if rows.is_empty() { Some(empty(&tx, &query).await?) } else { None };
    html(&AuditPage {
        shell: viewer.shell("Audit", Section::Audit),
        scope: format!("Who changed what, newest first · {}", viewer.tenant.time_zone),
        filters: filter_fields(&query, &names),
        clear_href: query.is_filtered().then(|| "/admin/audit".to_owned()),
        pager: Pager {
            summary: format!("{} events shown, newest first", format::count(rows.len() as i64)),
            first: query.cursor.as_ref().map(|_| query.address(None)),
            previous: place(neighbours.previous),
            next: place(neighbours.next),
        },
        rows,
        empty,
    })
}

fn event_row(viewer: &Viewer, event: &audit_event::Model, names: &BTreeMap<Uuid, String>) -> AuditEventRow {
    AuditEventRow {
        href: format!("/admin/audit/{}", event.seq),
        number: format::count(event.seq),
        at: viewer.when(Instant(event.at)),
        actor: actor_text(event, names),
        action: event.action.clone(),
        subject: format!("{} {}", event.subject_kind.replace('_', " "), event.subject_id),
        address: event.address.clone(),
    }
}

/// Whoever acted, in words.
pub fn actor_text(event: &audit_event::Model, names: &BTreeMap<Uuid, String>) -> String {
    match (event.actor_kind.as_str(), event.actor_id) {
        ("person", Some(id)) => names.get(&id).cloned().unwrap_or_else(|| "somebody who has left".to_owned()),
        ("api_key", Some(id)) => format!("API key {id}"),
        ("channel", Some(id)) => format!("the channel of the connection {id}"),
        ("server", _) => "the server, by itself".to_owned(),
        ("other_company", _) => "somebody of another company".to_owned(),
        _ => "the operator, on the command line".to_owned(),
    }
}

async fn empty(tx: &TenantTx, query: &AuditQuery) -> AppResult<Empty> {
    if (query.is_filtered() || query.cursor.is_some()) && queries::has_events(tx).await? {
        return Ok(Empty::filtered_away("events", "/admin/audit"));
    }
    Ok(Empty::nothing_yet(
        "events",
        "Whoever signs in, connects a channel or changes a setting appears here.",
    ))
}

fn filter_fields(query: &AuditQuery, names: &BTreeMap<Uuid, String>) -> Vec<FormField> {
    let mut people = vec![
        SelectOption::new("", "everybody", query.who.is_empty()),
        SelectOption::new(OPERATOR, "the operator", query.who == OPERATOR),
    ];
    people.extend(names.iter().map(|(id, name)| {
        let id = id.to_string();
        let selected = id == query.who;
        SelectOption::new(id, name.as_str(), selected)
    }));
    let date = |text: &str| {
        let wrong = !text.is_empty() && LocalDate::parse(text).is_none();
        wrong.then(|| "This is no date: write it as YYYY-MM-DD.".to_owned())
    };
    vec![
        FormField::new("who", "Who", FieldKind::Select { options: people }),
        FormField::text("what", "What", query.what.as_str())
            .with_help("An action such as sync.start, or sync for all that is done to syncs."),
        FormField::text("subject", "To what (id)", query.subject.as_str()),
        FormField::new("from", "From", FieldKind::Date { value: query.from.clone() })
            .with_error(date(&query.from)),
        FormField::new("until", "Until", FieldKind::Date { value: query.until.clone() })
            .with_error(date(&query.until)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_its_filters() {
        let query = AuditQuery { what: "sync.start".to_owned(), ..AuditQuery::default() };
        assert_eq!(query.address(Some("abc")), "/admin/audit?what=sync.start&cursor=abc");
        assert!(query.is_filtered());
        assert_eq!(AuditQuery::default().address(None), "/admin/audit");
    }

    #[test]
    fn a_name_of_nobody_is_nobodys() {
        let of = |who: &str| {
            AuditQuery { who: who.to_owned(), ..AuditQuery::default() }.filter(&StoreCalendar::utc())
        };
        assert_eq!(of("nonsense").actor, Some(Uuid::nil()));
        assert!(of(OPERATOR).operator && of(OPERATOR).actor.is_none());
        assert!(of("").actor.is_none() && !of("").operator);
    }
}
