//! What somebody sees of the data: the policies that apply to them, and what their permissions leave closed. Here the
//! policies' text, which `portolan-access` keeps, meets what it means to `portolan-analytics`.

use axum::RequestPartsExt;
use axum::extract::{MatchedPath, RawPathParams};
use axum::http::request::Parts;
use portolan_access::Permission;
use portolan_access::data_policies::{DataPolicyKind, Restrictions};
use portolan_analytics::policy::{ColumnGroup, ColumnName, ColumnPolicy, RowPolicy};
use portolan_analytics::{Closed, Visibility};
use portolan_core::{ConnectionId, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::{connection, sync};
use uuid::Uuid;

use crate::App;
use crate::web::error::{AppError, AppResult};

/// Places that show records as channels sent them, or compare readings of them: nothing in them can be kept apart.
const RAW_PLACES: [&str; 6] =
    ["dead-letters", "mapping", "schema-drift", "upgrade", "upgrades", "held-deletes"];
/// Places that count all of what a connection brought, beside those.
const COUNTED_PLACES: [&str; 1] = ["coverage"];

/// Whether a connection is among those that somebody sees.
pub fn sees(seen: &Visibility, row: &connection::Model) -> bool {
    seen.sees_connection(ConnectionId(row.id), &row.plugin_id)
}

/// Whether somebody may see what channels sent, as they sent it: nothing that a policy of the company keeps from them can be
/// taken out of it.
pub fn sees_raw(seen: &Visibility) -> bool {
    !seen.withholds_raw() && !seen.limits_within_connections()
}

/// What applies to somebody, as one.
///
/// What cannot be read shows nothing. What no permission opens is closed, whatever policies say: amounts of payments, costs,
/// and who bought.
pub fn visibility(restrictions: &Restrictions, may: impl Fn(Permission) -> bool) -> Visibility {
    let mut seen = Visibility::everything();
    if !restrictions.is_owner {
        for policy in &restrictions.policies {
            if apply(policy.kind, &policy.body, restrictions, &mut seen).is_none() {
                tracing::error!(policy.id = %policy.id, "a policy could not be read: it shows nothing to whom it applies");
                seen = Visibility::nothing();
                break;
            }
        }
    }
    if !may(Permission::FinanceRead) && !may(Permission::FinanceTotals) {
        seen.close(ColumnName::Group(ColumnGroup::Cash), Closed::Hidden);
    }
    if !may(Permission::CostsRead) {
        seen.close(ColumnName::Group(ColumnGroup::Costs), Closed::Hidden);
    }
    if !may(Permission::PersonalRead) {
        seen.close(ColumnName::Group(ColumnGroup::Personal), Closed::Masked);
    }
    seen
}

fn apply(
    kind: Option<DataPolicyKind>,
    body: &str,
    restrictions: &Restrictions,
    seen: &mut Visibility,
) -> Option<()> {
    match kind? {
        DataPolicyKind::Rows => {
            let policy: RowPolicy = serde_json::from_str(body).ok()?;
            policy.apply(&restrictions.attributes, seen);
        }
        DataPolicyKind::Columns => {
            let policy: ColumnPolicy = serde_json::from_str(body).ok()?;
            policy.apply(seen);
        }
    }
    Some(())
}

/// Fails where an address leads to what somebody does not see: as if it were not there. Whichever route it is, a
/// connection and what hangs on it is looked at here; orders and payouts are found by conditions of their own.
pub async fn check_address(
    app: &App,
    tenant: TenantId,
    seen: &Visibility,
    parts: &mut Parts,
) -> AppResult<()> {
    if seen.sees_all_rows() && sees_raw(seen) {
        return Ok(());
    }
    let Some(route) = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()) else {
        return Err(AppError::internal("a route without a path"));
    };
    let places: Vec<&str> = route.split('/').collect();
    let leads_to = |named: &[&str]| places.iter().any(|place| named.contains(place));
    if (!sees_raw(seen) && leads_to(&RAW_PLACES))
        || (seen.limits_within_connections() && leads_to(&COUNTED_PLACES))
    {
        return Err(AppError::closed(
            "This shows records as they came, or counts all of them, and a policy keeps a part of them from you. Ask an \
             owner or admin of your company.",
        ));
    }
    if !seen.limits_connections() {
        return Ok(());
    }
    // What is no text is nobody's.
    let Ok(params) = parts.extract::<RawPathParams>().await else { return Err(AppError::not_found("page")) };
    let kinds = places.windows(2).filter(|pair| pair[1].starts_with('{')).map(|pair| pair[0]);
    let mut tx: Option<TenantTx> = None;
    for (kind, (_, value)) in kinds.zip(&params) {
        // What is no id is nobody's.
        let (true, Ok(id)) = (matches!(kind, "connections" | "syncs"), value.parse::<Uuid>()) else {
            continue;
        };
        let tx = match &mut tx {
            Some(tx) => tx,
            none => none.insert(app.db.read(tenant).await?),
        };
        check_thing(tx, seen, kind, id).await?;
    }
    Ok(())
}

async fn check_thing(tx: &TenantTx, seen: &Visibility, kind: &str, id: Uuid) -> AppResult<()> {
    let of_connection = match kind {
        "connections" => Some(id),
        _ => tx.find_by_id::<sync::Entity>(id).await?.map(|sync| sync.connection_id),
    };
    // What is not there at all is told by whoever looks for it.
    let Some(connection) = of_connection else { return Ok(()) };
    match tx.find_by_id::<connection::Entity>(connection).await? {
        Some(row) if !sees(seen, &row) => {
            Err(AppError::not_found(if kind == "connections" { "connection" } else { "sync" }))
        }
        _ => Ok(()),
    }
}
