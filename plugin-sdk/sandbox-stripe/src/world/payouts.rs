//! What Stripe does to the balance by itself: reserves, its own bills, and a payout each week.

use std::collections::{BTreeMap, BTreeSet};

use portolan_sandbox::random::SplitMix;
use portolan_sandbox::time::{DAY, HOUR, local_month};

use super::{Account, Entry, EntryKind, Payout, Source};

const HELD_DAYS: i64 = 90;

pub fn settle(account: &mut Account, until: i64, mut random: SplitMix) {
    bill(account, until, &mut random);
    pay_out(account, until, &mut random);
}

/// Each month: a share held back and released later, a bill of Stripe's with its tax, now and then a correction.
fn bill(account: &mut Account, until: i64, random: &mut SplitMix) {
    let zone = account.profile.zone;
    let mut months = BTreeMap::<String, (i64, i64)>::new();
    for entry in account.entries.iter().filter(|entry| entry.kind == EntryKind::Charge) {
        let month = months.entry(local_month(zone, entry.created)).or_default();
        month.0 += entry.minor;
        month.1 = month.1.max(entry.created);
    }
    let profile = account.profile.clone();
    for (paid_minor, last) in months.into_values() {
        let at = last + 2 * HOUR;
        let held = profile.stepped(paid_minor * profile.reserve_basis_points / 10_000);
        if held > 0 {
            add(account, EntryKind::ReserveHold, at, -held, until);
            add(account, EntryKind::ReserveRelease, at + HELD_DAYS * DAY, held, until);
        }
        let fee = profile.stepped(profile.dispute_fee_minor / 3 + paid_minor / 2_000);
        add(account, EntryKind::StripeFee, at + 60, -fee, until);
        let tax = profile.stepped(fee * profile.fee_tax_basis_points / 10_000);
        if tax > 0 {
            add(account, EntryKind::FeeTax, at + 61, -tax, until);
        }
        if random.chance(200) {
            let correction = profile.stepped(random.between(-fee, fee));
            add(account, EntryKind::Adjustment, at + 600, correction, until);
        }
    }
}

fn add(account: &mut Account, kind: EntryKind, created: i64, minor: i64, until: i64) {
    if minor != 0 && created < until {
        push(account, kind, Source::Nothing, created, minor);
    }
}

fn push(account: &mut Account, kind: EntryKind, source: Source, created: i64, minor: i64) -> usize {
    let number = account.entries.len();
    account.entries.push(Entry {
        id: format!("txn_{number:09}"),
        kind,
        source,
        created,
        available_on: created - created.rem_euclid(DAY),
        minor,
        fee_minor: 0,
        fee_tax_minor: 0,
        rate_micro: None,
        payout: None,
    });
    number
}

/// Every Monday, all that has become available since. What would be a debit waits for better days. Few fail at the
/// bank: the money comes back and is in the next one.
fn pay_out(account: &mut Account, until: i64, random: &mut SplitMix) {
    let mut waiting: BTreeSet<(i64, usize)> = account
        .entries
        .iter()
        .enumerate()
        .map(|(index, entry)| (entry.available_on.max(entry.created), index))
        .collect();
    let Some((first, _)) = waiting.first().copied() else { return };
    // 1970-01-05 was a Monday.
    let mut at = first - (first - 4 * DAY).rem_euclid(7 * DAY) + 7 * DAY + 3 * HOUR;
    while at < until {
        let later = waiting.split_off(&(at, 0));
        let minor: i64 = waiting.iter().map(|(_, index)| account.entries[*index].net_minor()).sum();
        if minor > 0 {
            let payout = account.payouts.len();
            let failed_at = random.chance(30).then_some(at + 4 * DAY).filter(|at| *at < until);
            let own = push(account, EntryKind::Payout, Source::Payout(payout), at, -minor);
            let mut entries: Vec<usize> = waiting.iter().map(|(_, index)| *index).collect();
            entries.push(own);
            for entry in &entries {
                account.entries[*entry].payout = Some(payout);
            }
            account.payouts.push(Payout {
                id: format!("po_{payout:06}"),
                created: at,
                arrives: at - at.rem_euclid(DAY) + 2 * DAY,
                failed_at,
                minor,
                entries,
            });
            waiting = later;
            if let Some(failed_at) = failed_at {
                let back = push(account, EntryKind::PayoutFailure, Source::Payout(payout), failed_at, minor);
                waiting.insert((failed_at, back));
            }
        } else {
            waiting.extend(later);
        }
        at += 7 * DAY;
    }
}
