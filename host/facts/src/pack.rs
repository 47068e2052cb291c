//! `pack(key, …)`: the columns that a question groups by, as one number.
//!
//! Comparing and hashing one 64-bit number a row is several times quicker than a date, an identifier
//! and some names. Every combination of values gets the next number when it is first seen, in whichever
//! thread; equal numbers mean equal combinations and the other way round, so the groups are the same
//! ones. [`Packer::unpack`] gives a number's values back.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::HashMap;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use portolan_analytics::Value;

use crate::keys::{Keys, run_starts};

/// At most this many columns: more than there are small dimensions.
const MAX_COLUMNS: usize = 8;
/// What remembering a combination takes: its numbers, twice, and its place in the table.
const COMBINATION_BYTES: usize = 2 * size_of::<Combination>() + 2 * size_of::<i64>();

/// The numbers of a combination's values, each within its column.
type Combination = [u32; MAX_COLUMNS];

/// All combinations that one statement has seen.
#[derive(Debug)]
pub(crate) struct Packer {
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    columns: [Column; MAX_COLUMNS],
    numbers: HashMap<Combination, i64>,
    combinations: Vec<Combination>,
    /// Counts against what the question may use.
    memory: MemoryReservation,
}

/// The distinct values of a column.
#[derive(Debug, Default)]
struct Column {
    numbers: HashMap<Value, u32>,
    values: Vec<Value>,
}

impl Packer {
    pub(crate) fn new(pool: &Arc<dyn MemoryPool>) -> Arc<Self> {
        let known = Known {
            columns: Default::default(),
            numbers: HashMap::new(),
            combinations: Vec::new(),
            memory: MemoryConsumer::new("pack").register(pool),
        };
        Arc::new(Self { known: Mutex::new(known) })
    }

    /// The function, to be registered with a session.
    pub(crate) fn function(self: &Arc<Self>) -> ScalarUDF {
        let signature = Signature::variadic_any(Volatility::Immutable);
        ScalarUDF::from(Pack { signature, packer: self.clone() })
    }

    /// The values behind some numbers, `width` for each, in the order of the function's arguments, and
    /// room for `more`.
    pub(crate) fn unpack(&self, numbers: &[i64], width: usize, more: usize) -> Result<Vec<Vec<Value>>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = Vec::with_capacity(numbers.len());
        for number in numbers {
            let combination = usize::try_from(*number).ok().and_then(|index| known.combinations.get(index));
            let combination =
                combination.ok_or_else(|| DataFusionError::Internal("not a packed key".to_owned()))?;
            let numbered = known.columns.iter().zip(combination).take(width);
            let mut row = Vec::with_capacity(width + more);
            row.extend(numbered.map(|(column, value)| column.values[*value as usize].clone()));
            rows.push(row);
        }
        Ok(rows)
    }

    fn pack(&self, columns: &[ArrayRef], rows: usize) -> Result<Int64Array> {
        let columns = columns.iter().map(Keys::new).collect::<Result<Vec<_>>>()?;
        // Within a batch a combination is recognised by its bits, without a lock and without text.
        let mut seen: HashMap<Bits, i64> = HashMap::new();
        let mut packed: Vec<i64> = Vec::with_capacity(rows);
        let mut current = 0;
        for (row, begins_run) in run_starts(&columns, rows).into_iter().enumerate() {
            if begins_run {
                let bits = Bits::of(&columns, row);
                current = match seen.get(&bits) {
                    Some(number) => *number,
                    None => {
                        let number = self.number(&columns, row)?;
                        seen.insert(bits, number);
                        number
                    }
                };
            }
            packed.push(current);
        }
        Ok(packed.into())
    }

    /// The number of a row's combination.
    fn number(&self, columns: &[Keys], row: usize) -> Result<i64> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = &mut *known;
        let mut combination = Combination::default();
        for ((number, keys), column) in combination.iter_mut().zip(columns).zip(&mut known.columns) {
            *number = column.number(keys.value(row), &known.memory)?;
        }
        if let Some(number) = known.numbers.get(&combination) {
            return Ok(*number);
        }
        known.memory.try_grow(COMBINATION_BYTES)?;
        let number = known.combinations.len() as i64;
        known.combinations.push(combination);
        known.numbers.insert(combination, number);
        Ok(number)
    }
}

impl Column {
    fn number(&mut self, value: Value, memory: &MemoryReservation) -> Result<u32> {
        if let Some(number) = self.numbers.get(&value) {
            return Ok(*number);
        }
        let text_bytes = if let Value::Text(text) = &value { text.len() } else { 0 };
        memory.try_grow(2 * size_of::<Value>() + size_of::<u32>() + text_bytes)?;
        let number = u32::try_from(self.values.len())
            .map_err(|_| DataFusionError::ResourcesExhausted("too many values".to_owned()))?;
        self.values.push(value.clone());
        self.numbers.insert(value, number);
        Ok(number)
    }
}

/// What tells combinations of a batch apart.
#[derive(PartialEq, Eq)]
struct Bits {
    values: [u128; MAX_COLUMNS],
    width: usize,
    nulls: u8,
}

impl Bits {
    fn of(columns: &[Keys], row: usize) -> Self {
        let mut bits = Self { values: [0; MAX_COLUMNS], width: columns.len(), nulls: 0 };
        for (index, column) in columns.iter().enumerate() {
            match column.bits(row) {
                Some(value) => bits.values[index] = value,
                None => bits.nulls |= 1 << index,
            }
        }
        bits
    }
}

impl Hash for Bits {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for value in &self.values[..self.width] {
            hasher.write_u128(*value);
        }
        hasher.write_u8(self.nulls);
    }
}

/// The scalar function of one packer.
#[derive(Debug)]
struct Pack {
    signature: Signature,
    packer: Arc<Packer>,
}

impl PartialEq for Pack {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.packer, &other.packer)
    }
}

impl Eq for Pack {}

impl Hash for Pack {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Arc::as_ptr(&self.packer).hash(hasher);
    }
}

impl ScalarUDFImpl for Pack {
    fn name(&self) -> &'static str {
        "pack"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        if arguments.len() > MAX_COLUMNS {
            return Err(DataFusionError::Plan(format!("pack takes at most {MAX_COLUMNS} columns")));
        }
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let columns = arguments.args.into_iter().map(|column| column.into_array(rows));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(ColumnarValue::Array(Arc::new(self.packer.pack(&columns, rows)?)))
    }
}

#[cfg(test)]
mod tests;
