//! Every question that is asked of Shopify. No query names a person: no names, mails, phones, streets,
//! notes or customer tags beyond what `customers` says below.
//!
//! Page sizes keep each query below 1,000 points of cost (an object costs 1, a connection of `n`
//! 2 + ⌊2 ln n⌋ × what hangs on a node; a test asks the sandbox what each query costs). What is
//! longer than a nested page is fetched by the further queries, so that nothing is cut off.
//!
//! Each says beforehand what it costs, so that the host draws it from the shop's budget before it asks.

/// Nodes of a first page; halved while Shopify says that it costs too much.
pub const ORDERS_PAGE: u32 = 100;
pub const PRODUCTS_PAGE: u32 = 100;
pub const CUSTOMERS_PAGE: u32 = 250;

/// A question and its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub text: String,
    /// What Shopify asks for it, in points.
    pub points: u32,
}

/// A connection of `n` nodes, each of which costs so much beyond itself.
pub fn connection_points(nodes: u32, per_node: u32) -> u32 {
    let steps = if nodes == 0 { 0 } else { ((2.0 * f64::from(nodes).ln()) as u32).max(1) };
    2 + steps * (1 + per_node)
}

const COUNT_POINTS: u32 = 10;

const MONEY: &str = "fragment Money on MoneyBag {
  shopMoney { amount currencyCode }
  presentmentMoney { amount currencyCode }
}";

const LINE: &str = "fragment Line on LineItem {
  id title variantTitle quantity sku isGiftCard
  product { id } variant { id }
  originalUnitPriceSet { ...Money }
  discountAllocations {
    allocatedAmountSet { ...Money }
    discountApplication { __typename ... on DiscountCodeApplication { code } }
  }
  taxLines { ...Tax }
}";

const TAX: &str = "fragment Tax on TaxLine { title rate channelLiable priceSet { ...Money } }";

const SHIPPING: &str = "fragment Shipping on ShippingLine {
  id isRemoved discountedPriceSet { ...Money } taxLines { ...Tax }
}";

const REFUND_LINE: &str = "fragment RefundLine on RefundLineItem {
  quantity restockType lineItem { id product { id } }
  subtotalSet { ...Money } totalTaxSet { ...Money }
}";

const REFUND_SHIPPING: &str = "fragment RefundShipping on RefundShippingLine {
  subtotalAmountSet { ...Money } taxAmountSet { ...Money }
}";

const AGREEMENT: &str = "fragment Agreement on SalesAgreement { __typename id happenedAt reason }";

const SALE: &str = "fragment Sale on Sale {
  __typename actionType lineType quantity
  totalAmount { ...Money } totalTaxAmount { ...Money }
  totalDiscountAmountBeforeTaxes { ...Money } totalDiscountAmountAfterTaxes { ...Money }
  ... on ProductSale { lineItem { id } }
  ... on GiftCardSale { lineItem { id } }
  ... on TipSale { lineItem { id } }
}";

/// What stands on an order itself.
pub const ORDER_FACTS: &str = "id name createdAt processedAt updatedAt closedAt cancelledAt cancelReason test
  taxesIncluded currencyCode presentmentCurrencyCode
  displayFinancialStatus displayFulfillmentStatus
  sourceName discountCodes
  customer { id }
  retailLocation { id }
  shippingAddress { countryCodeV2 provinceCode }
  billingAddress { countryCodeV2 provinceCode }
  customerJourneySummary { lastVisit { source utmParameters { source medium campaign } } }
  totalPriceSet { ...Money } totalTaxSet { ...Money }
  totalTipReceivedSet { ...Money } originalTotalDutiesSet { ...Money }
  transactions {
    id kind status createdAt processedAt gateway paymentId test
    amountSet { ...Money } parentTransaction { id }
  }";

/// What hangs on it by connections.
const ORDER_PARTS: &str = "lineItems(first: 10) { nodes { ...Line } pageInfo { hasNextPage endCursor } }
  shippingLines(first: 2) { nodes { ...Shipping } pageInfo { hasNextPage endCursor } }
  agreements(first: 4) {
    nodes { ...Agreement sales(first: 12) { nodes { ...Sale } pageInfo { hasNextPage endCursor } } }
    pageInfo { hasNextPage endCursor }
  }";

/// A refund with so many of its lines.
fn refund_fields(lines: u32, shipping_lines: u32) -> String {
    format!(
        "id createdAt processedAt updatedAt
    totalRefundedSet {{ ...Money }}
    duties {{ amountSet {{ ...Money }} }}
    refundLineItems(first: {lines}) {{ nodes {{ ...RefundLine }} pageInfo {{ hasNextPage endCursor }} }}
    refundShippingLines(first: {shipping_lines}) {{ nodes {{ ...RefundShipping }} pageInfo {{ hasNextPage endCursor }} }}"
    )
}

const VARIANT: &str = "fragment Variant on ProductVariant {
  id title sku barcode price updatedAt inventoryItem { unitCost { amount currencyCode } }
}";

pub const PRODUCT_FACTS: &str = "id title vendor productType updatedAt tags
  category { fullName }
  priceRangeV2 { minVariantPrice { currencyCode } }";

const PRODUCT_PARTS: &str = "variants(first: 50) { nodes { ...Variant } pageInfo { hasNextPage endCursor } }";

/// Every fragment; no name begins with another.
pub const FRAGMENTS: [&str; 9] =
    [REFUND_SHIPPING, REFUND_LINE, AGREEMENT, SHIPPING, VARIANT, LINE, SALE, TAX, MONEY];

/// `id`, country and region, dates, and the merchant's own tags.
pub const CUSTOMER_FACTS: &str = "id createdAt updatedAt numberOfOrders tags
  defaultAddress { countryCodeV2 provinceCode }";

/// The root of abandoned checkouts.
pub const CHECKOUTS: &str = "abandonedCheckouts";

pub const CHECKOUT_FACTS: &str =
    "id createdAt updatedAt completedAt customer { id } totalPriceSet { ...Money }";

/// The stock of the place behind a cursor.
pub fn stock() -> Query {
    let text = "query Stock($place: String, $after: String) {
  locations(first: 1, after: $place) {
    nodes {
      id
      inventoryLevels(first: 250, after: $after) {
        nodes {
          id updatedAt
          item { id tracked variant { id } }
          location { id }
          quantities(names: [\"available\", \"incoming\", \"on_hand\"]) { name quantity }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}";
    Query { text: text.to_owned(), points: connection_points(1, connection_points(250, 4)) }
}

/// Every place, without its street.
pub fn locations() -> Query {
    let text = "query Locations {
  locations(first: 250) {
    nodes { id name isFulfillmentService address { countryCode provinceCode } }
    pageInfo { hasNextPage endCursor }
  }
}";
    Query { text: text.to_owned(), points: connection_points(250, 1) }
}

/// What a connection is asked about itself.
pub fn shop() -> Query {
    let text = "query Shop {
  shop { id name myshopifyDomain currencyCode ianaTimezone taxesIncluded }
}";
    Query { text: text.to_owned(), points: 1 }
}

/// Nodes of a first page.
pub fn page_size(root: &str) -> u32 {
    match root {
        "orders" => ORDERS_PAGE,
        "products" => PRODUCTS_PAGE,
        _ => CUSTOMERS_PAGE,
    }
}

/// A page of a stream with so many nodes; the count comes with the first page.
pub fn page(root: &str, first: u32, counted: bool) -> Query {
    // Points of a node: an order's lines, refunds and agreements with their sales; a product's variants.
    let (fields, fragments, per_node) = match root {
        "orders" => {
            let refunds = refund_fields(10, 2);
            (format!("{ORDER_FACTS} refunds {{ {refunds} }} {ORDER_PARTS}"), order_fragments(), 82)
        }
        "products" => (format!("{PRODUCT_FACTS} {PRODUCT_PARTS}"), VARIANT.to_owned(), 19),
        CHECKOUTS => (CHECKOUT_FACTS.to_owned(), MONEY.to_owned(), 1),
        _ => (CUSTOMER_FACTS.to_owned(), String::new(), 1),
    };
    // The one root that can't be sorted by what it is searched by; a page goes by its cursor all the same.
    let sort = if root == CHECKOUTS { "CREATED_AT" } else { "UPDATED_AT" };
    let points = connection_points(first, per_node) + if counted { COUNT_POINTS } else { 0 };
    let text = format!(
        "query Page($first: Int!, $after: String, $query: String, $counted: Boolean!) {{
  {root}(first: $first, after: $after, query: $query, sortKey: {sort}) {{
    nodes {{ {fields} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
  count: {root}Count(query: $query, limit: null) @include(if: $counted) {{ count precision }}
}}
{fragments}"
    );
    Query { text, points }
}

fn order_fragments() -> String {
    [LINE, TAX, MONEY, SHIPPING, REFUND_LINE, REFUND_SHIPPING, AGREEMENT, SALE].join("\n")
}

/// Refunds by their ids, with their lines.
pub fn refunds() -> Query {
    let text = format!(
        "query Refunds($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Refund {{ {} }} }}
}}
{}",
        refund_fields(100, 10),
        [REFUND_LINE, REFUND_SHIPPING, MONEY].join("\n")
    );
    Query { text, points: 2 + connection_points(100, 2) + connection_points(10, 0) }
}

/// How many things there are in a window.
pub fn count(root: &str) -> Query {
    let text = format!(
        "query Count($query: String) {{ count: {root}Count(query: $query, limit: null) {{ count precision }} }}"
    );
    Query { text, points: COUNT_POINTS }
}

/// A connection that hangs on one object and goes on after its first page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nested {
    Lines,
    ShippingLines,
    RefundLines,
    RefundShippingLines,
    Variants,
}

impl Nested {
    /// The rest of the connection, as `parent.items`, by the parent's id.
    pub fn query(self) -> Query {
        let (parent, field, fragment, fragments, per_node) = match self {
            Self::Lines => ("order", "lineItems", "Line", [LINE, TAX, MONEY].join("\n"), 5),
            Self::ShippingLines => {
                ("order", "shippingLines", "Shipping", [SHIPPING, TAX, MONEY].join("\n"), 1)
            }
            Self::RefundLines => {
                ("refund", "refundLineItems", "RefundLine", [REFUND_LINE, MONEY].join("\n"), 2)
            }
            Self::RefundShippingLines => {
                ("refund", "refundShippingLines", "RefundShipping", [REFUND_SHIPPING, MONEY].join("\n"), 0)
            }
            Self::Variants => ("product", "variants", "Variant", VARIANT.to_owned(), 1),
        };
        let text = format!(
            "query Rest($id: ID!, $after: String) {{
  parent: {parent}(id: $id) {{
    items: {field}(first: 100, after: $after) {{ nodes {{ ...{fragment} }} pageInfo {{ hasNextPage endCursor }} }}
  }}
}}
{fragments}"
        );
        Query { text, points: 1 + connection_points(100, per_node) }
    }
}

/// One agreement after another, each with a page of its sales: a sale has no root of its own.
pub fn agreements() -> Query {
    let text = format!(
        "query Agreements($id: ID!, $after: String, $sales: String) {{
  parent: order(id: $id) {{
    items: agreements(first: 1, after: $after) {{
      nodes {{ ...Agreement sales(first: 100, after: $sales) {{ nodes {{ ...Sale }} pageInfo {{ hasNextPage endCursor }} }} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
{}",
        [AGREEMENT, SALE, MONEY].join("\n")
    );
    let sales = connection_points(100, 1);
    Query { text, points: 1 + connection_points(1, sales) }
}
