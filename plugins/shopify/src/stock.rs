//! Places, what lies there, and checkouts that were left.
//!
//! Stock is a state: each pass reads all of it, place after place. It and the checkouts need scopes that not every
//! token has; without them these streams pause and the others go on.

use portolan_sdk::commerce::{self, InventoryLevel};
use portolan_sdk::{
    AuthKind, BadRecord, Continuation, Decimal, Error, FetchRequest, Page, RecordResult, Result, Sink, Text,
    Wait,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::ask;
use crate::fetch::{self, PageInfo};
use crate::orders::{moment, owned};
use crate::queries;
use crate::shape::{Bag, Cash, Reference, key};

/// Where a pass over the stock stands; opaque to the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    /// The place before the present one.
    place: Option<String>,
    /// The last level seen there.
    after: Option<String>,
}

#[derive(Deserialize)]
struct Skeleton {
    locations: Places,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Places {
    nodes: Vec<Place>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    inventory_levels: Levels,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Levels {
    page_info: PageInfo,
}

/// A page of the stock of one place.
pub fn fetch_levels(request: &FetchRequest) -> Result<Page> {
    let token = match request.token.as_deref() {
        None => Token::default(),
        Some(bytes) => serde_json::from_slice::<Token>(bytes)
            .map_err(|error| Error::CursorExpired(format!("the page token is not ours: {error}")))?,
    };
    let variables = json!({ "place": token.place, "after": token.after });
    let answer = ask(&queries::stock(), &variables).map_err(|refusal| optional(refusal.into()))?;
    let Places { nodes, page_info } = answer.data::<Skeleton>()?.locations;
    let wait_ms = answer.wait_ms;
    let Some(Place { inventory_levels: levels }) = nodes.into_iter().next() else {
        return Ok(Page { chunks: Vec::new(), next: Continuation::Done, expected: None, progress: None });
    };
    let next = if levels.page_info.has_next_page {
        Some(Token { after: cursor(&levels.page_info, token.after.as_ref())?, ..token })
    } else if page_info.has_next_page {
        Some(Token { place: cursor(&page_info, token.place.as_ref())?, after: None })
    } else {
        None
    };
    let mut page = answer.response.into_page(
        &request.slice.stream,
        "json:/data/locations/nodes/0/inventoryLevels/nodes",
        Continuation::Done,
    );
    if let Some(next) = next {
        let token = fetch::to_bytes(&next)?;
        page.next = match wait_ms {
            0 => Continuation::More(token),
            ms => Continuation::Wait(Wait { token, ms, why: "the shop's query budget refills".to_owned() }),
        };
    }
    Ok(page)
}

/// Where the next page begins: elsewhere than this one.
fn cursor(info: &PageInfo, before: Option<&String>) -> Result<Option<String>> {
    match &info.end_cursor {
        Some(cursor) if Some(cursor) != before => Ok(Some(cursor.clone())),
        _ => Err(Error::upstream_bug("the next page has the same cursor as this one, or none")),
    }
}

/// Every place, as one page: a shop has some, not hundreds.
pub fn fetch_locations(request: &FetchRequest) -> Result<Page> {
    #[derive(Deserialize)]
    struct Data {
        locations: Ends,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Ends {
        page_info: PageInfo,
    }
    let answer = ask(&queries::locations(), &json!({})).map_err(|refusal| optional(refusal.into()))?;
    if answer.data::<Data>()?.locations.page_info.has_next_page {
        return Err(Error::Unavailable(
            "the shop has more than 250 locations, which this version does not read".to_owned(),
        ));
    }
    let stream = &request.slice.stream;
    Ok(answer.response.into_page(stream, "json:/data/locations/nodes", Continuation::Done))
}

/// A scope that only this stream needs must not stop the others.
pub fn optional(error: Error) -> Error {
    let auth = match error {
        Error::Auth(auth) if matches!(auth.kind, AuthKind::MissingScope) => auth,
        error => return error,
    };
    let what = match auth.missing.as_slice() {
        [] => auth.detail,
        missing => format!("the access token lacks {}", missing.join(", ")),
    };
    Error::Unavailable(format!(
        "{what}: add it to the custom app, install the app again, and enter its new token"
    ))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Level<'a> {
    updated_at: Text<'a>,
    item: Item<'a>,
    location: Reference<'a>,
    quantities: Vec<Quantity<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Item<'a> {
    tracked: bool,
    variant: Reference<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Quantity<'a> {
    name: Text<'a>,
    quantity: i64,
}

/// Stock of a variant. Of what is not tracked only a number stands there, which nobody keeps.
pub fn map_level(src: u32, level: &Level<'_>, out: &mut Sink) -> RecordResult {
    let quantity = |name: &str| {
        let found = level.quantities.iter().find(|quantity| quantity.name.as_str() == name);
        found.map(|quantity| Decimal::whole(quantity.quantity))
    };
    let on_hand = quantity("on_hand");
    out.push(InventoryLevel {
        src,
        product: level.item.variant.key(),
        location: level.location.key(),
        at: moment(&level.updated_at, "updatedAt")?,
        on_hand: on_hand.ok_or_else(|| BadRecord::at("quantities", "there is no quantity on hand"))?,
        available: quantity("available").filter(|_| level.item.tracked),
        incoming: quantity("incoming").filter(|_| level.item.tracked),
    });
    Ok(())
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Location<'a> {
    id: Text<'a>,
    name: Text<'a>,
    is_fulfillment_service: bool,
    address: Address<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Address<'a> {
    country_code: Option<Text<'a>>,
    province_code: Option<Text<'a>>,
}

/// A place, under the key that orders and stock name it by.
pub fn map_location(src: u32, location: &Location<'_>, out: &mut Sink) -> RecordResult {
    out.push(commerce::Location {
        src,
        key: key(&location.id),
        name: location.name.as_str().to_owned(),
        kind: if location.is_fulfillment_service { "warehouse" } else { "shop" }.to_owned(),
        country: owned(&location.address.country_code),
        region: owned(&location.address.province_code),
    });
    Ok(())
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Checkout<'a> {
    id: Text<'a>,
    created_at: Text<'a>,
    updated_at: Text<'a>,
    completed_at: Option<Text<'a>>,
    customer: Option<Reference<'a>>,
    total_price_set: Bag<'a>,
}

/// A checkout that was left. Which order it became is not told; the link back into it is not asked for, for it opens
/// what a buyer has typed in.
pub fn map_checkout(src: u32, checkout: &Checkout<'_>, out: &mut Sink) -> RecordResult {
    let cash = Cash::new(&checkout.total_price_set.shop_money.currency_code, None)?;
    let completed_at = checkout.completed_at.as_deref().map(|at| moment(at, "completedAt")).transpose()?;
    out.push(commerce::Checkout {
        src,
        key: key(&checkout.id),
        updated_at: moment(&checkout.updated_at, "updatedAt")?,
        stage: if completed_at.is_some() { "recovered" } else { "abandoned" }.to_owned(),
        created_at: moment(&checkout.created_at, "createdAt")?,
        completed_at,
        order: None,
        customer: checkout.customer.as_ref().map(|customer| customer.key()),
        url: None,
        total: cash.minor(&checkout.total_price_set, "totalPriceSet")?,
        currency: cash.shop,
    });
    Ok(())
}
