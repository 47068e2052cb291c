//! The token of the first owner opens once, in time, and only while nobody is there.

use std::sync::Arc;

use portolan_access::{Client, NewPerson, NewSession, PersonError, Sessions, SystemRole, add_person};
use portolan_core::{Duration, Instant, ManualClock, SystemRandom, TenantId};
use portolan_db::testing::TestDatabase;
use portolan_db::{Database, DbError};

use crate::support::{add, migrate, new_tenant, on_both};

struct Bare {
    sessions: Sessions,
    clock: ManualClock,
    database: Database,
    tenant: TenantId,
}

impl Bare {
    async fn new(test: &TestDatabase) -> Self {
        let clock = ManualClock::at(Instant::from_unix_ms(1_780_000_000_000));
        let database = test.database.clone();
        let sessions = Sessions::new(database.clone(), Arc::new(clock.clone()), Arc::new(SystemRandom));
        let tenant = new_tenant(&database).await;
        Self { sessions, clock, database, tenant }
    }

    async fn token(&self) -> String {
        self.sessions.make_set_up_token().await.expect("written").expect("nobody is there")
    }

    /// As the product makes the first owner.
    async fn own(&self, token: &str, name: &str) -> Result<Option<NewSession>, PersonError> {
        let (sessions, clock, tenant) = (self.sessions.clone(), self.clock.clone(), self.tenant);
        let (token, sign_in_name) = (token.to_owned(), name.to_owned());
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    let Some(right) = sessions.use_set_up_token(tx, &token).await? else { return Ok(None) };
                    let person = NewPerson { sign_in_name, tenant, role: SystemRole::Owner };
                    let user = add_person(tx, person, &clock, &SystemRandom).await?;
                    let begun = sessions.begin_as_first_owner(tx, right, user, tenant, Client::default());
                    Ok::<_, PersonError>(Some(begun.await?))
                })
            })
            .await
    }

    async fn people(&self) -> usize {
        let tx = self.database.system_read().await.expect("read");
        tx.find::<portolan_db::entity::user::Entity>()
            .all(&tx)
            .await
            .map_err(DbError::from)
            .expect("people")
            .len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_use_the_token_at_once_one_is_the_owner() {
    on_both(migrate, async |test| {
        let bare = Arc::new(Bare::new(test).await);
        let token = bare.token().await;
        let tries: Vec<_> = (0..50)
            .map(|number| {
                let (bare, token) = (Arc::clone(&bare), token.clone());
                tokio::spawn(async move { bare.own(&token, &format!("ada-{number}")).await })
            })
            .collect();
        let mut owners = 0;
        for attempt in tries {
            owners += usize::from(attempt.await.expect("task").expect("an answer").is_some());
        }
        assert_eq!((owners, bare.people().await), (1, 1));
        assert!(bare.sessions.somebody_is_there().await.expect("look"));
    })
    .await;
}

#[tokio::test]
async fn each_start_voids_the_token_before_and_time_voids_the_last() {
    on_both(migrate, async |test| {
        let bare = Bare::new(test).await;
        assert!(!bare.sessions.somebody_is_there().await.expect("look"));
        let (first, second) = (bare.token().await, bare.token().await);
        assert!(!bare.sessions.set_up_token_is_valid(&first).await.expect("look"));
        assert!(bare.own(&first, "ada").await.expect("an answer").is_none());
        for _ in 0..3 {
            assert!(bare.sessions.set_up_token_is_valid(&second).await.expect("looking uses nothing up"));
        }
        // No neighbour of it opens anything.
        for place in 0..second.len() {
            let mut other = second.clone().into_bytes();
            other[place] = if other[place] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).expect("text");
            assert!(!bare.sessions.set_up_token_is_valid(&other).await.expect("look"), "{place}");
        }
        bare.clock.advance(Duration::from_hours(24));
        assert!(!bare.sessions.set_up_token_is_valid(&second).await.expect("look"));
        assert!(bare.own(&second, "ada").await.expect("an answer").is_none());
        assert_eq!(bare.people().await, 0);

        let third = bare.token().await;
        let tx = bare.database.system_read().await.expect("read");
        let kept = tx.find::<portolan_db::entity::set_up_token::Entity>().all(&tx).await.expect("tokens");
        assert!(kept.len() == 1 && !format!("{kept:?}").contains(&third), "its hash alone");
        drop(tx);
        // A name that cannot be taken leaves the token as it was.
        assert!(matches!(bare.own(&third, "two words").await, Err(PersonError::Name(_))));
        assert!(bare.own(&third, "ada").await.expect("an answer").is_some());
    })
    .await;
}

#[tokio::test]
async fn whoever_is_added_on_the_command_line_ends_the_set_up_for_ever() {
    on_both(migrate, async |test| {
        let bare = Bare::new(test).await;
        let token = bare.token().await;
        add(&bare.database, "mara", bare.tenant).await.expect("a person");
        assert!(!bare.sessions.set_up_token_is_valid(&token).await.expect("look"));
        assert!(bare.own(&token, "ada").await.expect("an answer").is_none());
        assert!(bare.sessions.make_set_up_token().await.expect("look").is_none());
        assert_eq!(bare.people().await, 1);
    })
    .await;
}
