//! The definitions. Each has a fixture with hand-computed values in `tests/fixtures`.

use super::{Additivity, DateBasis, Formula, Measure, Metric, Sum, Unit};
use Measure::{
    Customers, DiscountedOrders, Discounts, Duties, Fees, GiftCardIssued, GiftCardRedeemed, GrossSales,
    NewCustomers, Orders, RepeatCustomers, ReturningCustomers, Returns, Shipping, Taxes, Tips,
    UnitsOrderedMilli, UnitsReversedMilli,
};

const NET: Sum = &[(GrossSales, 1), (Discounts, -1), (Returns, -1)];
const DEMAND: Sum = &[(GrossSales, 1), (Discounts, -1)];
const UNITS_NET: Sum = &[(UnitsOrderedMilli, 1), (UnitsReversedMilli, -1)];

/// In the order in which people look for them.
pub const METRICS: &[Metric] = &[
    money(
        "gross_sales",
        "Gross sales",
        &[(GrossSales, 1)],
        "Unit price × quantity of everything sold and added by edits, before discounts, without included tax and gift cards. \
         Cancelled and unpaid orders are in it; what takes them back is in returns.",
    ),
    less(money(
        "discounts",
        "Discounts",
        &[(Discounts, 1)],
        "Line discounts and the lines' shares of order discounts, on what was sold and added by edits.",
    )),
    less(money(
        "returns",
        "Returns",
        &[(Returns, 1)],
        "The net value of everything taken back: returns, refunds, cancellations and edits down; without tax and shipping.",
    )),
    money("net_sales", "Net sales", NET, "Gross sales − discounts − returns."),
    money(
        "shipping_revenue",
        "Shipping",
        &[(Shipping, 1)],
        "Shipping charged, after shipping discounts, less shipping refunded; without tax.",
    ),
    money(
        "taxes",
        "Taxes",
        &[(Taxes, 1)],
        "Tax charged less tax refunded, on goods and shipping; only what the seller collects itself.",
    ),
    money("duties", "Duties", &[(Duties, 1)], "Import duties charged less those refunded."),
    money("tips", "Tips", &[(Tips, 1)], "Tips received. Shown apart: not part of total sales."),
    money(
        "total_sales",
        "Total sales",
        &[(GrossSales, 1), (Discounts, -1), (Returns, -1), (Shipping, 1), (Taxes, 1), (Duties, 1), (Fees, 1)],
        "Net sales + shipping + taxes + duties + fees charged to the buyer. Without tips.",
    ),
    money(
        "gift_card_issued",
        "Gift cards issued",
        &[(GiftCardIssued, 1)],
        "Value of gift cards sold. Not sales yet: they become sales when redeemed.",
    ),
    money(
        "gift_card_redeemed",
        "Gift cards redeemed",
        &[(GiftCardRedeemed, 1)],
        "Value of orders paid with gift cards.",
    ),
    money(
        "gmv",
        "GMV",
        &[(GrossSales, 1)],
        "Gross value of all orders, including cancelled ones. Promotions that a marketplace funds would be added; \
         no source reports them yet, so it equals gross sales.",
    ),
    money("demand_sales", "Demand sales", DEMAND, "Gross sales − discounts; returns do not lower it."),
    Metric {
        id: "orders",
        label: "Orders",
        unit: Unit::Count,
        additivity: Additivity::Semi,
        date_basis: DateBasis::Order,
        formula: Formula::Sum(&[(Orders, 1)]),
        less_is_better: false,
        description: "Distinct orders placed in the range while the units of their sale, edit and cancel events stand \
            above zero: a corrected order counts once, a cancelled one not at all; a return takes no order away. \
            By product: orders that hold the product.",
    },
    quantity(
        "units_ordered",
        "Units ordered",
        &[(UnitsOrderedMilli, 1)],
        "Units sold and added by edits, without gift cards.",
    ),
    quantity(
        "units_net",
        "Net units",
        UNITS_NET,
        "Units ordered less units returned, cancelled and edited out.",
    ),
    ratio(
        "aov",
        "Average order value",
        Unit::Money,
        DEMAND,
        &[(Orders, 1)],
        1,
        "Demand sales ÷ orders. A later return does not rewrite it; orders of gift cards alone are not counted.",
    ),
    ratio("aov_net", "Average order value, net", Unit::Money, NET, &[(Orders, 1)], 1, "Net sales ÷ orders."),
    ratio("upt", "Units per order", Unit::Ratio, UNITS_NET, &[(Orders, 1000)], 1, "Net units ÷ orders."),
    ratio(
        "asp",
        "Average selling price",
        Unit::Money,
        DEMAND,
        &[(UnitsOrderedMilli, 1)],
        1000,
        "Demand sales ÷ units ordered.",
    ),
    less(ratio(
        "discount_rate",
        "Discount rate",
        Unit::Ratio,
        &[(Discounts, 1)],
        &[(GrossSales, 1)],
        1,
        "Discounts ÷ gross sales.",
    )),
    ratio(
        "discounted_order_share",
        "Orders with a discount",
        Unit::Ratio,
        &[(DiscountedOrders, 1)],
        &[(Orders, 1)],
        1,
        "Share of orders on which a discount stands.",
    ),
    count(
        "customers",
        "Customers",
        &[(Customers, 1)],
        "Distinct customers with an order in the range. Until people are matched across connections, a customer of two \
         connections counts twice; orders without a known customer are left out.",
    ),
    count(
        "new_customers",
        "New customers",
        &[(NewCustomers, 1)],
        "Customers whose first order in the whole ledger lies in the range.",
    ),
    count(
        "returning_customers",
        "Returning customers",
        &[(ReturningCustomers, 1)],
        "Customers with an order in the range that came after their first. A customer whose first and second order both \
         lie in the range is new and returning.",
    ),
    ratio(
        "returning_customer_rate",
        "Returning customer rate",
        Unit::Ratio,
        &[(ReturningCustomers, 1)],
        &[(Customers, 1)],
        1,
        "Returning customers ÷ customers.",
    ),
    ratio(
        "repeat_purchase_rate",
        "Repeat purchase rate",
        Unit::Ratio,
        &[(RepeatCustomers, 1)],
        &[(Customers, 1)],
        1,
        "Of the customers with an order in the range, the share with two or more orders in the whole ledger.",
    ),
    ratio(
        "purchase_frequency",
        "Purchase frequency",
        Unit::Ratio,
        &[(Orders, 1)],
        &[(Customers, 1)],
        1,
        "Orders ÷ customers. Orders without a known customer count above the line.",
    ),
];

const fn money(id: &'static str, label: &'static str, sum: Sum, description: &'static str) -> Metric {
    additive(id, label, Unit::Money, sum, description)
}

const fn quantity(id: &'static str, label: &'static str, sum: Sum, description: &'static str) -> Metric {
    additive(id, label, Unit::Quantity, sum, description)
}

const fn additive(
    id: &'static str,
    label: &'static str,
    unit: Unit,
    sum: Sum,
    description: &'static str,
) -> Metric {
    Metric {
        id,
        label,
        unit,
        additivity: Additivity::Additive,
        date_basis: DateBasis::Event,
        formula: Formula::Sum(sum),
        less_is_better: false,
        description,
    }
}

const fn count(id: &'static str, label: &'static str, sum: Sum, description: &'static str) -> Metric {
    Metric {
        id,
        label,
        unit: Unit::Count,
        additivity: Additivity::Non,
        date_basis: DateBasis::Order,
        formula: Formula::Sum(sum),
        less_is_better: false,
        description,
    }
}

const fn ratio(
    id: &'static str,
    label: &'static str,
    unit: Unit,
    numerator: Sum,
    denominator: Sum,
    scale: i64,
    description: &'static str,
) -> Metric {
    Metric {
        id,
        label,
        unit,
        additivity: Additivity::Non,
        date_basis: DateBasis::Event,
        formula: Formula::Ratio { numerator, denominator, scale },
        less_is_better: false,
        description,
    }
}

const fn less(metric: Metric) -> Metric {
    Metric { less_is_better: true, ..metric }
}
