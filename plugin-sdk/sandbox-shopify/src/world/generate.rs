//! Orders: when they are placed, what is in them, how they are paid.

use super::{
    Agreement, AgreementKind, Customer, Discount, Line, LineKind, Order, Orders, Product, Profile, Sale,
    SaleAction, SaleKind, Shipping, Shop, Size, Transaction, catalogue, history, price,
};
use crate::random::SplitMix;
use crate::time::{DAY, HOUR, offset_seconds};

const SPAN_DAYS: i64 = 730;
const SOURCES: &[(&str, u64)] = &[("web", 700), ("pos", 880), ("shopify_draft_order", 920), ("580111", 1000)];
const CODES: &[(&str, i64)] = &[("WELCOME10", 10), ("TEA15", 15), ("MONSOON20", 20)];
const CAMPAIGNS: &[&str] = &["spring-newsletter", "retargeting", "tea-week"];

/// Makes one shop with everything in it.
pub fn shop(profile: Profile, size: Size, divisor: usize, until: i64, mut random: SplitMix) -> Shop {
    let products = catalogue::products(&profile, size.products(), until, &mut random);
    let mut customers =
        catalogue::customers(&profile, (size.customers() / divisor).max(12), until, &mut random);
    let count = (size.orders() / divisor).max(24);
    let placed = placing_times(&profile, count, until, &mut random);
    let mut bought = vec![Bought::default(); customers.len()];
    let build = |index: usize, created_at: i64, random: &mut SplitMix| {
        Builder::new(&profile, &products, &customers, random, until, index).order(index, created_at)
    };
    let orders = Orders::make(placed, until, &mut random, build, |order| {
        if let Some(customer) = order.customer {
            bought[customer as usize].add(order.created_at);
        }
    });
    for (customer, bought) in customers.iter_mut().zip(bought) {
        bought.date(customer);
    }
    let (locations, levels, checkouts) = (Vec::new(), Vec::new(), Vec::new());
    Shop { profile, products, customers, orders, locations, levels, checkouts }
}

/// A customer is created with the first order and touched by each further one.
#[derive(Clone, Default)]
struct Bought {
    orders: u32,
    first_at: i64,
    last_at: i64,
}

impl Bought {
    /// Orders come in the order of their creation.
    fn add(&mut self, created_at: i64) {
        if self.orders == 0 {
            self.first_at = created_at;
        }
        self.orders += 1;
        self.last_at = created_at;
    }

    fn date(&self, customer: &mut Customer) {
        if self.orders > 0 {
            customer.orders = self.orders;
            customer.created_at = self.first_at;
            customer.updated_at = customer.updated_at.max(self.last_at);
        }
    }
}

/// Instants in order: growth over the years, busier weekends, a peak before winter, evenings.
fn placing_times(profile: &Profile, count: usize, until: i64, random: &mut SplitMix) -> Vec<i64> {
    let first_day = until - SPAN_DAYS * DAY;
    let mut running = 0;
    let weights = (0..SPAN_DAYS)
        .map(|day| {
            let weekday = (first_day / DAY + day) % 7;
            let season = if (315..345).contains(&((first_day / DAY + day) % 365)) { 45 } else { 0 };
            running += (60 + day / 12 + if (2..=3).contains(&weekday) { 25 } else { 0 } + season) as u64;
            running
        })
        .collect::<Vec<_>>();
    let mut times = (0..count)
        .map(|_| {
            let day = first_day + random.weighted(&weights) as i64 * DAY;
            let local_seconds = 7 * HOUR + random.between(0, 8 * HOUR) + random.between(0, 8 * HOUR);
            let at = (day - day.rem_euclid(DAY)) + local_seconds - offset_seconds(profile.zone, day);
            at.clamp(first_day, until - 60)
        })
        .collect::<Vec<_>>();
    times.sort_unstable();
    times
}

/// What one order is made with.
pub struct Builder<'a> {
    pub profile: &'a Profile,
    products: &'a [Product],
    customers: &'a [Customer],
    pub random: &'a mut SplitMix,
    pub until: i64,
    next_id: u64,
}

impl<'a> Builder<'a> {
    pub fn new(
        profile: &'a Profile,
        products: &'a [Product],
        customers: &'a [Customer],
        random: &'a mut SplitMix,
        until: i64,
        index: usize,
    ) -> Self {
        let next_id = (5_000_000_000 + index as u64) * 1_000;
        Self { profile, products, customers, random, until, next_id }
    }

    pub fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub fn tax(&self, amount_minor: i64) -> i64 {
        price::tax(amount_minor, self.profile.tax_basis_points, self.profile.taxes_included)
    }

    /// The tax inside a discount: prices that exclude tax have discounts that do.
    pub fn discount_tax(&self, discount_minor: i64) -> i64 {
        if self.profile.taxes_included { self.tax(discount_minor) } else { 0 }
    }

    pub fn order(&mut self, index: usize, created_at: i64) -> Order {
        let id = self.next_id / 1_000;
        let guest = self.random.chance(60);
        let customer = (!guest).then(|| self.random.skewed(self.customers.len()) as u32);
        let (country, province) = match customer {
            Some(index) => (self.customers[index as usize].country, self.customers[index as usize].province),
            None => (self.profile.country, *self.random.pick(self.profile.provinces)),
        };
        let presentment = self
            .profile
            .presentments
            .iter()
            .position(|other| other.country == country)
            .map(|index| index as u8);
        let draw = self.random.below(1000);
        let source = SOURCES.iter().find(|(_, below)| draw < *below).map_or("web", |(source, _)| source);
        let discount = self.discount();
        let lines = self.lines(discount, source);
        let goods_minor =
            lines.iter().filter(|line| line.kind == LineKind::Goods).map(Line::gross_minor).sum::<i64>();
        let shipping = (source != "pos" && goods_minor > 0).then(|| self.shipping(goods_minor)).flatten();
        let abroad = country != self.profile.country;
        let duty_minor =
            if abroad && self.random.chance(200) { price::share(goods_minor, 5, 100) } else { 0 };
        let mut order = Order {
            id,
            number: 1001 + index as u32,
            created_at,
            updated_at: created_at + self.random.between(5, 900),
            cancelled: None,
            test: self.random.chance(10),
            customer,
            country,
            province,
            source,
            presentment,
            discount,
            lines,
            shipping,
            duty_minor,
            agreements: Vec::new(),
            refunds: Vec::new(),
            transactions: Vec::new(),
            fulfilled: created_at + 2 * DAY < self.until && !self.random.chance(40),
            campaign: self.random.chance(300).then(|| *self.random.pick(CAMPAIGNS)),
        };
        let agreement = self.first_agreement(&order);
        order.agreements.push(agreement);
        order.transactions = self.payment(&order);
        history::happen(self, &mut order);
        order.updated_at = order.updated_at.min(self.until - 1);
        order
    }

    fn discount(&mut self) -> Option<Discount> {
        let draw = self.random.below(1000);
        let (code, percent) = *self.random.pick(CODES);
        match draw {
            0..140 => Some(Discount::Code(code, percent)),
            140..190 => Some(Discount::Automatic("Bundle of two", 10)),
            190..215 => Some(Discount::Manual("Goodwill", 5)),
            _ => None,
        }
    }

    fn lines(&mut self, discount: Option<Discount>, source: &str) -> Vec<Line> {
        let gift_card_only = self.random.chance(8);
        let count = match self.random.below(1000) {
            0..480 => 1,
            480..780 => 2,
            780..920 => 3,
            920..990 => self.random.between(4, 7),
            _ => self.random.between(11, 34),
        };
        let mut lines = Vec::new();
        if !gift_card_only {
            for _ in 0..count {
                let product = self.random.skewed(self.products.len() - 1);
                let quantity = if self.random.chance(220) { self.random.between(2, 5) } else { 1 };
                let line = self.line(product, quantity, discount);
                lines.push(line);
            }
        }
        if gift_card_only || self.random.chance(6) {
            let line = self.line(self.products.len() - 1, 1, None);
            lines.push(line);
        }
        if source != "shopify_draft_order" && self.random.chance(20) {
            let unit_minor = self.profile.price_unit_minor * self.random.between(1, 4);
            lines.push(Line { kind: LineKind::Tip, unit_minor, ..self.empty_line() });
        }
        lines
    }

    fn empty_line(&mut self) -> Line {
        Line {
            id: self.id(),
            kind: LineKind::Goods,
            product: 0,
            variant: 0,
            quantity: 1,
            removed: 0,
            refunded: 0,
            unit_minor: 0,
            discount_minor: 0,
            edit_discount_minor: 0,
            discount_tax_minor: 0,
            tax_minor: 0,
        }
    }

    /// A line of a product with the order's discount and tax on it.
    pub fn line(&mut self, product: usize, quantity: i64, discount: Option<Discount>) -> Line {
        let variants = &self.products[product].variants;
        let variant = self.random.below(variants.len() as u64) as usize;
        let unit_minor = variants[variant].price_minor;
        if self.products[product].gift_card {
            return Line {
                kind: LineKind::GiftCard,
                product,
                variant,
                quantity,
                unit_minor,
                ..self.empty_line()
            };
        }
        let percent = match discount {
            Some(
                Discount::Code(_, percent) | Discount::Automatic(_, percent) | Discount::Manual(_, percent),
            ) => percent,
            None => 0,
        };
        let discount_minor = price::share(unit_minor * quantity, percent, 100);
        let tax_minor = self.tax(unit_minor * quantity - discount_minor);
        let discount_tax_minor = self.discount_tax(discount_minor);
        let empty = self.empty_line();
        Line {
            product,
            variant,
            quantity,
            unit_minor,
            discount_minor,
            discount_tax_minor,
            tax_minor,
            ..empty
        }
    }

    pub fn random_product(&mut self) -> usize {
        self.random.skewed(self.products.len() - 1)
    }

    fn shipping(&mut self, goods_minor: i64) -> Option<Shipping> {
        let unit_minor = self.profile.price_unit_minor;
        if goods_minor > 90 * unit_minor && !self.random.chance(300) {
            return None;
        }
        let express = self.random.chance(180);
        let price_minor = unit_minor * if express { 9 } else { 4 } + unit_minor * 9 / 10;
        let discount_minor = if self.random.chance(60) { price_minor } else { 0 };
        let tax_minor = self.tax(price_minor - discount_minor);
        let title = if express { "Express" } else { "Standard" };
        let discount_tax_minor = self.discount_tax(discount_minor);
        Some(Shipping { id: self.id(), title, price_minor, discount_minor, discount_tax_minor, tax_minor })
    }

    fn first_agreement(&mut self, order: &Order) -> Agreement {
        let mut sales = Vec::new();
        for (index, line) in order.lines.iter().enumerate() {
            sales.push(Sale {
                id: self.id(),
                kind: SaleKind::Line(index),
                action: SaleAction::Order,
                quantity: Some(line.quantity),
                gross_minor: line.gross_minor(),
                discount_minor: line.discount_minor,
                discount_tax_minor: line.discount_tax_minor,
                tax_minor: line.tax_minor,
            });
        }
        if let Some(shipping) = &order.shipping {
            sales.push(Sale {
                id: self.id(),
                kind: SaleKind::Shipping,
                action: SaleAction::Order,
                quantity: Some(1),
                gross_minor: shipping.price_minor,
                discount_minor: shipping.discount_minor,
                discount_tax_minor: shipping.discount_tax_minor,
                tax_minor: shipping.tax_minor,
            });
        }
        if order.duty_minor != 0 {
            sales.push(Sale {
                id: self.id(),
                kind: SaleKind::Duty,
                action: SaleAction::Order,
                quantity: None,
                gross_minor: order.duty_minor,
                discount_minor: 0,
                discount_tax_minor: 0,
                tax_minor: 0,
            });
        }
        Agreement { id: self.id(), at: order.created_at, kind: AgreementKind::Order, sales }
    }

    fn payment(&mut self, order: &Order) -> Vec<Transaction> {
        let mut transactions = Vec::new();
        let gateway = if order.test { "bogus" } else { self.profile.gateway };
        let mut due_minor = order.total_minor(self.profile);
        let mut at = order.created_at;
        let mut pay = |builder: &mut Self, kind, status, gateway, at, amount_minor, parent| {
            let id = builder.id();
            transactions.push(Transaction { id, kind, status, gateway, at, amount_minor, parent });
            id
        };
        if self.random.chance(30) {
            pay(self, "SALE", "PENDING", "cash on delivery", at, due_minor, None);
            return transactions;
        }
        if self.random.chance(50) {
            pay(self, "SALE", "FAILURE", gateway, at, due_minor, None);
            at += 40;
        }
        if self.random.chance(20) && due_minor > 1 {
            let part = due_minor / 2;
            pay(self, "SALE", "SUCCESS", "gift_card", at, part, None);
            due_minor -= part;
        }
        if self.random.chance(150) {
            let authorization = pay(self, "AUTHORIZATION", "SUCCESS", gateway, at, due_minor, None);
            pay(
                self,
                "CAPTURE",
                "SUCCESS",
                gateway,
                (at + DAY / 2).min(self.until - 1),
                due_minor,
                Some(authorization),
            );
        } else {
            pay(self, "SALE", "SUCCESS", gateway, at, due_minor, None);
        }
        transactions
    }
}

impl Order {
    /// What the buyer owes for everything ever on the order, before anything was taken back.
    pub fn total_minor(&self, profile: &Profile) -> i64 {
        let tax_on_top = if profile.taxes_included { 0 } else { 1 };
        let lines = self
            .lines
            .iter()
            .map(|line| line.gross_minor() - line.all_discount_minor() + line.tax_minor * tax_on_top)
            .sum::<i64>();
        let shipping = self.shipping.as_ref().map_or(0, |shipping| {
            shipping.price_minor - shipping.discount_minor + shipping.tax_minor * tax_on_top
        });
        lines + shipping + self.duty_minor
    }

    pub fn paid_minor(&self) -> i64 {
        let paid = |transaction: &&Transaction| {
            transaction.status == "SUCCESS" && matches!(transaction.kind, "SALE" | "CAPTURE")
        };
        self.transactions.iter().filter(paid).map(|transaction| transaction.amount_minor).sum()
    }

    pub fn refunded_minor(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.total_minor).sum()
    }
}
