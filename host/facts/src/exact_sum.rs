//! `exact_sum(amount)`: 64-bit integers added up in 128 bits, without widening each of them first.
//!
//! Exact by type: fewer than 2^63 amounts of at most 2^63 stay within 2^126, which both 128 bits and
//! `DECIMAL(38)` hold. So a sum can't wrap; partial sums are added with a check all the same. Nulls add
//! nothing, and the sum of nothing is zero.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

/// What a sum is: no fraction, and room for every 64-bit amount there can be.
const SUM: DataType = DataType::Decimal128(38, 0);

/// The function, to be registered with a session.
pub(crate) fn exact_sum() -> AggregateUDF {
    AggregateUDF::from(ExactSum { signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactSum {
    signature: Signature,
}

impl AggregateUDFImpl for ExactSum {
    fn name(&self) -> &'static str {
        "exact_sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(SUM)
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[sum]", arguments.name), SUM, true))])
    }

    fn accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Total::default()))
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        !arguments.is_distinct
    }

    fn create_groups_accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Totals::default()))
    }
}

/// The sum of everything.
#[derive(Debug, Default)]
struct Total(i128);

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let batch: i128 = amounts(values)?.iter().flatten().map(i128::from).sum();
        self.0 = add(self.0, batch)?;
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for partial in partials(states)?.iter().flatten() {
            self.0 = add(self.0, partial)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Decimal128(Some(self.0), 38, 0))
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

/// A sum for each group, by the group's number.
#[derive(Debug, Default)]
struct Totals(Vec<i128>);

impl GroupsAccumulator for Totals {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        self.0.resize(group_count, 0);
        let amounts = amounts(values)?;
        if filter.is_none() && amounts.null_count() == 0 {
            for (group, amount) in groups.iter().zip(amounts.values()) {
                self.0[*group] += i128::from(*amount);
            }
        } else {
            for (row, group) in groups.iter().enumerate() {
                self.0[*group] += counted(amounts, filter, row);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], group_count: usize) -> Result<()> {
        self.0.resize(group_count, 0);
        for (group, partial) in groups.iter().zip(partials(states)?.iter()) {
            self.0[*group] = add(self.0[*group], partial.unwrap_or_default())?;
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        sums(emit_to.take_needed(&mut self.0))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let amounts = amounts(values)?;
        let each = (0..amounts.len()).map(|row| counted(amounts, filter, row)).collect();
        Ok(vec![sums(each)?])
    }

    fn size(&self) -> usize {
        self.0.capacity() * size_of::<i128>()
    }
}

/// What a row adds: nothing where it is null or not wanted.
fn counted(amounts: &Int64Array, filter: Option<&BooleanArray>, row: usize) -> i128 {
    let wanted = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
    if wanted && amounts.is_valid(row) { i128::from(amounts.value(row)) } else { 0 }
}

fn add(sum: i128, more: i128) -> Result<i128> {
    let overflow = || DataFusionError::Execution("a sum does not fit into 128 bits".to_owned());
    sum.checked_add(more).ok_or_else(overflow)
}

fn sums(sums: Vec<i128>) -> Result<ArrayRef> {
    Ok(Arc::new(Decimal128Array::from(sums).with_precision_and_scale(38, 0)?))
}

fn amounts(values: &[ArrayRef]) -> Result<&Int64Array> {
    values.first().and_then(|values| values.as_primitive_opt::<Int64Type>()).ok_or_else(unexpected)
}

fn partials(states: &[ArrayRef]) -> Result<&Decimal128Array> {
    states.first().and_then(|states| states.as_primitive_opt::<Decimal128Type>()).ok_or_else(unexpected)
}

fn unexpected() -> DataFusionError {
    DataFusionError::Internal("exact_sum adds 64-bit integers".to_owned())
}

#[cfg(test)]
mod tests;
