//! The built component: its manifest survived the linker, and it imports nothing that reaches out.

use std::path::PathBuf;

use portolan_plugin_csv::MANIFEST;
use wasmparser::{Parser, Payload};

/// Beside this test's own binary: target/debug/deps/it-… → target/wasm32-wasip2/plugin.
fn component() -> Option<Vec<u8>> {
    let own = std::env::current_exe().ok()?;
    let target: PathBuf = own.ancestors().nth(3)?.to_owned();
    std::fs::read(target.join("wasm32-wasip2/plugin/portolan_plugin_csv.wasm")).ok()
}

#[test]
fn the_component_carries_its_manifest_and_reaches_for_nothing() {
    let Some(component) = component() else {
        super::announce(
            "skipped: build it first: cargo build -p portolan-plugin-csv --target wasm32-wasip2 --profile plugin",
        );
        return;
    };
    let mut manifests = Vec::new();
    let mut imports = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&component) {
        match payload.expect("a whole component") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if section.name() == "portolan:manifest" => {
                manifests.push(section.data().to_vec());
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.expect("an import").name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    assert_eq!(manifests.len(), 1);
    let embedded: serde_json::Value = serde_json::from_slice(&manifests[0]).expect("JSON");
    let written: serde_json::Value = serde_json::from_str(MANIFEST).expect("JSON");
    assert_eq!(embedded["id"], written["id"]);
    let allowed = ["portolan:plugin/", "wasi:cli/", "wasi:io/", "wasi:clocks/", "wasi:random/"];
    for import in &imports {
        assert!(allowed.iter().any(|prefix| import.starts_with(prefix)), "{import}");
        assert!(!import.starts_with("portolan:plugin/http"), "a file connector needs no network");
    }
}
