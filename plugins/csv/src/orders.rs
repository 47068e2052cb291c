//! Rows of sales become orders; documents marked as returns become refunds without an order.

use portolan_sdk::commerce::{Order, OrderLine, Refund, RefundLine};
use portolan_sdk::read::{Row, Table};
use portolan_sdk::{BadRecord, Decimal, Instant, Minor, Moment, RecordResult, Result, Sink, money};

use crate::columns;
use crate::mapping::{NegativeRows, OrderColumns, OrderMapping};
use crate::values::{moment, number, order_of, text};

/// One row, read.
struct Sold {
    src: u32,
    /// Names the line, for a file names none: equal rows stay two, and a returned row is no sold one.
    line_key: String,
    at: Moment,
    product: Option<String>,
    sku: Option<String>,
    title: String,
    quantity: Decimal,
    unit_price: Option<Decimal>,
    gross: Minor,
    discount: Minor,
    tax: Minor,
}

/// What all rows of a document agree on.
struct Head {
    currency: String,
    customer: Option<String>,
    country: Option<String>,
    region: Option<String>,
    store: Option<String>,
    channel: Option<String>,
    shipping: Minor,
}

pub fn normalize(mapping: &OrderMapping, table: &Table, received_at: Instant, out: &mut Sink) -> Result<()> {
    let headers: Vec<String> = table.headers().map(str::to_owned).collect();
    let columns = columns::orders(mapping, &headers)?;
    let reader = Reader { mapping, columns: &columns, received_at };
    table.each_group(out, |row| reader.key(row), |key, rows, out| reader.document(key, rows, out))
}

struct Reader<'a> {
    mapping: &'a OrderMapping,
    columns: &'a OrderColumns,
    received_at: Instant,
}

impl Reader<'_> {
    fn key(&self, row: &Row<'_>) -> Result<String, BadRecord> {
        let column = &self.columns.document_key;
        text(&self.mapping.locale, row, Some(column)).ok_or_else(|| {
            BadRecord::at(column.as_str(), "the row does not say which document it belongs to")
        })
    }

    /// Every row of one document: an order, a return, or an order and what came back of it.
    fn document(&self, key: &str, rows: &[Row<'_>], out: &mut Sink) -> RecordResult {
        let head = self.head(rows)?;
        let mut sold = Vec::with_capacity(rows.len());
        for (position, row) in rows.iter().enumerate() {
            sold.push(self.sold(position, row, &head.currency)?);
        }
        let is_return =
            self.mapping.returns.key_prefix.as_ref().is_some_and(|prefix| key.starts_with(prefix.as_str()));
        if is_return {
            out.push(self.refund(key, None, &head, &sold)?);
            return Ok(());
        }
        if self.mapping.returns.negative_rows == NegativeRows::Keep {
            out.push(self.order(key, head, &sold)?);
            return Ok(());
        }
        let (back, kept): (Vec<Sold>, Vec<Sold>) =
            sold.into_iter().partition(|row| row.quantity.unscaled < 0);
        if !back.is_empty() {
            let order = (!kept.is_empty()).then(|| key.to_owned());
            out.push(self.refund(&format!("{key}:return"), order, &head, &back)?);
        }
        if !kept.is_empty() {
            out.push(self.order(key, head, &kept)?);
        }
        Ok(())
    }

    fn head(&self, rows: &[Row<'_>]) -> Result<Head, BadRecord> {
        let columns = self.columns;
        let currency = match self.agreed(rows, columns.currency.as_ref())? {
            Some(code) => {
                let path = columns.currency.clone().unwrap_or_default();
                money::currency(&code).map_err(|bad| bad.at(path))?
            }
            None => {
                self.mapping.currency.clone().ok_or_else(|| BadRecord::new("the document has no currency"))?
            }
        };
        let currency = money::currency(&currency)?;
        // Exports repeat an order's shipping on each row, or give it on the first alone.
        let shipping =
            match self.first(rows, |row| number(&self.mapping.locale, row, columns.shipping.as_ref()))? {
                Some(amount) => money::minor_of(amount, &currency)?,
                None => 0,
            };
        let any = |column: &Option<String>| {
            rows.iter().find_map(|row| text(&self.mapping.locale, row, column.as_ref()))
        };
        Ok(Head {
            country: any(&columns.country),
            region: any(&columns.region),
            store: any(&columns.store),
            channel: any(&columns.channel),
            customer: self.agreed(rows, columns.customer.as_ref())?,
            currency,
            shipping,
        })
    }

    /// The one value that all rows with a value have.
    fn agreed(&self, rows: &[Row<'_>], column: Option<&String>) -> Result<Option<String>, BadRecord> {
        let mut agreed: Option<String> = None;
        for row in rows {
            match (text(&self.mapping.locale, row, column), &agreed) {
                (Some(value), None) => agreed = Some(value),
                (Some(value), Some(known)) if value != *known => {
                    let reason = format!("rows of one document name both {known:?} and {value:?}");
                    return Err(BadRecord { path: column.cloned(), reason, blamed: Some(row.src()) });
                }
                _ => {}
            }
        }
        Ok(agreed)
    }

    fn first<T>(
        &self,
        rows: &[Row<'_>],
        read: impl Fn(&Row<'_>) -> Result<Option<T>, BadRecord>,
    ) -> Result<Option<T>, BadRecord> {
        for row in rows {
            if let Some(value) = read(row)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn sold(&self, position: usize, row: &Row<'_>, currency: &str) -> Result<Sold, BadRecord> {
        let (columns, locale) = (self.columns, &self.mapping.locale);
        let blamed = |bad: BadRecord| bad.in_record(row.src());
        let required = |column: &str| blamed(BadRecord::at(column, "the field is empty"));
        let date = row.get(&columns.placed_at).filter(|date| !date.is_empty());
        let date = date.ok_or_else(|| required(&columns.placed_at))?;
        let at = moment(locale, date).map_err(|bad| blamed(bad.at(columns.placed_at.as_str())))?;
        let quantity = match &columns.quantity {
            Some(column) => number(locale, row, Some(column))?.ok_or_else(|| required(column))?,
            None => Decimal::whole(1),
        };
        let unit_price = number(locale, row, columns.unit_price.as_ref())?;
        let gross = match (&columns.line_total, &columns.unit_price) {
            (Some(column), _) => {
                let total = number(locale, row, Some(column))?.ok_or_else(|| required(column))?;
                money::minor_of(total, currency).map_err(|bad| blamed(bad.at(column.as_str())))?
            }
            (None, column) => {
                let column = column.as_deref().unwrap_or_default();
                let price = unit_price.ok_or_else(|| required(column))?;
                money::rounded_product(quantity, price, currency).map_err(|bad| blamed(bad.at(column)))?
            }
        };
        let sign = if quantity.unscaled < 0 { -1 } else { 1 };
        let amount = |column: Option<&String>| -> Result<Minor, BadRecord> {
            let Some(amount) = number(locale, row, column)? else { return Ok(0) };
            let path = column.cloned().unwrap_or_default();
            money::minor_of(amount, currency).map_err(|bad| blamed(bad.at(path)))
        };
        let sku = text(locale, row, columns.sku.as_ref());
        let product = text(locale, row, columns.product.as_ref());
        let title = text(locale, row, columns.title.as_ref());
        Ok(Sold {
            src: row.src(),
            line_key: (position + 1).to_string(),
            at,
            title: title.or_else(|| sku.clone()).or_else(|| product.clone()).unwrap_or_default(),
            product: product.or_else(|| sku.clone()),
            sku,
            quantity,
            unit_price,
            gross,
            // Some exports write a discount as a negative number: either way it makes the row smaller.
            discount: sign * amount(columns.discount.as_ref())?.abs(),
            tax: amount(columns.tax.as_ref())?,
        })
    }

    fn order(&self, key: &str, head: Head, sold: &[Sold]) -> Result<Order, BadRecord> {
        let placed_at = earliest(sold).ok_or_else(|| BadRecord::new("the document has no rows"))?;
        let mut order = Order::new(sold[0].src, key, Moment::At(self.received_at), placed_at, head.currency);
        order.also = sold[1..].iter().map(|row| row.src).collect();
        order.number = Some(key.to_owned());
        order.customer = head.customer;
        order.country = head.country;
        order.region = head.region;
        order.store = head.store;
        order.channel = head.channel;
        order.gross = sum(sold, |row| row.gross)?;
        order.discount = sum(sold, |row| row.discount)?;
        order.tax = sum(sold, |row| row.tax)?;
        order.shipping = head.shipping;
        order.tax_included = self.mapping.tax_included;
        order.total = self.total(order.gross, order.discount, order.tax, head.shipping)?;
        order.lines = sold.iter().map(line).collect();
        Ok(order)
    }

    /// A return; amounts and units of a refund are positive for what was given back.
    fn refund(
        &self,
        key: &str,
        order: Option<String>,
        head: &Head,
        sold: &[Sold],
    ) -> Result<Refund, BadRecord> {
        let at = earliest(sold).ok_or_else(|| BadRecord::new("the document has no rows"))?;
        let updated_at = Moment::At(self.received_at);
        let mut refund = Refund::new(sold[0].src, key, updated_at, at, head.currency.as_str());
        refund.also = sold[1..].iter().map(|row| row.src).collect();
        refund.order = order;
        refund.customer = head.customer.clone();
        refund.country = head.country.clone();
        refund.store = head.store.clone();
        refund.tax = -sum(sold, |row| row.tax)?;
        let goods = sum(sold, |row| row.gross)? - sum(sold, |row| row.discount)?;
        refund.total = -goods + if self.mapping.tax_included { 0 } else { refund.tax };
        for row in sold {
            let units = Decimal { unscaled: -row.quantity.unscaled, scale: row.quantity.scale };
            let mut line = RefundLine::new(row.line_key.as_str(), units, row.discount - row.gross);
            line.product = row.product.clone();
            line.tax = -row.tax;
            refund.lines.push(line);
        }
        Ok(refund)
    }

    fn total(&self, gross: Minor, discount: Minor, tax: Minor, shipping: Minor) -> Result<Minor, BadRecord> {
        let added_tax = if self.mapping.tax_included { 0 } else { tax };
        gross
            .checked_sub(discount)
            .and_then(|total| total.checked_add(shipping))
            .and_then(|total| total.checked_add(added_tax))
            .ok_or_else(overflow)
    }
}

fn line(row: &Sold) -> OrderLine {
    let mut line = OrderLine::new(row.line_key.as_str(), row.title.as_str(), row.quantity);
    line.product = row.product.clone();
    line.sku = row.sku.clone();
    line.unit_price = row.unit_price;
    line.gross = row.gross;
    line.discount = row.discount;
    line.tax = row.tax;
    line
}

fn earliest(sold: &[Sold]) -> Option<Moment> {
    sold.iter().map(|row| &row.at).min_by_key(|at| order_of(at)).cloned()
}

fn sum(sold: &[Sold], amount: impl Fn(&Sold) -> Minor) -> Result<Minor, BadRecord> {
    let sum: i128 = sold.iter().map(|row| i128::from(amount(row))).sum();
    i64::try_from(sum).map_err(|_| overflow())
}

fn overflow() -> BadRecord {
    BadRecord::new("the document's amounts are too large")
}
