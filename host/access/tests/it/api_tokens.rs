//! Short tokens end in time, with their key, and when they are in two hands; and each is renewed once.

use portolan_access::api_keys::{self, Made, NewApiKey, Refreshed, TokenError, TokenPair};
use portolan_access::audit::Who;
use portolan_access::{Permission, SystemRole, ban};
use portolan_core::{Clock, Duration, Random, SystemRandom, UserId};

use crate::api_keys::wanted;
use crate::support::{Door, add_as, migrate, new_id, on_both};

const SCOPES: [Permission; 2] = [Permission::OrdersRead, Permission::AnalyticsQuery];

impl Door {
    async fn buy(&self, made: &Made, scopes: Option<&[Permission]>) -> Result<TokenPair, TokenError> {
        let holder = self.holder(&made.key).await.expect("a key that stands");
        let (clock, scopes) = (self.clock.clone(), scopes.map(|scopes| scopes.iter().copied().collect()));
        self.database
            .write(self.tenant, move |tx| {
                Box::pin(async move {
                    let tools = (&clock as &dyn Clock, &SystemRandom as &dyn Random);
                    api_keys::issue(tx, &Who::operator(), &holder, scopes, tools).await
                })
            })
            .await
    }

    /// `None` where the token opens nothing.
    async fn renew(&self, token: &str) -> Option<Refreshed> {
        let refreshing = self.sessions.refreshing(token, None).await.expect("a look")?;
        let clock = self.clock.clone();
        let renewed = self.database.write(self.tenant, move |tx| {
            Box::pin(async move {
                let tools = (&clock as &dyn Clock, &SystemRandom as &dyn Random);
                api_keys::refresh(tx, &Who::operator(), &refreshing, tools).await
            })
        });
        Some(renewed.await.expect("an answer"))
    }

    async fn comes_in(&self, pair: &TokenPair) -> bool {
        self.holder(&pair.access_token).await.is_some()
    }

    async fn seller(&self, days: i64) -> (UserId, Made) {
        let name = format!("person-{}", new_id());
        let maker = add_as(&self.database, &name, self.tenant, SystemRole::Manager).await.expect("a person");
        let new = NewApiKey { days: Some(days), ..wanted(&SCOPES) };
        (maker, self.make(maker, new).await.expect("made"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_renew_one_token_at_once_one_is_given_the_next() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let (_, key) = door.seller(30).await;
        let pair = door.buy(&key, None).await.expect("bought");
        let all = futures_of(&door, &pair.refresh_token).await;
        let mut next = all.iter().filter_map(|answer| match answer {
            Some(Refreshed::New(next)) => Some(next),
            _ => None,
        });
        let (first, second) = (next.next().expect("one of them"), next.next());
        assert!(second.is_none(), "and nobody else");
        assert!(!all.iter().any(|answer| matches!(answer, Some(Refreshed::Reused))), "within one moment");
        assert!(door.comes_in(first).await && door.comes_in(&pair).await);
    })
    .await;
}

async fn futures_of(door: &Door, token: &str) -> Vec<Option<Refreshed>> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (door, token) = (door.clone(), token.to_owned());
        tasks.spawn(async move { door.renew(&token).await });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn a_token_in_two_hands_ends_its_family_and_no_other() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let (_, key) = door.seller(30).await;
        let (stolen, other) =
            (door.buy(&key, None).await.expect("one"), door.buy(&key, None).await.expect("another"));
        let Some(Refreshed::New(next)) = door.renew(&stolen.refresh_token).await else { panic!("renewed") };
        door.clock.advance(Duration::from_secs(9));
        assert!(matches!(door.renew(&stolen.refresh_token).await, Some(Refreshed::Repeated)));
        assert!(door.comes_in(&next).await, "a repetition ends nothing");
        door.clock.advance(Duration::from_secs(2));
        assert!(matches!(door.renew(&stolen.refresh_token).await, Some(Refreshed::Reused)));
        assert!(!door.comes_in(&next).await && !door.comes_in(&stolen).await);
        assert!(door.renew(&next.refresh_token).await.is_none());
        assert!(door.renew(&stolen.refresh_token).await.is_none(), "and says no more than that");
        assert!(door.comes_in(&other).await);
        assert!(matches!(door.renew(&other.refresh_token).await, Some(Refreshed::New(_))));
    })
    .await;
}

#[tokio::test]
async fn tokens_end_in_time_and_with_their_key_and_its_maker() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let (_, key) = door.seller(30).await;
        let pair = door.buy(&key, None).await.expect("bought");
        door.clock.advance(Duration::from_ms(10 * 60 * 1_000 - 1));
        assert!(door.comes_in(&pair).await);
        door.clock.advance(Duration::from_ms(1));
        assert!(!door.comes_in(&pair).await, "ten minutes");

        // Another secret for the key: what the old one bought may be in other hands.
        let pair = door.buy(&key, None).await.expect("bought");
        let key =
            door.rotate(UserId(key.row.created_by), &key, Duration::from_hours(1)).await.expect("another");
        assert!(!door.comes_in(&pair).await && door.renew(&pair.refresh_token).await.is_none());

        let pair = door.buy(&key, None).await.expect("bought");
        door.end(None, &key).await.expect("ended");
        assert!(!door.comes_in(&pair).await && door.renew(&pair.refresh_token).await.is_none());

        let (maker, key) = door.seller(1).await;
        let pair = door.buy(&key, None).await.expect("bought");
        assert_eq!(pair.refresh_until.0, key.row.expires_at, "no longer than the key");
        let (database, tenant, now) = (door.database.clone(), door.tenant, door.clock.now());
        let banned = database.write(tenant, move |tx| {
            Box::pin(async move { ban(tx, &Who::operator(), maker, "left", now).await })
        });
        banned.await.expect("banned");
        assert!(!door.comes_in(&pair).await && door.renew(&pair.refresh_token).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_token_may_do_what_it_was_bought_for_and_never_more_than_its_key() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let (_, key) = door.seller(30).await;
        let pair = door.buy(&key, Some(&SCOPES[..1])).await.expect("bought");
        let may = async |token: &str| {
            let holder = door.holder(token).await.expect("comes in");
            Permission::ALL.iter().copied().filter(|one| holder.may(*one)).collect::<Vec<_>>()
        };
        assert_eq!(may(&pair.access_token).await, SCOPES[..1]);
        let Some(Refreshed::New(next)) = door.renew(&pair.refresh_token).await else { panic!("renewed") };
        assert_eq!(may(&next.access_token).await, SCOPES[..1], "nor when it is renewed");
        for wrong in [&[][..], &[Permission::SyncsRun], &[Permission::OrdersRead, Permission::PeopleManage]] {
            let refused = door.buy(&key, Some(wrong)).await.expect_err("refused");
            assert!(matches!(refused, TokenError::NoScope | TokenError::Scope(_)), "{refused}");
        }
    })
    .await;
}
