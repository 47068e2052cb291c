//! What customers bought, in the order in which it was read; handed out customer by customer.

use datafusion::logical_expr::EmitTo;

/// Units of an order in a row of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The customer.
    pub(super) group: u32,
    pub(super) row: u32,
    pub(super) total: u32,
    pub(super) order: [u64; 2],
    pub(super) units: i64,
}

/// All but the customer.
pub(super) const ENTRY_BYTES: usize = 32;

impl Entry {
    pub(super) fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..4].copy_from_slice(&self.row.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.total.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.order[0].to_le_bytes());
        bytes[16..24].copy_from_slice(&self.order[1].to_le_bytes());
        bytes[24..].copy_from_slice(&self.units.to_le_bytes());
        bytes
    }

    /// Of [`ENTRY_BYTES`] bytes, for the customer 0.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let four = |from: usize| u32::from_le_bytes([0, 1, 2, 3].map(|place| bytes[from + place]));
        let eight = |from: usize| u64::from(four(from)) | u64::from(four(from + 4)) << 32;
        Self {
            group: 0,
            row: four(0),
            total: four(4),
            order: [eight(8), eight(16)],
            units: eight(24).cast_signed(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Entries {
    all: Vec<Entry>,
    pub(super) group_count: usize,
}

impl Entries {
    /// Lines of an order follow each other: they become one entry.
    pub(super) fn push(&mut self, entry: Entry) {
        if let Some(last) = self.all.last_mut()
            && (last.group, last.row, last.total, last.order)
                == (entry.group, entry.row, entry.total, entry.order)
            && let Some(units) = last.units.checked_add(entry.units)
        {
            last.units = units;
            return;
        }
        self.all.push(entry);
    }

    /// Hands out each customer's entries, the first customers' or all, and forgets them.
    pub(super) fn take(&mut self, emit_to: EmitTo, mut each: impl FnMut(&mut [Entry])) {
        let taken = match emit_to {
            EmitTo::All => self.group_count,
            EmitTo::First(count) => count.min(self.group_count),
        };
        let is_taken = |entry: &Entry| (entry.group as usize) < taken;
        // Where each customer's entries begin once they lie together; and where they end, once all have their place.
        let mut ends = vec![0_usize; taken + 1];
        for entry in self.all.iter().filter(|entry| is_taken(entry)) {
            ends[entry.group as usize + 1] += 1;
        }
        for group in 0..taken {
            ends[group + 1] += ends[group];
        }
        let mut places = vec![0_u32; ends[taken]];
        for (place, entry) in self.all.iter().enumerate().filter(|(_, entry)| is_taken(entry)) {
            let end = &mut ends[entry.group as usize];
            places[*end] = place as u32;
            *end += 1;
        }
        let mut of_customer = Vec::new();
        let mut begin = 0;
        for end in &ends[..taken] {
            of_customer.clear();
            of_customer.extend(places[begin..*end].iter().map(|place| self.all[*place as usize]));
            each(&mut of_customer);
            begin = *end;
        }
        self.group_count -= taken;
        if self.group_count == 0 {
            self.all = Vec::new();
            return;
        }
        self.all.retain(|entry| !is_taken(entry));
        self.all.iter_mut().for_each(|entry| entry.group -= taken as u32);
    }

    /// With what handing them out takes.
    pub(super) fn size_bytes(&self) -> usize {
        self.all.capacity() * (size_of::<Entry>() + size_of::<u32>()) + self.group_count * size_of::<usize>()
    }
}

/// The rows in which one customer has an order that stands, and the total, ascending and each once.
pub(super) fn standing_rows(of_customer: &mut [Entry], standing: &mut Vec<u32>) {
    standing.clear();
    if of_customer.iter().all(|entry| entry.units > 0) {
        standing.extend(of_customer.iter().flat_map(|entry| [entry.row, entry.total]));
    } else {
        add_rows(of_customer, |entry| entry.row, standing);
        add_rows(of_customer, |entry| entry.total, standing);
    }
    standing.sort_unstable();
    standing.dedup();
}

/// The places where the units of an order are above zero.
fn add_rows(of_customer: &mut [Entry], place: impl Fn(&Entry) -> u32, standing: &mut Vec<u32>) {
    of_customer.sort_unstable_by_key(|entry| (place(entry), entry.order));
    let of_orders =
        of_customer.chunk_by(|left, right| (place(left), left.order) == (place(right), right.order));
    let units = |order: &[Entry]| order.iter().map(|entry| i128::from(entry.units)).sum::<i128>();
    standing.extend(of_orders.filter(|order| units(order) > 0).map(|order| place(&order[0])));
}
