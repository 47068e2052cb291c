//! A key may do what it says and its maker may do now; and it ends when it should.

use std::collections::BTreeSet;
use std::net::IpAddr;

use portolan_access::api_keys::{self, ApiKeyError, KeyHolder, Made, NewApiKey};
use portolan_access::audit::Who;
use portolan_access::{Permission, SystemRole, ban, lift_ban, remove_member, set_roles};
use portolan_core::{Clock, Duration, SystemRandom, UserId};
use portolan_db::entity::{api_key, audit_event};
use portolan_db::{TenantTx, Work};

use crate::support::{Door, add_as, migrate, new_id, on_both};

const SCOPES: [Permission; 2] = [Permission::OrdersRead, Permission::AnalyticsQuery];

pub fn wanted(scopes: &[Permission]) -> NewApiKey {
    NewApiKey {
        name: "Nightly export".to_owned(),
        scopes: scopes.iter().copied().collect(),
        ..NewApiKey::default()
    }
}

impl Door {
    pub async fn keys<T: Send + 'static>(
        &self,
        work: impl for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, ApiKeyError> + Send + 'static,
    ) -> Result<T, ApiKeyError> {
        self.database.write(self.tenant, work).await
    }

    pub async fn make(&self, owner: UserId, new: NewApiKey) -> Result<Made, ApiKeyError> {
        let clock = self.clock.clone();
        self.keys(move |tx| {
            Box::pin(async move {
                let tools = (&clock as &dyn Clock, &SystemRandom as &dyn portolan_core::Random);
                api_keys::create(tx, &Who::person(owner), owner, |_| true, new, tools).await
            })
        })
        .await
    }

    pub async fn rotate(&self, owner: UserId, made: &Made, overlap: Duration) -> Result<Made, ApiKeyError> {
        let (clock, id) = (self.clock.clone(), made.row.id);
        self.keys(move |tx| {
            Box::pin(async move {
                let tools = (&clock as &dyn Clock, &SystemRandom as &dyn portolan_core::Random);
                api_keys::rotate(tx, &Who::person(owner), id, Some(owner), overlap, tools).await
            })
        })
        .await
    }

    pub async fn end(&self, owner: Option<UserId>, made: &Made) -> Result<(), ApiKeyError> {
        let (now, id) = (self.clock.now(), made.row.id);
        self.keys(move |tx| {
            Box::pin(async move { api_keys::revoke(tx, &Who::operator(), id, owner, now).await })
        })
        .await
    }

    pub async fn holder(&self, key: &str) -> Option<KeyHolder> {
        self.holder_from(key, None).await
    }

    pub async fn holder_from(&self, key: &str, address: Option<&str>) -> Option<KeyHolder> {
        let address = address.map(|address| address.parse::<IpAddr>().expect("an address"));
        self.sessions.authenticate_key(key, address).await.expect("a look")
    }
}

#[tokio::test]
async fn a_key_may_do_what_it_says_and_what_its_maker_may_now() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let name = format!("person-{}", new_id());
        let maker = add_as(&door.database, &name, door.tenant, SystemRole::Manager).await.expect("a person");
        let made = door.make(maker, wanted(&SCOPES)).await.expect("made");
        let may = async || {
            let holder = door.holder(&made.key).await?;
            assert_eq!((holder.key, holder.owner, holder.tenant), (made.row.id, maker, door.tenant));
            Some(Permission::ALL.iter().copied().filter(|one| holder.may(*one)).collect::<BTreeSet<_>>())
        };
        assert_eq!(
            may().await,
            Some(BTreeSet::from(SCOPES)),
            "the scopes, and nothing else that the maker may"
        );

        let (by, now) = (Who::person(door.user), door.clock.now());
        let support = BTreeSet::from(["support".to_owned()]);
        let change = door.database.write(door.tenant, move |tx| {
            Box::pin(async move { set_roles(tx, &by, maker, &support, now).await })
        });
        change.await.expect("another role");
        assert_eq!(
            may().await,
            Some(BTreeSet::from([Permission::OrdersRead])),
            "what the maker lost is gone"
        );

        let by = Who::person(door.user);
        let banned = door
            .database
            .write(door.tenant, move |tx| Box::pin(async move { ban(tx, &by, maker, "left", now).await }));
        banned.await.expect("banned");
        assert_eq!(may().await, None, "a banned maker's key is dead");
        let by = Who::person(door.user);
        let lifted = door
            .database
            .write(door.tenant, move |tx| Box::pin(async move { lift_ban(tx, &by, maker, now).await }));
        lifted.await.expect("lifted");
        assert!(may().await.is_some());
        let by = Who::person(door.user);
        let gone = door
            .database
            .write(door.tenant, move |tx| Box::pin(async move { remove_member(tx, &by, maker, now).await }));
        gone.await.expect("gone");
        assert_eq!(may().await, None);
        let tx = door.database.read(door.tenant).await.expect("read");
        assert!(
            tx.find::<api_key::Entity>().all(&tx).await.expect("keys").is_empty(),
            "it left with its maker"
        );
    })
    .await;
}

#[tokio::test]
async fn no_key_decides_over_people_and_keys_and_none_does_what_its_maker_may_not() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        for never in api_keys::NEVER {
            let refused = door.make(door.user, wanted(&[Permission::OrdersRead, *never])).await;
            assert!(matches!(refused, Err(ApiKeyError::Never(one)) if one == *never), "{refused:?}");
        }
        let clock = door.clock.clone();
        let owner = door.user;
        let refused = door.keys(move |tx| {
            Box::pin(async move {
                let tools = (&clock as &dyn Clock, &SystemRandom as &dyn portolan_core::Random);
                let may = |one| one != Permission::AnalyticsQuery;
                api_keys::create(tx, &Who::person(owner), owner, may, wanted(&SCOPES), tools).await
            })
        });
        assert!(matches!(refused.await, Err(ApiKeyError::NotYours(Permission::AnalyticsQuery))));
        let wrong = |change: &dyn Fn(&mut NewApiKey)| {
            let mut new = wanted(&SCOPES);
            change(&mut new);
            new
        };
        for (new, expected) in [
            (wrong(&|new| new.name = "  ".to_owned()), "name"),
            (wrong(&|new| new.name = "n".repeat(101)), "name"),
            (wrong(&|new| new.scopes.clear()), "at least one"),
            (wrong(&|new| new.days = Some(0)), "days"),
            (wrong(&|new| new.days = Some(731)), "days"),
            (wrong(&|new| new.networks = vec!["everywhere".to_owned()]), "no network"),
            (wrong(&|new| new.networks = vec!["192.0.2.0/33".to_owned()]), "no network"),
            (wrong(&|new| new.networks = vec!["192.0.2.0/24".to_owned(); 21]), "no network"),
        ] {
            let refused = door.make(door.user, new).await.expect_err("refused").to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_ends_by_time_and_by_hand_and_comes_from_its_networks_only() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let networks = vec!["192.0.2.7/24".to_owned(), "2001:db8::1".to_owned(), String::new()];
        let new = NewApiKey { days: Some(2), networks, ..wanted(&SCOPES) };
        let made = door.make(door.user, new).await.expect("made");
        assert_eq!(made.row.networks, "192.0.2.0/24 2001:db8::1/128");
        for inside in ["192.0.2.200", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert!(door.holder_from(&made.key, Some(inside)).await.is_some(), "{inside}");
        }
        for outside in [None, Some("192.0.3.1"), Some("2001:db8::2")] {
            assert!(door.holder_from(&made.key, outside).await.is_none(), "{outside:?}");
        }
        door.clock.advance(Duration::from_hours(48));
        assert!(door.holder_from(&made.key, Some("192.0.2.1")).await.is_none(), "its time is over");
        assert!(matches!(door.rotate(door.user, &made, Duration::ZERO).await, Err(ApiKeyError::Ended)));

        let made = door.make(door.user, wanted(&SCOPES)).await.expect("made");
        assert!(door.holder(&made.key).await.is_some());
        let stranger = UserId(new_id());
        assert!(matches!(door.end(Some(stranger), &made).await, Err(ApiKeyError::Unknown)));
        door.end(Some(door.user), &made).await.expect("ended");
        assert!(door.holder(&made.key).await.is_none());
        assert!(matches!(door.end(None, &made).await, Err(ApiKeyError::Ended)));
        door.clock.advance(Duration::from_hours(24 * 89));
        let lasting = door.make(door.user, wanted(&SCOPES)).await.expect("made");
        door.clock.advance(Duration::from_hours(24 * 89));
        assert!(door.holder(&lasting.key).await.is_some(), "90 days where nobody says otherwise");
        door.clock.advance(Duration::from_hours(24));
        assert!(door.holder(&lasting.key).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn the_old_secret_goes_on_for_as_long_as_was_said() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let first = door.make(door.user, wanted(&SCOPES)).await.expect("made");
        let second = door.rotate(door.user, &first, Duration::from_hours(3)).await.expect("another");
        assert_eq!((second.row.id, second.key == first.key), (first.row.id, false));
        for key in [&first.key, &second.key] {
            assert!(door.holder(key).await.is_some());
        }
        door.clock.advance(Duration::from_hours(3));
        assert!(door.holder(&first.key).await.is_none(), "its grace is over");
        assert!(door.holder(&second.key).await.is_some());
        let third = door.rotate(door.user, &second, Duration::ZERO).await.expect("another");
        assert!(door.holder(&second.key).await.is_none(), "at once");
        assert!(door.holder(&third.key).await.is_some());
        for wrong in [Duration::from_hours(25), Duration::from_hours(-1)] {
            assert!(matches!(door.rotate(door.user, &third, wrong).await, Err(ApiKeyError::Overlap)));
        }
        let fourth = door.rotate(door.user, &third, Duration::from_hours(24)).await.expect("another");
        door.end(Some(door.user), &fourth).await.expect("ended");
        for key in [&third.key, &fourth.key] {
            assert!(door.holder(key).await.is_none(), "with everything that was of it");
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_that_is_stored_or_told_is_a_key_and_use_is_noted_once_a_minute() {
    on_both(migrate, async |test| {
        let (door, other) = (Door::new(test).await, Door::new(test).await);
        let made = door.make(door.user, wanted(&SCOPES)).await.expect("made");
        let row = async || {
            let tx = door.database.read(door.tenant).await.expect("read");
            tx.find::<api_key::Entity>().all(&tx).await.expect("keys").pop().expect("a key")
        };
        // By its place: underscores are letters of it.
        let secret = made.key[37..80].to_owned();
        let stored = format!("{:?} {made:?}", row().await);
        assert!(!stored.contains(&secret), "{stored}");
        assert_eq!(row().await.last_used_at, None);
        let first = door.clock.now();
        door.holder(&made.key).await.expect("known");
        door.clock.advance(Duration::from_secs(59));
        door.holder(&made.key).await.expect("known");
        assert_eq!(row().await.last_used_at, Some(first.0));
        door.clock.advance(Duration::from_secs(1));
        door.holder(&made.key).await.expect("known");
        assert_eq!(row().await.last_used_at, Some(door.clock.now().0));

        // Of a well-formed key with another secret nobody knows anything.
        let guess = other.make(other.user, wanted(&SCOPES)).await.expect("made");
        let holder = door.holder(&guess.key).await.expect("known");
        assert_eq!(holder.tenant, other.tenant, "a key is of its own tenant alone");
        for garbage in
            ["", "ptl_", "Bearer", &made.key[..60], &made.key.to_uppercase(), &format!("{}0", made.key)]
        {
            assert!(door.holder(garbage).await.is_none(), "{garbage}");
        }
        let tx = door.database.read(door.tenant).await.expect("read");
        let events = tx.find::<audit_event::Entity>().all(&tx).await.expect("events");
        let told: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
        assert!(told.contains(&"api_key.create"), "{told:?}");
        assert!(!format!("{events:?}").contains(&secret));
    })
    .await;
}
