//! Random histories of who gives what to whom: an owner is always left, nobody ends up with more than whoever changed
//! something had, what is refused changes nothing, and Casbin decides as the rights read.

use std::collections::{BTreeMap, BTreeSet};

use portolan_access::audit::Who;
use portolan_access::{
    CustomRole, Effect, MemberError, Permission, Policies, Rights, SystemRole, ban, change_role, create_role,
    create_team, delete_role, delete_team, lift_ban, members, remove_member, set_roles, set_team_members,
    set_team_roles, teams,
};
use portolan_core::{Instant, UserId};
use portolan_db::TenantTx;
use portolan_db::entity::tenant;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use crate::support::{Door, add_as, migrate, new_id, on_both};

const HISTORIES: u8 = 6;
const STEPS: usize = 45;

/// People of a history, by their first role; the owner of the door comes before them.
const PEOPLE: [SystemRole; 6] = [
    SystemRole::Owner,
    SystemRole::Admin,
    SystemRole::Admin,
    SystemRole::Manager,
    SystemRole::Analyst,
    SystemRole::Viewer,
];
/// What may be given: system roles, and names of the tenant's own, made or not.
const ROLES: [&str; 9] =
    ["owner", "admin", "manager", "analyst", "viewer", "finance", "desk", "night-shift", "nobody-made-me"];

#[derive(Debug, Clone)]
enum Step {
    Give {
        of: usize,
        roles: BTreeSet<usize>,
    },
    Ban(usize),
    Lift(usize),
    Remove(usize),
    MakeTeam,
    Staff {
        team: usize,
        members: BTreeSet<usize>,
    },
    Equip {
        team: usize,
        roles: BTreeSet<usize>,
    },
    EndTeam(usize),
    /// (the role, its rules as permission and whether it is denied).
    MakeRole(usize, Vec<(usize, bool)>),
    ChangeRole(usize, Vec<(usize, bool)>),
    EndRole(usize),
}

/// By whom, and what.
fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let person = || 0..=PEOPLE.len();
    let roles = || prop::collection::btree_set(0..ROLES.len(), 0..3);
    let rules = || prop::collection::vec((0..Permission::ALL.len(), any::<bool>()), 0..5);
    let own = || 6..8_usize;
    let step = prop_oneof![
        6 => (person(), roles()).prop_map(|(of, roles)| Step::Give { of, roles }),
        2 => person().prop_map(Step::Ban),
        3 => person().prop_map(Step::Lift),
        1 => person().prop_map(Step::Remove),
        2 => Just(Step::MakeTeam),
        5 => (0..3_usize, prop::collection::btree_set(person(), 0..4))
            .prop_map(|(team, members)| Step::Staff { team, members }),
        5 => (0..3_usize, roles()).prop_map(|(team, roles)| Step::Equip { team, roles }),
        1 => (0..3_usize).prop_map(Step::EndTeam),
        4 => (own(), rules()).prop_map(|(role, rules)| Step::MakeRole(role, rules)),
        5 => (own(), rules()).prop_map(|(role, rules)| Step::ChangeRole(role, rules)),
        1 => own().prop_map(Step::EndRole),
    ];
    // The mighty act more often.
    let by = prop_oneof![4 => 0..4_usize, 1 => person()];
    prop::collection::vec((by, step), STEPS)
}

fn named(roles: &BTreeSet<usize>) -> BTreeSet<String> {
    roles.iter().map(|role| ROLES[*role].to_owned()).collect()
}

fn custom(role: usize, rules: &[(usize, bool)]) -> CustomRole {
    let rules = rules.iter().map(|(permission, denied)| {
        (Permission::ALL[*permission], if *denied { Effect::Deny } else { Effect::Allow })
    });
    CustomRole {
        name: ROLES[role].to_owned(),
        description: "of a test".to_owned(),
        rules: rules.collect(),
        created_at: Instant(1),
    }
}

async fn take(tx: &TenantTx, people: &[UserId], by: UserId, step: &Step) -> Result<(), MemberError> {
    let (by, now) = (&Who::person(by), Instant(1));
    let known = teams(tx).await?;
    let team = |number: &usize| known.get(*number).map_or(Uuid::nil(), |team| team.id);
    match step {
        Step::Give { of, roles } => set_roles(tx, by, people[*of], &named(roles), now).await,
        Step::Ban(whom) => ban(tx, by, people[*whom], "a test", now).await,
        Step::Lift(whom) => lift_ban(tx, by, people[*whom], now).await,
        Step::Remove(whom) => remove_member(tx, by, people[*whom], now).await,
        Step::MakeTeam => {
            let id = new_id();
            create_team(tx, by, id, &format!("team {id}"), now).await
        }
        Step::Staff { team: number, members } => {
            let members = members.iter().map(|member| people[*member]).collect();
            set_team_members(tx, by, team(number), &members, now).await
        }
        Step::Equip { team: number, roles } => set_team_roles(tx, by, team(number), &named(roles), now).await,
        Step::EndTeam(number) => delete_team(tx, by, team(number), now).await,
        Step::MakeRole(role, rules) => create_role(tx, by, &custom(*role, rules), now).await,
        Step::ChangeRole(role, rules) => change_role(tx, by, &custom(*role, rules), now).await,
        Step::EndRole(role) => delete_role(tx, by, ROLES[*role], now).await,
    }
}

type Allowed = BTreeMap<UserId, BTreeSet<Permission>>;

impl Door {
    async fn rights(&self, people: &[UserId]) -> (Rights, Allowed) {
        let tx = self.database.read(self.tenant).await.expect("read");
        let rights = Rights::load(&tx).await.expect("rights");
        let allowed = people.iter().map(|user| (*user, rights.allowed(*user))).collect();
        (rights, allowed)
    }

    async fn access_version(&self) -> i64 {
        let tx = self.database.system_read().await.expect("read");
        let own = tx.find::<tenant::Entity>().filter(tenant::Column::Id.eq(self.tenant.0));
        own.one(&tx).await.expect("read").expect("a tenant").access_version
    }

    /// Casbin, asked anew, knows nothing of bans: whoever is banned never gets as far as asking it.
    async fn assert_casbin_agrees(&self, people: &[UserId]) {
        let (rights, allowed) = self.rights(people).await;
        let policies = Policies::new(self.database.clone());
        let policy = policies.of(self.tenant, self.access_version().await).await.expect("a policy");
        for user in people {
            for permission in Permission::ALL.iter().copied() {
                let explained = rights.explain(*user, permission);
                if explained.banned {
                    assert!(!explained.allowed);
                    continue;
                }
                assert_eq!(allowed[user].contains(&permission), explained.allowed);
                assert_eq!(policy.decide(*user, permission), explained.allowed, "{permission} {explained:?}");
            }
        }
    }
}

#[tokio::test]
async fn random_histories_leave_an_owner_and_give_nobody_more_than_the_giver_had() {
    on_both(migrate, async |test| {
        let mut done = BTreeMap::<String, usize>::new();
        for history in 0..HISTORIES {
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[history; 32]);
            let mut runner = TestRunner::new_with_rng(Config::default(), rng);
            let steps = steps().new_tree(&mut runner).expect("a history").current();
            let door = Door::new(test).await;
            let mut people = vec![door.user];
            for role in PEOPLE {
                let name = format!("person-{}", new_id());
                people.push(add_as(&door.database, &name, door.tenant, role).await.expect("a person"));
            }
            let (_, mut before) = door.rights(&people).await;
            for (number, (by, step)) in steps.into_iter().enumerate() {
                let version = door.access_version().await;
                let (by, all, taken) = (people[by], people.clone(), step.clone());
                let outcome: Result<(), MemberError> = door
                    .database
                    .write(door.tenant, move |tx| Box::pin(async move { take(tx, &all, by, &taken).await }))
                    .await;
                let (_, after) = door.rights(&people).await;
                let what = format!("history {history}, step {number}: {step:?} by {by}: {outcome:?}");
                match &outcome {
                    Ok(()) => {
                        assert!(door.access_version().await > version, "{what}");
                        for user in &people {
                            let more = after[user]
                                .iter()
                                .find(|one| !before[user].contains(one) && !before[&by].contains(one));
                            assert_eq!(more, None, "{what}");
                        }
                        let kind = format!("{step:?}");
                        let kind = kind.split([' ', '(']).next().unwrap_or_default().to_owned();
                        *done.entry(kind).or_default() += 1;
                    }
                    Err(MemberError::Database(error)) => panic!("{what}: {error}"),
                    Err(_) => {
                        assert_eq!(after, before, "{what}");
                        assert_eq!(door.access_version().await, version, "{what}");
                    }
                }
                let tx = door.database.read(door.tenant).await.expect("read");
                let owners = members(&tx).await.expect("members");
                let left = owners.iter().filter(|one| one.ban.is_none() && one.roles.contains("owner"));
                let all: BTreeSet<Permission> = Permission::ALL.iter().copied().collect();
                let mut left = left.peekable();
                assert!(left.peek().is_some(), "{what}: no owner is left");
                assert!(
                    left.all(|owner| after.get(&owner.user).is_none_or(|allowed| *allowed == all)),
                    "{what}"
                );
                drop(tx);
                before = after;
            }
            door.assert_casbin_agrees(&people).await;
        }
        // The histories are worth something: every kind of step succeeded now and then.
        for kind in ["Give", "Ban", "Lift", "MakeTeam", "Staff", "Equip", "MakeRole", "ChangeRole"] {
            assert!(done.get(kind).is_some_and(|times| *times > 1), "{kind} in {done:?}");
        }
    })
    .await;
}
