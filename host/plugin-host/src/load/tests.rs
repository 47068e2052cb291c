use super::{check_imports, one_manifest};

fn refused(import: &str) -> String {
    check_imports(&[import.to_owned()]).expect_err(import).to_string()
}

#[test]
fn what_a_language_runtime_needs_is_accepted() {
    let imports = ["wasi:cli/environment@0.2.6", "wasi:io/streams@0.2.0", "portolan:plugin/http@0.1.0"];
    assert_eq!(check_imports(&imports.map(str::to_owned)), Ok(()));
}

#[test]
fn what_reaches_out_is_refused_with_advice() {
    assert!(refused("wasi:sockets/tcp@0.2.6").contains("portolan:plugin/http alone"));
    assert!(refused("wasi:http/outgoing-handler@0.2.6").contains("portolan:plugin/http alone"));
    assert!(refused("wasi:filesystem/preopens@0.2.6").contains("portolan:plugin/files"));
    assert!(refused("wasi:climb/out@0.2.6").contains("only portolan:plugin"));
    assert!(refused("portolan:plugin/query@0.1.0").contains("only reports"));
    assert!(refused("portolan:plugin/http@0.2.0").contains("exactly portolan:plugin@0.1.0"));
    assert!(refused("portolan:plugin/http").contains("exactly portolan:plugin@0.1.0"));
}

#[test]
fn one_manifest_is_one_however_often_it_is_embedded() {
    assert_eq!(one_manifest(vec![b"{}".to_vec(), b"{}".to_vec()]).expect("one"), b"{}");
    let two = one_manifest(vec![b"{}".to_vec(), b"[]".to_vec()]).expect_err("two");
    assert!(two.to_string().contains("2 different manifests"));
}
