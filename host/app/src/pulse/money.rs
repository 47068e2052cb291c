//! What of the payments reaches the bank: gross, what goes off on the way, payouts, and what stays in the balance.
//!
//! Every number is a metric of the catalogue, in which net and balance are the sums of the others: so the steps add up.

use portolan_analytics::{Cell, Metric, Row, Table, metric};
use portolan_commerce::document::Entity;
use portolan_core::Currency;
use portolan_db::entity::connection;

use super::queries::{Asked, currency_of};
use crate::App;
use crate::channels::build_of_connection;
use crate::web::error::{AppError, AppResult};

/// One line of the way from what buyers paid to the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Adds to the sum below it; a metric of what was taken away is subtracted.
    Part { metric: &'static str, label: &'static str, sign: i64 },
    /// The sum of all parts above it.
    Sum { metric: &'static str, label: &'static str },
}

/// The way, step by step.
pub const STEPS: [Step; 8] = [
    Step::Part { metric: "gross_payments", label: "Gross payments", sign: 1 },
    Step::Part { metric: "payment_refunds", label: "Refunds", sign: -1 },
    Step::Part { metric: "disputed_payments", label: "Disputes", sign: -1 },
    Step::Part { metric: "payment_fees", label: "Fees", sign: -1 },
    Step::Part { metric: "other_movements", label: "Other movements", sign: 1 },
    Step::Sum { metric: "net_payout", label: "Net" },
    Step::Part { metric: "payouts", label: "Paid out", sign: -1 },
    Step::Sum { metric: "balance_change", label: "Stays in the balance" },
];

impl Step {
    pub const fn metric(self) -> &'static str {
        match self {
            Self::Part { metric, .. } | Self::Sum { metric, .. } => metric,
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Part { label, .. } | Self::Sum { label, .. } => label,
        }
    }

    pub const fn is_sum(self) -> bool {
        matches!(self, Self::Sum { .. })
    }

    const fn sign(self) -> i64 {
        match self {
            Self::Part { sign, .. } => sign,
            Self::Sum { .. } => 1,
        }
    }

    pub fn definition(self) -> Option<&'static Metric> {
        metric(self.metric())
    }
}

/// What happened to the balances in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub currency: Currency,
    /// No rate is known into the currency that was asked for.
    pub unconverted: bool,
    /// In the order of [`STEPS`]: what is taken away is negative.
    pub amounts_minor: [i64; STEPS.len()],
    /// What each kind of movement did to the balance, which is their sum.
    pub kinds: Vec<(String, i64)>,
}

impl Flow {
    /// The amount of a step, as its metric counts it.
    pub fn of(&self, metric: &str) -> i64 {
        let found = STEPS.iter().zip(self.amounts_minor).find(|(step, _)| step.metric() == metric);
        found.map_or(0, |(step, amount_minor)| step.sign() * amount_minor)
    }
}

/// Whether a connection tells of a balance.
pub fn is_provider(app: &App, connection: &connection::Model) -> bool {
    let tells = |entity: Entity| entity == Entity::BalanceEntry;
    build_of_connection(app, connection).is_some_and(|build| {
        let streams = &build.manifest.streams;
        streams
            .iter()
            .any(|stream| tells(stream.entity) || stream.further_entities.iter().copied().any(tells))
    })
}

/// Whether every step is told to whoever asks.
pub fn is_told(asked: &Asked<'_>) -> bool {
    let steps = STEPS.map(Step::metric);
    asked.open(&steps).len() == steps.len() && asked.may_cut_by("balance_category")
}

/// The flows of a scope, one for each currency in which anything moved. One question, so that the kinds of movement
/// and the steps that they add up to are of one moment.
///
/// None where a part of it is kept from whoever asks: the steps would not add up.
pub async fn ask(app: &App, asked: &Asked<'_>) -> AppResult<Vec<Flow>> {
    if !is_told(asked) {
        return Ok(Vec::new());
    }
    let question = asked.without_comparison(&STEPS.map(Step::metric)).by("balance_category");
    flows(&app.engine.run(asked.tenant, asked.seen, &question).await?)
}

/// An answer by kind of movement as flows: its totals are the steps, and currencies stay apart.
pub fn flows(answer: &Table) -> AppResult<Vec<Flow>> {
    let mut flows = Vec::with_capacity(answer.totals.len());
    for total in &answer.totals {
        let flow = flow(answer, total)?;
        if flow.amounts_minor.iter().any(|amount_minor| *amount_minor != 0) || !flow.kinds.is_empty() {
            flows.push(flow);
        }
    }
    Ok(flows)
}

fn flow(answer: &Table, total: &Row) -> AppResult<Flow> {
    let no_currency = || AppError::internal("money without a currency");
    let currency = currency_of(answer, total).ok_or_else(no_currency)?;
    let mut amounts_minor = [0; STEPS.len()];
    for (amount_minor, step) in amounts_minor.iter_mut().zip(STEPS) {
        *amount_minor = step.sign() * amount(answer, total, step.metric())?;
    }
    let mut kinds = Vec::new();
    for row in answer.rows.iter().filter(|row| currency_of(answer, row) == Some(currency)) {
        let amount_minor = amount(answer, row, "balance_change")?;
        if amount_minor != 0 {
            let name = answer.cell(row, "balance_category").and_then(Cell::label).unwrap_or_default();
            kinds.push((name.to_owned(), amount_minor));
        }
    }
    Ok(Flow { currency, unconverted: answer.unconverted.contains(&currency), amounts_minor, kinds })
}

fn amount(table: &Table, row: &Row, metric: &str) -> AppResult<i64> {
    let money = table.cell(row, metric).and_then(Cell::as_money);
    let money = money.ok_or_else(|| AppError::internal(format!("{metric} is no amount")))?;
    // A sum that has no negative is none that anybody has.
    money
        .amount_minor
        .checked_neg()
        .map(|_| money.amount_minor)
        .ok_or_else(|| AppError::internal("a sum too large"))
}
