use std::collections::BTreeSet;

use portolan_core::{SystemClock, SystemRandom, id};
use proptest::prelude::*;

use super::*;

/// Roles that people of the test hold: two system roles and two of the tenant's own.
const ROLES: [&str; 4] = ["analyst", "support", "desk", "night-shift"];
const PERMISSIONS: [Permission; 4] =
    [Permission::AnalyticsQuery, Permission::OrdersRead, Permission::SyncsRun, Permission::AuditRead];

#[derive(Debug, Clone)]
struct World {
    /// (role, permission, denies) of the tenant's own roles.
    rules: Vec<(usize, usize, bool)>,
    /// (person, role).
    grants: BTreeSet<(usize, usize)>,
    /// (person, team).
    members: BTreeSet<(usize, usize)>,
    /// (team, role).
    team_grants: BTreeSet<(usize, usize)>,
}

fn worlds() -> impl Strategy<Value = World> {
    let pairs = |left: usize, right: usize| prop::collection::btree_set((0..left, 0..right), 0..6);
    (
        prop::collection::vec((2..4_usize, 0..4_usize, any::<bool>()), 0..6),
        pairs(3, 4),
        pairs(3, 2),
        pairs(2, 4),
    )
        .prop_map(|(rules, grants, members, team_grants)| World { rules, grants, members, team_grants })
}

impl World {
    /// The same decision without Casbin.
    fn allows(&self, person: usize, permission: Permission) -> bool {
        let by_team = self.members.iter().filter(|(member, _)| *member == person).flat_map(|(_, team)| {
            self.team_grants.iter().filter(move |(granted, _)| granted == team).map(|(_, role)| *role)
        });
        let own = self.grants.iter().filter(|(holder, _)| *holder == person).map(|(_, role)| *role);
        let held: BTreeSet<usize> = own.chain(by_team).collect();
        let rule = |denies: bool| {
            self.rules.iter().any(|(role, about, denying)| {
                held.contains(role) && PERMISSIONS[*about] == permission && *denying == denies
            })
        };
        let by_system = held.iter().any(|role| {
            ROLES[*role].parse::<SystemRole>().is_ok_and(|role| role.permissions().contains(&permission))
        });
        (by_system || rule(false)) && !rule(true)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn casbin_decides_as_the_rules_read(world in worlds()) {
        let tenant = TenantId(new_id());
        let people: Vec<UserId> = (0..3).map(|_| UserId(new_id())).collect();
        let domain = domain_of(tenant);
        let mut lines = Lines::of_system_roles();
        for (role, permission, denies) in &world.rules {
            let effect = if *denies { Effect::Deny } else { Effect::Allow };
            lines.rule(&role_subject(ROLES[*role]), PERMISSIONS[*permission], effect);
        }
        for (person, role) in &world.grants {
            lines.holds(user_subject(people[*person]), role_subject(ROLES[*role]), &domain);
        }
        for (person, team) in &world.members {
            lines.holds(user_subject(people[*person]), format!("team:{team}"), &domain);
        }
        for (team, role) in &world.team_grants {
            lines.holds(format!("team:{team}"), role_subject(ROLES[*role]), &domain);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let policy = runtime.block_on(TenantPolicy::build(tenant, 1, lines)).expect("rules");
        for (number, person) in people.iter().enumerate() {
            for permission in PERMISSIONS {
                let expected = world.allows(number, permission);
                prop_assert_eq!(policy.allows(*person, permission), expected, "{} {}", number, permission);
                prop_assert_eq!(policy.allows(*person, permission), expected, "remembered");
            }
        }
        prop_assert!(!policy.allows(UserId(new_id()), Permission::OrdersRead), "a stranger may nothing");
    }
}

/// A role of the same name in another tenant is another role.
#[tokio::test]
async fn a_role_held_elsewhere_opens_nothing_here() {
    let (here, there) = (TenantId(new_id()), TenantId(new_id()));
    let person = UserId(new_id());
    let mut lines = Lines::of_system_roles();
    lines.holds(user_subject(person), role_subject("owner"), &domain_of(there));
    let policy = TenantPolicy::build(here, 1, lines).await.expect("rules");
    assert!(!Permission::ALL.iter().any(|permission| policy.allows(person, *permission)));
}

fn new_id() -> uuid::Uuid {
    id::new_uuid(&SystemClock, &SystemRandom)
}
