//! The world as a delimited file, with the columns of the well-known online retail data set.

use std::io::Write;

use super::{Line, LineKind, Order, Shop};
use crate::time::local_text;

const HEADER: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];

impl Shop {
    /// One row per line sold, and one with a negative quantity per line refunded, whose invoice
    /// number begins with `C`. Unit prices are before discounts; test orders are left out.
    pub fn write_orders_csv(&self, out: impl Write) -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(HEADER)?;
        for order in self.each_order().filter(|order| !order.test) {
            let order = &order;
            for line in order.lines.iter().filter(|line| line.kind == LineKind::Goods) {
                let number = order.number.to_string();
                writer.write_record(self.row(order, line, &number, line.quantity, order.created_at))?;
            }
            for (index, refund) in order.refunds.iter().enumerate() {
                let number = format!("C{}{}", order.number, "-".repeat(index));
                for refunded in &refund.lines {
                    let line = &order.lines[refunded.line];
                    if line.kind == LineKind::Goods {
                        writer.write_record(self.row(order, line, &number, -refunded.quantity, refund.at))?;
                    }
                }
            }
        }
        writer.flush()?;
        Ok(())
    }

    fn row(&self, order: &Order, line: &Line, number: &str, quantity: i64, at: i64) -> [String; 8] {
        let product = &self.products[line.product];
        let customer = order.customer.map(|index| self.customers[index as usize].id.to_string());
        [
            number.to_owned(),
            product.variants[line.variant].sku.clone(),
            product.title.clone(),
            quantity.to_string(),
            local_text(self.profile.zone, at),
            crate::answer::money::amount_text(line.unit_minor, self.profile.exponent),
            customer.unwrap_or_default(),
            order.country.to_owned(),
        ]
    }
}
