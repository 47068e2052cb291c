//! Answers against the published schema, which lies beside the repository.

use std::path::Path;

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::{ExtendedType, Type};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use portolan_sandbox_shopify::{Options, Sandbox};
use serde_json::{Value, json};

const SCHEMA: &str = "../../../shared/specs/shopify/admin-graphql/schema-2026-07.stripped.graphql";

/// Every field that the sandbox serves.
const QUERIES: &[&str] = &[
    "{ shop { __typename id name myshopifyDomain currencyCode enabledPresentmentCurrencies ianaTimezone taxesIncluded } }",
    "{ products(first: 30, sortKey: UPDATED_AT) { edges { cursor node { __typename id legacyResourceId title handle status
        vendor productType category { id name fullName } tags isGiftCard createdAt updatedAt
        variantsCount { count precision } priceRangeV2 { minVariantPrice { amount currencyCode }
            maxVariantPrice { amount currencyCode } } variants(first: 20) { nodes { __typename id legacyResourceId title displayName
            sku barcode price createdAt updatedAt inventoryItem { id sku unitCost { amount currencyCode } } }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
       productsCount(limit: null) { count precision } }",
    "{ customers(first: 100, sortKey: UPDATED_AT) { nodes { __typename id legacyResourceId createdAt updatedAt
        numberOfOrders tags state defaultAddress { id countryCodeV2 provinceCode } } } customersCount { count precision } }",
    "{ abandonedCheckouts(first: 30, sortKey: CREATED_AT) { nodes { __typename id name createdAt updatedAt completedAt taxesIncluded
        customer { id } totalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } } }
        pageInfo { hasNextPage endCursor } } abandonedCheckoutsCount { count precision } }",
    "{ locations(first: 5) { nodes { __typename id name isActive isFulfillmentService fulfillsOnlineOrders
        address { countryCode provinceCode } inventoryLevels(first: 20) { nodes { __typename id isActive updatedAt
            item { id sku tracked variant { id } } location { id name }
            quantities(names: [\"available\", \"on_hand\"]) { id name quantity updatedAt } } pageInfo { hasNextPage endCursor } } }
        pageInfo { hasNextPage endCursor } } location(id: \"gid://shopify/Location/2\") { id } }",
    "{ bulkOperations(first: 3) { nodes { id type status errorCode createdAt completedAt objectCount rootObjectCount
        fileSize url partialDataUrl query } } nodes(ids: []) { id } }",
    "query($after: String) { orders(first: 12, after: $after, sortKey: UPDATED_AT) { pageInfo { hasNextPage endCursor } nodes {
        __typename id legacyResourceId name number createdAt processedAt updatedAt closed closedAt cancelledAt
        cancelReason confirmed edited test taxesIncluded currencyCode presentmentCurrencyCode displayFinancialStatus
        displayFulfillmentStatus sourceName app { id name } retailLocation { id name } customer { id }
        shippingAddress { id countryCodeV2 provinceCode } billingAddress { id countryCodeV2 provinceCode }
        discountCode discountCodes paymentGatewayNames tags customerJourneySummary { customerOrderIndex daysToConversion
            ready firstVisit { id } lastVisit { id occurredAt source
                utmParameters { campaign medium source content term } } }
        totalPriceSet { ...Bag } originalTotalPriceSet { ...Bag } currentTotalPriceSet { ...Bag }
        subtotalPriceSet { ...Bag } totalTaxSet { ...Bag } currentTotalTaxSet { ...Bag } totalDiscountsSet { ...Bag }
        totalShippingPriceSet { ...Bag } totalTipReceivedSet { ...Bag } originalTotalDutiesSet { ...Bag }
        originalTotalAdditionalFeesSet { ...Bag } totalReceivedSet { ...Bag } totalRefundedSet { ...Bag }
        totalRefundedShippingSet { ...Bag } netPaymentSet { ...Bag } totalOutstandingSet { ...Bag }
        lineItems(first: 30) { nodes { __typename id title name variantTitle sku vendor quantity currentQuantity isGiftCard
            requiresShipping taxable product { id title } variant { id sku } originalUnitPriceSet { ...Bag }
            originalTotalSet { ...Bag } discountedTotalSet { ...Bag } totalDiscountSet { ...Bag }
            discountAllocations { allocatedAmountSet { ...Bag } discountApplication { __typename index
                allocationMethod targetSelection targetType value { ... on PricingPercentageValue { percentage } }
                ... on DiscountCodeApplication { code } ... on AutomaticDiscountApplication { title }
                ... on ManualDiscountApplication { title } } }
            taxLines { ...Tax } duties { id harmonizedSystemCode countryCodeOfOrigin price { ...Bag } taxLines { ...Tax } }
        } pageInfo { hasNextPage endCursor } } } } }
       fragment Bag on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
       fragment Tax on TaxLine { title rate ratePercentage source channelLiable priceSet { ...Bag } }",
    "query($after: String) { orders(first: 10, after: $after, sortKey: UPDATED_AT) { pageInfo { hasNextPage endCursor } nodes {
        shippingLines(first: 3) { nodes { ...Shipping } } shippingLine { ...Shipping }
        agreements(first: 5) { nodes { __typename id happenedAt reason ... on RefundAgreement { refund { id } }
            sales(first: 12) { nodes { __typename id lineType actionType quantity totalAmount { ...Bag }
                totalTaxAmount { ...Bag } totalDiscountAmountBeforeTaxes { ...Bag }
                totalDiscountAmountAfterTaxes { ...Bag } taxes { id amount { ...Bag } taxLine { ...Tax } }
                ... on ProductSale { lineItem { id product { id } } } ... on GiftCardSale { lineItem { id } }
                ... on TipSale { lineItem { id } } ... on ShippingLineSale { shippingLine { id } }
                ... on DutySale { duty { id } } } pageInfo { hasNextPage endCursor } } } } } } }
       fragment Bag on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
       fragment Tax on TaxLine { title rate ratePercentage source channelLiable priceSet { ...Bag } }
       fragment Shipping on ShippingLine { __typename id title code source custom isRemoved originalPriceSet { ...Bag }
            discountedPriceSet { ...Bag } discountAllocations { allocatedAmountSet { ...Bag } } taxLines { ...Tax } }",
    "query($after: String) { orders(first: 20, after: $after, sortKey: UPDATED_AT) { pageInfo { hasNextPage endCursor } nodes {
        refunds(first: 20) { __typename id legacyResourceId createdAt processedAt updatedAt note
            totalRefundedSet { ...Bag } duties { amountSet { ...Bag } originalDuty { id } }
            refundLineItems(first: 20) { nodes { id lineItem { id isGiftCard } quantity restockType restocked
                subtotalSet { ...Bag } totalTaxSet { ...Bag } } }
            refundShippingLines(first: 3) { nodes { id shippingLine { id } subtotalAmountSet { ...Bag }
                taxAmountSet { ...Bag } } }
            orderAdjustments(first: 3) { nodes { id amountSet { ...Bag } taxAmountSet { ...Bag } reason } } }
        transactions(first: 20) { __typename id kind status gateway formattedGateway createdAt processedAt
            amountSet { ...Bag } paymentId parentTransaction { id } test } } } }
       fragment Bag on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }",
];

#[test]
fn every_answer_fits_the_published_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMA);
    let Ok(text) = std::fs::read_to_string(&path) else {
        crate::schema::say("skipped: ../shared not present");
        return;
    };
    let schema = Schema::parse_and_validate(text, "schema.graphql").expect("a schema");
    let sandbox = Sandbox::new(Options::tiny());
    for query in QUERIES {
        let document = ExecutableDocument::parse_and_validate(&schema, *query, "query.graphql");
        let document = document.unwrap_or_else(|errors| panic!("{}", errors.errors));
        let operation = document.operations.get(None).expect("one operation");
        for shop in ["demo-kolkata", "demo-berlin", "demo-tokyo"] {
            let mut after = Value::Null;
            loop {
                let data = crate::data(&sandbox, shop, query, json!({ "after": after }));
                let checker = Checker { schema: &schema, document: &document };
                checker.object(&operation.selection_set, &data, false, "");
                let info = &data["orders"]["pageInfo"];
                if info["hasNextPage"] != true {
                    break;
                }
                after = info["endCursor"].clone();
            }
        }
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

struct Checker<'a> {
    schema: &'a Valid<Schema>,
    document: &'a ExecutableDocument,
}

impl Checker<'_> {
    /// `maybe`: inside a fragment that this object may not be meant by.
    fn object(&self, selection: &SelectionSet, value: &Value, maybe: bool, path: &str) {
        for item in &selection.selections {
            match item {
                Selection::Field(field) => {
                    let path = format!("{path}/{}", field.response_key());
                    match value.get(field.response_key().as_str()) {
                        Some(found) => self.value(&field.definition.ty, &field.selection_set, found, &path),
                        None => assert!(maybe, "{path} is missing"),
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let typename = value.get("__typename").and_then(Value::as_str);
                    let condition = fragment.type_condition.as_ref().map(|name| name.as_str());
                    if typename.is_none() || typename == condition {
                        self.object(&fragment.selection_set, value, typename.is_none(), path);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = spread.fragment_def(self.document).expect("a fragment");
                    self.object(&fragment.selection_set, value, maybe, path);
                }
            }
        }
    }

    fn value(&self, ty: &Type, selection: &SelectionSet, value: &Value, path: &str) {
        if value.is_null() {
            assert!(!ty.is_non_null(), "{path} must not be null");
            return;
        }
        match ty {
            Type::List(inner) | Type::NonNullList(inner) => {
                let items = value.as_array().unwrap_or_else(|| panic!("{path} is no list"));
                for item in items {
                    self.value(inner, selection, item, path);
                }
            }
            Type::Named(name) | Type::NonNullNamed(name) => match &self.schema.types[name] {
                ExtendedType::Scalar(_) => assert!(scalar_fits(name, value), "{path}: {value} is no {name}"),
                ExtendedType::Enum(definition) => {
                    let known = value.as_str().is_some_and(|text| definition.values.contains_key(text));
                    assert!(known, "{path}: {value} is no {name}");
                }
                _ => self.object(selection, value, false, path),
            },
        }
    }
}

fn scalar_fits(name: &str, value: &Value) -> bool {
    let text = || value.as_str().unwrap_or_default();
    match name {
        "Int" => value.is_i64(),
        "Float" => value.is_number(),
        "Boolean" => value.is_boolean(),
        "ID" => text().starts_with("gid://shopify/"),
        "DateTime" => text().len() == 20 && text().ends_with('Z'),
        "Decimal" | "Money" => text().split_once('.').is_some_and(|(_, fraction)| !fraction.is_empty()),
        "UnsignedInt64" => text().parse::<u64>().is_ok(),
        _ => value.is_string(),
    }
}
