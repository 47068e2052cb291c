//! The list of payouts.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use portolan_admin_ui::format;
use portolan_admin_ui::pages::{FinancePage, PayoutRow};
use portolan_admin_ui::parts::{Empty, FieldKind, FormField, Pager, Section, SelectOption};
use portolan_core::ConnectionId;
use serde::Deserialize;
use uuid::Uuid;

use super::queries::{self, PayoutFilter};
use super::views::payout_row;
use crate::App;
use crate::syncs::queries::connection_labels;
use crate::web::actor::{FinanceRead, PageActor};
use crate::web::error::PageResult;
use crate::web::extract::Query;
use crate::web::html;
use crate::web::page::Paging;
use crate::web::viewer::Viewer;

const PAGE: u64 = 50;

/// `GET /finance?connection=&state=&cursor=`.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct PayoutsQuery {
    #[serde(default)]
    connection: String,
    #[serde(default)]
    state: String,
    cursor: Option<String>,
}

impl PayoutsQuery {
    fn address(&self, cursor: Option<&str>) -> String {
        let pairs = [
            ("connection", Some(self.connection.as_str())),
            ("state", Some(self.state.as_str())),
            ("cursor", cursor),
        ];
        let set = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let set = set.filter(|(_, value)| !value.is_empty());
        let set = form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish();
        if set.is_empty() { "/finance".to_owned() } else { format!("/finance?{set}") }
    }

    fn is_filtered(&self) -> bool {
        !self.connection.is_empty() || !self.state.is_empty()
    }
}

pub async fn list_payouts(
    PageActor(actor): PageActor<FinanceRead>,
    State(app): State<Arc<App>>,
    Query(query): Query<PayoutsQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let labels = connection_labels(&tx, actor.seen()).await?;
    let states = queries::known_states(&tx, actor.seen()).await?;
    let paging = Paging::new(&app, query.address(None), Some(PAGE), query.cursor.as_deref())?;
    let filter = PayoutFilter {
        // What names no connection names none of the payouts.
        connection: (!query.connection.is_empty())
            .then(|| ConnectionId(query.connection.parse().unwrap_or_default())),
        state: (!query.state.is_empty()).then(|| query.state.clone()),
        beside: paging.beside,
    };
    let mut found = queries::list_payouts(&tx, actor.seen(), &filter, paging.limit).await?;
    drop(tx);
    let neighbours = paging.cut(&app, &mut found, |record| record.head.id);
    let place = |cursor: Option<String>| cursor.map(|cursor| query.address(Some(&cursor)));
    let rows: Vec<PayoutRow> = found
        .iter()
        .map(|record| {
            let label = labels.get(&record.head.connection_id).map_or("", String::as_str);
            payout_row(&viewer, record, label)
        })
        .collect();
    let unexplained = found.iter().filter(|record| record.has_entries() && !record.holds()).count();
    html(&FinancePage {
        shell: viewer.shell("Payouts", Section::Finance),
        scope: scope_text(rows.len(), unexplained),
        filters: filter_fields(&query, &labels, &states),
        clear_href: query.is_filtered().then(|| "/finance".to_owned()),
        pager: Pager {
            summary: format!("{} payouts shown, newest first", format::count(rows.len() as i64)),
            first: query.cursor.as_ref().map(|_| query.address(None)),
            previous: place(neighbours.previous),
            next: place(neighbours.next),
        },
        empty: rows.is_empty().then(|| empty(&query)),
        rows,
    })
}

fn scope_text(shown: usize, unexplained: usize) -> String {
    match (shown, unexplained) {
        (0, _) => String::new(),
        (_, 0) => "Each payout is checked against the entries of the provider's balance".to_owned(),
        (_, 1) => "One of the payouts below does not add up".to_owned(),
        (_, several) => format!("{several} of the payouts below do not add up"),
    }
}

fn empty(query: &PayoutsQuery) -> Empty {
    if query.is_filtered() {
        return Empty::filtered_away("payouts", "/finance");
    }
    Empty::nothing_yet(
        "payouts",
        "A payment provider's payouts appear here with the entries that they pay out: connect one, such as Stripe.",
    )
    .with_action("Connect a provider", "/connections/new")
}

fn filter_fields(query: &PayoutsQuery, labels: &BTreeMap<Uuid, String>, states: &[String]) -> Vec<FormField> {
    let mut connections = vec![SelectOption::new("", "all connections", query.connection.is_empty())];
    connections.extend(labels.iter().map(|(id, label)| {
        SelectOption::new(id.to_string(), label.as_str(), id.to_string() == query.connection)
    }));
    let mut options = vec![SelectOption::new("", "any state", query.state.is_empty())];
    options.extend(
        states.iter().map(|state| SelectOption::new(state.as_str(), state.as_str(), *state == query.state)),
    );
    vec![
        FormField::new("connection", "Connection", FieldKind::Select { options: connections }),
        FormField::new("state", "State", FieldKind::Select { options }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_counts_what_does_not_add_up() {
        assert_eq!(scope_text(3, 1), "One of the payouts below does not add up");
        assert_eq!(scope_text(3, 2), "2 of the payouts below do not add up");
        assert_eq!(scope_text(0, 0), "");
    }

    #[test]
    fn a_page_keeps_its_filters() {
        let query = PayoutsQuery { state: "in transit".to_owned(), ..PayoutsQuery::default() };
        assert_eq!(query.address(Some("abc")), "/finance?state=in+transit&cursor=abc");
    }
}
