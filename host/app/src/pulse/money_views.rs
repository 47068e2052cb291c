//! The way of the money as Pulse shows it.

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{MoneyFlow, MoneyKind, MoneyStep, PulseMoney};
use portolan_admin_ui::parts::Link;
use portolan_core::ConnectionId;

use super::money::{Flow, STEPS, Step};

/// What a page needs to know beside the flows.
pub struct MoneyScope {
    /// Whether a connection in the scope tells of a balance.
    pub has_provider: bool,
    pub connection: Option<ConnectionId>,
    /// Whether the tenant has a provider, in the scope or not.
    pub tenant_has_provider: bool,
}

/// The block; nothing where the page is about a connection that is no provider.
pub fn block(flows: &[Flow], scope: &MoneyScope) -> Option<PulseMoney> {
    let payouts_href = scope
        .connection
        .map_or_else(|| "/finance".to_owned(), |connection| format!("/finance?connection={connection}"));
    if !flows.is_empty() {
        return Some(PulseMoney {
            flows: flows.iter().map(|flow| flow_view(flow, &payouts_href)).collect(),
            note: note(flows),
            action: Some(Link::new("All payouts", payouts_href)),
        });
    }
    let nothing = |note: &str, action: Link| PulseMoney {
        flows: Vec::new(),
        note: Some(note.to_owned()),
        action: Some(action),
    };
    if scope.has_provider {
        let note = "No payment moved in these days.";
        return Some(nothing(note, Link::new("All payouts", payouts_href)));
    }
    let connects = scope.connection.is_none() && !scope.tenant_has_provider;
    connects.then(|| {
        nothing(
            "No payment provider is connected. With one, such as Stripe, this shows what of the sales is left after \
             refunds and fees, and what the bank gets.",
            Link::new("Connect a provider", "/connections/new"),
        )
    })
}

fn flow_view(flow: &Flow, payouts_href: &str) -> MoneyFlow {
    let amount = |amount_minor: i64| format::money(amount_minor, flow.currency);
    let step = |(step, amount_minor): (&Step, i64)| MoneyStep {
        label: label(*step, amount_minor),
        definition: step.definition().map(|metric| metric.description).unwrap_or_default().to_owned(),
        amount: amount(amount_minor),
        is_sum: step.is_sum(),
        href: (step.metric() == "payouts").then(|| payouts_href.to_owned()),
    };
    let kind = |(name, amount_minor): &(String, i64)| MoneyKind {
        name: name.replace('_', " "),
        amount: amount(*amount_minor),
    };
    MoneyFlow {
        currency: flow.currency.to_string(),
        unconverted: flow.unconverted,
        steps: STEPS.iter().zip(flow.amounts_minor).map(step).collect(),
        kinds: flow.kinds.iter().map(kind).collect(),
    }
}

/// More may be paid out in some days than came in.
fn label(step: Step, amount_minor: i64) -> String {
    let label = match step.metric() {
        "balance_change" if amount_minor < 0 => "Taken from the balance",
        _ => step.label(),
    };
    label.to_owned()
}

fn note(flows: &[Flow]) -> Option<String> {
    let unconverted: Vec<String> =
        flows.iter().filter(|flow| flow.unconverted).map(|flow| flow.currency.to_string()).collect();
    match unconverted.as_slice() {
        [] if flows.len() > 1 => Some("Currencies are shown apart: none is added to another.".to_owned()),
        [] => None,
        several => Some(format!(
            "{} not converted: no exchange rate is known for these days. Nothing of it is added to another currency.",
            several.join(", ")
        )),
    }
}
