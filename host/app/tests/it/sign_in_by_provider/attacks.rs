//! What must not come of signing in by an identity provider.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_a_token_nobody_comes_in_by_it() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        for (fault, words) in [
            (Fault::NoIdToken, "no ID token"),
            (Fault::WrongSignature, "signature is not right"),
            (Fault::Unsigned, "not taken"),
            (Fault::SharedSecret, "not allowed"),
            (Fault::OtherIssuer, "another issuer"),
            (Fault::OtherAudience, "another application"),
            (Fault::FurtherAudience, "another application"),
            (Fault::OtherAuthorizedParty, "another application"),
            (Fault::Expired, "time is over"),
            (Fault::IssuedLongAgo, "time is over"),
            (Fault::OtherNonce, "another request"),
            (Fault::NoNonce, "another request"),
            (Fault::OtherAccessToken, "another access token"),
            (Fault::NoSubject, "names nobody"),
        ] {
            there.misbehave(fault);
            let mut browser = Browser::default();
            let refused = browser.sign_in(&shop, &provider, &there, "owner-there").await;
            assert_eq!(refused.status, 422, "{fault:?}: {}", refused.body);
            let text = refused.body.replace("&#39;", "'");
            // Without a signature, or with its name alone, the library may not read it at all.
            let said = text.contains(words) || (fault == Fault::Unsigned && text.contains("cannot be read"));
            assert!(said, "{fault:?}: {text}");
            assert!(
                !text.contains("owner-there") && !text.contains("eyJ"),
                "{fault:?}: nothing of the token"
            );
            assert_eq!(browser.session(), None, "{fault:?}");
        }
        assert_eq!(shop.sessions_by_provider().await, 0);
        there.misbehave(Fault::None);
        assert_eq!(Browser::default().sign_in(&shop, &provider, &there, "owner-there").await.status, 303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_counts_once_in_time_and_in_the_browser_that_was_sent() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let mut browser = Browser::default();
        let back = browser.go(&shop, &start(&provider), &there, "owner-there").await;
        // Another browser, with a flow of its own or without: somebody had theirs opened by a link.
        let mut victim = Browser::default();
        let stolen = victim.get(&shop, &back).await;
        assert!(stolen.status == 422 && victim.session().is_none(), "{}", stolen.body);
        victim.go(&shop, &start(&provider), &there, "victim-there").await;
        let stolen = victim.get(&shop, &back).await;
        assert!(stolen.status == 422 && victim.session().is_none(), "{}", stolen.body);
        // A state that nobody made, or none.
        let (path, _) = back.split_once('?').expect("a query");
        for query in ["?code=x&state=y", "?code=x", "", "?state=%00&code=%00"] {
            let mut guess = browser.clone();
            assert_eq!(guess.get(&shop, &format!("{path}{query}")).await.status, 422, "{query}");
            assert_eq!(guess.session(), None);
        }
        // All that was refused has not used up what is right.
        let (mut first, mut again) = (browser.clone(), browser.clone());
        assert_eq!(first.get(&shop, &back).await.status, 303);
        let replayed = again.get(&shop, &back).await;
        assert!(replayed.status == 422 && again.session().is_none(), "{}", replayed.body);
        assert!(replayed.body.contains("begin again"), "{}", replayed.body);

        let mut late = Browser::default();
        let back = late.go(&shop, &start(&provider), &there, "owner-there").await;
        shop.advance(Duration::from_minutes(11));
        assert_eq!(late.get(&shop, &back).await.status, 422);
        shop.app.sessions.forget_expired().await.expect("forget");
        let tx = shop.app.db.system_read().await.expect("read");
        assert_eq!(tx.find::<identity_flow::Entity>().all(&tx).await.expect("flows"), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_bring_one_code_back_one_comes_in() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let mut browser = Browser::default();
        let back = browser.go(&shop, &start(&provider), &there, "owner-there").await;
        let shop = Arc::new(shop);
        let mut tasks = Vec::new();
        for _ in 0..50 {
            let (shop, mut browser, back) = (Arc::clone(&shop), browser.clone(), back.clone());
            tasks.push(tokio::spawn(async move { browser.get(&shop, &back).await.status.as_u16() }));
        }
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.expect("an answer"));
        }
        assert_eq!(answers.iter().filter(|status| **status == 303).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|status| [303, 422].contains(status)), "{answers:?}");
        assert_eq!(shop.sessions_by_provider().await, 1);
        assert_eq!(there.asked("/token"), 2, "once to link, and once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_providers_answer_says_nothing_about_another_one() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let other_there = shop.outside.provider("https://evil.example");
        let other = shop.provider_at("https://evil.example").await;
        // The same subject elsewhere is somebody else.
        let mut browser = Browser::default();
        let refused = browser.sign_in(&shop, &other, &other_there, "owner-there").await;
        assert!(
            refused.status == 422 && refused.body.contains("Nobody of this company is linked"),
            "{}",
            refused.body
        );
        assert!(browser.session().is_none());

        // What one gave, brought to the other's address, is refused and used up.
        let back = browser.go(&shop, &start(&provider), &there, "owner-there").await;
        let moved = back.replace(&provider.handle().to_string(), &other.handle().to_string());
        assert_eq!(browser.clone().get(&shop, &moved).await.status, 422);
        assert_eq!(browser.get(&shop, &back).await.status, 422);

        // RFC 9207: who names itself has to be named, and nobody else.
        there.name_itself();
        shop.advance(Duration::from_minutes(6));
        let mut named = Browser::default();
        assert_eq!(named.sign_in(&shop, &provider, &there, "owner-there").await.status, 303);
        for (from, to) in [("&iss=https%3A%2F%2Fid.example", ""), ("id.example", "evil.example")] {
            let mut mixed = Browser::default();
            let back = mixed.go(&shop, &start(&provider), &there, "owner-there").await;
            assert!(back.contains(from), "{back}");
            let refused = mixed.get(&shop, &back.replace(from, to)).await;
            assert!(refused.status == 422 && refused.body.contains("another provider"), "{}", refused.body);
            assert!(mixed.session().is_none());
        }
        assert_eq!(shop.sessions_by_provider().await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_address_is_nobody_and_whoever_is_linked_with_nobody_is_told_what_to_do() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        // The fake providers say of everybody that this is their address, and that it is proven.
        shop.person("somebody-else@example.com", shop.tenant).await;
        let mut browser = Browser::default();
        let refused = browser.sign_in(&shop, &provider, &there, "a-stranger").await;
        assert_eq!(refused.status, 422);
        for words in ["ask for an invitation", "link it under Profile and security", "Try again"] {
            assert!(refused.body.contains(words), "{words}: {}", refused.body);
        }
        assert!(browser.session().is_none());
        // What is linked with one person cannot be linked with another.
        let ana = shop.person("ana", shop.tenant).await;
        let mut of_ana = shop.browser_of(ana, shop.tenant).await;
        let gone =
            of_ana.post(&shop, "/account/identities/link", &format!("provider={}", provider.handle())).await;
        let back = there.authorize(&href_to(&gone.body, ISSUER), "owner-there");
        let refused = of_ana.get(&shop, back.strip_prefix(PUBLIC).expect("ours")).await;
        assert!(refused.status == 422 && refused.body.contains("another person"), "{}", refused.body);
        assert_eq!(shop.app.sessions.own_account(ana).await.expect("read").identities, []);
        // Cancelled there.
        let back = browser.go(&shop, &start(&provider), &there, "owner-there").await;
        let (path, query) = back.split_once("?code=").expect("a code");
        let state = query.split_once("&state=").expect("a state").1;
        let cancelled = format!("{path}?error=access_denied&error_description=%3Cb%3Eowned&state={state}");
        let cancelled = browser.get(&shop, &cancelled).await;
        assert!(cancelled.status == 422 && cancelled.body.contains("cancelled"), "{}", cancelled.body);
        assert!(!cancelled.body.contains("owned"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_by_the_session_that_began_it_and_no_other() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let ana = shop.person("ana", shop.tenant).await;
        let mut of_ana = shop.browser_of(ana, shop.tenant).await;
        let form = format!("provider={}", provider.handle());
        let gone = of_ana.post(&shop, "/account/identities/link", &form).await;
        let flow = of_ana.cookie("__Host-ptl_provider").expect("a flow").to_owned();
        let back = there.authorize(&href_to(&gone.body, ISSUER), "mallory-there");
        let back = back.strip_prefix(PUBLIC).expect("ours");
        // The owner's browser, made to finish what Ana began: by her cookie even.
        let mut owner = shop.browser_of(shop.user, shop.tenant).await;
        owner.cookies.push(("__Host-ptl_provider".to_owned(), flow));
        let refused = owner.get(&shop, back).await;
        assert!(refused.status == 422 && refused.body.contains("not signed in any more"), "{}", refused.body);
        assert_eq!(shop.app.sessions.own_account(shop.user).await.expect("read").identities.len(), 1);
        // Another company's provider is none here; nor is one that is not there.
        let elsewhere = shop.another_company("quay", "quay").await;
        let new = NewProvider {
            label: "Quay".to_owned(),
            issuer: ISSUER.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            enabled: true,
            ..NewProvider::default()
        };
        let foreign = shop.provider_of(elsewhere, new).await;
        for handle in [foreign.handle().to_string(), "x".to_owned(), String::new()] {
            let form = format!("provider={handle}");
            assert_eq!(owner.post(&shop, "/account/identities/link", &form).await.status, 404, "{handle}");
        }
        // It asks for somebody who has just shown who they are.
        shop.advance(Duration::from_minutes(11));
        let asked = owner.post(&shop, "/account/identities/link", &form).await;
        assert!(asked.location.is_some_and(|place| place.starts_with("/sign-in/again")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_company_trusts_opens_no_other() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let other = shop.another_company("shop", "other").await;
        let new = NewProvider {
            label: "Quay".to_owned(),
            issuer: "https://id.quay.example".to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.to_owned()),
            enabled: true,
            ..NewProvider::default()
        };
        let quay = shop.provider_of(shop.another_company("stranger", "quay").await, new).await;
        let quay_there = shop.outside.provider("https://id.quay.example");
        // Known to their provider, and no member of that company.
        let refused = Browser::default().sign_in(&shop, &quay, &quay_there, "owner-there").await;
        assert!(refused.status == 422, "{}", refused.body);

        let mut browser = Browser::default();
        browser.sign_in(&shop, &provider, &there, "owner-there").await;
        assert_eq!(browser.get(&shop, "/pulse").await.status, 200);
        let switched = browser.post(&shop, "/tenants/switch", &format!("tenant={other}")).await;
        assert!(
            switched.status == 403 && switched.body.contains("does not count in another company"),
            "{}",
            switched.body
        );
        // Nor is the account opened by it, which both companies share.
        let password = "new_password=another+harbour+1&repeated=another+harbour+1";
        for (path, form) in [
            ("/account/password", password),
            ("/account/second-factor", ""),
            ("/account/erase", "confirm=shop"),
            ("/account/identities/link", &format!("provider={}", provider.handle())),
        ] {
            let refused = browser.post(&shop, path, form).await;
            assert_eq!(refused.status, 403, "{path}: {}", refused.body);
            assert!(refused.body.contains("all your companies"), "{path}: {}", refused.body);
        }
        assert!(!shop.app.sessions.own_account(shop.user).await.expect("look").has_password);
        // An invitation of a third company is accepted by somebody who shows more.
        let third = shop.another_company("third", "third").await;
        let by = portolan_access::audit::Who::person(
            portolan_app::people::find_member(&shop.app, "third").await.expect("the owner").0,
        );
        let roles = ["viewer".to_owned()].into();
        let made =
            ops::make_invitation(&shop.app, third, by, "shop".to_owned(), roles).await.expect("invited");
        let path = made.link.strip_prefix(PUBLIC).expect("ours");
        let refused = browser.post(&shop, path, "").await;
        assert!(refused.status == 409 && refused.body.contains("does not count here"), "{}", refused.body);
        // Who shows their own goes where they like.
        let mut own = shop.browser_of(shop.user, shop.tenant).await;
        assert_eq!(own.post(&shop, "/tenants/switch", &format!("tenant={other}")).await.status, 303);
    })
    .await;
}
