//! The saved column mapping: the connection's config, one part per stream.

use portolan_sdk::{Error, Result, money};
use serde::Deserialize;

/// The connection's config. A stream without columns is mapped by well-known header names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub orders: OrderMapping,
    pub products: ProductMapping,
    pub customers: CustomerMapping,
}

/// How the file itself is written; what is absent is detected.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Dialect {
    /// WHATWG label: utf-8, windows-1252, …
    pub encoding: Option<String>,
    /// One character, or `\t`.
    pub delimiter: Option<String>,
    /// Lines before the header.
    pub skip_lines: Option<u32>,
}

/// How numbers and dates are written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Locale {
    pub decimal_mark: DecimalMark,
    /// strftime formats, tried in order; none: ISO 8601.
    pub date_formats: Vec<String>,
    pub times_in: TimesIn,
    /// Columns of whole numbers that were written as `17850.0`.
    pub strip_decimal_zero: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum DecimalMark {
    #[default]
    #[serde(rename = ".")]
    Point,
    #[serde(rename = ",")]
    Comma,
}

/// What clock a time without an offset was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimesIn {
    /// The connection's time zone.
    #[default]
    Connection,
    Utc,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OrderMapping {
    pub columns: Option<OrderColumns>,
    /// The currency of files that have no currency column.
    pub currency: Option<String>,
    pub returns: Returns,
    /// Whether amounts include tax.
    pub tax_included: bool,
    /// Columns that are dropped before anything is stored.
    pub personal: Vec<String>,
    #[serde(flatten)]
    pub dialect: Dialect,
    #[serde(flatten)]
    pub locale: Locale,
}

/// What is a return.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Returns {
    /// Documents whose key begins so are returns of no known order.
    pub key_prefix: Option<String>,
    pub negative_rows: NegativeRows,
}

/// What a row of negative quantity in another document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NegativeRows {
    /// A line of the order that takes away from it.
    #[default]
    Keep,
    /// A refund of the order of the same key.
    Refund,
}

/// Column names of the orders file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderColumns {
    pub document_key: String,
    pub placed_at: String,
    pub quantity: Option<String>,
    pub unit_price: Option<String>,
    pub line_total: Option<String>,
    pub product: Option<String>,
    pub sku: Option<String>,
    pub title: Option<String>,
    pub discount: Option<String>,
    pub tax: Option<String>,
    pub shipping: Option<String>,
    pub customer: Option<String>,
    pub country: Option<String>,
    pub region: Option<String>,
    pub currency: Option<String>,
    pub store: Option<String>,
    pub channel: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ProductMapping {
    pub columns: Option<ProductColumns>,
    pub currency: Option<String>,
    pub personal: Vec<String>,
    #[serde(flatten)]
    pub dialect: Dialect,
    #[serde(flatten)]
    pub locale: Locale,
}

/// Column names of the products file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductColumns {
    pub key: String,
    pub title: Option<String>,
    pub sku: Option<String>,
    pub gtin: Option<String>,
    pub category: Option<String>,
    pub brand: Option<String>,
    pub price: Option<String>,
    pub cost: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CustomerMapping {
    pub columns: Option<CustomerColumns>,
    pub personal: Vec<String>,
    #[serde(flatten)]
    pub dialect: Dialect,
    #[serde(flatten)]
    pub locale: Locale,
}

/// Column names of the customers file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerColumns {
    pub key: String,
    pub country: Option<String>,
    pub region: Option<String>,
    pub first_seen: Option<String>,
}

impl Config {
    /// What the manifest's schema can't say.
    pub fn check(&self) -> Result<()> {
        for (field, code) in [("orders", &self.orders.currency), ("products", &self.products.currency)] {
            if let Some(code) = code {
                money::currency(code)
                    .map_err(|bad| Error::invalid_config(format!("{field}.currency"), bad.to_string()))?;
            }
        }
        let dialects = [
            ("orders", &self.orders.dialect, &self.orders.personal),
            ("products", &self.products.dialect, &self.products.personal),
            ("customers", &self.customers.dialect, &self.customers.personal),
        ];
        for (stream, dialect, personal) in dialects {
            dialect.check(stream)?;
            let taken = self.mapped_columns(stream).into_iter().find(|column| personal.contains(column));
            if let Some(column) = taken {
                let message =
                    format!("{column:?} is mapped, but also marked as personal and therefore dropped");
                return Err(Error::invalid_config(format!("{stream}.personal"), message));
            }
        }
        if let Some(columns) = &self.orders.columns {
            let priced =
                columns.line_total.is_some() || (columns.quantity.is_some() && columns.unit_price.is_some());
            if !priced {
                let message =
                    "map line_total, or both quantity and unit_price: without them a row has no amount";
                return Err(Error::invalid_config("orders.columns", message));
            }
            if columns.currency.is_none() && self.orders.currency.is_none() {
                return Err(Error::invalid_config(
                    "orders.currency",
                    "name the currency, or map a currency column",
                ));
            }
        }
        Ok(())
    }

    /// Every column that the mapping of a stream reads.
    fn mapped_columns(&self, stream: &str) -> Vec<String> {
        match stream {
            "orders" => self.orders.columns.iter().flat_map(OrderColumns::all).collect(),
            "products" => self.products.columns.iter().flat_map(ProductColumns::all).collect(),
            _ => self.customers.columns.iter().flat_map(CustomerColumns::all).collect(),
        }
    }

    /// What a person should know about this config.
    pub fn notes(&self) -> Vec<String> {
        let unmapped = [
            ("orders", self.orders.columns.is_none()),
            ("products", self.products.columns.is_none()),
            ("customers", self.customers.columns.is_none()),
        ];
        unmapped
            .iter()
            .filter(|(_, unmapped)| *unmapped)
            .map(|(stream, _)| {
                format!("{stream}: no columns are mapped, so well-known header names are looked for")
            })
            .collect()
    }
}

impl Dialect {
    fn check(&self, stream: &str) -> Result<()> {
        if let Some(label) = &self.encoding {
            match encoding_rs::Encoding::for_label(label.as_bytes()) {
                Some(encoding) if encoding.is_ascii_compatible() => {}
                _ => {
                    let message = "must be an encoding such as utf-8 or windows-1252; UTF-16 is recognised by its mark, without being named";
                    return Err(Error::invalid_config(format!("{stream}.encoding"), message));
                }
            }
        }
        if self.delimiter.is_some() && self.delimiter_byte().is_none() {
            return Err(Error::invalid_config(
                format!("{stream}.delimiter"),
                "must be one character, or \\t",
            ));
        }
        Ok(())
    }

    pub fn delimiter_byte(&self) -> Option<u8> {
        match self.delimiter.as_deref()?.as_bytes() {
            b"\\t" | b"tab" => Some(b'\t'),
            [byte] if byte.is_ascii() => Some(*byte),
            _ => None,
        }
    }
}

fn named(columns: &[&Option<String>]) -> Vec<String> {
    columns.iter().filter_map(|column| (*column).clone()).collect()
}

impl OrderColumns {
    pub fn all(&self) -> Vec<String> {
        let mut all = vec![self.document_key.clone(), self.placed_at.clone()];
        all.extend(named(&[
            &self.quantity,
            &self.unit_price,
            &self.line_total,
            &self.product,
            &self.sku,
            &self.title,
            &self.discount,
            &self.tax,
            &self.shipping,
            &self.customer,
            &self.country,
            &self.region,
            &self.currency,
            &self.store,
            &self.channel,
        ]));
        all
    }
}

impl ProductColumns {
    pub fn all(&self) -> Vec<String> {
        let mut all = vec![self.key.clone()];
        all.extend(named(&[
            &self.title,
            &self.sku,
            &self.gtin,
            &self.category,
            &self.brand,
            &self.price,
            &self.cost,
        ]));
        all
    }
}

impl CustomerColumns {
    pub fn all(&self) -> Vec<String> {
        let mut all = vec![self.key.clone()];
        all.extend(named(&[&self.country, &self.region, &self.first_seen]));
        all
    }
}
