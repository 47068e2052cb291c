//! Passwords and sessions.

use portolan_access::{Client, Permission, PersonError, SignInError};
use portolan_core::Duration;
use portolan_db::DbError;
use portolan_db::entity::{membership, session};
use portolan_db::sea_orm::{ColumnTrait, QueryFilter};

use crate::support::{Door, PASSWORD, add, migrate, on_both};

#[tokio::test]
async fn the_right_password_comes_in_and_every_wrong_one_hears_the_same() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await.with_password().await;
        let spelled = format!("  {} ", door.name.to_uppercase());
        let session = door
            .sessions
            .sign_in_with_password(&spelled, PASSWORD, Client::default())
            .await
            .expect("come in");
        let signed_in = door.sessions.authenticate(&session.token).await.expect("look");
        let signed_in = signed_in.expect("stands");
        assert_eq!((signed_in.user, signed_in.tenant), (door.user, door.tenant));
        assert!(Permission::ALL.iter().all(|permission| signed_in.may(*permission)));

        let mut answers = Vec::new();
        for (name, password) in [(door.name.as_str(), "wrong"), ("nobody", PASSWORD), ("", "")] {
            let refused = door
                .sessions
                .sign_in_with_password(name, password, Client::default())
                .await
                .expect_err("refused");
            answers.push(refused.to_string());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_person_without_a_password_comes_in_by_link_only() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        assert!(matches!(
            door.sessions.sign_in_with_password(&door.name, "", Client::default()).await,
            Err(SignInError::Refused)
        ));
        let token = door.sessions.create_link(door.tenant, door.user).await.expect("link");
        door.sessions.sign_in_with_link(&token, Client::default()).await.expect("come in");
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_when_idle_and_after_twelve_hours_however_busy() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let sign_in = async || {
            let token = door.sessions.create_link(door.tenant, door.user).await.expect("link");
            door.sessions.sign_in_with_link(&token, Client::default()).await.expect("come in").token
        };
        let stands = async |token: &str| door.sessions.authenticate(token).await.expect("look").is_some();

        let idle = sign_in().await;
        door.clock.advance(Duration::from_minutes(119));
        assert!(stands(&idle).await);
        door.clock.advance(Duration::from_minutes(119));
        assert!(stands(&idle).await, "being seen keeps it alive");
        door.clock.advance(Duration::from_hours(2));
        assert!(!stands(&idle).await);

        let busy = sign_in().await;
        for _ in 0..11 {
            door.clock.advance(Duration::from_hours(1));
            assert!(stands(&busy).await);
        }
        door.clock.advance(Duration::from_hours(1));
        assert!(!stands(&busy).await);

        door.sessions.forget_expired().await.expect("forget");
        let tx = door.database.system_read().await.expect("read");
        assert!(tx.find::<session::Entity>().all(&tx).await.expect("sessions").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_window_that_is_merely_open_does_not_keep_its_session_alive() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let link = door.sessions.create_link(door.tenant, door.user).await.expect("link");
        let token = door.sessions.sign_in_with_link(&link, Client::default()).await.expect("come in").token;
        for _ in 0..3 {
            door.clock.advance(Duration::from_minutes(39));
            assert!(door.sessions.still_stands(&token).await.expect("look").is_some());
        }
        door.clock.advance(Duration::from_minutes(4));
        assert!(door.sessions.still_stands(&token).await.expect("look").is_none());
    })
    .await;
}

#[tokio::test]
async fn signing_out_is_told_to_what_is_open() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let link = door.sessions.create_link(door.tenant, door.user).await.expect("link");
        let token = door.sessions.sign_in_with_link(&link, Client::default()).await.expect("come in").token;
        let endings = door.sessions.clone().endings();
        assert!(!endings.has_changed().expect("open"));
        door.sessions.sign_out(&token, Client::default()).await.expect("sign out");
        assert!(endings.has_changed().expect("open"));
    })
    .await;
}

#[tokio::test]
async fn signing_out_and_losing_the_membership_end_a_session() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let link = door.sessions.create_link(door.tenant, door.user).await.expect("link");
            tokens.push(
                door.sessions.sign_in_with_link(&link, Client::default()).await.expect("come in").token,
            );
        }
        door.sessions.sign_out(&tokens[0], Client::default()).await.expect("sign out");
        door.sessions.sign_out(&tokens[0], Client::default()).await.expect("again");
        assert!(door.sessions.authenticate(&tokens[0]).await.expect("look").is_none());
        assert!(door.sessions.authenticate(&tokens[1]).await.expect("look").is_some());

        let user = door.user;
        let removed = door
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    let own = membership::Column::UserId.eq(user.0);
                    Ok::<_, DbError>(tx.delete_many::<membership::Entity>().filter(own).exec(tx).await?)
                })
            })
            .await;
        assert_eq!(removed.expect("remove").rows_affected, 1);
        assert!(door.sessions.authenticate(&tokens[1]).await.expect("look").is_none());
    })
    .await;
}

#[tokio::test]
async fn adding_somebody_again_finds_them() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        assert_eq!(add(&door.database, &door.name, door.tenant).await.expect("again"), door.user);
        for name in ["", "  ", "two words", &"x".repeat(300)] {
            assert!(
                matches!(add(&door.database, name, door.tenant).await, Err(PersonError::Name(_))),
                "{name:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_token_of_a_session_is_stored_nowhere() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let link = door.sessions.create_link(door.tenant, door.user).await.expect("link");
        let session = door.sessions.sign_in_with_link(&link, Client::default()).await.expect("come in");
        let tx = door.database.system_read().await.expect("read");
        let stored = format!("{:?}", tx.find::<session::Entity>().all(&tx).await.expect("sessions"));
        assert!(!stored.contains(&session.token));
        assert!(!format!("{session:?}").contains(&session.token));
    })
    .await;
}
