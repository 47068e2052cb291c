//! Rows that SQLite hands over as one JSON text.
//!
//! Its driver copies every value of a row on one thread and frees it on another, and wakes the reader for every row: for a
//! ledger's forty columns that costs several times what reading them does. As one text a thousand events are one value.

use std::fmt;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, SeqAccess, Visitor};
use uuid::Uuid;

use super::rows::{Builder, Builders};
use crate::FactsError;

/// What to select for [`append`]: an array of rows, each an array of the schema's fields; ids as hexadecimal digits.
pub(crate) fn selection(schema: &SchemaRef) -> String {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::FixedSizeBinary(_) => format!("hex(\"{0}\")", field.name()),
        _ => format!("\"{}\"", field.name()),
    });
    format!("json_group_array(json_array({}))", fields.collect::<Vec<_>>().join(", "))
}

/// Adds the rows of such a text.
pub(crate) fn append(columns: &mut Builders, text: &str) -> Result<(), FactsError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json.deserialize_seq(Rows(columns)).and_then(|()| json.end());
    read.map_err(|error| FactsError::Damaged(format!("events of the ledger cannot be read: {error}")))
}

struct Rows<'b>(&'b mut Builders);

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(Row(self.0))?.is_some() {}
        Ok(())
    }
}

struct Row<'b>(&'b mut Builders);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row's values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        for column in self.0.iter_mut() {
            values.next_element_seed(Cell(column))?.ok_or_else(|| A::Error::custom("a row is too short"))?;
        }
        Ok(())
    }
}

struct Cell<'b>(&'b mut Builder);

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Cell<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of its column's kind")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.append_null();
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        match self.0 {
            Builder::Integer(integers) => integers.append_value(value),
            Builder::Date(dates) => dates.append_value(i32::try_from(value).map_err(E::custom)?),
            Builder::Flag(flags) => flags.append_value(value != 0),
            Builder::Id(_) | Builder::Text(_) => return Err(E::custom("a number in a column of texts")),
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_i64(i64::try_from(value).map_err(E::custom)?)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match self.0 {
            Builder::Text(texts) => texts.append_value(value),
            // `hex` of nothing is the empty text.
            Builder::Id(ids) if value.is_empty() => ids.append_null(),
            Builder::Id(ids) => {
                let id = Uuid::try_parse(value).map_err(E::custom)?;
                ids.append_value(id.as_bytes()).map_err(E::custom)?;
            }
            _ => return Err(E::custom("a text in a column of numbers")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{Array, AsArray};
    use datafusion::arrow::datatypes::{Field, Int32Type, Int64Type, Schema};

    use super::*;
    use crate::schema::rows::{builders, finish};
    use crate::schema::{ID, TEXT};

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("id", ID, true),
            Field::new("name", TEXT, true),
            Field::new("amount", DataType::Int64, true),
            Field::new("day", DataType::Int32, true),
            Field::new("test", DataType::Boolean, true),
        ]))
    }

    #[test]
    fn every_kind_of_value_comes_through() {
        let schema = schema();
        let mut columns = builders(&schema, 1).expect("builders");
        let text = r#"[["000102030405060708090A0B0C0D0E0F","\"Zoë\"\n\u0001 \\ 🧭",-9223372036854775808,-1,1],
            ["",null,9223372036854775807,20000,0],["",null,null,null,null]]"#;
        append(&mut columns, text).expect("readable");
        append(&mut columns, "[]").expect("nothing");
        let rows = finish(&schema, columns).expect("a batch");
        assert_eq!(rows.num_rows(), 3);
        let ids = rows.column(0).as_fixed_size_binary();
        assert_eq!(ids.value(0), std::array::from_fn::<u8, 16, _>(|place| place as u8));
        assert!(ids.is_null(1) && ids.is_null(2));
        let names = rows.column(1).as_string_view();
        assert_eq!((names.value(0), names.is_null(1)), ("\"Zoë\"\n\u{1} \\ 🧭", true));
        let amounts = rows.column(2).as_primitive::<Int64Type>();
        assert_eq!((amounts.value(0), amounts.value(1), amounts.is_null(2)), (i64::MIN, i64::MAX, true));
        assert_eq!(rows.column(3).as_primitive::<Int32Type>().values()[..2], [-1, 20_000]);
        let tests = rows.column(4).as_boolean();
        assert_eq!((tests.value(0), tests.value(1), tests.is_null(2)), (true, false, true));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let too_large = i64::from(i32::MAX) + 1;
        for text in [
            r#"[["",null,1,1]]"#.to_owned(),
            r#"[["",null,"1",1,1]]"#.to_owned(),
            r#"[["",5,1,1,1]]"#.to_owned(),
            r#"[["0102",null,1,1,1]]"#.to_owned(),
            r#"[["",null,1.5,1,1]]"#.to_owned(),
            format!(r#"[["",null,1,{too_large},1]]"#),
            r#"[["",null,1,1,1,1]]"#.to_owned(),
            r#"[["",null,1,1,1]"#.to_owned(),
        ] {
            let mut columns = builders(&schema(), 1).expect("builders");
            assert!(append(&mut columns, &text).is_err(), "{text}");
        }
    }
}
