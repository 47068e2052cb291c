//! Who may change whom, that an owner is left, and that what is taken is gone at once everywhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use portolan_access::audit::Who;
use portolan_access::{
    Client, MemberError, NewSession, Permission, Sessions, SystemRole, ban, lift_ban, members, remove_member,
    set_roles,
};
use portolan_core::{Clock, Instant, SystemRandom, UserId};
use portolan_db::TenantTx;
use portolan_db::Work;

use crate::support::{Door, add_as, migrate, new_id, on_both};

fn roles(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Door {
    async fn change<T: Send + 'static>(
        &self,
        work: impl for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, MemberError> + Send + 'static,
    ) -> Result<T, MemberError> {
        self.database.write(self.tenant, work).await
    }

    async fn give(&self, by: UserId, of: UserId, names: &[&str]) -> Result<(), MemberError> {
        let (roles, by, now) = (roles(names), Who::person(by), self.clock.now());
        self.change(move |tx| Box::pin(async move { set_roles(tx, &by, of, &roles, now).await })).await
    }

    async fn ban(&self, by: UserId, whom: UserId, reason: &str) -> Result<(), MemberError> {
        let (reason, by, now) = (reason.to_owned(), Who::person(by), self.clock.now());
        self.change(move |tx| Box::pin(async move { ban(tx, &by, whom, &reason, now).await })).await
    }

    async fn take_off(&self, by: UserId, whom: UserId) -> Result<(), MemberError> {
        let (by, now) = (Who::person(by), self.clock.now());
        self.change(move |tx| Box::pin(async move { remove_member(tx, &by, whom, now).await })).await
    }

    async fn add(&self, role: SystemRole) -> UserId {
        let name = format!("person-{}", new_id());
        add_as(&self.database, &name, self.tenant, role).await.expect("a person")
    }

    async fn come_in(&self, user: UserId) -> NewSession {
        let link = self.sessions.create_link(self.tenant, user).await.expect("a link");
        self.sessions.sign_in_with_link(&link, Client::default()).await.expect("come in")
    }

    async fn owners(&self) -> usize {
        let tx = self.database.read(self.tenant).await.expect("read");
        let members = members(&tx).await.expect("members");
        members.iter().filter(|one| one.ban.is_none() && one.roles.contains("owner")).count()
    }
}

#[tokio::test]
async fn what_is_given_and_taken_counts_at_once_on_every_server() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        // Another server: its own memory of rules, the same database.
        let other =
            Sessions::new(door.database.clone(), Arc::new(door.clock.clone()), Arc::new(SystemRandom));
        let person = door.add(SystemRole::Viewer).await;
        let session = door.come_in(person).await;
        let may = async |permission| {
            let here = door.sessions.authenticate(&session.token).await.expect("look").expect("stands");
            let there = other.still_stands(&session.token).await.expect("look").expect("stands");
            assert_eq!(here.may(permission), there.may(permission));
            here.may(permission)
        };
        assert!(may(Permission::OrdersRead).await);
        assert!(!may(Permission::FinanceRead).await);
        door.give(door.user, person, &["finance", "support"]).await.expect("given");
        assert!(may(Permission::FinanceRead).await);
        door.give(door.user, person, &["marketer"]).await.expect("given");
        assert!(!may(Permission::FinanceRead).await);

        door.ban(door.user, person, "left the company").await.expect("banned");
        assert!(door.sessions.authenticate(&session.token).await.expect("look").is_none());
        assert!(other.authenticate(&session.token).await.expect("look").is_none());
        assert!(
            door.sessions.create_link(door.tenant, person).await.is_err(),
            "a banned person has no way in"
        );
        let by = door.user;
        let now = door.clock.now();
        door.change(move |tx| Box::pin(async move { lift_ban(tx, &Who::person(by), person, now).await }))
            .await
            .expect("lifted");
        let session = door.come_in(person).await;
        let back = door.sessions.authenticate(&session.token).await.expect("look").expect("stands");
        assert!(back.may(Permission::AnalyticsQuery) && !back.may(Permission::FinanceRead));
    })
    .await;
}

#[tokio::test]
async fn nobody_gives_takes_or_bans_above_themselves() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let admin = door.add(SystemRole::Admin).await;
        let manager = door.add(SystemRole::Manager).await;
        let viewer = door.add(SystemRole::Viewer).await;
        let refused = |result: Result<(), MemberError>| {
            assert!(matches!(result, Err(MemberError::MayNotGive(_))), "{result:?}");
        };
        refused(door.give(admin, admin, &["owner"]).await);
        refused(door.give(admin, door.user, &["viewer"]).await);
        refused(door.ban(admin, door.user, "a coup").await);
        refused(door.take_off(admin, door.user).await);
        refused(door.give(manager, viewer, &["manager"]).await);
        refused(door.give(manager, admin, &["viewer"]).await);
        refused(door.give(viewer, viewer, &["analyst"]).await);
        door.give(manager, viewer, &["analyst"]).await.expect("a manager lets analysts in");
        door.give(admin, manager, &["ops", "finance"]).await.expect("an admin gives all but owners");

        let unknown = door.give(door.user, viewer, &["pirate"]).await;
        assert!(matches!(unknown, Err(MemberError::UnknownRole(_))));
        assert!(matches!(door.give(door.user, viewer, &[]).await, Err(MemberError::NoRole)));
        assert!(matches!(
            door.give(door.user, viewer, &["owner", "viewer"]).await,
            Err(MemberError::OwnerAlone)
        ));
        assert!(matches!(door.ban(admin, viewer, "  ").await, Err(MemberError::Reason)));
        assert!(matches!(door.ban(admin, admin, "tired").await, Err(MemberError::Themselves)));
        let stranger = UserId(new_id());
        assert!(matches!(door.give(door.user, stranger, &["viewer"]).await, Err(MemberError::NotMember)));
    })
    .await;
}

#[tokio::test]
async fn an_owner_is_always_left() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let only = door.user;
        assert!(matches!(door.give(only, only, &["admin"]).await, Err(MemberError::LastOwner)));
        assert!(matches!(door.take_off(only, only).await, Err(MemberError::LastOwner)));
        let second = door.add(SystemRole::Owner).await;
        door.ban(only, second, "for now").await.expect("one is left");
        assert!(
            matches!(door.take_off(only, only).await, Err(MemberError::LastOwner)),
            "a banned owner is none"
        );

        let third = door.add(SystemRole::Owner).await;
        for round in 0..8 {
            // Each steps down at the moment the other does: one may, never both.
            let (first, last) =
                tokio::join!(door.give(only, only, &["admin"]), door.give(third, third, &["admin"]));
            assert_eq!(door.owners().await, 1, "round {round}: {first:?} {last:?}");
            assert_ne!(first.is_ok(), last.is_ok(), "round {round}");
            let (owner, other) = if first.is_ok() { (third, only) } else { (only, third) };
            door.give(owner, other, &["owner"]).await.expect("back");
        }
    })
    .await;
}

#[tokio::test]
async fn members_are_listed_with_roles_and_bans() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await;
        let person = door.add(SystemRole::Analyst).await;
        door.give(door.user, person, &["analyst", "finance"]).await.expect("given");
        door.ban(door.user, person, " lost their laptop ").await.expect("banned");
        let tx = door.database.read(door.tenant).await.expect("read");
        let listed = members(&tx).await.expect("members");
        assert_eq!(listed.len(), 2);
        let found = listed.iter().find(|member| member.user == person).expect("listed");
        assert_eq!(found.roles, roles(&["analyst", "finance"]));
        let ban = found.ban.as_ref().expect("a ban");
        assert_eq!((ban.reason.as_str(), ban.at), ("lost their laptop", door.clock.now()));
        assert!(found.joined_at > Instant(0));
    })
    .await;
}
