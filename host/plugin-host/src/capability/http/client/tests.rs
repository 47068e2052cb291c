use std::sync::Arc;

use portolan_connector::EgressGrant;
use portolan_core::{Duration, Instant, ManualClock};

use super::{Clients, MOST_POLICIES};
use crate::capability::http::egress::{Permit, Policy};
use crate::options::HttpOptions;

fn policy(connection_number: u32, grants: &[EgressGrant]) -> Policy {
    let id = format!("01890a5d-ac96-774b-bcce-{connection_number:012x}");
    let (tenant, connection) = (id.parse().expect("an id"), id.parse().expect("an id"));
    Policy::new(tenant, connection, Permit::Granted, &[], grants)
}

fn grant(port: u16) -> EgressGrant {
    EgressGrant { scheme: "http".to_owned(), host: "127.0.0.1".to_owned(), port }
}

fn clients(clock: &ManualClock) -> Clients {
    Clients::new(HttpOptions::default(), Arc::new(clock.clone()))
}

#[test]
fn a_connection_keeps_its_client_until_its_rules_change() {
    let clients = clients(&ManualClock::at(Instant(0)));
    for grants in [vec![grant(1)], vec![grant(1)], vec![grant(2)], vec![]] {
        clients.of(&policy(1, &grants)).expect("a client");
    }
    assert_eq!(clients.kept(), 3, "the same rules share, others do not");
    clients.of(&policy(2, &[grant(1)])).expect("a client");
    assert_eq!(clients.kept(), 4, "another connection has its own");
}

#[test]
fn clients_are_bounded_and_idle_ones_go() {
    let clock = ManualClock::at(Instant(0));
    let clients = clients(&clock);
    for number in 0..MOST_POLICIES as u32 + 20 {
        clients.of(&policy(number, &[])).expect("a client");
        clock.advance(Duration::from_ms(1));
    }
    assert_eq!(clients.kept(), MOST_POLICIES);
    clock.advance(Duration::from_minutes(11));
    clients.of(&policy(1, &[])).expect("a client");
    assert_eq!(clients.kept(), 1);
}
