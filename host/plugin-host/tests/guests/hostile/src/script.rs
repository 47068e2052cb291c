//! A string of bytes as a program: calls of the host and an answer, all at random. What the tests
//! generate, the guest obeys, so that the boundary is tried with values nobody would think of.

use crate::dice::Dice;
use crate::exports::portolan::plugin::normalizer::Summary;
use crate::portolan::plugin::commerce::{
    Agreement, Allocation, BalanceEntry, Checkout, Customer, Dispute, Fulfilment, InventoryLevel, Location,
    Metric, Money, Order, OrderLine, Payout, Product, Refund, RefundLine, Sale, Skipped, StaffMember, Store,
    TaxLine, Transaction,
};
use crate::portolan::plugin::http::{self, Method, Request};
use crate::portolan::plugin::log::{self, Level};
use crate::portolan::plugin::sync::{
    ChunkInfo, Continuation, Mode, Page, Partition, Payload, RawChunk, Slice, Wait,
};
use crate::portolan::plugin::types::{
    AuthError, AuthKind, FieldError, OtherError, PluginError, Retry, Upstream,
};
use crate::portolan::plugin::{files, signer, sink};

/// `script`: hexadecimal, because it travels in the configuration.
pub fn fetch(script: &str) -> Result<Page, PluginError> {
    let bytes: Vec<u8> = (0..script.len() / 2)
        .map(|place| u8::from_str_radix(&script[place * 2..place * 2 + 2], 16).unwrap_or_default())
        .collect();
    let mut dice = Dice::new(&bytes);
    for _ in 0..dice.below(5) {
        call(&mut dice);
    }
    if dice.byte() < 60 {
        return Err(error(&mut dice));
    }
    Ok(Page {
        chunks: dice.list(|dice| RawChunk { info: info(dice), payload: payload(dice) }),
        next: continuation(&mut dice),
        expected: dice.maybe(|dice| dice.long() as u64),
        progress: dice.maybe(Dice::byte),
    })
}

fn call(dice: &mut Dice<'_>) {
    match dice.below(6) {
        0 => log::write(Level::Warn, &dice.text(), &dice.pairs()),
        1 => drop(http::send(&request(dice))),
        2 => drop(http::send_all(&dice.list(request))),
        3 => drop(signer::sign(&dice.text(), &dice.text(), dice.text().as_bytes())),
        4 => drop(files::peek(dice.long() as u64, dice.long() as u32)),
        _ => http::observe_limit(&dice.text(), dice.long() as u32, dice.long() as u64),
    }
}

fn request(dice: &mut Dice<'_>) -> Request {
    Request {
        method: if dice.flag() { Method::Get } else { Method::Delete },
        url: if dice.flag() {
            "https://undeclared.example/".to_owned()
        } else {
            format!("file:{}", dice.text())
        },
        headers: dice.pairs(),
        body: dice.maybe(|dice| dice.text().into_bytes()),
        auth: dice.maybe(Dice::text),
        bucket: dice.maybe(Dice::text),
        cost: dice.long() as u32,
        timeout_ms: Some(50),
    }
}

fn info(dice: &mut Dice<'_>) -> ChunkInfo {
    let stream = if dice.byte() < 200 { "orders".to_owned() } else { dice.text() };
    ChunkInfo { stream, framing: dice.text(), content_type: dice.text() }
}

fn payload(dice: &mut Dice<'_>) -> Payload {
    if dice.byte() < 220 {
        Payload::Inline(dice.text().into_bytes())
    } else {
        Payload::Staged(dice.long() as u64)
    }
}

fn continuation(dice: &mut Dice<'_>) -> Continuation {
    match dice.below(4) {
        0 => Continuation::Done,
        1 => Continuation::More(dice.text().into_bytes()),
        2 => Continuation::Wait(Wait {
            token: dice.text().into_bytes(),
            ms: dice.long() as u64,
            why: dice.text(),
        }),
        _ => Continuation::Split(dice.list(|dice| Slice {
            stream: if dice.byte() < 200 { "orders".to_owned() } else { dice.text() },
            partition: dice.maybe(|dice| Partition {
                key: dice.word(),
                label: dice.text(),
                data: dice.text(),
            }),
            since: dice.maybe(Dice::long),
            until: dice.maybe(Dice::long),
            mode: Mode::Snapshot,
        })),
    }
}

fn error(dice: &mut Dice<'_>) -> PluginError {
    let retry = |dice: &mut Dice<'_>| Retry {
        after_ms: dice.maybe(|dice| dice.long() as u64),
        bucket: dice.maybe(Dice::text),
        detail: dice.text(),
    };
    match dice.below(9) {
        0 => PluginError::Auth(AuthError {
            kind: AuthKind::Revoked,
            missing: dice.list(Dice::text),
            detail: dice.text(),
        }),
        1 => PluginError::RateLimited(retry(dice)),
        2 => PluginError::Transient(retry(dice)),
        3 => PluginError::InvalidConfig(
            dice.list(|dice| FieldError { path: dice.text(), message: dice.text() }),
        ),
        4 => PluginError::CursorExpired(dice.text()),
        5 => PluginError::Unavailable(dice.text()),
        6 => PluginError::UpstreamBug(Upstream {
            status: Some(dice.long() as u16),
            request_id: dice.maybe(Dice::text),
            detail: dice.text(),
        }),
        7 => PluginError::PluginBug(dice.text()),
        _ => {
            PluginError::Other(OtherError { code: dice.text(), retryable: dice.flag(), detail: dice.text() })
        }
    }
}

/// Every raw record that a document names, and a summary that is right more often than not.
pub fn normalize(script: &[u8]) -> Result<Summary, PluginError> {
    let mut dice = Dice::new(script);
    let lies = dice.byte();
    let mut emitted = 0;
    while !dice.is_empty() && emitted < 40 {
        emit(&mut dice, emitted);
        emitted += 1;
    }
    match lies {
        0..180 => Ok(Summary { seen: emitted, emitted, skipped: 0 }),
        180..230 => Ok(Summary { seen: dice.count(), emitted: dice.count(), skipped: dice.count() }),
        _ => Err(error(&mut dice)),
    }
}

/// One document of raw record `src`, or of another one.
fn emit(dice: &mut Dice<'_>, src: u32) {
    let src = if dice.byte() < 245 { src } else { dice.count() };
    match dice.below(17) {
        0 | 1 => sink::orders(&[order(dice, src)]),
        2 => sink::refunds(&[refund(dice, src)]),
        3 => sink::transactions(&[Transaction {
            src,
            key: dice.word(),
            updated_at: dice.moment(),
            order: dice.maybe(Dice::word),
            parent: dice.maybe(Dice::word),
            kind: dice.word(),
            state: dice.word(),
            at: dice.moment(),
            gateway: dice.word(),
            provider_reference: dice.maybe(Dice::text),
            currency: dice.currency(),
            amount: dice.long(),
            test: dice.flag(),
        }]),
        4 => {
            let (amount, fee) = (dice.long(), dice.long());
            sink::balance_entries(&[BalanceEntry {
                src,
                key: dice.word(),
                updated_at: dice.moment(),
                deleted: dice.flag(),
                category: dice.word(),
                provider_kind: dice.word(),
                at: dice.moment(),
                available_on: dice.maybe(Dice::day),
                payment: dice.maybe(Dice::word),
                order: dice.maybe(Dice::word),
                reference: dice.maybe(Dice::text),
                payout: dice.maybe(Dice::word),
                source: dice.maybe(Dice::word),
                method: dice.maybe(Dice::text),
                currency: dice.currency(),
                amount,
                fee,
                fee_tax: dice.long(),
                net: if dice.byte() < 230 { amount.wrapping_sub(fee) } else { dice.long() },
                charged: dice.maybe(|dice| Money { currency: dice.currency(), amount: dice.long() }),
                fx_rate: dice.maybe(Dice::decimal),
            }]);
        }
        5 => sink::payouts(&[Payout {
            src,
            key: dice.word(),
            updated_at: dice.moment(),
            deleted: dice.flag(),
            state: dice.word(),
            initiated_at: dice.moment(),
            arrives_on: dice.maybe(Dice::day),
            currency: dice.currency(),
            amount: dice.long(),
            bank_reference: dice.maybe(Dice::text),
        }]),
        6 => sink::disputes(&[Dispute {
            src,
            key: dice.word(),
            updated_at: dice.moment(),
            payment: dice.maybe(Dice::word),
            order: dice.maybe(Dice::word),
            phase: dice.word(),
            state: dice.word(),
            reason: dice.text(),
            network_code: dice.maybe(Dice::text),
            opened_at: dice.moment(),
            due_by: dice.maybe(Dice::moment),
            currency: dice.currency(),
            amount: dice.long(),
        }]),
        7 => sink::checkouts(&[Checkout {
            src,
            key: dice.word(),
            updated_at: dice.moment(),
            stage: dice.word(),
            created_at: dice.moment(),
            completed_at: dice.maybe(Dice::moment),
            order: dice.maybe(Dice::word),
            customer: dice.maybe(Dice::word),
            url: dice.maybe(Dice::text),
            currency: dice.currency(),
            total: dice.long(),
        }]),
        8 => sink::products(&[Product {
            src,
            key: dice.word(),
            updated_at: dice.moment(),
            deleted: dice.flag(),
            parent: dice.maybe(Dice::word),
            sku: dice.maybe(Dice::text),
            gtin: dice.maybe(Dice::text),
            title: dice.text(),
            category: dice.maybe(Dice::text),
            brand: dice.maybe(Dice::text),
            tags: dice.list(Dice::text),
            currency: dice.maybe(Dice::currency),
            price: dice.maybe(Dice::decimal),
            cost: dice.maybe(Dice::decimal),
        }]),
        9 => sink::inventory(&[InventoryLevel {
            src,
            product: dice.word(),
            location: dice.word(),
            at: dice.moment(),
            on_hand: dice.decimal(),
            available: dice.maybe(Dice::decimal),
            incoming: dice.maybe(Dice::decimal),
        }]),
        10 => sink::stores(&[Store {
            src,
            key: dice.word(),
            name: dice.text(),
            currency: dice.maybe(Dice::currency),
            time_zone: dice.maybe(Dice::text),
        }]),
        11 => sink::locations(&[Location {
            src,
            key: dice.word(),
            name: dice.text(),
            kind: dice.word(),
            country: dice.maybe(Dice::text),
            region: dice.maybe(Dice::text),
        }]),
        12 => sink::staff(&[StaffMember { src, key: dice.word(), location: dice.maybe(Dice::word) }]),
        13 => sink::fulfilments(&[Fulfilment {
            src,
            key: dice.word(),
            updated_at: dice.moment(),
            order: dice.word(),
            state: dice.word(),
            location: dice.maybe(Dice::word),
            shipped_at: dice.maybe(Dice::moment),
            promised_at: dice.maybe(Dice::moment),
            delivered_at: dice.maybe(Dice::moment),
            lines: dice.list(|dice| (dice.word(), dice.decimal())),
        }]),
        14 => sink::customers(&[Customer {
            src,
            key: dice.word(),
            updated_at: dice.moment(),
            deleted: dice.flag(),
            person: dice.maybe(Dice::word),
            country: dice.maybe(Dice::text),
            region: dice.maybe(Dice::text),
            first_seen: dice.maybe(Dice::moment),
            tags: dice.list(Dice::text),
        }]),
        15 => sink::metrics(&[Metric {
            src,
            name: dice.word(),
            day: dice.day(),
            dimensions: dice.pairs(),
            value: dice.decimal(),
            currency: dice.maybe(Dice::currency),
        }]),
        _ => sink::skip(&[Skipped { src, path: dice.maybe(Dice::text), reason: dice.text() }]),
    }
}

fn order(dice: &mut Dice<'_>, src: u32) -> Order {
    Order {
        src,
        also: dice.list(Dice::count),
        key: dice.word(),
        updated_at: dice.moment(),
        deleted: dice.flag(),
        test: dice.flag(),
        number: dice.maybe(Dice::text),
        placed_at: dice.moment(),
        cancelled_at: dice.maybe(Dice::moment),
        cancel_reason: dice.maybe(Dice::text),
        channel: dice.maybe(Dice::text),
        store: dice.maybe(Dice::word),
        location: dice.maybe(Dice::word),
        staff: dice.maybe(Dice::word),
        state: dice.word(),
        payment_state: dice.word(),
        fulfilment_state: dice.word(),
        customer: dice.maybe(Dice::word),
        country: dice.maybe(Dice::text),
        region: dice.maybe(Dice::text),
        currency: dice.currency(),
        presentment_currency: dice.maybe(Dice::currency),
        gross: dice.long(),
        discount: dice.long(),
        shipping: dice.long(),
        tax: dice.long(),
        tip: dice.long(),
        duty: dice.long(),
        total: dice.long(),
        tax_included: dice.flag(),
        lines: dice.list(line),
        shipping_taxes: dice.list(tax),
        agreements: dice.list(agreement),
        attributes: dice.pairs(),
    }
}

fn line(dice: &mut Dice<'_>) -> OrderLine {
    OrderLine {
        key: dice.word(),
        product: dice.maybe(Dice::word),
        variant: dice.maybe(Dice::word),
        sku: dice.maybe(Dice::text),
        title: dice.text(),
        quantity: dice.decimal(),
        unit_price: dice.maybe(Dice::decimal),
        gross: dice.long(),
        discount: dice.long(),
        tax: dice.long(),
        cost: dice.maybe(Dice::long),
        gift_card: dice.flag(),
        allocations: dice.list(|dice| Allocation {
            code: dice.maybe(Dice::text),
            kind: dice.word(),
            amount: dice.long(),
        }),
        taxes: dice.list(tax),
    }
}

fn tax(dice: &mut Dice<'_>) -> TaxLine {
    TaxLine {
        kind: dice.word(),
        jurisdiction: dice.text(),
        rate: dice.maybe(Dice::decimal),
        amount: dice.long(),
        collector: dice.word(),
    }
}

fn agreement(dice: &mut Dice<'_>) -> Agreement {
    Agreement {
        key: dice.word(),
        happened_at: dice.moment(),
        reason: dice.text(),
        location: dice.maybe(Dice::word),
        staff: dice.maybe(Dice::word),
        sales: dice.list(|dice| Sale {
            line: dice.maybe(Dice::word),
            action: dice.word(),
            line_kind: dice.word(),
            quantity: dice.maybe(Dice::decimal),
            gross: dice.long(),
            discount: dice.long(),
            discount_tax: dice.maybe(Dice::long),
            tax: dice.long(),
            presentment: dice.maybe(Dice::long),
        }),
    }
}

fn refund(dice: &mut Dice<'_>, src: u32) -> Refund {
    Refund {
        src,
        also: dice.list(Dice::count),
        key: dice.word(),
        updated_at: dice.moment(),
        deleted: dice.flag(),
        order: dice.maybe(Dice::word),
        order_placed_at: dice.maybe(Dice::moment),
        at: dice.moment(),
        state: dice.word(),
        customer: dice.maybe(Dice::word),
        country: dice.maybe(Dice::text),
        store: dice.maybe(Dice::word),
        currency: dice.currency(),
        total: dice.long(),
        tax: dice.long(),
        shipping: dice.long(),
        shipping_tax: dice.long(),
        duty: dice.long(),
        tip: dice.long(),
        adjustment: dice.long(),
        reason: dice.maybe(Dice::text),
        lines: dice.list(|dice| RefundLine {
            line: dice.word(),
            product: dice.maybe(Dice::word),
            quantity: dice.decimal(),
            amount: dice.long(),
            tax: dice.long(),
            restock: dice.word(),
        }),
    }
}
