//! Files of exchange rates: a row per rate, or a column per currency as central banks publish them.

use std::collections::BTreeSet;

use csv::{ByteRecord, ReaderBuilder, StringRecord, Trim};
use portolan_connector::FieldError;
use portolan_core::{Currency, DatedRate, Decimal, LocalDate, Rate};

use crate::web::error::AppError;

/// Two decades of a bank's forty currencies are a third of it.
pub const LARGEST_FILE_BYTES: usize = 4 << 20;
/// Errors that are told at once.
const TOLD_AT_ONCE: usize = 20;
/// The one currency against which a file with a column per currency is written, where nobody says another.
const USUAL_BASE: &str = "EUR";

/// How the columns of a file are meant.
enum Columns {
    /// `date, base, quote, rate`, in any order.
    Long { date: usize, base: usize, quote: usize, rate: usize },
    /// `Date, USD, JPY, …`: so many of each for one euro.
    Wide { base: Currency, quotes: Vec<(usize, Currency)> },
}

/// Reads a file of comma- or semicolon-separated text.
///
/// Errors: the lines that could not be read, with what is wrong; nothing of the file counts then.
pub fn read_rates(bytes: &[u8]) -> Result<Vec<DatedRate>, AppError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first_line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = if first_line.contains(&b';') { b';' } else { b',' };
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).trim(Trim::All).flexible(true).from_reader(bytes);
    let header = reader.headers().map_err(|error| AppError::invalid("file", error.to_string()))?.clone();
    let columns = columns(&header)?;
    let mut rates = Vec::new();
    let mut faults = Vec::new();
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                let read = StringRecord::from_byte_record(record.clone())
                    .map_err(|_| "this line is not UTF-8 text".to_owned())
                    .and_then(|record| read_record(&columns, &record, &mut rates));
                faults.extend(read.err().map(|message| (line, message)));
            }
            Err(error) => return Err(AppError::invalid("file", format!("{error}."))),
        }
    }
    if !faults.is_empty() {
        return Err(refuse(faults));
    }
    if rates.is_empty() {
        return Err(AppError::invalid("file", "There is no rate in it."));
    }
    Ok(rates)
}

fn columns(header: &StringRecord) -> Result<Columns, AppError> {
    let names: Vec<String> = header.iter().map(str::to_ascii_lowercase).collect();
    let place = |name: &str| names.iter().position(|found| found == name);
    let date = place("date").or_else(|| place("day"));
    if let (Some(date), Some(base), Some(quote), Some(rate)) =
        (date, place("base"), place("quote"), place("rate"))
    {
        return Ok(Columns::Long { date, base, quote, rate });
    }
    let currencies = header.iter().enumerate().skip(1).filter(|(_, name)| !name.is_empty());
    let quotes: Result<Vec<_>, _> = currencies
        .map(|(index, name)| Ok::<_, portolan_core::currency::InvalidCurrency>((index, name.parse()?)))
        .collect();
    match quotes {
        Ok(quotes) if date == Some(0) && !quotes.is_empty() => {
            let base = USUAL_BASE.parse().map_err(AppError::internal)?;
            Ok(Columns::Wide { base, quotes })
        }
        _ => Err(AppError::invalid(
            "file",
            "The first line has to name the columns: date, base, quote, rate; or Date and then a currency each, as the \
             European Central Bank writes them.",
        )),
    }
}

fn read_record(columns: &Columns, record: &StringRecord, rates: &mut Vec<DatedRate>) -> Result<(), String> {
    let cell = |index: usize| record.get(index).unwrap_or_default();
    match columns {
        Columns::Long { date, base, quote, rate } => {
            let (base, quote) = (currency(cell(*base))?, currency(cell(*quote))?);
            if base == quote {
                return Err(format!("{base} has no rate against itself"));
            }
            rates.push(DatedRate { day: day(cell(*date))?, base, quote, rate: number(cell(*rate))? });
        }
        Columns::Wide { base, quotes } => {
            let day = day(cell(0))?;
            for (index, quote) in quotes {
                let text = cell(*index);
                // A currency that is not quoted on that day.
                if !text.is_empty() && text != "N/A" && quote != base {
                    rates.push(DatedRate { day, base: *base, quote: *quote, rate: number(text)? });
                }
            }
        }
    }
    Ok(())
}

fn day(text: &str) -> Result<LocalDate, String> {
    LocalDate::parse(text).ok_or_else(|| format!("{text:?} is no date: write it as YYYY-MM-DD"))
}

fn currency(text: &str) -> Result<Currency, String> {
    text.parse().map_err(|error: portolan_core::currency::InvalidCurrency| error.to_string())
}

fn number(text: &str) -> Result<Rate, String> {
    let decimal: Option<Decimal> = text.parse().ok();
    decimal
        .and_then(Rate::new)
        .ok_or_else(|| format!("{text:?} is no rate: write a number above zero like 1.0853"))
}

fn refuse(faults: Vec<(u64, String)>) -> AppError {
    let lines: BTreeSet<u64> = faults.iter().map(|(line, _)| *line).collect();
    let mut fields: Vec<FieldError> = faults
        .into_iter()
        .take(TOLD_AT_ONCE)
        .map(|(line, message)| FieldError {
            path: format!("file/line/{line}"),
            message: format!("Line {line}: {message}."),
        })
        .collect();
    let more = lines.len().saturating_sub(TOLD_AT_ONCE);
    if more > 0 {
        fields.push(FieldError {
            path: "file".to_owned(),
            message: format!("{more} more lines can't be read."),
        });
    }
    AppError::invalid_fields(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let told = |rate: DatedRate| {
            format!("{} {} {} {}", rate.day, rate.base, rate.quote, Decimal::from(rate.rate))
        };
        read_rates(text.as_bytes()).expect("rates").into_iter().map(told).collect()
    }

    fn refused(text: &[u8]) -> String {
        read_rates(text).expect_err("refused").full_detail()
    }

    #[test]
    fn a_row_per_rate_is_read() {
        let expected = ["2026-06-01 EUR USD 1.085300000000", "2026-06-02 GBP USD 1.270000000000"];
        assert_eq!(
            read("date,base,quote,rate\n2026-06-01,EUR,USD,1.0853\n2026-06-02,GBP,USD,1.27\n"),
            expected
        );
        assert_eq!(
            read("\u{feff}Rate;Quote;Base;Day\r\n1.0853;USD;EUR;2026-06-01\r\n1.27; USD;GBP;2026-06-02"),
            expected
        );
    }

    #[test]
    fn a_column_per_currency_is_read_as_central_banks_write_it() {
        let text = "Date,USD,JPY,CYP,\n2026-06-02,1.0853,163.25,N/A,\n2026-06-01,1.0842,,0.5,\n";
        assert_eq!(
            read(text),
            [
                "2026-06-02 EUR USD 1.085300000000",
                "2026-06-02 EUR JPY 163.250000000000",
                "2026-06-01 EUR USD 1.084200000000",
                "2026-06-01 EUR CYP 0.500000000000",
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_line_by_line() {
        let told = refused(
            b"date,base,quote,rate\n1.6.2026,EUR,USD,1\n2026-06-01,Euro,USD,1\n2026-06-01,EUR,USD,0\n2026-06-01,EUR,EUR,1\n2026-06-01,EUR,USD\n",
        );
        for part in [
            "Line 2: \"1.6.2026\" is no date",
            "Line 3: \"Euro\"",
            "Line 4: \"0\" is no rate",
            "against itself",
            "Line 6: \"\" is no rate",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
        for (text, part) in [
            (&b"a,b\n1,2\n"[..], "first line has to name the columns"),
            (b"", "first line has to name the columns"),
            (b"date,base,quote,rate\n", "no rate in it"),
            (b"date,base,quote,rate\n2026-06-01,EUR,\xff\xfe,1\n", "not UTF-8"),
        ] {
            let told = refused(text);
            assert!(told.contains(part), "{part} in {told}");
        }
        let many: String = (0..40).map(|_| "x,EUR,USD,1\n").collect();
        assert!(refused(format!("date,base,quote,rate\n{many}").as_bytes()).contains("20 more lines"));
    }
}
