//! A balance transaction as a movement of the balance.

use portolan_sdk::commerce::{BalanceEntry, Money};
use portolan_sdk::{BadRecord, Moment, time};

use crate::amount::Unit;
use crate::category::category;
use crate::shape::{BalanceTransaction, Expandable, Method, Source, reference};

const DAY_SECONDS: i64 = 86_400;

/// Maps one movement.
pub fn map(
    src: u32,
    entry: &BalanceTransaction<'_>,
    reference_keys: &[&str],
) -> Result<BalanceEntry, BadRecord> {
    let unit = Unit::new(&entry.currency, "currency")?;
    let taxes = entry.fee_details.iter().filter(|detail| &*detail.kind == "tax");
    let fee_tax = taxes.map(|detail| detail.amount).try_fold(0_i64, i64::checked_add);
    let fee_tax = fee_tax.ok_or_else(|| BadRecord::at("fee_details", "the taxes are too large to add"))?;
    let amount = unit.minor(entry.amount, "amount")?;
    let fee = unit.minor(entry.fee, "fee")?;
    let net = unit.minor(entry.net, "net")?;
    if amount.checked_sub(fee) != Some(net) {
        return Err(BadRecord::at("net", format!("{net} is not {amount} less the fee {fee}")));
    }
    let reporting_category = entry.reporting_category.as_deref().unwrap_or_default();
    let source = entry.source.as_ref();
    let about = source.and_then(Expandable::object);
    Ok(BalanceEntry {
        src,
        key: entry.id.as_str().to_owned(),
        updated_at: updated_at(entry)?,
        deleted: false,
        category: category(&entry.kind, reporting_category, entry.amount).to_owned(),
        provider_kind: if reporting_category.is_empty() { &*entry.kind } else { reporting_category }
            .to_owned(),
        at: moment(entry.created, "created")?,
        available_on: entry.available_on.map(|at| date(at, "available_on")).transpose()?,
        payment: source.and_then(payment),
        // Orders are of other connections: the ledger finds them by what the merchant wrote.
        order: None,
        reference: about.and_then(|about| reference_of(about, reference_keys)),
        payout: payout(entry),
        source: source.map(|source| source.id().to_owned()),
        method: about.and_then(method),
        fee_tax: unit.minor(fee_tax, "fee_details")?,
        charged: about.map(|about| charged(about, &unit, amount)).transpose()?.flatten(),
        // A rate is only shown: no amount is computed from it.
        fx_rate: entry.exchange_rate.as_ref().and_then(|rate| rate.decimal().ok()),
        currency: unit.currency,
        amount,
        fee,
        net,
    })
}

/// An entry has two versions: as it was listed, and as its payout lists it. Only the second says the payout, so it
/// has to stand above the first for good, whichever is read last: it is dated by the payout, which is made of
/// movements older than itself. Where a clock says otherwise, it is a microsecond later than the movement.
fn updated_at(entry: &BalanceTransaction<'_>) -> Result<Moment, BadRecord> {
    let created = time::from_epoch_seconds(entry.created).map_err(|bad| bad.at("created"))?;
    let Some(payout) = &entry.portolan_payout else { return Ok(Moment::At(created)) };
    let paid = time::from_epoch_seconds(payout.created).map_err(|bad| bad.at("portolan_payout"))?;
    Ok(Moment::At(paid.max(created.saturating_add(1))))
}

/// What a payout takes from the balance says so itself.
fn payout(entry: &BalanceTransaction<'_>) -> Option<String> {
    if let Some(payout) = &entry.portolan_payout {
        return Some(payout.id.as_str().to_owned());
    }
    let source = entry.source.as_ref().filter(|_| &*entry.kind == "payout")?;
    Some(source.id().to_owned())
}

/// The charge whose money this moves. Ids tell their kind: `ch_`, and `py_` for what is no card. An id of anything
/// else says nothing until it is expanded.
fn payment(source: &Expandable<'_, Source<'_>>) -> Option<String> {
    match source {
        Expandable::Id(id) => is_payment(id).then(|| id.as_str().to_owned()),
        Expandable::Object(about) if &*about.object == "charge" => Some(about.id.as_str().to_owned()),
        Expandable::Object(about) => about.charge.as_ref().map(|charge| charge.id().to_owned()),
    }
}

fn is_payment(id: &str) -> bool {
    id.starts_with("ch_") || id.starts_with("py_")
}

/// What the merchant wrote on the thing itself, else on its charge.
fn reference_of(about: &Source<'_>, keys: &[&str]) -> Option<String> {
    let charge = about.charge.as_ref().and_then(Expandable::object);
    reference(about.metadata.as_ref(), keys)
        .or_else(|| reference(charge.and_then(|charge| charge.metadata.as_ref()), keys))
}

fn method(about: &Source<'_>) -> Option<String> {
    let charge = about.charge.as_ref().and_then(Expandable::object);
    let details = about.payment_method_details.as_ref();
    let details = details.or_else(|| charge.and_then(|charge| charge.payment_method_details.as_ref()));
    details.and_then(Method::name)
}

/// What buyer or bank saw, where that is another currency than the balance's. It is signed as the movement is.
fn charged(about: &Source<'_>, settled: &Unit, amount: i64) -> Result<Option<Money>, BadRecord> {
    let (Some(currency), "charge" | "refund" | "dispute") = (&about.currency, &*about.object) else {
        return Ok(None);
    };
    let unit = Unit::new(currency, "source.currency")?;
    // Of a charge only what was captured moves; an expanded source has no such field where it is none.
    let seen = about.amount_captured.filter(|captured| *captured != 0).or(about.amount);
    let (Some(seen), true) = (seen, unit.currency != settled.currency) else { return Ok(None) };
    let seen = unit.minor(seen, "source.amount")?;
    let signed = if (amount < 0) == (seen < 0) { Some(seen) } else { seen.checked_neg() };
    let amount = signed.ok_or_else(|| BadRecord::at("source.amount", "the amount is too large"))?;
    Ok(Some(Money { currency: unit.currency, amount }))
}

/// Seconds since 1970 as a moment; `path` is what to blame.
pub fn moment(seconds: i64, path: &str) -> Result<Moment, BadRecord> {
    time::from_epoch_seconds(seconds).map(Moment::At).map_err(|bad| bad.at(path))
}

/// A date that Stripe writes as its midnight in UTC.
pub fn date(seconds: i64, path: &str) -> Result<i32, BadRecord> {
    i32::try_from(seconds.div_euclid(DAY_SECONDS))
        .map_err(|_| BadRecord::at(path, format!("{seconds} is not a date in seconds")))
}
