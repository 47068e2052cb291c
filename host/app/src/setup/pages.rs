//! The pages of setting up.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum_extra::extract::CookieJar;
use portolan_admin_ui::pages::{SetUpDataPage, SetUpFactorPage, SetUpPage, SetUpState};
use serde::Deserialize;

use super::ops::make_first_owner;
use crate::App;
use crate::web::actor::{Oneself, PageActor};
use crate::web::client::FromWhere;
use crate::web::cookies::with_session;
use crate::web::error::{AppError, PageResult};
use crate::web::extract::{Form, Query};
use crate::web::html;

const SECOND_STEP: &str = "/setup/second-factor";
const COMPANY: &str = "/setup/company";

#[derive(Deserialize)]
pub struct TokenQuery {
    token: Option<String>,
}

#[derive(Deserialize)]
pub struct OwnerForm {
    token: String,
    name: String,
    password: String,
    repeated: String,
}

/// Looking does not use the token up.
pub async fn show_set_up(State(app): State<Arc<App>>, Query(query): Query<TokenQuery>) -> PageResult {
    if app.sessions.somebody_is_there().await? {
        return closed(SetUpState::Done);
    }
    let Some(token) = query.token.filter(|token| !token.is_empty()) else {
        return html(&SetUpPage::new(SetUpState::NoToken));
    };
    if !app.sessions.set_up_token_is_valid(token.trim()).await? {
        return closed(SetUpState::WrongToken);
    }
    html(&SetUpPage::new(SetUpState::Owner { token: token.trim().to_owned() }))
}

pub async fn make_owner(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    FromWhere(client): FromWhere,
    Form(form): Form<OwnerForm>,
) -> PageResult {
    let made = match form.password == form.repeated {
        true => make_first_owner(&app, &form.token, &form.name, &form.password, client).await,
        // Whether the token is good is looked at first: who holds none learns nothing here.
        false if !app.sessions.set_up_token_is_valid(&form.token).await? => Ok(None),
        false => Err(AppError::invalid("repeated", "The two are not the same. Enter the password twice.")),
    };
    match made {
        Ok(Some(session)) => {
            let jar = with_session(&app, &headers, jar, session.token);
            Ok((jar, Redirect::to(SECOND_STEP)).into_response())
        }
        Ok(None) if app.sessions.somebody_is_there().await? => closed(SetUpState::Done),
        Ok(None) => closed(SetUpState::WrongToken),
        Err(error) if !error.fields.is_empty() => {
            let mut page = SetUpPage::new(SetUpState::Owner { token: form.token });
            page.name = form.name;
            for field in &error.fields {
                page.set_error(&field.path, &field.message);
            }
            Ok((error.status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub async fn show_second_factor(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
) -> PageResult {
    let on = app.second_factors().ways_of(actor.user).await?.any();
    html(&SetUpFactorPage::new(on, COMPANY))
}

pub async fn show_first_data(PageActor(_actor): PageActor<Oneself>) -> PageResult {
    html(&SetUpDataPage::new())
}

fn closed(state: SetUpState) -> PageResult {
    Ok((StatusCode::GONE, html(&SetUpPage::new(state))?).into_response())
}
