use super::{APP_ROLE, Roles, Scope, WorksAs};

fn roles() -> Roles {
    Roles {
        login: "shopkeeper".to_owned(),
        login_unbound: false,
        login_owns_tables: true,
        app_exists: true,
        app_unbound: false,
        may_become_app: true,
    }
}

#[test]
fn nobody_works_whom_the_policies_do_not_hold() {
    for (roles, expected) in [
        (roles(), Ok(WorksAs::AppRole)),
        (Roles { login_unbound: true, ..roles() }, Ok(WorksAs::AppRole)),
        (Roles { may_become_app: false, ..roles() }, Ok(WorksAs::Login)),
        (Roles { may_become_app: false, app_exists: false, ..roles() }, Ok(WorksAs::Login)),
        (Roles { app_unbound: true, ..roles() }, Err("NOBYPASSRLS")),
        (
            Roles { login_unbound: true, may_become_app: false, ..roles() },
            Err("GRANT portolan_app TO \"shopkeeper\""),
        ),
        (
            Roles { login_unbound: true, may_become_app: false, app_exists: false, ..roles() },
            Err("portolan migrate"),
        ),
    ] {
        match (roles.works_as(), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(problem), Err(advice)) => assert!(problem.contains(advice), "{problem}"),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }
}

#[test]
fn a_transaction_says_as_whom_and_for_whom_until_it_ends() {
    let house = Scope::House.announcement(WorksAs::AppRole).sql;
    let for_all =
        format!("SELECT set_config('role', '{APP_ROLE}', true), set_config('app.system', $1, true), ");
    assert!(house.starts_with(&for_all), "{house}");
    let tenant = Scope::Tenant(portolan_core::TenantId(uuid::Uuid::nil())).announcement(WorksAs::Login).sql;
    assert!(tenant.starts_with("SELECT set_config('app.tenant', $1, true), "), "{tenant}");
}
