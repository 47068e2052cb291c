//! Plans as text, refusals, and the arithmetic of answers without an engine.

use std::collections::HashMap;

use portolan_core::calendar::StoreCalendar;
use portolan_core::{ConnectionId, Instant, LocalDate};
use uuid::Uuid;

use crate::catalogue::{Formula, Happened, Measure};
use crate::*;

fn january() -> DateRange {
    let date = |text| LocalDate::parse(text).expect("date");
    DateRange { from: date("2026-01-01"), until: date("2026-02-01") }
}

fn context() -> TenantContext {
    let connection = |number: u128, label: &str, channel: &str| ConnectionInfo {
        id: ConnectionId(Uuid::from_u128(number)),
        label: label.to_owned(),
        channel: channel.to_owned(),
    };
    TenantContext {
        connections: vec![connection(1, "North", "shopify"), connection(2, "South", "shopify")],
        calendar: TenantCalendar::default(),
        zone: StoreCalendar::new("Europe/Berlin", 0).expect("a zone"),
    }
}

fn plan(query: &Query) -> Plan {
    Plan::new(query, &Visibility::everything(), &context()).expect("plan")
}

/// The statements of a plan, with what is bound to them.
fn text(query: &Query) -> String {
    let plan = plan(query);
    let statements = plan.statements.iter().map(|statement| {
        let spread = statement.sql.replace(" FROM ", "\nFROM ").replace(" WHERE ", "\nWHERE ");
        format!("{}\n-- {:?}", spread.replace(" GROUP BY ", "\nGROUP BY "), statement.parameters)
    });
    statements.collect::<Vec<_>>().join("\n\n")
}

fn refusal(query: &Query) -> (String, String) {
    match Plan::new(query, &Visibility::everything(), &context()) {
        Err(AnalyticsError::Invalid { pointer, message }) => (pointer, message),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn sums_are_one_statement_by_kind_and_currency() {
    let query = Query::over(january(), &["net_sales"]).by("channel").every(GrainChoice::Day);
    insta::assert_snapshot!("net_sales_by_day_and_channel", text(&query));
}

#[test]
fn orders_are_counted_once_and_their_total_anew() {
    let query = Query::over(january(), &["orders"]).by("product").only("channel", &["shopify"]);
    insta::assert_snapshot!("orders_by_product", text(&query));
}

#[test]
fn customers_are_counted_per_period_and_overall() {
    let query = Query::over(january(), &["new_customers"]).every(GrainChoice::Week);
    insta::assert_snapshot!("new_customers_by_week", text(&query));
}

#[test]
fn customers_without_their_history_are_one_statement_with_its_totals() {
    let query = Query::over(january(), &["customers"]).every(GrainChoice::Week);
    insta::assert_snapshot!("customers_by_week", text(&query));
    let statements = |query: &Query| plan(query).statements.len();
    assert_eq!(
        statements(&query.clone().by("channel")),
        1,
        "a channel's connections have their own customers"
    );
    assert_eq!(statements(&query.clone().by("currency")), 2, "a customer may buy in several currencies");
    assert_eq!(statements(&query.by("product")), 2, "an order may hold several products");
}

#[test]
fn a_query_reads_like_its_json() {
    let json = r#"{"metrics":["net_sales"],"dimensions":["country"],"grain":"auto",
        "range":{"from":"2026-01-01","until":"2026-02-01"},"comparison":"previous_year",
        "filters":[{"dimension":"country","op":"not_in","values":["DE",null]}],
        "order_by":[{"by":"net_sales"}],"limit":5}"#;
    let query: Query = serde_json::from_str(json).expect("query");
    assert_eq!(query.range, january());
    assert_eq!(query.filters[0].values, [Some("DE".to_owned()), None]);
    assert_eq!(query.order_by[0].direction, Direction::Descending);
    let again: Query = serde_json::from_value(serde_json::to_value(&query).expect("json")).expect("query");
    assert_eq!(again, query);
    assert!(serde_json::from_str::<Query>(&json.replace("limit", "limits")).is_err(), "unknown field");
}

#[test]
fn refusals_say_where_and_what_to_do() {
    let plain = Query::over(january(), &["net_sales"]);
    let cases = [
        (Query::over(january(), &[]), "/metrics", "Name at least one metric"),
        (Query::over(january(), &["net_sale"]), "/metrics/0", "did you mean net_sales"),
        (Query::over(january(), &["orders", "orders"]), "/metrics/1", "named twice"),
        (plain.clone().by("colour"), "/dimensions/0", "There is no dimension"),
        (plain.clone().by("payout"), "/dimensions/0", "sales, which have no payout"),
        (plain.clone().only("payment_method", &["card"]), "/filters/0/dimension", "have no payment method"),
        (
            Query::over(january(), &["gross_payments", "net_sales"]).by("product"),
            "/dimensions/0",
            "gross_payments is about payments, which have no product: leave out the dimension product, or the metric. \
             Sales and payments together can be cut by channel, connection, currency and time.",
        ),
        (
            Query::over(january(), &["payment_fees"]).only("balance_category", &["fees"]),
            "/filters/0/values/0",
            "did you mean fee",
        ),
        (Query::over(january(), &["orders"]).by("kind"), "/dimensions/0", "have no kind of event"),
        (
            Query { range: DateRange { until: january().from, ..january() }, ..plain.clone() },
            "/range/until",
            "holds no day",
        ),
        (plain.clone().only("connection", &["x"]), "/filters/0/values/0", "is no connection"),
        (plain.clone().only("kind", &["sail"]), "/filters/0/values/0", "did you mean sale"),
        (plain.clone().only("country", &[]), "/filters/0/values", "at least one value"),
        (plain.clone().top(5, "orders"), "/order_by/0/by", "no column \"orders\""),
        (plain.clone().top(0, "net_sales"), "/limit", "between 1 and"),
        (
            plain.clone().reported(AsOf::Day(LocalDate::from_ymd(9_999, 1, 1).expect("a date"))),
            "/as_of",
            "between the years",
        ),
    ];
    for (query, pointer, part) in cases {
        let refused = refusal(&query);
        assert_eq!(refused.0, pointer, "{}", refused.1);
        assert!(refused.1.contains(part), "{}", refused.1);
        assert!(refused.1.ends_with(['.', '?']) || refused.1.contains("code"), "no sentence: {}", refused.1);
    }
}

#[test]
fn ids_are_unique_and_ratios_name_their_parts() {
    let mut ids: Vec<&str> = METRICS.iter().map(|metric| metric.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), METRICS.len());
    let aov = MetricInfo::from(metric("aov").expect("aov"));
    assert_eq!((aov.numerator, aov.denominator), (Some("demand_sales"), Some("orders")));
    let upt = MetricInfo::from(metric("upt").expect("upt"));
    assert_eq!((upt.numerator, upt.denominator), (Some("units_net"), Some("orders")));
    for metric in METRICS {
        let additive = metric.additivity == Additivity::Additive;
        let flows = metric.measures().iter().all(|measure| measure.source().is_sum());
        let sum = matches!(metric.formula, Formula::Sum(_));
        // What a bank sent back is a movement of one payout and belongs to another; the balance sees it once.
        let measures = metric.measures();
        let told_once = measures.contains(&Measure::OtherMovements) == measures.contains(&Measure::Payouts);
        assert_eq!(additive, flows && sum && told_once, "{}", metric.id);
        assert!(metric.unit != Unit::Money || metric.needs_currency(), "{}", metric.id);
    }
}

#[test]
fn money_makes_every_row_carry_a_currency() {
    let plan = plan(&Query::over(january(), &["orders", "aov"]));
    assert!(plan.statements.iter().all(|statement| statement.sql.contains("\"currency\"")));
    let plain =
        super::plan::Plan::new(&Query::over(january(), &["orders"]), &Visibility::everything(), &context())
            .expect("plan");
    assert!(!plain.statements[0].sql.contains("\"currency\""));
}

#[test]
fn values_of_people_are_never_part_of_the_statement() {
    let odd = "x'; DROP TABLE sale_events; --";
    let plan = plan(&Query::over(january(), &["net_sales"]).only("product", &[odd]).only("country", &[odd]));
    for statement in &plan.statements {
        assert!(!statement.sql.contains("DROP"), "{}", statement.sql);
        assert!(statement.parameters.contains(&Parameter::Text(odd.to_owned())));
    }
}

#[test]
fn a_day_of_reporting_ends_in_the_tenants_zone() {
    let asked = |text: &str| {
        let json = format!(
            r#"{{"metrics":["net_sales","returning_customers"],"dimensions":["new_returning"],
            "range":{{"from":"2026-01-01","until":"2026-02-01"}},"as_of":"{text}"}}"#
        );
        serde_json::from_str::<Query>(&json)
    };
    let day = asked("2026-03-01").expect("a question");
    let last = Instant::parse_rfc3339("2026-03-01T22:59:59.999999Z").expect("a moment");
    assert_eq!(plan(&day).as_of(Instant(i64::MAX)), last, "Berlin is an hour ahead");
    let moment = asked("2026-03-01T23:59:59.999999+01:00").expect("a question");
    assert_eq!(plan(&moment).as_of(Instant(i64::MAX)), last);
    assert_eq!(plan(&moment).as_of(Instant(7)), Instant(7), "nobody knows what is still to come");
    // Every relation that is read is cut, the customers' histories too.
    for statement in plan(&day).statements {
        let reads = statement.sql.matches("FROM \"sale_events\"").count();
        assert_eq!(statement.sql.matches("\"recorded_at\" <= $").count(), reads, "{}", statement.sql);
        let bound = statement.parameters.iter().filter(|bound| **bound == Parameter::Integer(last.0)).count();
        assert_eq!(bound, reads);
    }
    let again: Query = serde_json::from_value(serde_json::to_value(&day).expect("json")).expect("a question");
    assert_eq!(again, day);
    assert_ne!(again, Query { as_of: None, ..day }, "another question has another answer");
    assert!(asked("the day before").expect_err("refused").to_string().contains("YYYY-MM-DD"));
}

fn facts() -> AnswerFacts {
    AnswerFacts { data_version: 7, as_of: Instant(0), engine_ms: 1, rows_scanned: Some(2) }
}

#[test]
fn the_moment_of_an_answer_can_be_asked_about() {
    let moment = Instant::parse_rfc3339("2026-03-01T13:00:00.25+01:00").expect("a moment");
    let query = Query::over(january(), &["orders"]);
    let asked = plan(&query);
    let results = vec![Vec::new(); asked.statements.len()];
    let facts = AnswerFacts { as_of: moment, ..facts() };
    let table = answer(&asked, &results).expect("answer").finish(&HashMap::new(), facts);
    let json = serde_json::to_value(&table).expect("json");
    assert_eq!(json["as_of"], "2026-03-01T12:00:00.250Z");
    let as_of: AsOf = serde_json::from_value(json["as_of"].clone()).expect("what a question takes");
    assert_eq!(plan(&query.reported(as_of)).as_of(Instant(i64::MAX)), moment);
}

#[test]
fn nothing_divided_by_nothing_is_nothing() {
    let plan = plan(&Query::over(january(), &["upt", "orders"]));
    let results = vec![Vec::new(); plan.statements.len()];
    let table = answer(&plan, &results).expect("answer").finish(&HashMap::new(), facts());
    assert_eq!(table.rows[0].cells, [Cell::Null, Cell::Count(0)]);
    assert_eq!(table.totals[0].cells, [Cell::Null, Cell::Count(0)]);
}

#[test]
fn without_events_money_has_no_rows() {
    let plan = plan(&Query::over(january(), &["net_sales"]));
    let table = answer(&plan, &[Vec::new()]).expect("answer").finish(&HashMap::new(), facts());
    assert!(table.rows.is_empty() && table.totals.is_empty());
}

#[test]
fn titles_replace_keys_where_they_are_known() {
    let connection = ConnectionId(Uuid::from_u128(1));
    let plan = plan(&Query::over(january(), &["gross_sales"]).by("product"));
    let row = |product: &str, gross: i128| {
        plan.statements[0]
            .selected
            .iter()
            .map(|selected| match selected {
                super::plan::Selected::Key(key) => match key.name() {
                    "connection_id" => Value::Uuid(connection.0),
                    "product_key" => Value::Text(product.into()),
                    "currency" => Value::Text("EUR".into()),
                    _ => Value::Text("sale".into()),
                },
                _ => Value::Integer(gross),
            })
            .collect::<Vec<_>>()
    };
    let draft = answer(&plan, &[vec![row("p1", 100), row("p2", 300)]]).expect("answer");
    assert_eq!(draft.products().len(), 2);
    let titles = HashMap::from([((connection, "p2".to_owned()), "Red mug".to_owned())]);
    let table = draft.finish(&titles, facts());
    let labels: Vec<_> = table.rows.iter().map(|row| row.cells[0].label()).collect();
    assert_eq!(labels, [Some("Red mug"), Some("p1")]);
    let json = serde_json::to_value(&table).expect("json");
    assert_eq!(json["rows"][0]["cells"][0]["key"], format!("{connection}/p2"));
    assert_eq!(json["rows"][0]["cells"][2]["amount_minor"], 300);
    assert_eq!(json["totals"][0]["cells"][2]["display"], "4.00 EUR");
    assert_eq!(json["range"]["until"], "2026-02-01");
}

#[test]
fn the_classes_of_kinds_split_net_sales_exactly() {
    use portolan_commerce::ledger::EventKind;
    for kind in EventKind::ALL {
        let sum_of = |column: crate::catalogue::FlowColumn| match column.name() {
            "gross_minor" => 1_000,
            "discount_minor" => 70,
            _ => 0,
        };
        let part = |measure: Measure| measure.contribution(Happened::Sold(kind), sum_of);
        let net = part(Measure::GrossSales) - part(Measure::Discounts) - part(Measure::Returns);
        let carries_goods = kind.is_sale_or_edit() || kind.is_reversal();
        assert_eq!(net, if carries_goods { 930 } else { 0 }, "{kind}");
    }
}

#[test]
fn a_balance_is_split_by_category_exactly() {
    use portolan_commerce::cash::{BalanceCategory, DisputeState};
    let sum_of = |column: crate::catalogue::FlowColumn| match column.name() {
        "amount_minor" => 1_000,
        "fee_minor" => 70,
        "events" | "incoming" => 1,
        other => panic!("a balance has no {other}"),
    };
    for category in BalanceCategory::ALL {
        for dispute in
            [None, Some(DisputeState::Won), Some(DisputeState::Lost), Some(DisputeState::UnderReview)]
        {
            let part = |measure: Measure| {
                measure.contribution(Happened::Moved { category, dispute, returned: false }, sum_of)
            };
            let told = part(Measure::GrossPayments)
                - part(Measure::PaymentRefunds)
                - part(Measure::DisputedPayments)
                - part(Measure::PaymentFees);
            let of_payments = matches!(
                category,
                BalanceCategory::Sale
                    | BalanceCategory::Refund
                    | BalanceCategory::Dispute
                    | BalanceCategory::DisputeReversal
                    | BalanceCategory::Fee
                    | BalanceCategory::TaxOnFee
                    | BalanceCategory::FeeRefund
            );
            assert_eq!(told, if of_payments { 930 } else { -70 }, "{category}: its fee is always one");
            let (other, paid_out) = (part(Measure::OtherMovements), part(Measure::Payouts));
            assert_eq!(told + other - paid_out, 930, "{category}: the balance is the sum of its parts");
            assert_eq!(paid_out != 0, category.is_payout(), "{category}");
            let returned = |measure: Measure| {
                measure.contribution(Happened::Moved { category, dispute, returned: true }, sum_of)
            };
            if category.is_payout() {
                let told = (returned(Measure::OtherMovements), returned(Measure::Payouts));
                assert_eq!(told, (1_000, 0), "what came back is no payout of the one that pays it out again");
            }
            let decided = part(Measure::DisputesWon) + part(Measure::DisputesLost);
            let expected = matches!(dispute, Some(DisputeState::Won | DisputeState::Lost));
            assert_eq!(decided, i128::from(expected), "{category} {dispute:?}");
        }
    }
}

#[test]
fn sales_and_payments_are_asked_of_their_own_tables() {
    let query =
        Query::over(january(), &["net_sales", "gross_payments", "dispute_rate_count"]).by("connection");
    let plan = plan(&query);
    let tables: Vec<(Fact, bool)> =
        plan.statements.iter().map(|statement| (statement.fact, statement.event_dates.is_some())).collect();
    assert_eq!(tables, [(Fact::Sales, true), (Fact::Cash, true), (Fact::Cash, false)]);
    assert!(!plan.statements[1].sql.contains("\"test\""), "{}", plan.statements[1].sql);
    assert!(plan.statements[2].sql.contains("payment_date"), "{}", plan.statements[2].sql);
    let by_order =
        Query { date_basis: Some(DateBasis::Order), ..Query::over(january(), &["gross_payments"]) };
    assert!(self::plan(&by_order).statements[0].sql.contains("payment_date"));
}

#[test]
fn payments_by_month_and_category_are_one_statement() {
    let query = Query::over(january(), &["payment_fees"]).by("balance_category").every(GrainChoice::Month);
    insta::assert_snapshot!("payment_fees_by_month_and_category", text(&query));
}
