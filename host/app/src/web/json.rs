//! Bodies of the API: JSON, and what comes in is an object.
//!
//! serde also takes the list `["a", 1]` for a struct of two fields. Nobody means that, and what a body says must not hang on
//! the order of fields in our code.

use std::fmt;
use std::marker::PhantomData;

use axum::Json as Bare;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// A body of JSON. Read from a request, it has to be an object.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = JsonRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let Bare(Object(body)) = Bare::from_request(request, state).await?;
        Ok(Self(body))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        Bare(self.0).into_response()
    }
}

/// A body that was taken as bytes, by the same rule.
pub fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body).map(|Object(body)| body)
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, fields: M) -> Result<T, M::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
        count: Option<u32>,
    }

    #[test]
    fn a_body_is_an_object_and_nothing_else() {
        let read = |text: &str| read_object::<Body>(text.as_bytes());
        let body = read(r#"{"name": "a", "count": 1}"#).expect("an object");
        assert_eq!(body, Body { name: "a".to_owned(), count: Some(1) });
        for other in [r#"["a", 1]"#, r#"["a"]"#, "null", r#""a""#, "1", "[]"] {
            let error = read(other).expect_err(other).to_string();
            assert!(error.contains("expected an object"), "{other}: {error}");
        }
        for wrong in [r#"{"count": 1}"#, r#"{"name": "a", "other": 1}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
