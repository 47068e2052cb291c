//! What an audit event costs inside its transaction, on both databases: `cargo run -p portolan-access --release --example
//! audit_cost`. The target is 0.3 ms.

use portolan_access::audit::{self, Who};
use portolan_core::{Clock, Duration, SystemClock, SystemRandom, TenantId, id};
use portolan_db::entity::tenant;
use portolan_db::testing::on_both;
use portolan_db::{Database, DbError};
use sea_orm::IntoActiveModel;
use serde_json::json;

const EVENTS: usize = 2_000;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "this is what it is for")]
async fn main() {
    on_both(portolan_migrations::migrate, async |test| {
        let tenant = new_tenant(&test.database).await;
        act(&test.database, tenant, 50).await;
        let with = act(&test.database, tenant, EVENTS).await;
        let each_us = with.0 / EVENTS as i64;
        println!("{:?}: {each_us} µs an event, of {EVENTS} in one transaction", test.dialect());
        let mut alone = Duration::ZERO;
        for _ in 0..200 {
            alone = Duration(alone.0 + act(&test.database, tenant, 1).await.0);
        }
        println!("{:?}: {} µs a transaction with one event alone", test.dialect(), alone.0 / 200);
    })
    .await;
}

async fn act(database: &Database, tenant: TenantId, events: usize) -> Duration {
    let started = SystemClock.monotonic();
    let work = database.write(tenant, move |tx| {
        Box::pin(async move {
            for number in 0..events {
                let entry = Who::operator().did("sync.start", "sync", number);
                audit::write(tx, SystemClock.now(), entry.after(json!({ "trigger": "manual" })));
            }
            Ok::<_, DbError>(())
        })
    });
    work.await.expect("written");
    Duration(SystemClock.monotonic().0 - started.0)
}

async fn new_tenant(database: &Database) -> TenantId {
    let row = tenant::Model {
        id: id::new_uuid(&SystemClock, &SystemRandom),
        slug: "cost".to_owned(),
        name: "Cost".to_owned(),
        reporting_currency: "EUR".to_owned(),
        rate_policy: "event_date".to_owned(),
        rates_changed_at: 0,
        time_zone: "UTC".to_owned(),
        week_start: 1,
        fiscal_start_month: 1,
        created_at: 0,
        access_version: 0,
    };
    let tenant = TenantId(row.id);
    let work = database.system_write(move |tx| {
        Box::pin(async move { tx.insert(row.into_active_model()).await.map(|_| ()) as Result<_, DbError> })
    });
    work.await.expect("a tenant");
    tenant
}
