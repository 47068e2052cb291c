//! Who comes in by an invitation, and who does not.

use std::collections::BTreeSet;

use portolan_access::audit::Who;
use portolan_access::{
    AcceptError, Client, CustomRole, Effect, INVITATION_LASTS, MemberError, NewSession, Permission, Rights,
    SignInError, SystemRole, ban, create_role, delete_role, invite, open_invitations, set_roles, tenants_of,
    withdraw_invitation,
};
use portolan_core::{Clock, Duration, Instant, SystemRandom, UserId};

use crate::support::{Door, add_as, migrate, new_id, on_both};

fn roles(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Door {
    async fn invite(&self, by: UserId, name: &str, names: &[&str]) -> Result<String, MemberError> {
        let (name, roles, clock) = (name.to_owned(), roles(names), self.clock.clone());
        self.database
            .write(self.tenant, move |tx| {
                Box::pin(async move {
                    let made = invite(
                        tx,
                        &Who::person(by),
                        &name,
                        &roles,
                        INVITATION_LASTS,
                        (&clock, &SystemRandom),
                    )
                    .await?;
                    Ok(made.1)
                })
            })
            .await
    }

    async fn accept(&self, token: &str, present: Option<&str>) -> Result<NewSession, AcceptError> {
        self.sessions.accept_invitation(token, present, Client::default()).await
    }

    async fn member(&self, role: SystemRole) -> UserId {
        let name = format!("person-{}", new_id());
        add_as(&self.database, &name, self.tenant, role).await.expect("a person")
    }

    async fn session_of(&self, user: UserId) -> NewSession {
        let link = self.sessions.create_link(self.tenant, user).await.expect("a link");
        self.sessions.sign_in_with_link(&link, Client::default()).await.expect("come in")
    }
}

#[tokio::test]
async fn a_newcomer_comes_in_once_with_the_roles_that_were_chosen() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let name = format!("Grace-{}", new_id());
        let first = door.invite(door.user, &name, &["viewer"]).await.expect("invited");
        let token = door.invite(door.user, &name, &["analyst", "finance"]).await.expect("invited anew");
        assert!(
            matches!(door.accept(&first, None).await, Err(AcceptError::Invalid)),
            "the older one has ended"
        );
        let seen = door.sessions.look_at_invitation(&token).await.expect("look").expect("an invitation");
        assert_eq!((seen.sign_in_name.as_str(), seen.known), (name.to_lowercase().as_str(), false));
        for wrong in ["", "abc", &token[..40], &format!("{}x", token), &"0".repeat(75)] {
            assert!(door.sessions.look_at_invitation(wrong).await.expect("look").is_none(), "{wrong}");
            assert!(matches!(door.accept(wrong, None).await, Err(AcceptError::Invalid)), "{wrong}");
        }

        let (once, again) = tokio::join!(door.accept(&token, None), door.accept(&token, None));
        assert_ne!(once.is_ok(), again.is_ok(), "of two who try at once one comes in");
        let session = once.or(again).expect("one");
        let signed_in = door.sessions.authenticate(&session.token).await.expect("look").expect("signed in");
        assert_eq!(signed_in.tenant, door.tenant);
        assert!(signed_in.may(Permission::FinanceRead) && !signed_in.may(Permission::PeopleManage));
        let already = door.invite(door.user, &name, &["viewer"]).await;
        assert!(matches!(already, Err(MemberError::AlreadyMember(_))));

        let late = door.invite(door.user, "late@example.com", &["viewer"]).await.expect("invited");
        door.clock.advance(INVITATION_LASTS);
        door.clock.advance(Duration::from_secs(1));
        assert!(matches!(door.accept(&late, None).await, Err(AcceptError::Invalid)));
        let tx = door.database.read(door.tenant).await.expect("read");
        assert_eq!(open_invitations(&tx, door.clock.now()).await.expect("read"), []);
    })
    .await;
}

/// Else whoever may invite could become anybody on this host.
#[tokio::test]
async fn an_invitation_opens_no_account_that_exists() {
    on_both(migrate, async |test| {
        let (door, elsewhere) = (Door::new(test).await, Door::new(test).await);
        let token = door.invite(door.user, &elsewhere.name, &["viewer"]).await.expect("invited");
        assert!(door.sessions.look_at_invitation(&token).await.expect("look").expect("one").known);
        assert!(matches!(door.accept(&token, None).await, Err(AcceptError::SignInFirst(_))));
        let stranger = door.session_of(door.user).await;
        assert!(matches!(door.accept(&token, Some(&stranger.token)).await, Err(AcceptError::SignInFirst(_))));

        let own = elsewhere.session_of(elsewhere.user).await;
        let joined = door.accept(&token, Some(&own.token)).await.expect("joined");
        assert_eq!((joined.user, joined.tenant), (elsewhere.user, door.tenant));
        // From one tenant to the other and back: each time by a new token that ends the one before.
        let there = door
            .sessions
            .switch_tenant(&joined.token, elsewhere.tenant, Client::default())
            .await
            .expect("there");
        assert!(door.sessions.authenticate(&joined.token).await.expect("look").is_none());
        let signed_in = door.sessions.authenticate(&there.token).await.expect("look").expect("signed in");
        assert!(signed_in.tenant == elsewhere.tenant && signed_in.may(Permission::PeopleManage));
        assert_eq!(there.expires_at, joined.expires_at);
        let back =
            door.sessions.switch_tenant(&there.token, door.tenant, Client::default()).await.expect("back");
        let signed_in = door.sessions.authenticate(&back.token).await.expect("look").expect("signed in");
        assert!(!signed_in.may(Permission::PeopleManage), "roles are of a tenant");
        let tx = door.database.system_read().await.expect("read");
        assert_eq!(tenants_of(&tx, elsewhere.user).await.expect("tenants").len(), 2);
        drop(tx);

        // Nobody goes where they don't belong, or where they are banned.
        let third = Door::new(test).await;
        assert!(matches!(
            door.sessions.switch_tenant(&back.token, third.tenant, Client::default()).await,
            Err(SignInError::Refused)
        ));
        let (by, whom, now) = (elsewhere.user, door.user, Instant(1));
        let second = elsewhere.invite(by, &door.name, &["viewer"]).await.expect("invited");
        let own = door.session_of(whom).await;
        let joined = elsewhere.accept(&second, Some(&own.token)).await.expect("joined");
        let home =
            door.sessions.switch_tenant(&joined.token, door.tenant, Client::default()).await.expect("home");
        let banned: Result<(), MemberError> = elsewhere
            .database
            .write(elsewhere.tenant, move |tx| {
                Box::pin(async move { ban(tx, &Who::person(by), whom, "a test", now).await })
            })
            .await;
        banned.expect("banned");
        let refused = door.sessions.switch_tenant(&home.token, elsewhere.tenant, Client::default()).await;
        assert!(matches!(refused, Err(SignInError::Refused)));
        let tx = door.database.system_read().await.expect("read");
        assert_eq!(tenants_of(&tx, whom).await.expect("tenants").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_invited_to_more_than_the_inviter_may_give_then_and_now() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let (manager, admin) = (door.member(SystemRole::Manager).await, door.member(SystemRole::Admin).await);
        let name = || format!("new-{}", new_id());
        for (by, given) in [(manager, "admin"), (manager, "finance"), (admin, "owner")] {
            let refused = door.invite(by, &name(), &[given]).await;
            assert!(matches!(refused, Err(MemberError::MayNotGive(_))), "{given}");
        }
        assert!(matches!(door.invite(admin, &name(), &[]).await, Err(MemberError::NoRole)));
        assert!(matches!(
            door.invite(admin, "two words", &["viewer"]).await,
            Err(MemberError::SignInName(_))
        ));

        // An admin who has become less in between has not invited an admin.
        let token = door.invite(admin, &name(), &["admin"]).await.expect("invited");
        let (by, less) = (door.user, roles(&["viewer"]));
        let made_less: Result<(), MemberError> = door
            .database
            .write(door.tenant, move |tx| {
                Box::pin(async move { set_roles(tx, &Who::person(by), admin, &less, Instant(1)).await })
            })
            .await;
        made_less.expect("made less");
        let refused = door.accept(&token, None).await;
        assert!(matches!(refused, Err(AcceptError::Member(MemberError::MayNotGive(_)))), "{refused:?}");

        // A withdrawn one leads nowhere.
        let token = door.invite(door.user, &name(), &["viewer"]).await.expect("invited");
        let tx = door.database.read(door.tenant).await.expect("read");
        let open = open_invitations(&tx, door.clock.now()).await.expect("open");
        drop(tx);
        for one in open {
            let withdrawn: Result<(), MemberError> = door
                .database
                .write(door.tenant, move |tx| {
                    Box::pin(
                        async move { withdraw_invitation(tx, &Who::person(by), one.id, Instant(1)).await },
                    )
                })
                .await;
            withdrawn.expect("withdrawn");
        }
        assert!(matches!(door.accept(&token, None).await, Err(AcceptError::Invalid)));
    })
    .await;
}

#[tokio::test]
async fn a_role_that_is_held_says_who_holds_it() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let person = door.member(SystemRole::Viewer).await;
        let by = door.user;
        let desk = CustomRole {
            name: "desk".to_owned(),
            description: "  at the counter ".to_owned(),
            rules: [(Permission::OrdersRead, Effect::Allow), (Permission::FinanceRead, Effect::Deny)].into(),
            created_at: Instant(1),
        };
        let made: Result<(), MemberError> = door
            .database
            .write(door.tenant, move |tx| {
                Box::pin(async move {
                    let by = Who::person(by);
                    create_role(tx, &by, &desk, Instant(1)).await?;
                    set_roles(tx, &by, person, &roles(&["desk", "finance"]), Instant(1)).await
                })
            })
            .await;
        made.expect("made");
        let tx = door.database.read(door.tenant).await.expect("read");
        let rights = Rights::load(&tx).await.expect("rights");
        let explained = rights.explain(person, Permission::FinanceRead);
        assert!(!explained.allowed);
        let told: Vec<_> = explained.reasons.iter().map(|one| (one.role.as_str(), one.effect)).collect();
        assert_eq!(told, [("desk", Some(Effect::Deny)), ("finance", Some(Effect::Allow))]);
        drop(tx);
        let refused: Result<(), MemberError> = door
            .database
            .write(door.tenant, move |tx| {
                Box::pin(async move { delete_role(tx, &Who::person(by), "desk", Instant(1)).await })
            })
            .await;
        match refused {
            Err(MemberError::RoleHeld(by)) => assert!(by.starts_with("person-"), "{by}"),
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_accept_an_invitation_at_once_one_comes_in() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let name = format!("grace-{}", new_id());
        let token = door.invite(door.user, &name, &["viewer"]).await.expect("invited");
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (sessions, token) = (door.sessions.clone(), token.clone());
                tokio::spawn(async move { sessions.accept_invitation(&token, None, Client::default()).await })
            })
            .collect();
        let mut came_in = 0;
        for attempt in tries {
            match attempt.await.expect("task") {
                Ok(_) => came_in += 1,
                Err(error) => assert!(matches!(error, AcceptError::Invalid), "{error}"),
            }
        }
        assert_eq!(came_in, 1);
        let expired = door.invite(door.user, "late", &["viewer"]).await.expect("invited");
        door.clock.advance(INVITATION_LASTS);
        for _ in 0..3 {
            assert!(matches!(door.accept(&expired, None).await, Err(AcceptError::Invalid)));
        }
    })
    .await;
}
