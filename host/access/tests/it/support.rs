//! A tenant with one member, and a clock that the test moves.

use std::sync::Arc;

use portolan_access::{
    Client, NewPerson, NewSession, PersonError, Sessions, SignInError, SignedIn, SystemRole, add_person,
    set_password_hash,
};
use portolan_core::{Instant, ManualClock, SystemClock, SystemRandom, TenantId, UserId, id};
use portolan_db::entity::tenant;
use portolan_db::testing::TestDatabase;
use portolan_db::{Database, DbError};

pub use portolan_db::testing::on_both;
pub use portolan_migrations::migrate;

pub const PASSWORD: &str = "correct horse battery";

#[derive(Clone)]
pub struct Door {
    pub sessions: Sessions,
    pub clock: ManualClock,
    pub tenant: TenantId,
    pub user: UserId,
    pub name: String,
    pub database: Database,
}

impl Door {
    pub async fn new(test: &TestDatabase) -> Self {
        let clock = ManualClock::at(Instant::from_unix_ms(1_780_000_000_000));
        let database = test.database.clone();
        let sessions = Sessions::new(database.clone(), Arc::new(clock.clone()), Arc::new(SystemRandom));
        let tenant = new_tenant(&database).await;
        let name = format!("ada-{tenant}");
        let user = add(&database, &name.to_uppercase(), tenant).await.expect("person");
        Self { sessions, clock, tenant, user, name, database }
    }

    pub async fn with_password(self) -> Self {
        let hash = self.sessions.passwords().hash(PASSWORD).await.expect("hash");
        let user = self.user;
        self.database
            .system_write(move |tx| Box::pin(async move { set_password_hash(tx, user, Some(hash)).await }))
            .await
            .expect("store");
        self
    }

    /// Somebody changes their own password.
    pub async fn change_password(&self, who: &SignedIn, old: &str, new: &str) -> Result<(), SignInError> {
        let hash = self.sessions.hash_own_password(who, old, new).await?;
        let (sessions, who) = (self.sessions.clone(), who.clone());
        let changed = self.database.system_write(move |tx| {
            Box::pin(async move { sessions.change_password(tx, &who, hash, &Client::default()).await })
        });
        assert_eq!(changed.await?, self.name);
        Ok(())
    }

    pub async fn who(&self, session: &NewSession) -> SignedIn {
        self.sessions.authenticate(&session.token).await.expect("look").expect("stands")
    }
}

pub async fn new_tenant(database: &Database) -> TenantId {
    let row = tenant::Model {
        id: id::new_uuid(&SystemClock, &SystemRandom),
        slug: id::new_uuid(&SystemClock, &SystemRandom).to_string(),
        name: "Acme".to_owned(),
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
    database
        .system_write(move |tx| {
            Box::pin(async move {
                tx.insert(tenant::ActiveModel::from(row)).await.map(|_| ()) as Result<_, DbError>
            })
        })
        .await
        .expect("tenant");
    tenant
}

pub async fn add(database: &Database, name: &str, tenant: TenantId) -> Result<UserId, PersonError> {
    add_as(database, name, tenant, SystemRole::Owner).await
}

pub async fn add_as(
    database: &Database,
    name: &str,
    tenant: TenantId,
    role: SystemRole,
) -> Result<UserId, PersonError> {
    let person = NewPerson { sign_in_name: name.to_owned(), tenant, role };
    database
        .system_write(move |tx| {
            Box::pin(async move { add_person(tx, person, &SystemClock, &SystemRandom).await })
        })
        .await
}

pub fn new_id() -> uuid::Uuid {
    id::new_uuid(&SystemClock, &SystemRandom)
}
