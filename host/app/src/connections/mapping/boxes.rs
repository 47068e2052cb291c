//! One box for each column of a file, in place of a list of names.
//!
//! A box carries its column's name and not its place: the columns are read anew when the form is sent, and with
//! another delimiter the same place is another column.

use portolan_admin_ui::parts::{FieldGroup, FieldKind, FormField, FormItem};
use portolan_core::hex;

use crate::connections::form::Typed;

const BOX: &str = "_drop.";

/// Headers hold spaces and line ends, which names and ids of inputs do not keep.
pub fn name_of(column: &str) -> String {
    format!("{BOX}{}", hex(column.as_bytes()))
}

fn column_of(name: &str) -> Option<String> {
    let digits = name.strip_prefix(BOX)?.as_bytes();
    let byte = |pair: &[u8]| {
        let two = std::str::from_utf8(pair).ok().filter(|two| two.len() == 2)?;
        u8::from_str_radix(two, 16).ok()
    };
    String::from_utf8(digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?).ok()
}

/// The columns whose boxes are ticked.
pub fn ticked(typed: &Typed) -> Vec<String> {
    let boxes = typed.names().filter(|name| typed.is_checked(name, false));
    boxes.filter_map(column_of).filter(|column| !column.is_empty()).collect()
}

/// Puts boxes in the place of a list's entries: of the file's columns, and of names that were ticked before it
/// was read otherwise. `kept` are names that the file does not decide about: they are told, and have no box.
pub fn offer(group: &mut FieldGroup, known: &[String], kept: &[String]) {
    let chosen: Vec<String> = group
        .items
        .iter()
        .filter_map(|item| match item {
            FormItem::Field(FormField { kind: FieldKind::Text { value, .. }, .. }) => Some(value.clone()),
            _ => None,
        })
        .collect();
    let mut columns: Vec<&String> = Vec::new();
    for column in known.iter().chain(chosen.iter().filter(|column| !kept.contains(column))) {
        if !column.is_empty() && !columns.contains(&column) {
            columns.push(column);
        }
    }
    let one = |column: &String| {
        let label =
            if known.contains(column) { column.clone() } else { format!("{column} (not in this file)") };
        FormField::new(name_of(column), label, FieldKind::Checkbox { checked: chosen.contains(column) })
            .into()
    };
    group.items = columns.into_iter().map(one).collect();
    group.list = None;
    if !kept.is_empty() {
        let told = format!(
            "Stays marked, though this file has no such column: {}. The connection's settings hold the whole list.",
            kept.join(", ")
        );
        group.help = Some(group.help.take().map_or_else(|| told.clone(), |help| format!("{help} {told}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_says_its_column_whatever_the_header_is_called() {
        let mut typed = Typed::default();
        for column in ["E-Mail", "Stra\u{df}e und Nr.", "two\nlines", "4"] {
            assert_eq!(column_of(&name_of(column)).as_deref(), Some(column));
            typed.set(name_of(column), "true");
        }
        typed.set("_drop.4", "true");
        typed.set("_drop.zz", "true");
        typed.set("_drop.\u{fc}", "true");
        assert_eq!(ticked(&typed).len(), 4, "what is no name of a column marks none");
    }
}
