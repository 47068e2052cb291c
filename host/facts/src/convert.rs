//! `display_amount(amount, currency, day)` and `display_currency(currency, day)`: amounts of a day in one currency.
//!
//! Each amount is converted and rounded by itself, so that a full refund nets to zero and breakdowns meet their
//! total. An amount for whose day no rate is known stays as it is, in its own currency: it is shown beside the others
//! and added to none of them.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use portolan_core::{Currency, LocalDate, Rate, RateTable};

/// Both functions, for one target currency.
pub(crate) fn functions(rates: &Arc<RateTable>, target: Currency) -> [ScalarUDF; 2] {
    [amount_function(Arc::clone(rates), target), currency_function(Arc::clone(rates), target)]
}

fn amount_function(rates: Arc<RateTable>, target: Currency) -> ScalarUDF {
    let call = move |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let [amounts, currencies, days] = arrays.as_slice() else { return Err(wrong("three")) };
        let amounts = amounts.as_primitive::<Int64Type>();
        let mut known = Known::new(&rates, target);
        let places = places(currencies, days);
        let converted = amounts.iter().zip(places).map(|(amount, place)| {
            let (Some(amount), Some((currency, day))) = (amount, place) else { return Ok(amount) };
            known.convert(amount, currency, day).map(Some)
        });
        let converted = converted.collect::<Result<Int64Array, DataFusionError>>()?;
        Ok(ColumnarValue::Array(Arc::new(converted)))
    };
    let types = vec![DataType::Int64, DataType::Utf8View, DataType::Int32];
    create_udf("display_amount", types, DataType::Int64, Volatility::Immutable, Arc::new(call))
}

fn currency_function(rates: Arc<RateTable>, target: Currency) -> ScalarUDF {
    let call = move |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let [currencies, days] = arrays.as_slice() else { return Err(wrong("two")) };
        let mut known = Known::new(&rates, target);
        let mut shown = StringViewBuilder::with_capacity(currencies.len());
        for place in places(currencies, days) {
            match place {
                None => shown.append_null(),
                Some((currency, day)) => shown.append_value(known.shown(currency, day)),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(shown.finish())))
    };
    let types = vec![DataType::Utf8View, DataType::Int32];
    create_udf("display_currency", types, DataType::Utf8View, Volatility::Immutable, Arc::new(call))
}

fn wrong(number: &str) -> DataFusionError {
    DataFusionError::Execution(format!("a conversion takes {number} arguments"))
}

/// Currency and day of each row; absent where one of them is.
fn places<'a>(
    currencies: &'a ArrayRef,
    days: &'a ArrayRef,
) -> impl Iterator<Item = Option<(&'a str, LocalDate)>> {
    let days = days.as_primitive::<Int32Type>().iter();
    currencies.as_string_view().iter().zip(days).map(|(currency, day)| Some((currency?, LocalDate(day?))))
}

/// The rates that a batch has needed so far: few currencies and days among many rows.
struct Known<'r> {
    rates: &'r RateTable,
    target: Currency,
    target_name: String,
    found: HashMap<(Currency, LocalDate), Option<Rate>>,
    /// The text of the row before, mostly the same.
    last: Option<(String, Currency)>,
    /// The rate of the row before, likewise.
    last_rate: Option<(Currency, LocalDate, Option<Rate>)>,
}

impl<'r> Known<'r> {
    fn new(rates: &'r RateTable, target: Currency) -> Self {
        Self {
            rates,
            target,
            target_name: target.to_string(),
            found: HashMap::new(),
            last: None,
            last_rate: None,
        }
    }

    fn parse(&mut self, text: &str) -> Option<Currency> {
        if let Some((known, currency)) = &self.last
            && known == text
        {
            return Some(*currency);
        }
        let currency: Currency = text.parse().ok()?;
        self.last = Some((text.to_owned(), currency));
        Some(currency)
    }

    fn rate(&mut self, currency: Currency, day: LocalDate) -> Option<Rate> {
        if let Some((last_currency, last_day, rate)) = self.last_rate
            && (last_currency, last_day) == (currency, day)
        {
            return rate;
        }
        let (rates, target) = (self.rates, self.target);
        let rate = *self.found.entry((currency, day)).or_insert_with(|| rates.rate(currency, target, day));
        self.last_rate = Some((currency, day, rate));
        rate
    }

    /// In the target currency, or as it was.
    fn convert(&mut self, amount: i64, currency: &str, day: LocalDate) -> Result<i64, DataFusionError> {
        if currency == self.target_name {
            return Ok(amount);
        }
        let Some(currency) = self.parse(currency) else { return Ok(amount) };
        let Some(rate) = self.rate(currency, day) else { return Ok(amount) };
        rate.convert(amount, currency, self.target).ok_or_else(|| {
            DataFusionError::Execution(format!("an amount in {currency} does not fit when converted"))
        })
    }

    /// The currency that [`Self::convert`] answers in.
    fn shown<'a>(&'a mut self, currency: &'a str, day: LocalDate) -> &'a str {
        if currency == self.target_name {
            return currency;
        }
        let known = self.parse(currency).is_some_and(|parsed| self.rate(parsed, day).is_some());
        if known { &self.target_name } else { currency }
    }
}
