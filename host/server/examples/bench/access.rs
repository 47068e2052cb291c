//! `access`: what it costs to ask whether somebody may do something, to be signed in, and to tell the audit; in a house of
//! many tenants, on both databases.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use portolan_access::audit::{self, Who};
use portolan_access::{Client, NewPerson, Permission, SystemRole, add_person};
use portolan_app::App;
use portolan_app::people::{NewTenant, add_tenant};
use portolan_app::router::router;
use portolan_connector::PluginRuntime;
use portolan_core::{TenantId, UserId};
use portolan_db::sea_orm::ConnectionTrait;
use portolan_db::testing::{POSTGRES_URL_VARIABLE, TestDatabase};
use portolan_db::{Database, DatabaseConfig, DbError};
use serde_json::json;
use tower::ServiceExt;

use crate::figure::{Target, median, now_us, report, smallest};
use crate::place::{Place, open_app};

const TENANTS: usize = 5_000;
const MEMBERS: usize = 20;
/// Tenants that are asked about one after the other.
const ASKED_TENANTS: usize = 200;
const PAGES: usize = 500;
const AUDIT_EVENTS: usize = 2_000;
const LARGEST_PAGE_BYTES: usize = 4 << 20;

/// A tenant with its people.
struct Company {
    tenant: TenantId,
    people: Vec<UserId>,
}

pub async fn run(place: &Place) -> Result<()> {
    let folder = place.data_dir.join("sqlite");
    std::fs::create_dir_all(&folder)?;
    let db = Database::connect(&DatabaseConfig::sqlite(&folder.join("portolan.db"))).await?;
    portolan_migrations::migrate(db.migration_connection()).await?;
    measure(place, &folder, db.clone(), "SQLite").await?;
    db.close().await?;

    let folder = place.data_dir.join("postgres");
    std::fs::create_dir_all(&folder)?;
    let test = TestDatabase::postgres(portolan_migrations::migrate).await;
    let test = test.with_context(|| format!("{POSTGRES_URL_VARIABLE} names no PostgreSQL"))?;
    measure(place, &folder, test.database.clone(), "PostgreSQL").await?;
    test.discard().await;
    Ok(())
}

async fn measure(place: &Place, folder: &Path, db: Database, on: &str) -> Result<()> {
    let runtime: Arc<dyn PluginRuntime> = Arc::new(place.sandbox()?);
    let (app, _) = open_app(folder, db, runtime)?;
    let companies = settle(&app, place.rounds(TENANTS).max(2)).await?;
    decisions(place, &app, &companies, on).await?;
    pages(place, &app, &companies[0], on).await?;
    audit_events(place, &app, companies[0].tenant, on).await
}

/// Founds companies, with people in all roles.
async fn settle(app: &Arc<App>, tenants: usize) -> Result<Vec<Company>> {
    let mut companies = Vec::with_capacity(tenants);
    for number in 0..tenants {
        let new =
            NewTenant { slug: format!("company-{number}"), currency: "EUR".into(), time_zone: "UTC".into() };
        let tenant =
            add_tenant(app, new).await.map_err(|error| anyhow::anyhow!("{}", error.full_detail()))?;
        let in_task = Arc::clone(app);
        let people = app.db.system_write(move |tx| {
            Box::pin(async move {
                let mut people = Vec::with_capacity(MEMBERS);
                for member in 0..MEMBERS {
                    let role = SystemRole::ALL[member % SystemRole::ALL.len()];
                    let person =
                        NewPerson { sign_in_name: format!("person-{number}-{member}"), tenant, role };
                    people.push(add_person(tx, person, &*in_task.clock, &*in_task.random).await?);
                }
                Ok::<_, portolan_access::PersonError>(people)
            })
        });
        companies.push(Company { tenant, people: people.await? });
    }
    Ok(companies)
}

/// What the rules of a tenant cost to read, and a decision by them, first and again.
async fn decisions(place: &Place, app: &App, companies: &[Company], on: &str) -> Result<()> {
    let (mut loads, mut first, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let step = (companies.len() / place.rounds(ASKED_TENANTS).max(2)).max(1);
    for company in companies.iter().step_by(step) {
        let start_us = now_us();
        let policy = app.sessions.policies().of(company.tenant, 0).await?;
        loads.push(now_us() - start_us);
        let questions = || {
            company
                .people
                .iter()
                .flat_map(|person| Permission::ALL.iter().map(|permission| (*person, *permission)))
        };
        let asked = questions().count() as f64;
        for each in [&mut first, &mut again] {
            let start_us = now_us();
            for (person, permission) in questions() {
                black_box(policy.allows(person, permission));
            }
            each.push((now_us() - start_us) / asked);
        }
    }
    let all = companies.len();
    let note = format!("p50 of {} tenants' means; {all} tenants, {} memberships", first.len(), all * MEMBERS);
    report(&format!("a decision by Casbin, {on}"), median(&mut first), "µs", Target::AtMost(150.0), &note)?;
    let note = "the same questions once more";
    report(
        &format!("a decision that is remembered, {on}"),
        median(&mut again),
        "µs",
        Target::AtMost(2.0),
        note,
    )?;
    let note = "from the database, once after each change of a tenant's rules";
    report(&format!("the rules of a tenant, read anew, {on}"), median(&mut loads), "µs", Target::None, note)
}

/// A page for somebody who is signed in, beside one for everybody.
async fn pages(place: &Place, app: &Arc<App>, company: &Company, on: &str) -> Result<()> {
    let link = app.sessions.create_link(company.tenant, company.people[0]).await?;
    let session = app.sessions.sign_in_with_link(&link, Client::default()).await?;
    let cookie = format!("ptl_session={}", session.token);
    let router = router(Arc::clone(app));
    let ask = async |path: &str| -> Result<f64> {
        let request = Request::get(path).header(header::COOKIE, &cookie).body(Body::empty())?;
        let start_us = now_us();
        let answer = router.clone().oneshot(request).await?;
        ensure!(answer.status() == StatusCode::OK, "{path}: {}", answer.status());
        to_bytes(answer.into_body(), LARGEST_PAGE_BYTES).await?;
        Ok(now_us() - start_us)
    };
    let (mut public, mut own, mut lookups) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..place.rounds(PAGES) + 1 {
        let start_us = now_us();
        ensure!(app.sessions.authenticate(&session.token).await?.is_some(), "the session has ended");
        let looked_up = now_us() - start_us;
        let (anonymous, signed_in) = (ask("/sign-in").await?, ask("/account").await?);
        // The first fills what is remembered.
        if round > 0 {
            lookups.push(looked_up);
            public.push(anonymous);
            own.push(signed_in);
        }
    }
    let (public_us, own_us) = (median(&mut public), median(&mut own));
    let note = format!("p50 of {}: /account {own_us:.0} µs, /sign-in {public_us:.0} µs", own.len());
    let name = format!("what a signed-in page adds, {on}");
    report(&name, (own_us - public_us) / 1_000.0, "ms", Target::AtMost(2.0), &note)?;
    let note = format!("of it: who this is, and their tenant's rules; best {:.0}", smallest(&lookups));
    report(&format!("a session looked up, {on}"), median(&mut lookups), "µs", Target::None, &note)
}

/// What an event of the audit adds to the transaction that it tells of, which has changed a row.
async fn audit_events(place: &Place, app: &App, tenant: TenantId, on: &str) -> Result<()> {
    let events = place.rounds(AUDIT_EVENTS).max(20);
    let act = async |events: usize| -> Result<f64> {
        let clock = Arc::clone(&app.clock);
        let start_us = now_us();
        let work = app.db.write(tenant, move |tx| {
            Box::pin(async move {
                let house = tx.host_wide();
                let told_of = "UPDATE tenant SET name = name WHERE id = $1";
                house.execute_raw(house.statement(told_of, [tenant.0.into()])).await?;
                for number in 0..events {
                    let entry = Who::operator().did("sync.start", "sync", number);
                    audit::write(tx, clock.now(), entry.after(json!({ "trigger": "manual" })));
                }
                Ok::<_, DbError>(())
            })
        });
        work.await?;
        Ok(now_us() - start_us)
    };
    act(50).await?;
    let (mut none, mut one) = (Vec::new(), Vec::new());
    for _ in 0..place.rounds(300).max(3) {
        none.push(act(0).await?);
        one.push(act(1).await?);
    }
    let added_ms = (median(&mut one) - median(&mut none)) / 1_000.0;
    let note = format!("p50 of {}: a transaction with one, less one without", one.len());
    report(&format!("an audit event, {on}"), added_ms, "ms", Target::AtMost(0.3), &note)?;
    let each_us = act(events).await? / events as f64;
    let note = format!("{events} in one transaction");
    report(&format!("an audit event among many, {on}"), each_us, "µs", Target::None, &note)
}
