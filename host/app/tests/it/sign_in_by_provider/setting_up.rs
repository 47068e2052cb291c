//! Setting providers up, taking them away, and what is said when one is down.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_last_way_in_is_not_taken_away() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let mut own = shop.browser_of(shop.user, shop.tenant).await;
        let id = shop.app.sessions.own_account(shop.user).await.expect("read").identities[0].id;
        let path = format!("/account/identities/{id}/unlink");
        let refused = own.post(&shop, &path, "").await;
        assert!(refused.status == 409 && refused.body.contains("last way in"), "{}", refused.body);
        let mut by_it = Browser::default();
        by_it.sign_in(&shop, &provider, &there, "owner-there").await;
        let password = PASSWORD.replace(' ', "+").replace(',', "%2C");
        let form = format!("new_password={password}&repeated={password}");
        own.post(&shop, "/account/password", &form).await;
        by_it.sign_in(&shop, &provider, &there, "owner-there").await;
        // Somebody else's is not there.
        let ana = shop.person("ana", shop.tenant).await;
        let mut of_ana = shop.browser_of(ana, shop.tenant).await;
        assert_eq!(of_ana.post(&shop, &path, "").await.status, 404);
        let gone = own.post(&shop, &path, "").await;
        assert_eq!(gone.location.as_deref(), Some("/account?done=identity-unlinked"), "{}", gone.body);
        assert!(by_it.get(&shop, "/pulse").await.status.is_redirection(), "what was opened by it has ended");
        let mut after = Browser::default();
        assert_eq!(after.sign_in(&shop, &provider, &there, "owner-there").await.status, 422);
        assert!(after.session().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_wrong_or_changes_its_keys_is_told_in_words() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        shop.advance(Duration::from_minutes(6));
        for (fault, words) in [
            (Fault::Down, "nobody answers"),
            (Fault::Page, "is no JSON"),
            (Fault::Redirects, "redirect, which is not followed"),
            (Fault::CallsItselfOtherwise, "calls itself by another address"),
            (Fault::SendsToScript, "is not https"),
        ] {
            there.misbehave(fault);
            let mut browser = Browser::default();
            let refused = browser.get(&shop, &start(&provider)).await;
            assert_eq!(refused.status, 502, "{fault:?}: {}", refused.body);
            assert!(
                refused.body.contains(words) && refused.body.contains("<h1>"),
                "{fault:?}: {}",
                refused.body
            );
            // The admins' look at it says the same.
            let mut admin = shop.browser_of(shop.user, shop.tenant).await;
            let page =
                admin.post(&shop, &format!("/admin/sign-in-providers/{}/check", provider.id), "").await;
            let said = page.body.to_lowercase();
            assert!(page.status == 200 && said.contains(&words.to_lowercase()), "{fault:?}: {}", page.body);
        }
        there.misbehave(Fault::None);
        let mut browser = Browser::default();
        assert_eq!(browser.sign_in(&shop, &provider, &there, "owner-there").await.status, 303);
        // It goes down in between, and is asked again when it is back.
        let back = browser.go(&shop, &start(&provider), &there, "owner-there").await;
        there.misbehave(Fault::Down);
        assert_eq!(browser.get(&shop, &back).await.status, 502);
        there.misbehave(Fault::None);
        // New keys: known as soon as it may be asked again.
        there.change_key();
        let refused = Browser::default().sign_in(&shop, &provider, &there, "owner-there").await;
        assert!(refused.status == 422 && refused.body.contains("does not name"), "{}", refused.body);
        shop.advance(Duration::from_secs(31));
        assert_eq!(Browser::default().sign_in(&shop, &provider, &there, "owner-there").await.status, 303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_shown_the_buttons_of_one_company_alone() {
    on_both(migrate, async |test| {
        let (shop, provider, there) = shop(test).await;
        let handle = provider.handle().to_string();
        let mut browser = Browser::default();
        assert!(browser.get(&shop, "/sign-in").await.body.contains(&handle));
        shop.another_company("quay", "quay").await;
        let page = browser.get(&shop, "/sign-in").await;
        assert!(!page.body.contains("/auth/oidc/") && page.body.contains("/sign-in/at"), "{}", page.body);
        let to = browser.get(&shop, "/sign-in/at?company=%20Shop").await;
        assert_eq!(to.location.as_deref(), Some("/sign-in/at/shop"));
        assert!(browser.get(&shop, "/sign-in/at/shop").await.body.contains(&handle));
        // One that is not there looks like one that shows none.
        let (without, unknown) =
            (browser.get(&shop, "/sign-in/at/quay").await, browser.get(&shop, "/sign-in/at/nobody").await);
        assert_eq!((without.status, &without.body), (unknown.status, &unknown.body));
        for strange in [
            "/sign-in/at",
            "/sign-in/at?company=",
            "/sign-in/at?company=..%2Fx",
            "/sign-in/at?company=%3Cb%3E",
        ] {
            let page = browser.get(&shop, strange).await;
            assert!(page.status == 200 && page.body.contains("Short name"), "{strange}: {}", page.body);
        }
        for gone in ["x", &"0".repeat(64), &handle.to_uppercase()] {
            assert_eq!(browser.get(&shop, &format!("/auth/oidc/{gone}/start")).await.status, 404, "{gone}");
            assert_eq!(
                browser
                    .get(&shop, &format!("/auth/oidc/{gone}/callback?code=x&state=y"))
                    .await
                    .status
                    .as_u16()
                    / 100,
                4
            );
        }
        // Switched off it is not there, and whoever is in by it alone is out.
        browser.sign_in(&shop, &provider, &there, "owner-there").await;
        let mut away = Browser::default();
        let back = away.go(&shop, &start(&provider), &there, "owner-there").await;
        let (by, app) = (shop.who(), Arc::clone(&shop.app));
        let off = NewProvider {
            label: provider.label.clone(),
            client_id: provider.client_id.clone(),
            ..NewProvider::default()
        };
        let changed = shop.app.db.write(shop.tenant, move |tx| {
            Box::pin(async move {
                let tools = ProviderTools {
                    ring: &app.key_ring,
                    outside: &app.outside,
                    clock: &*app.clock,
                    random: &*app.random,
                };
                change_provider(tx, &by, provider.id, off, tools).await
            })
        });
        assert!(changed.await.expect("changed").has_secret, "a secret that is not entered anew stays");
        assert!(browser.get(&shop, "/pulse").await.status.is_redirection());
        assert_eq!(away.get(&shop, &back).await.status, 404);
        assert_eq!(browser.get(&shop, &format!("/auth/oidc/{handle}/start")).await.status, 404);
        assert!(!browser.get(&shop, "/sign-in/at/shop").await.body.contains(&handle));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_set_a_provider_up_with_the_address_to_register_and_never_see_its_secret_again() {
    on_both(migrate, async |test| {
        let mut shop = TestApp::new(test, "shop").await;
        let mut blind = shop.browser_of(shop.user, shop.tenant).await;
        blind.cookies[0].0 = "ptl_session".to_owned();
        let page = blind.get(&shop, "/admin/sign-in-providers").await;
        assert!(page.body.contains("--public-address"), "{}", page.body);
        let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it now");
        app.public_address = Some(PUBLIC.parse().expect("an address"));
        shop.outside.provider(ISSUER);
        let mut admin = shop.browser_of(shop.user, shop.tenant).await;
        let page = admin.get(&shop, "/admin/sign-in-providers?preset=google").await;
        assert!(page.body.contains("value=\"https://accounts.google.com\"") && page.body.contains("value=\"Google\""));
        let id = page.body.split("name=\"id\" value=\"").nth(1).expect("an id").split('"').next().expect("its end");
        let callback = page.body.split("<pre tabindex=\"0\">").nth(1).expect("an address").split('<').next().expect("its end");
        assert!(callback.starts_with("https://portolan.example/auth/oidc/") && callback.ends_with("/callback"), "{callback}");
        for (form, words) in [
            ("label=&issuer=https%3A%2F%2Fid.example&client_id=x", "1 to 40 characters"),
            ("label=A&issuer=http%3A%2F%2Fid.example&client_id=x", "is not https"),
            ("label=A&issuer=id.example&client_id=x", "write the whole address"),
            ("label=A&issuer=https%3A%2F%2Fid.example%3Fa&client_id=x", "neither ? nor #"),
            ("label=A&issuer=https%3A%2F%2Fid.example&client_id=", "Enter the client id"),
        ] {
            let refused = admin.post(&shop, "/admin/sign-in-providers", form).await;
            let said = refused.body.to_lowercase().contains(&words.to_lowercase());
            assert!(refused.status == 422 && said, "{form}: {}", refused.body);
        }
        let form = format!("id={id}&label=Harbour&issuer=https%3A%2F%2Fid.example&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET_IN_FORM}&enabled=true");
        let added = admin.post(&shop, "/admin/sign-in-providers", &form).await;
        assert_eq!(added.location.as_deref(), Some(format!("/admin/sign-in-providers/{id}?done=provider-added").as_str()));
        assert_eq!(admin.post(&shop, "/admin/sign-in-providers", &form).await.status, 422, "pressed twice");
        let page = admin.get(&shop, &format!("/admin/sign-in-providers/{id}")).await;
        assert!(page.body.contains(callback), "the address is the one that was shown before: {}", page.body);
        assert!(!page.body.contains("secret of tests") && page.body.contains("One is stored"), "{}", page.body);
        let row = shop.rows::<identity_provider::Entity>().await.pop().expect("a row");
        let sealed = row.sealed.expect("sealed");
        assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
        let told = format!("{:?}", shop.rows::<audit_event::Entity>().await);
        assert!(told.contains("identity_provider.create") && !told.contains("secret of tests"));
        // Who does not look after security sees and changes nothing of it.
        let ana = shop.person("ana", shop.tenant).await;
        let mut of_ana = shop.browser_of(ana, shop.tenant).await;
        assert_eq!(of_ana.get(&shop, &format!("/admin/sign-in-providers/{id}")).await.status, 403);
        assert_eq!(of_ana.post(&shop, "/admin/sign-in-providers", &form).await.status, 403);
    })
    .await;
}
