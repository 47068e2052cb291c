//! Lists are read page by page, forth and back: an opaque cursor, signed, and bound to the list and the filters
//! that it was made for.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use portolan_access::{DerivedKey, Purpose};
use serde::Serialize;
use sha2::Sha256;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::App;
use crate::web::error::{AppError, AppResult};
use crate::web::extract::Query;
use crate::web::json::Json;

const DEFAULT_LIMIT: u64 = 50;
const LARGEST_LIMIT: u64 = 500;
const SIGNATURE_BYTES: usize = 16;

/// Which way a page lies from the item that its cursor names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The items behind it in the list's order.
    Forth,
    /// The items before it, nearest ones last.
    Back,
}

/// A page's neighbour: it begins, or ends, beside this item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    pub item: Uuid,
    pub way: Way,
}

impl Beside {
    pub fn is_back(self) -> bool {
        self.way == Way::Back
    }
}

/// Where a page begins and how long it is: `?limit=1..500&cursor=`.
#[derive(Debug, Clone)]
pub struct Paging {
    pub limit: u64,
    /// None: the first page.
    pub beside: Option<Beside>,
    /// The list with its filters, as an address without the place in it.
    list: String,
}

impl Paging {
    /// `list` names the list and its filters: a cursor is good for the very same only.
    pub fn new(app: &App, list: String, limit: Option<u64>, cursor: Option<&str>) -> AppResult<Self> {
        let beside = cursor.map(|cursor| open_cursor(app, &list, cursor)).transpose()?;
        Ok(Self { limit: limit.unwrap_or(DEFAULT_LIMIT).clamp(1, LARGEST_LIMIT), beside, list })
    }

    /// Cuts what was found, one more than the limit where there are more, and says what lies beside it.
    pub fn cut<T>(&self, app: &App, items: &mut Vec<T>, id_of: impl Fn(&T) -> Uuid) -> Neighbours {
        let more = items.len() as u64 > self.limit;
        let back = self.beside.is_some_and(Beside::is_back);
        if more && back {
            items.remove(0);
        } else {
            items.truncate(self.limit as usize);
        }
        // Whoever came from an item knows that it is there.
        let (has_previous, has_next) = if back { (more, true) } else { (self.beside.is_some(), more) };
        let seal = |item: Option<&T>, way| item.map(|item| seal_cursor(app, &self.list, id_of(item), way));
        Neighbours {
            previous: seal(items.first().filter(|_| has_previous), Way::Back),
            next: seal(items.last().filter(|_| has_next), Way::Forth),
        }
    }

    /// The page of the API that holds `items`, in the list's order.
    pub fn page<T>(&self, app: &App, mut items: Vec<T>, id_of: impl Fn(&T) -> Uuid) -> ListedPage<T> {
        let neighbours = self.cut(app, &mut items, id_of);
        let link = self.link(&neighbours);
        let page = PageInfo {
            has_more: neighbours.next.is_some(),
            next_cursor: neighbours.next,
            prev_cursor: neighbours.previous,
        };
        ListedPage { page: Page { data: items, page }, link }
    }

    /// RFC 8288, for programs that follow links.
    fn link(&self, neighbours: &Neighbours) -> Option<HeaderValue> {
        let address = |cursor: &str| {
            let joint = if self.list.contains('?') { '&' } else { '?' };
            format!("<{}{joint}limit={}&cursor={cursor}>", self.list, self.limit)
        };
        let links = [("prev", &neighbours.previous), ("next", &neighbours.next)];
        let links: Vec<String> = links
            .into_iter()
            .filter_map(|(relation, cursor)| {
                Some(format!("{}; rel=\"{relation}\"", address(cursor.as_ref()?)))
            })
            .collect();
        if links.is_empty() { None } else { HeaderValue::from_str(&links.join(", ")).ok() }
    }
}

impl FromRequestParts<Arc<App>> for Paging {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, app).await?;
        let (places, mut filters): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(name, _)| name == "limit" || name == "cursor");
        filters.sort();
        let filters = form_urlencoded::Serializer::new(String::new()).extend_pairs(&filters).finish();
        let list = match filters.as_str() {
            "" => parts.uri.path().to_owned(),
            filters => format!("{}?{filters}", parts.uri.path()),
        };
        let value =
            |wanted: &str| places.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let limit = match value("limit").map(str::parse) {
            None => None,
            Some(Ok(limit)) => Some(limit),
            Some(Err(_)) => return Err(bad("limit", "Ask for 1 to 500 items.").into_response()),
        };
        Self::new(app, list, limit, value("cursor")).map_err(IntoResponse::into_response)
    }
}

/// What every list takes.
impl IntoParams for Paging {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, kind: Type, description: &str| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .description(Some(description))
                .schema(Some(ObjectBuilder::new().schema_type(kind)))
                .build()
        };
        vec![
            parameter("limit", Type::Integer, "Items per page, 1 to 500; 50 where absent."),
            parameter("cursor", Type::String, "From the page beside it, with the same filters."),
        ]
    }
}

/// Cursors of the pages beside a page.
#[derive(Debug, Default)]
pub struct Neighbours {
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub page: PageInfo,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PageInfo {
    /// Send it as `cursor`, with the same filters, for the next page.
    pub next_cursor: Option<String>,
    /// Likewise for the page before.
    pub prev_cursor: Option<String>,
    pub has_more: bool,
}

/// A page with the `Link` header that names its neighbours.
#[derive(Debug)]
pub struct ListedPage<T> {
    pub page: Page<T>,
    link: Option<HeaderValue>,
}

impl<T> ListedPage<T> {
    /// The same page of what `change` makes of each item.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> ListedPage<U> {
        let data = self.page.data.into_iter().map(change).collect();
        ListedPage { page: Page { data, page: self.page.page }, link: self.link }
    }
}

impl<T: Serialize> IntoResponse for ListedPage<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.page).into_response();
        if let Some(link) = self.link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// The cursor beside an item of a list.
fn seal_cursor(app: &App, list: &str, item: Uuid, way: Way) -> String {
    let mut bytes = vec![u8::from(way == Way::Back)];
    bytes.extend(item.as_bytes());
    bytes.extend(signature(&app.key_ring.derive(Purpose::Cursor), list, &bytes));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a cursor that this server made for this list names.
fn open_cursor(app: &App, list: &str, cursor: &str) -> AppResult<Beside> {
    let refused =
        || bad("cursor", "This cursor is not of this list and its filters. Start from the first page.");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let (place, signed) = bytes.split_at_checked(17).ok_or_else(refused)?;
    // One that was made before the master key was changed is still ours.
    let keys = app.key_ring.derive_all(Purpose::Cursor);
    if !keys.iter().any(|key| signed == signature(key, list, place)) {
        return Err(refused());
    }
    let item = Uuid::from_slice(&place[1..]).map_err(|_| refused())?;
    Ok(Beside { item, way: if place[0] == 0 { Way::Forth } else { Way::Back } })
}

fn bad(parameter: &str, message: &str) -> AppError {
    let mut error = AppError::invalid(parameter, message);
    error.status = StatusCode::BAD_REQUEST;
    error
}

/// A forged cursor reveals nothing that its forger may not read; the signature keeps the place
/// ours to change.
fn signature(key: &DerivedKey, list: &str, place: &[u8]) -> [u8; SIGNATURE_BYTES] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.bytes()).expect("any key length");
    mac.update(place);
    mac.update(list.as_bytes());
    let full = mac.finalize().into_bytes();
    let mut short = [0; SIGNATURE_BYTES];
    short.copy_from_slice(&full[..SIGNATURE_BYTES]);
    short
}
