//! A link lets one in, once, in time.

use portolan_access::{Client, SignInError};
use portolan_core::Duration;

use crate::support::{Door, migrate, on_both};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_try_a_link_at_once_one_comes_in() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let token = door.sessions.create_link(door.tenant, door.user).await.expect("link");
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (sessions, token) = (door.sessions.clone(), token.clone());
                tokio::spawn(async move { sessions.sign_in_with_link(&token, Client::default()).await })
            })
            .collect();
        let mut came_in = 0;
        for attempt in tries {
            match attempt.await.expect("task") {
                Ok(session) => {
                    came_in += 1;
                    assert_eq!((session.user, session.tenant), (door.user, door.tenant));
                }
                Err(error) => assert!(matches!(error, SignInError::Refused), "{error}"),
            }
        }
        assert_eq!(came_in, 1);
    })
    .await;
}

#[tokio::test]
async fn looking_at_a_link_does_not_use_it_up_but_time_does() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let token = door.sessions.create_link(door.tenant, door.user).await.expect("link");
        for _ in 0..3 {
            assert!(door.sessions.link_is_valid(&token).await.expect("look"));
        }
        door.clock.advance(Duration::from_minutes(15));
        assert!(!door.sessions.link_is_valid(&token).await.expect("look"));
        assert!(matches!(
            door.sessions.sign_in_with_link(&token, Client::default()).await,
            Err(SignInError::Refused)
        ));
        assert!(!door.sessions.link_is_valid("made up").await.expect("look"));
    })
    .await;
}

#[tokio::test]
async fn a_link_is_made_for_members_only_and_its_token_is_stored_nowhere() {
    on_both(migrate, async |test| {
        let (door, other) = (Door::new(test).await, Door::new(test).await);
        let refused = door.sessions.create_link(other.tenant, door.user).await;
        assert!(matches!(refused, Err(SignInError::Refused)));

        let token = door.sessions.create_link(door.tenant, door.user).await.expect("link");
        let tx = door.database.system_read().await.expect("read");
        let links = tx.find::<portolan_db::entity::sign_in_link::Entity>().all(&tx).await.expect("links");
        assert_eq!(links.len(), 1);
        assert!(!format!("{links:?}").contains(&token));
    })
    .await;
}
