//! What is not a plugin of this contract is refused before anything of it runs, with words that help.

use bytes::Bytes;
use portolan_connector::{Fault, PluginRuntime};
use portolan_plugin_host::{CacheKey, MANIFEST_SECTION, Options, SandboxRuntime, inspect};

use crate::support::{Sandbox, behaving, component, options, prebuilt_plugins};

async fn refusal(component: Vec<u8>) -> (String, String) {
    let runtime = SandboxRuntime::new(options()).expect("the sandbox starts");
    match runtime.install(Bytes::from(component)).await {
        Err(Fault::Other { other_code, detail, .. }) => (other_code, detail),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// The component with one piece of its bytes replaced by another of the same length.
fn patched(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = component().to_vec();
    let mut found = false;
    for start in 0..bytes.len().saturating_sub(from.len()) {
        if bytes[start..].starts_with(from.as_bytes()) {
            bytes[start..start + from.len()].copy_from_slice(to.as_bytes());
            found = true;
        }
    }
    assert!(found, "{from} is not in the component");
    bytes
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    assert_eq!(refusal(b"MZ not wasm".to_vec()).await.0, "invalid_component");
    assert_eq!(refusal(b"\0asm\x01\0\0\0".to_vec()).await.0, "invalid_component");
    let half = component()[..component().len() / 2].to_vec();
    let (code, detail) = refusal(half).await;
    assert_eq!(code, "invalid_component");
    assert!(detail.contains("complete WebAssembly component"), "{detail}");
}

#[tokio::test]
async fn a_component_without_a_manifest_is_refused() {
    let renamed = MANIFEST_SECTION.replace("manifest", "manifold");
    let (code, detail) = refusal(patched(MANIFEST_SECTION, &renamed)).await;
    assert_eq!(code, "missing_manifest");
    assert!(detail.contains("manifest! macro"), "{detail}");
}

#[tokio::test]
async fn another_contract_version_is_refused() {
    let (code, detail) = refusal(patched("\"contract\": \"0.1.0\"", "\"contract\": \"0.2.0\"")).await;
    assert_eq!(code, "invalid_manifest");
    assert!(detail.contains("exactly 0.1.0"), "{detail}");
    let (code, _) = refusal(patched("portolan:plugin/http@0.1.0", "portolan:plugin/http@0.1.1")).await;
    assert_eq!(code, "contract_version");
}

#[tokio::test]
async fn sockets_are_not_offered() {
    let allowed = "wasi:random/insecure-seed@0.2.6";
    let sockets = format!("wasi:sockets/{}@0.2.6", "n".repeat(allowed.len() - "wasi:sockets/@0.2.6".len()));
    let (code, detail) = refusal(patched(allowed, &sockets)).await;
    assert_eq!(code, "forbidden_import");
    assert!(detail.contains("portolan:plugin/http alone"), "{detail}");
}

#[tokio::test]
async fn an_oversized_component_is_refused_unread() {
    let mut options = options();
    options.limits.component_bytes = 1_000;
    let runtime = SandboxRuntime::new(options).expect("the sandbox starts");
    let Err(Fault::Other { other_code, .. }) = runtime.install(component()).await else {
        panic!("it is too large")
    };
    assert_eq!(other_code, "component_too_large");
}

#[tokio::test]
async fn a_tampered_artefact_is_compiled_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = || Options::new(folder.path(), CacheKey::new([9; 32]));
    let first = Sandbox::with(options()).await;
    let path = first.runtime.artefact_path(&first.plugin.sha256);
    let authentic = std::fs::read(&path).expect("an artefact");

    let mut tampered = authentic.clone();
    let last = tampered.len() - 1;
    tampered[last] ^= 1;
    std::fs::write(&path, &tampered).expect("written");
    let second = Sandbox::with(options()).await;
    assert_eq!(second.fetched_text(behaving("echo", "well")).await, "well");
    assert_ne!(std::fs::read(&path).expect("an artefact"), tampered);

    // Another key's artefact is as good as a forged one.
    let other_key = Options::new(folder.path(), CacheKey::new([8; 32]));
    let third = Sandbox::with(other_key).await;
    assert_eq!(third.fetched_text(behaving("echo", "well")).await, "well");
    assert_ne!(std::fs::read(&path).expect("an artefact")[..32], authentic[..32]);

    std::fs::write(&path, b"short").expect("written");
    assert_eq!(Sandbox::with(options()).await.fetched_text(behaving("echo", "well")).await, "well");
}

/// Whatever the bytes say, reading them ends in a refusal or a manifest, never in a panic.
#[test]
fn damaged_components_are_read_without_a_panic() {
    let whole = component();
    let mut refused = 0;
    for step in 0..400_usize {
        let mut damaged = whole.to_vec();
        let place = step * 7_919 % damaged.len();
        match step % 3 {
            0 => damaged.truncate(place),
            1 => damaged[place] ^= 0xff,
            _ => damaged[place..].iter_mut().take(64).for_each(|byte| *byte = 0x80),
        }
        refused += u32::from(inspect(&damaged, 64 << 20).is_err());
    }
    assert!(refused > 130, "every truncation is refused: {refused}");
}

/// Whatever `cargo xtask plugins` built; where it did not run, the hostile plugin stands for them.
#[tokio::test]
async fn the_plugins_of_this_repository_install_and_start() {
    let runtime = SandboxRuntime::new(options()).expect("the sandbox starts");
    let mut components = vec![component()];
    for entry in prebuilt_plugins().and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            components.push(Bytes::from(std::fs::read(&path).expect("a component")));
        }
    }
    let count = components.len();
    for component in components {
        let installed = runtime.install(component).await.expect("it installs");
        runtime.instantiate(&installed.plugin).await.expect("it starts");
    }
    assert_eq!(runtime.plugins().len(), count);
}
