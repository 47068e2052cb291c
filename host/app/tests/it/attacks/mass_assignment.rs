//! Somebody sends more than is asked for: a tenant, a role, a flag that only the server sets.

use axum::body::Body;
use axum::http::{Request, header};
use portolan_app::router::openapi_json;
use portolan_db::entity::audit_event;
use serde_json::{Map, Value, json};

use crate::support::*;

/// Properties that take whatever a plugin declares, or whatever keys there are.
const OPEN: [(&str, &str); 1] = [("CreateConnectionRequest", "config")];

/// What nobody may set by writing it into a body.
fn smuggled() -> Map<String, Value> {
    let fields = json!({
        "id": Uuid::nil(), "tenant_id": Uuid::nil(), "user_id": Uuid::nil(), "owner_id": Uuid::nil(),
        "role": "owner", "is_owner": true, "permissions": ["people:manage"], "created_by": Uuid::nil(),
        "expires_at": "2099-01-01T00:00:00Z", "banned_at": null, "access_version": 0,
        "__proto__": { "polluted": true }, "constructor": {},
    });
    fields.as_object().cloned().unwrap_or_default()
}

fn document() -> Value {
    serde_json::from_str(&openapi_json().expect("a document")).expect("json")
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> (&'a str, &'a Value) {
    match schema["$ref"].as_str() {
        Some(address) => {
            let name = address.rsplit('/').next().unwrap_or_default();
            (name, &document["components"]["schemas"][name])
        }
        None => ("", schema),
    }
}

/// A value that the schema would take.
fn plausible(document: &Value, schema: &Value) -> Value {
    let (_, schema) = resolved(document, schema);
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(first) =
            schema[choice].as_array().and_then(|choices| choices.iter().find(|one| one["type"] != "null"))
        {
            return plausible(document, first);
        }
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].as_array()?.first()?.as_str());
    match kind.unwrap_or("object") {
        "string" if schema["format"] == "uuid" => json!(Uuid::nil()),
        "string" => json!("something"),
        "integer" | "number" => json!(10),
        "boolean" => json!(true),
        "array" => json!([]),
        _ => {
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let required: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let fields = properties.iter().filter(|(name, _)| required.contains(&name.as_str()));
            Value::Object(fields.map(|(name, schema)| (name.clone(), plausible(document, schema))).collect())
        }
    }
}

/// Every JSON body of the document: method, path and schema.
fn bodies(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.filter_map(move |(method, operation)| {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            schema.is_object().then(|| (method.to_uppercase(), path.clone(), schema.clone()))
        })
    });
    operations.collect()
}

/// Names the objects of a schema that take what they do not name.
fn open_objects(
    document: &Value,
    place: &str,
    schema: &Value,
    seen: &mut Vec<String>,
    found: &mut Vec<String>,
) {
    let (name, schema) = resolved(document, schema);
    if !name.is_empty() {
        if seen.iter().any(|known| known == name) {
            return;
        }
        seen.push(name.to_owned());
    }
    let place = if name.is_empty() { place.to_owned() } else { name.to_owned() };
    if let Some(properties) = schema["properties"].as_object() {
        if schema["additionalProperties"] != json!(false) {
            found.push(place.clone());
        }
        for (property, schema) in properties {
            if !OPEN.contains(&(place.as_str(), property.as_str())) {
                open_objects(document, &format!("{place}.{property}"), schema, seen, found);
            }
        }
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            open_objects(document, &format!("{place}[]"), &schema[inner], seen, found);
        }
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        for schema in schema[choice].as_array().into_iter().flatten() {
            open_objects(document, &place, schema, seen, found);
        }
    }
}

#[test]
fn every_body_says_that_it_takes_what_it_names_and_nothing_else() {
    let document = document();
    let bodies = bodies(&document);
    assert!(bodies.len() > 15, "{}", bodies.len());
    let (mut seen, mut found) = (Vec::new(), Vec::new());
    for (method, path, schema) in &bodies {
        open_objects(&document, &format!("{method} {path}"), schema, &mut seen, &mut found);
    }
    assert_eq!(found, Vec::<String>::new(), "give them #[serde(deny_unknown_fields)]");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_body_does_not_name_is_refused_and_changes_nothing() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let (document, session) = (document(), shop.session().await);
        let before = shop.rows::<audit_event::Entity>().await.len();
        for (method, path, schema) in bodies(&document) {
            let segments = path.split('/').map(|segment| match segment.starts_with('{') {
                true => Uuid::nil().to_string(),
                false => segment.to_owned(),
            });
            let address = segments.collect::<Vec<_>>().join("/");
            let send = async |body: Value| {
                let request = Request::builder()
                    .method(method.as_str())
                    .uri(&address)
                    .header(header::COOKIE, &session)
                    .header(header::CONTENT_TYPE, "application/json")
                    .header(header::IF_MATCH, "\"0\"")
                    .header("sec-fetch-site", "same-origin")
                    .body(Body::from(body.to_string()));
                shop.ask(request.expect("a request")).await
            };
            for (field, value) in smuggled() {
                let mut body = plausible(&document, &schema);
                let Some(fields) = body.as_object_mut() else { continue };
                let (_, object) = resolved(&document, &schema);
                if object["properties"].get(&field).is_some() {
                    continue;
                }
                fields.insert(field.clone(), value);
                let answer = send(body).await;
                assert!(
                    answer.status.is_client_error(),
                    "{method} {path} with {field}: {} {}",
                    answer.status,
                    answer.body
                );
            }
            // Nor are values taken by their order.
            let (_, object) = resolved(&document, &schema);
            let properties = object["properties"].as_object().cloned().unwrap_or_default();
            let values = properties.values().map(|schema| plausible(&document, schema)).collect();
            let answer = send(Value::Array(values)).await;
            let said = format!("{method} {path} with a list: {} {}", answer.status, answer.body);
            assert!(answer.status.is_client_error() && !answer.body.contains("missing field"), "{said}");
        }
        assert_eq!(shop.rows::<audit_event::Entity>().await.len(), before, "nothing was done");
    })
    .await;
}
