//! `standing(row, total, order_key, order_at, units)`: in which rows of an answer a customer has an order that stands.
//!
//! Called once per customer, it takes the place of grouping all orders and counting customers twice, for rows and for
//! totals. An order stands in a row where the units of its events there are above zero, and in the total where all its
//! units are. The result is the set of those rows' numbers, and the total's number with them.
//!
//! Most customers have nothing but positive units: then every row they bought in counts, and orders need not be told
//! apart. For the others orders are told apart by 128 bits of their keys, hashed with keys of this process that nobody
//! outside can know: so nobody can make two orders that are taken for one, and by chance one pair in 2^128 would be.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Int64Builder, ListBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

mod entries;

use entries::{ENTRY_BYTES, Entries, Entry};

/// Two, for twice 64 bits.
static HASHERS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);

/// The function, to be registered with a session.
pub(crate) fn standing() -> AggregateUDF {
    let arguments =
        vec![DataType::Int64, DataType::Int64, DataType::Utf8View, DataType::Int64, DataType::Int64];
    AggregateUDF::from(Standing { signature: Signature::exact(arguments, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Standing {
    signature: Signature,
}

impl AggregateUDFImpl for Standing {
    fn name(&self) -> &'static str {
        "standing"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::new_list(DataType::Int64, true))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[units]", arguments.name), DataType::Binary, false))])
    }

    fn accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Err(DataFusionError::NotImplemented("standing is asked per customer".to_owned()))
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        !arguments.is_distinct
    }

    fn create_groups_accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Customers::default()))
    }
}

/// What each customer bought, by the customer's number.
#[derive(Debug, Default)]
struct Customers(Entries);

/// What each row says, for a customer that is filled in later; nothing where it is not wanted.
fn read<'a>(
    values: &'a [ArrayRef],
    filter: Option<&'a BooleanArray>,
) -> Result<impl Iterator<Item = Result<Option<Entry>>> + 'a> {
    let [rows, totals, keys, instants, units] = values else { return Err(unexpected()) };
    let integers = |array: &'a ArrayRef| array.as_primitive_opt::<Int64Type>().ok_or_else(unexpected);
    let (rows, totals) = (integers(rows)?, integers(totals)?);
    let (instants, units) = (integers(instants)?, integers(units)?);
    let keys = keys.as_string_view_opt().ok_or_else(unexpected)?;
    Ok((0..rows.len()).map(move |index| {
        let wanted = filter.is_none_or(|filter| filter.is_valid(index) && filter.value(index));
        if !wanted || units.is_null(index) {
            return Ok(None);
        }
        let order = (keys.value(index), instants.value(index));
        Ok(Some(Entry {
            group: 0,
            row: number(rows.value(index))?,
            total: number(totals.value(index))?,
            order: [HASHERS[0].hash_one(order), HASHERS[1].hash_one(order)],
            units: units.value(index),
        }))
    }))
}

/// Packed keys count up from zero, and memory bounds them.
fn number(packed: i64) -> Result<u32> {
    u32::try_from(packed).map_err(|_| DataFusionError::ResourcesExhausted("too many groups".to_owned()))
}

impl GroupsAccumulator for Customers {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        for (group, entry) in groups.iter().zip(read(values, filter)?) {
            if let Some(entry) = entry? {
                self.0.push(Entry { group: *group as u32, ..entry });
            }
        }
        self.0.group_count = group_count;
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], group_count: usize) -> Result<()> {
        let states =
            states.first().and_then(|states| states.as_binary_opt::<i32>()).ok_or_else(unexpected)?;
        for (group, state) in groups.iter().zip(states.iter()) {
            for bytes in state.unwrap_or_default().chunks_exact(ENTRY_BYTES) {
                self.0.push(Entry { group: *group as u32, ..Entry::from_bytes(bytes) });
            }
        }
        self.0.group_count = group_count;
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut lists = ListBuilder::new(Int64Builder::new());
        let mut standing = Vec::new();
        self.0.take(emit_to, |of_customer| {
            entries::standing_rows(of_customer, &mut standing);
            standing.iter().for_each(|row| lists.values().append_value(i64::from(*row)));
            lists.append(true);
        });
        Ok(Arc::new(lists.finish()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let mut states = BinaryBuilder::new();
        let mut bytes = Vec::new();
        self.0.take(emit_to, |of_customer| {
            bytes.clear();
            of_customer.iter().for_each(|entry| bytes.extend(entry.to_bytes()));
            states.append_value(&bytes);
        });
        Ok(vec![Arc::new(states.finish())])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |rows| rows.len());
        let mut states = BinaryBuilder::with_capacity(rows, rows * ENTRY_BYTES);
        for entry in read(values, filter)? {
            match entry? {
                Some(entry) => states.append_value(entry.to_bytes()),
                None => states.append_value([]),
            }
        }
        Ok(vec![Arc::new(states.finish())])
    }

    fn size(&self) -> usize {
        self.0.size_bytes()
    }
}

fn unexpected() -> DataFusionError {
    DataFusionError::Internal("standing takes a row, a total, an order, its instant and units".to_owned())
}

#[cfg(test)]
mod tests;
