//! The definitions. Each has a fixture with hand-computed values in `tests/fixtures`.

use super::define::{by_payment, count, less, money, quantity, ratio, semi};
use super::{Additivity, DateBasis, Formula, Measure, Metric, Sum, Unit};
use Measure::{
    Cost, Customers, DiscountedOrders, Discounts, DisputeCount, DisputedOfPeriod, DisputedPayments,
    DisputesLost, DisputesWon, Duties, Fees, FxGainLoss, GiftCardIssued, GiftCardRedeemed, GrossPayments,
    GrossSales, NewCustomers, Orders, OtherMovements, PaidInPeriod, PaymentCount, PaymentFees,
    PaymentRefunds, Payouts, RepeatCustomers, ReturningCustomers, Returns, Shipping, Taxes, Tips,
    UnitsOrderedMilli, UnitsReversedMilli,
};

const NET: Sum = &[(GrossSales, 1), (Discounts, -1), (Returns, -1)];
const DEMAND: Sum = &[(GrossSales, 1), (Discounts, -1)];
const UNITS_NET: Sum = &[(UnitsOrderedMilli, 1), (UnitsReversedMilli, -1)];
const GROSS_PROFIT: Sum = &[(GrossSales, 1), (Discounts, -1), (Returns, -1), (Cost, -1)];
const NET_PAYMENTS: Sum =
    &[(GrossPayments, 1), (PaymentRefunds, -1), (DisputedPayments, -1), (PaymentFees, -1)];
const NET_PAYOUT: Sum = &[
    (GrossPayments, 1),
    (PaymentRefunds, -1),
    (DisputedPayments, -1),
    (PaymentFees, -1),
    (OtherMovements, 1),
];
const BALANCE_CHANGE: Sum = &[
    (GrossPayments, 1),
    (PaymentRefunds, -1),
    (DisputedPayments, -1),
    (PaymentFees, -1),
    (OtherMovements, 1),
    (Payouts, -1),
];

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
        "fx_gain_loss",
        "Exchange gain or loss",
        &[(FxGainLoss, 1)],
        "Net sales converted at the rate of each event's own day, less the same at the rate of its order's day, by which \
         all other amounts are converted. Asked with a display currency alone; nothing where one of the rates is not \
         known.",
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
    less(money(
        "cogs",
        "Cost of goods sold",
        &[(Cost, 1)],
        "What the units sold cost the seller when they were sold, less those that came back. A line whose cost the \
         channel does not tell costs nothing here.",
    )),
    money(
        "gross_profit",
        "Gross profit",
        GROSS_PROFIT,
        "Net sales − cost of goods sold, as far as costs are known.",
    ),
    ratio(
        "gross_margin",
        "Gross margin",
        Unit::Ratio,
        GROSS_PROFIT,
        NET,
        1,
        "Gross profit ÷ net sales, as far as costs are known.",
    ),
    money(
        "contribution_margin_1",
        "Contribution margin 1",
        GROSS_PROFIT,
        "Net sales − cost of goods sold. Fulfilment and advertising are not known to any ledger yet, so there is no \
         contribution margin 2 or 3.",
    ),
    money(
        "gross_payments",
        "Gross payments",
        &[(GrossPayments, 1)],
        "What buyers paid through payment providers, before fees, in the currency of the balance.",
    ),
    less(money(
        "payment_refunds",
        "Refunded payments",
        &[(PaymentRefunds, 1)],
        "What payment providers gave back to buyers.",
    )),
    less(money(
        "disputed_payments",
        "Disputed payments",
        &[(DisputedPayments, 1)],
        "What disputes took from the balance, less what came back of it. Fees for disputes are in the fees.",
    )),
    less(money(
        "payment_fees",
        "Payment fees",
        &[(PaymentFees, 1)],
        "All fees of payment providers with their tax: those taken from payments, those charged by themselves, less \
         those given back.",
    )),
    money(
        "net_payments",
        "Net payments",
        NET_PAYMENTS,
        "Gross payments − refunded payments − disputed payments − payment fees.",
    ),
    semi(money(
        "other_movements",
        "Other movements",
        &[(OtherMovements, 1)],
        "What the balance gained by whatever is no payment, refund, dispute, fee or payout: reserves held and released, \
         adjustments, exchange between balances, transfers, loans. By payout also what a bank sent back of an earlier \
         payout.",
    )),
    semi(money(
        "payouts",
        "Payouts",
        &[(Payouts, 1)],
        "Money sent to the bank, less what came back from it. By payout, what each took from the balance, less what \
         came back before it was paid out again.",
    )),
    semi(money(
        "net_payout",
        "Net payout",
        NET_PAYOUT,
        "What the balance gained by everything but payouts: payments − refunds − disputes − fees + other movements. By \
         payout, what each should pay out, and what a bank sent back of an earlier one is in both: then the payouts add \
         up to more than the total.",
    )),
    money(
        "balance_change",
        "Change of the balance",
        BALANCE_CHANGE,
        "Net payout − payouts: what stays in the providers' balances; negative where more was paid out than came in.",
    ),
    less(ratio(
        "effective_fee_rate",
        "Effective fee rate",
        Unit::Ratio,
        &[(PaymentFees, 1)],
        &[(GrossPayments, 1)],
        1,
        "Payment fees ÷ gross payments.",
    )),
    by_payment(less(ratio(
        "dispute_rate_count",
        "Dispute rate",
        Unit::Ratio,
        &[(DisputeCount, 1)],
        &[(PaymentCount, 1)],
        1,
        "Of the payments made in the period, the share that a dispute has taken money for by now, whenever it did. \
         Payments and disputes are counted by the entries of the balance that brought and took the money: a \
         debit that bounced is one payment, and the entry that takes it back is none.",
    ))),
    by_payment(less(ratio(
        "dispute_rate_value",
        "Dispute rate by value",
        Unit::Ratio,
        &[(DisputedOfPeriod, 1)],
        &[(PaidInPeriod, 1)],
        1,
        "What disputes have taken by now of the payments made in the period, whatever came back, ÷ these payments.",
    ))),
    by_payment(ratio(
        "win_rate",
        "Disputes won",
        Unit::Ratio,
        &[(DisputesWon, 1)],
        &[(DisputesWon, 1), (DisputesLost, 1)],
        1,
        "Won ÷ (won + lost), of the disputes of payments made in the period. Accepted ones are lost; open ones and \
         those that ended without a word about who won are left out.",
    )),
];
