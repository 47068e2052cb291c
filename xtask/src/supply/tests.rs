//! Synthetic lock files, advisories and licences: what is found, and what is not.

use serde_json::json;

use super::licences::Declared;
use super::policy::Policy;
use super::{Finding, advisories, bans, licences, lock, sbom};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn policy(text: &str) -> Policy {
    let head = "[sources]\nallow-registry = [\"https://github.com/rust-lang/crates.io-index\"]\n";
    Policy::parse(&format!("{head}{text}")).unwrap()
}

fn locked(packages: &[(&str, &str)]) -> Vec<lock::Package> {
    let text: String = packages
        .iter()
        .map(|(name, version)| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{CRATES_IO}\"\nchecksum = \"00\"\n")
        })
        .collect();
    lock::packages(&text).unwrap()
}

fn about(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| finding.about.clone()).collect()
}

fn advisory(head: &str, versions: &str) -> advisories::Advisory {
    let text = format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"engine\"\n{head}\n[versions]\n{versions}\n```\n\n# It falls over\n"
    );
    advisories::parse(&text).unwrap().unwrap()
}

#[test]
fn a_vulnerable_version_is_found_and_a_patched_one_is_not() {
    let known =
        [advisory("", "patched = [\">= 36.0.7, < 37.0.0\", \">= 43.0.1\"]\nunaffected = [\"< 30.0.0\"]")];
    for (version, is_found) in [
        ("29.9.0", false),
        ("30.0.0", true),
        ("36.0.6", true),
        ("36.0.7", false),
        ("37.0.0", true),
        ("43.0.0", true),
        ("43.0.1", false),
        ("48.0.8", false),
        // Before the fix, whatever its numbers say.
        ("43.0.1-rc.1", true),
        ("44.0.0-rc.1", false),
    ] {
        let found =
            advisories::check(&policy(""), &locked(&[("engine", version), ("other", version)]), &known);
        assert_eq!(!found.is_empty(), is_found, "{version}: {found:?}");
    }
    let found = advisories::check(&policy(""), &locked(&[("engine", "30.0.0")]), &known);
    assert_eq!(about(&found), ["engine 30.0.0"]);
    assert!(found[0].message.contains("RUSTSEC-2026-0001 (It falls over)"), "{found:?}");
}

#[test]
fn a_crate_without_a_patch_and_an_unmaintained_one_are_found() {
    let locked = locked(&[("engine", "1.0.0")]);
    let unpatched = [advisory("", "patched = []")];
    assert!(advisories::check(&policy(""), &locked, &unpatched)[0].message.starts_with("vulnerable"));
    let left_alone = [advisory("informational = \"unmaintained\"", "patched = []")];
    assert!(advisories::check(&policy(""), &locked, &left_alone)[0].message.starts_with("unmaintained"));
}

#[test]
fn an_advisory_is_excepted_for_as_long_as_it_is_needed() {
    let policy = policy(
        "[advisories]\nignore = [{ id = \"RUSTSEC-2026-0001\", reason = \"2026-11-21: not reached\" }]",
    );
    let known = [advisory("", "patched = [\">= 2.0.0\"]")];
    assert_eq!(advisories::check(&policy, &locked(&[("engine", "1.0.0")]), &known), []);
    let found = advisories::check(&policy, &locked(&[("engine", "2.0.0")]), &known);
    assert_eq!(about(&found), ["deny.toml, RUSTSEC-2026-0001"]);
}

#[test]
fn a_withdrawn_advisory_counts_for_nothing() {
    let text = "```toml\n[advisory]\nid = \"R\"\npackage = \"p\"\nwithdrawn = \"2026-01-01\"\n[versions]\npatched = []\n```\n";
    assert!(advisories::parse(text).unwrap().is_none());
    assert!(advisories::parse("# no front matter").is_err());
}

#[test]
fn every_exception_says_why_and_since_when() {
    let of = |reason: &str| {
        policy(&format!("[bans]\nskip = [{{ crate = \"a@1.0.0\", reason = \"{reason}\" }}]")).check().len()
    };
    assert_eq!(of("2026-11-21: the engine brings it"), 0);
    for bad in
        ["", "the engine brings it", "2026-11-21", "2026-13-01: the engine brings it", "2026-11-21: why"]
    {
        assert_eq!(of(bad), 1, "{bad}");
    }
    assert_eq!(policy("[advisories]\nignore = [\"RUSTSEC-2026-0001\"]").check().len(), 1);
    assert_eq!(policy("[bans]\ndeny = [{ crate = \"a\" }]").check().len(), 1);
}

#[test]
fn only_the_registry_is_a_source_and_it_has_checksums() {
    let text = format!(
        "[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n\
         [[package]]\nname = \"git\"\nversion = \"1.0.0\"\nsource = \"git+https://example.org/x#0\"\n\
         [[package]]\nname = \"other\"\nversion = \"1.0.0\"\nsource = \"registry+https://example.org/index\"\nchecksum = \"00\"\n\
         [[package]]\nname = \"bare\"\nversion = \"1.0.0\"\nsource = \"{CRATES_IO}\"\n"
    );
    let found = bans::sources(&policy(""), &lock::packages(&text).unwrap());
    assert_eq!(about(&found), ["git 1.0.0", "other 1.0.0", "bare 1.0.0"]);
}

#[test]
fn a_forbidden_crate_is_found_in_the_versions_that_are_meant() {
    let policy = policy(
        "[bans]\ndeny = [{ crate = \"tls\", reason = \"r\" }, { crate = \"old:<2\", reason = \"r\" }]",
    );
    let found = bans::forbidden(&policy, &locked(&[("tls", "9.0.0"), ("old", "1.9.0"), ("old", "2.0.0")]));
    assert_eq!(about(&found), ["tls 9.0.0", "old 1.9.0"]);
}

#[test]
fn all_but_one_version_are_excepted_and_no_more_than_that() {
    let three = locked(&[("a", "1.0.0"), ("a", "2.0.0"), ("a", "3.0.0"), ("b", "1.0.0")]);
    assert_eq!(about(&bans::duplicates(&policy(""), &three)), ["a"]);
    let of = |skip: &str| bans::duplicates(&policy(&format!("[bans]\nskip = [{skip}]")), &three);
    let entry = |spec: &str| format!("{{ crate = \"{spec}\", reason = \"2026-11-21: because of c\" }}");
    assert_eq!(about(&of(&entry("a@1.0.0"))), ["a"]);
    assert_eq!(of(&[entry("a@1.0.0"), entry("a@2.0.0")].join(",")), []);
    let needless = of(&[entry("a:<3"), entry("b@1.0.0"), entry("gone@1.0.0")].join(","));
    assert_eq!(about(&needless), ["deny.toml, b =1.0.0", "deny.toml, gone =1.0.0"]);
}

#[test]
fn a_licence_is_satisfied_by_what_is_allowed_and_by_nothing_else() {
    let policy = policy("[licenses]\nallow = [\"MIT\", \"Apache-2.0 WITH LLVM-exception\", \"Zlib\"]");
    let declared = |licence: Option<&str>| Declared {
        crate_name: licence.unwrap_or("none").to_owned(),
        licence: licence.map(str::to_owned),
    };
    let all = [
        "MIT",
        "MIT OR GPL-3.0-only",
        "MIT/Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "MIT AND Zlib",
        "Apache-2.0",
        "MIT AND GPL-3.0-only",
        "who knows",
    ];
    let mut crates: Vec<Declared> = all.iter().map(|licence| declared(Some(licence))).collect();
    crates.push(declared(None));
    let mut found = about(&licences::check(&policy, &crates));
    found.sort();
    assert_eq!(found, ["Apache-2.0", "MIT AND GPL-3.0-only", "none", "who knows"]);
    let found = about(&licences::check(&policy, &[declared(Some("MIT OR Zlib"))]));
    assert_eq!(found.len(), 3, "neither of two is needed where one would do: {found:?}");
}

#[test]
fn the_bill_lists_what_is_linked_and_nothing_of_the_tests() {
    let package = |name: &str| json!({"id": name, "name": name, "version": "1.0.0+x", "license": "MIT/Apache-2.0", "repository": "https://example.org"});
    let on = |name: &str, kind: Option<&str>| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
    let metadata = json!({
        "packages": [package("portolan-server"), package("portolan-plugin-host"), package("linked"), package("deep"),
            package("test-only"), package("build-only"), package("xtask")],
        "resolve": {"nodes": [
            {"id": "portolan-server", "deps": [on("linked", None), on("test-only", Some("dev")), on("build-only", Some("build"))]},
            {"id": "linked", "deps": [on("deep", None)]},
            {"id": "deep", "deps": []},
            {"id": "xtask", "deps": []},
        ]},
    });
    let scripts = json!({"packages": {
        "": {"version": "0"},
        "node_modules/charts": {"version": "6.1.0", "license": "Apache-2.0"},
        "node_modules/@scope/inner": {"version": "1.0.0"},
        "node_modules/bundler": {"version": "1.0.0", "dev": true},
    }});
    let bill = sbom::bill(&metadata, &locked(&[("deep", "1.0.0+x")]), &scripts).unwrap();
    let names: Vec<&str> = bill["components"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|component| component["purl"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "pkg:cargo/deep@1.0.0%2Bx",
            "pkg:cargo/linked@1.0.0%2Bx",
            "pkg:cargo/portolan-server@1.0.0%2Bx",
            "pkg:npm/%40scope/inner@1.0.0",
            "pkg:npm/charts@6.1.0",
        ]
    );
    let deep = &bill["components"][0];
    assert_eq!(deep["hashes"], json!([{"alg": "SHA-256", "content": "00"}]));
    assert_eq!(deep["licenses"], json!([{"expression": "MIT OR Apache-2.0"}]));
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&json!("CycloneDX"), &json!("1.6")));
    // Every reference leads to a component.
    let references: Vec<&str> = bill["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|dependency| dependency["dependsOn"].as_array().unwrap())
        .filter_map(serde_json::Value::as_str)
        .collect();
    assert!(references.iter().all(|reference| names.contains(reference)), "{references:?}");
    assert!(references.contains(&"pkg:cargo/deep@1.0.0%2Bx"));
}
