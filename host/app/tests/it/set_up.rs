//! A host on which nobody is yet, as a browser sets it up.

use axum::body::Body;
use axum::http::{Request, header};
use portolan_core::TenantId;
use portolan_db::entity::{audit_event, tenant, user};
use sea_orm::EntityTrait;

use crate::doors::Answer;
use crate::support::*;

const OWNER: &str = "name=Ada@Example.com&password=a+harbour+at+dusk&repeated=a+harbour+at+dusk";

impl TestApp {
    async fn fill_in(&self, cookie: &str, path: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(form.to_owned())).expect("a request")).await
    }

    async fn set_up_token(&self) -> String {
        self.app.sessions.make_set_up_token().await.expect("written").expect("nobody is there")
    }

    async fn all_of<E: EntityTrait + portolan_db::HostEntity>(&self) -> Vec<E::Model> {
        let tx = self.app.db.system_read().await.expect("read");
        tx.find::<E>().all(&tx).await.expect("rows")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_the_printed_token_sets_the_host_up() {
    on_both(migrate, async |test| {
        let mut host = TestApp::before_set_up(test);
        let token = host.set_up_token().await;
        for page in
            ["/", "/pulse", "/sign-in", "/admin/people", "/invitations/x", "/setup/company", "/no-such-page"]
        {
            let answer = host.get("", page).await;
            assert_eq!(answer.location.as_deref(), Some("/setup"), "{page}: {}", answer.status);
        }
        assert_eq!(host.get("", "/api/v1/people").await.status, 401);
        let explained = host.get("", "/setup").await;
        assert!(explained.status == 200 && explained.body.contains("name=\"token\""), "{}", explained.body);
        assert!(!explained.body.contains("name=\"password\""), "nobody gets further without it");
        for wrong in ["x", "%00", &token[1..]] {
            let answer = host.get("", &format!("/setup?token={wrong}")).await;
            assert!(
                answer.status == 410 && answer.body.contains("Start the server again"),
                "{}",
                answer.body
            );
            let answer = host.fill_in("", "/setup", &format!("token={wrong}&{OWNER}")).await;
            assert!(answer.status == 410 && answer.cookie.is_none(), "{}", answer.body);
        }

        let form = host.get("", &format!("/setup?token={token}")).await;
        assert!(form.status == 200 && form.body.contains(&format!("value=\"{token}\"")), "{}", form.body);
        for (wrong, told) in [
            ("name=ada&password=short&repeated=short", "at least 12 characters"),
            (
                "name=two+words&password=a+harbour+at+dusk&repeated=a+harbour+at+dusk",
                "cannot be a sign-in name",
            ),
            ("name=ada&password=a+harbour+at+dusk&repeated=a+harbour+at+dawn", "not the same"),
        ] {
            let answer = host.fill_in("", "/setup", &format!("token={token}&{wrong}")).await;
            assert!(answer.status == 422 && answer.body.contains(told), "{wrong}: {}", answer.body);
            assert!(!answer.body.contains("harbour at"), "the password comes back");
        }
        assert!(
            host.all_of::<user::Entity>().await.is_empty()
                && host.all_of::<tenant::Entity>().await.is_empty()
        );

        let made = host.fill_in("", "/setup", &format!("token={token}&{OWNER}")).await;
        assert_eq!(made.location.as_deref(), Some("/setup/second-factor"), "{}", made.body);
        let cookie = made.cookie.expect("a session");
        let cookie = cookie.split(';').next().expect("a pair");
        let again = host.fill_in("", "/setup", &format!("token={token}&{OWNER}")).await;
        assert!(
            again.status == 410 && again.body.contains("/sign-in") && again.cookie.is_none(),
            "{}",
            again.body
        );
        assert_eq!(host.get("", &format!("/setup?token={token}")).await.status, 410);
        assert!(host.app.sessions.make_set_up_token().await.expect("look").is_none());

        // The second step: skipped here, or set up and back to the third.
        let step = host.get(cookie, "/setup/second-factor").await;
        assert!(step.body.contains("Skip for now") && step.body.contains("/setup/company"), "{}", step.body);
        let begun = host.fill_in(cookie, "/account/second-factor", "next=/setup/company").await;
        assert_eq!(begun.location.as_deref(), Some("/account/second-factor?next=/setup/company"));
        let seed = host.get(cookie, "/account/second-factor?next=/setup/company").await;
        assert!(seed.body.contains(r#"name="next" value="/setup/company""#), "{}", seed.body);
        let trap = host.get(cookie, "/account/second-factor?next=//evil.example").await;
        assert!(trap.status == 200 && !trap.body.contains("evil"), "{}", trap.body);

        let wrong = "name=+&reporting_currency=euro&time_zone=Berlin&week_start=8";
        let wrong = host.fill_in(cookie, "/setup/company", wrong).await;
        for told in
            ["1 to 120 characters", "three letters", "time zone database", "Choose a day", "value=\"Berlin\""]
        {
            assert!(wrong.status == 422 && wrong.body.contains(told), "{told}: {}", wrong.body);
        }
        let company = "name=Harbour+%26+Sons&reporting_currency=gbp&time_zone=Europe/London&week_start=7";
        let saved = host.fill_in(cookie, "/setup/company", company).await;
        assert_eq!(saved.location.as_deref(), Some("/setup/first-data"), "{}", saved.body);
        let last = host.get(cookie, "/setup/first-data").await;
        assert!(last.status == 200 && last.body.contains("/connections/new"), "{}", last.body);
        let pulse = host.get(cookie, "/pulse").await;
        assert!(pulse.status == 200 && pulse.body.contains("Harbour &#38; Sons"), "{}", pulse.body);

        let tenants = host.all_of::<tenant::Entity>().await;
        let [company] = tenants.as_slice() else { panic!("{tenants:?}") };
        let told = (company.reporting_currency.as_str(), company.time_zone.as_str(), company.week_start);
        assert_eq!(told, ("GBP", "Europe/London", 7));
        host.tenant = TenantId(company.id);
        let mut events = host.rows::<audit_event::Entity>().await;
        events.sort_by_key(|event| event.seq);
        let told: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(
            told,
            [
                "tenant.create",
                "member.add",
                "person.set_password",
                "session.begin",
                "second_factor.set_up",
                "company.change"
            ]
        );
        assert!(events.iter().all(|event| !format!("{event:?}").contains("Harbour")), "ids, no names");

        let sign_in = "name=ada@example.com&password=a+harbour+at+dusk";
        assert_eq!(host.fill_in("", "/sign-in", sign_in).await.location.as_deref(), Some("/pulse"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_browsers_with_one_token_one_makes_the_owner() {
    on_both(migrate, async |test| {
        let host = TestApp::before_set_up(test);
        let token = host.set_up_token().await;
        let forms: Vec<String> = (0..10)
            .map(|number| format!("token={token}&{}", OWNER.replacen("Ada", &format!("Ada-{number}"), 1)))
            .collect();
        let answers =
            futures::future::join_all(forms.iter().map(|form| host.fill_in("", "/setup", form))).await;
        let came_in = answers.iter().filter(|answer| answer.cookie.is_some()).count();
        assert_eq!((came_in, host.all_of::<user::Entity>().await.len()), (1, 1));
        assert!(answers.iter().all(|answer| [303, 410].contains(&answer.status.as_u16())));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_owner_joins_the_company_that_the_operator_has_made() {
    on_both(migrate, async |test| {
        let host = TestApp::before_set_up(test);
        let new = portolan_app::people::NewTenant {
            slug: "quay".to_owned(),
            currency: "DKK".to_owned(),
            time_zone: "Europe/Copenhagen".to_owned(),
        };
        let known = portolan_app::people::add_tenant(&host.app, new).await.expect("a company");
        let token = host.set_up_token().await;
        let made = host.fill_in("", "/setup", &format!("token={token}&{OWNER}")).await;
        assert!(made.cookie.is_some(), "{}", made.body);
        let (_, tenant) =
            portolan_app::people::find_member(&host.app, "ada@example.com").await.expect("them");
        assert_eq!(tenant, known);
        assert_eq!(host.all_of::<tenant::Entity>().await.len(), 1);
    })
    .await;
}
