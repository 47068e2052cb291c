//! Bad sheets: each is found out, and a good one is not.

use super::evidence::{Evidence, tests_in};
use super::reference::Requirement;
use super::sheet::{self, Answer, Row};
use super::{Finding, answered, compared, complete, summary, told};

fn evidence() -> Evidence {
    let mut evidence = Evidence::default();
    evidence.add("host/door/tests.rs", "#[test]\nfn a_stranger_stays_out() {}\nfn helper() {}\n");
    evidence
        .add("docs/security.md", "# Security\n\n```\n# no heading\n```\n\n## Tenants don't see each other\n");
    evidence.add(
        "host/door/lib.rs",
        "pub const LOCKED: bool = true;\n// fn in_a_comment\npub fn open<T>(key: T) {}\n",
    );
    evidence.add("compose.yaml", "");
    evidence.add(
        "admin-ui/tests/browser/door.mjs",
        "export async function checkDoor(run) {}\nexport async function checkLater(run) {}\n",
    );
    evidence.add("admin-ui/tests/browser/run.mjs", "await checkDoor(run);\nawait checkNowhere(run);\n");
    evidence
}

/// What is found in a sheet of one row.
fn found(row: &str) -> Vec<String> {
    let (rows, mut findings) = sheet::parse(&format!("id,level,answer,pointer,note\n{row}\n"));
    findings.extend(rows.iter().flat_map(|row| answered(row, &evidence())));
    findings.iter().map(ToString::to_string).collect()
}

fn finds(row: &str, message: &str) {
    let found = found(row);
    assert!(found.iter().any(|finding| finding.contains(message)), "{message:?} not in {found:?}");
}

fn is_clean(row: &str) {
    assert_eq!(found(row), Vec::<String>::new(), "{row}");
}

fn rows(text: &str) -> Vec<Row> {
    let (rows, findings) = sheet::parse(&format!("id,level,answer,pointer,note\n{text}"));
    assert_eq!(findings, Vec::new());
    rows
}

fn requirement(id: &str, level: u8, text: &str) -> Requirement {
    Requirement::new(id.parse().unwrap(), level, text)
}

#[test]
fn a_test_that_is_named_has_to_be_one() {
    is_clean("V6.2.1,1,test,a_stranger_stays_out,");
    is_clean("V6.2.1,1,test,a_stranger_stays_out a_stranger_stays_out,\"twice, even\"");
    finds("V6.2.1,1,test,a_friend_comes_in,", "docs/asvs.csv:2: V6.2.1 names a_friend_comes_in");
    is_clean("V6.2.1,1,test,checkDoor,in a browser");
    finds("V6.2.1,1,test,checkLater,", "no test is called so");
    finds("V6.2.1,1,test,checkNowhere,", "no test is called so");
    finds("V6.2.1,1,test,helper,", "no test is called so");
    finds("V6.2.1,1,test,a_stranger_stays_out helper,", "names helper");
    finds("V6.2.1,1,test, ,a long note is no name of a test", "nothing that could be looked up");
}

#[test]
fn a_place_that_is_named_has_to_exist() {
    is_clean("V1.1.1,2,design,host/door/lib.rs,");
    is_clean("V1.1.1,2,design,host/door/lib.rs#open compose.yaml,");
    is_clean("V1.1.1,2,design,host/door/lib.rs#LOCKED,");
    is_clean("V1.1.1,2,design,docs/security.md#tenants-dont-see-each-other,");
    finds("V1.1.1,2,design,host/door/gone.rs,", "there is no such file");
    finds("V1.1.1,2,design,host/door,", "there is no such file");
    finds("V1.1.1,2,design,host/door/lib.rs#in_a_comment,", "has no in_a_comment");
    finds("V1.1.1,2,design,docs/security.md#no-heading,", "has no no-heading");
    finds("V1.1.1,2,design,compose.yaml#services,", "has no services");
    finds("V1.1.1,2,design,,", "nothing that could be looked up");
    finds("V1.1.1,2,open,docs/gone.md,some reason of at least six words", "there is no such file");
}

#[test]
fn whoever_has_no_answer_says_why() {
    is_clean("V1.2.6,2,not_applicable,,no directory is ever asked for anything");
    is_clean("V6.2.4,1,open,,a list of common passwords is missing");
    finds("V1.2.6,2,not_applicable,,no LDAP", "says not_applicable without a reason");
    finds("V6.2.4,1,open,,to do", "says open without a reason");
    finds("V6.2.4,1,open,,", "says open without a reason");
}

#[test]
fn a_row_that_cannot_be_read_is_found() {
    finds("V6.2,1,design,compose.yaml,", "is no id");
    finds("V06.2.1,1,design,compose.yaml,", "is no id");
    finds("6.2.1,1,design,compose.yaml,", "is no id");
    finds("V6.2.1,3,design,compose.yaml,", "1 or 2");
    finds("V6.2.1,1,done,compose.yaml,", "one of test, design, not_applicable, open");
    finds("V6.2.1,1,design,compose.yaml,yes, and no", "6 cells in place of 5");
    let (_, findings) = sheet::parse("id,level,answer,note\n");
    assert_eq!(findings[0].line, 1);
}

#[test]
fn each_requirement_is_answered_once_and_no_other() {
    const THREE: &str = "V1.1.2,2,design,a,\nV1.1.10,1,design,a,\nV2.1.1,1,design,a,\n";
    // printf 'V1.1.2,2\nV1.1.10,1\nV2.1.1,1\n' | sha256sum
    const SHA256: &str = "4e0e2adb9560396b0f97eda7bb963b35bbee64a044cc71e7d8b3eb38128fdac4";
    let lines = |text: &str| {
        complete(&rows(text), 3, SHA256).into_iter().map(|finding| finding.line).collect::<Vec<_>>()
    };
    assert_eq!(lines(THREE), Vec::<usize>::new());
    assert_eq!(lines("V1.1.10,1,design,a,\nV1.1.2,2,design,a,\nV2.1.1,1,design,a,\n"), [3, 0], "order");
    assert_eq!(lines("V1.1.2,2,design,a,\nV1.1.2,2,design,a,\nV2.1.1,1,design,a,\n"), [3, 0], "twice");
    assert_eq!(lines("V1.1.2,2,design,a,\nV2.1.1,1,design,a,\n"), [0, 0], "one is missing");
    assert_eq!(lines("V1.1.2,1,design,a,\nV1.1.10,1,design,a,\nV2.1.1,1,design,a,\n"), [0], "another level");
    assert_eq!(lines("V1.1.2,2,design,a,\nV1.1.10,1,design,a,\nV2.1.3,1,design,a,\n"), [0], "another id");
}

#[test]
fn the_standard_beside_the_repository_decides() {
    let known = [
        requirement("V1.1.1", 2, "Verify that one two three four five six seven eight."),
        requirement("V1.1.2", 1, "Verify that nothing is forgotten."),
    ];
    let messages = |text: &str| {
        compared(&rows(text), &known).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(messages("V1.1.1,2,design,a,one two three\nV1.1.2,1,design,a,\n"), "");
    assert!(messages("V1.1.1,2,design,a,\n").contains("V1.1.2 of level 1 has no answer"));
    assert!(messages("V1.1.1,1,design,a,\nV1.1.2,1,design,a,\n").contains("V1.1.1 is of level 2"));
    assert!(
        messages("V1.1.1,2,design,a,\nV1.1.2,1,design,a,\nV9.9.9,1,design,a,\n")
            .contains("V9.9.9 is no requirement")
    );
    let quoted = "V1.1.1,2,design,a,\"We verify that one two, three four five; six\"\nV1.1.2,1,design,a,\n";
    assert!(messages(quoted).contains("V1.1.1 quotes the standard"));
}

#[test]
fn what_is_open_does_not_grow_in_silence() {
    let mut rows = rows("V1.1.1,2,test,a,\nV1.1.2,2,open,,\nV1.2.1,1,not_applicable,,\n");
    assert_eq!(summary(&rows), "asvs: 3 requirements: 1 tests, 0 design, 1 n/a, 1 open");
    let page = format!("# Security\n\n    {}\n", summary(&rows));
    assert_eq!(told(&summary(&rows), &page), None);
    rows[0].answer = Answer::Open;
    let found = told(&summary(&rows), &page).map(|finding: Finding| finding.to_string());
    assert!(found.is_some_and(|text| text.ends_with("0 tests, 0 design, 1 n/a, 2 open")));
}

#[test]
fn tests_are_told_from_other_functions() {
    let code = "
        #[test] fn one() {}
        #[tokio::test(flavor = \" \")]
        async fn two() {}
        proptest! {
            #![proptest_config(x)]
            #[test]
            fn three(a in any::<[u8; 4]>()) {}
        }
        #[test]
        #[should_panic]
        pub fn four<'a>() {}
        #[ignore]
        #[test]
        fn ignored() {}
        #[cfg(test)]
        fn helper() {}
        #[test]
        struct NoFunction;
        #[derive(Debug)]
        fn five() {}
    ";
    assert_eq!(tests_in(code), ["one", "two", "three", "four"]);
}

#[test]
fn ids_sort_as_the_standard_has_them() {
    let id = |text: &str| text.parse::<sheet::Id>().unwrap();
    assert!(id("V1.2.9") < id("V1.2.10") && id("V2.1.1") < id("V10.1.1"));
    assert_eq!(id("V10.4.11").to_string(), "V10.4.11");
}
