//! Reading a component without running it: size, manifest, imports, fingerprint.

pub mod cost;

use portolan_connector::{CONTRACT_VERSION, Fault, Manifest};
use portolan_core::hex;
use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};

use crate::text::Scrubber;

/// The custom section that carries the manifest.
pub const MANIFEST_SECTION: &str = "portolan:manifest";

const MAX_MANIFEST_BYTES: usize = 1 << 20;
const MAX_IMPORTS: usize = 200;
const MAX_REFUSAL_CHARS: usize = 900;

/// WASI that the language runtimes need and that cannot reach anything.
const WASI_PACKAGES: [&str; 4] = ["wasi:cli/", "wasi:io/", "wasi:clocks/", "wasi:random/"];

/// What reading found.
#[derive(Debug)]
pub struct Inspected {
    pub manifest: Manifest,
    /// SHA-256 of the component, lower-case hex.
    pub sha256: String,
    pub imports: Vec<String>,
}

/// Inspects a component; nothing of it is compiled or run.
///
/// Errors: [`Fault::Other`] with a code for the page and a sentence that says what to do.
pub fn inspect(component: &[u8], max_bytes: usize) -> Result<Inspected, Fault> {
    if component.len() > max_bytes {
        return Err(refuse(
            "component_too_large",
            format!(
                "the component has {} MiB, the limit is {} MiB: build it with --profile plugin and strip debug information",
                component.len() >> 20,
                max_bytes >> 20
            ),
        ));
    }
    let found = walk(component)?;
    check_imports(&found.imports)?;
    let manifest =
        Manifest::parse(&found.manifest).map_err(|error| refuse("invalid_manifest", error.to_string()))?;
    let sha256 = hex(&Sha256::digest(component));
    Ok(Inspected { manifest, sha256, imports: found.imports })
}

struct Found {
    manifest: Vec<u8>,
    imports: Vec<String>,
}

/// Walks the binary once, nested modules included: a linker leaves the section in the core module.
fn walk(component: &[u8]) -> Result<Found, Fault> {
    let broken = |detail: &dyn std::fmt::Display| {
        refuse(
            "invalid_component",
            format!(
                "this is not a complete WebAssembly component ({detail}): build it for wasm32-wasip2 and upload the .wasm file unchanged"
            ),
        )
    };
    let mut depth = 0_u32;
    let mut is_component = None;
    let mut manifests: Vec<Vec<u8>> = Vec::new();
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| broken(&error.message()))? {
            Payload::Version { encoding, .. } if is_component.is_none() => {
                is_component = Some(encoding == Encoding::Component);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                cost::check_depth(depth)?;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                manifests.push(section.data().to_vec());
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import.map_err(|error| broken(&error.message()))?;
                    imports.push(import.name.name.to_owned());
                    if imports.len() > MAX_IMPORTS {
                        return Err(refuse(
                            "invalid_component",
                            format!("it has more than {MAX_IMPORTS} imports"),
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    if is_component != Some(true) {
        return Err(refuse(
            "invalid_component",
            "this is a core module, not a component: build it for wasm32-wasip2".to_owned(),
        ));
    }
    Ok(Found { manifest: one_manifest(manifests)?, imports })
}

fn one_manifest(mut manifests: Vec<Vec<u8>>) -> Result<Vec<u8>, Fault> {
    manifests.dedup();
    match manifests.len() {
        0 => Err(refuse(
            "missing_manifest",
            format!(
                "the component has no custom section {MANIFEST_SECTION:?}: embed plugin.json with the SDK's manifest! macro in the plugin's own crate"
            ),
        )),
        1 => {
            let manifest = manifests.remove(0);
            if manifest.len() > MAX_MANIFEST_BYTES {
                return Err(refuse("invalid_manifest", "the manifest is larger than 1 MiB".to_owned()));
            }
            Ok(manifest)
        }
        count => Err(refuse(
            "invalid_manifest",
            format!(
                "the component carries {count} different manifests: keep the one of the plugin's own crate"
            ),
        )),
    }
}

fn check_imports(imports: &[String]) -> Result<(), Fault> {
    for import in imports {
        let shown: String = import.chars().take(100).collect();
        if let Some(interface) = import.strip_prefix("portolan:plugin/") {
            let version = interface.split_once('@').map(|(_, version)| version);
            if version != Some(CONTRACT_VERSION) {
                return Err(refuse(
                    "contract_version",
                    format!(
                        "it imports {shown}, but this host speaks exactly portolan:plugin@{CONTRACT_VERSION}: rebuild it with the SDK of that version"
                    ),
                ));
            }
            if interface.starts_with("query@") {
                return Err(refuse(
                    "forbidden_import",
                    format!("it imports {shown}, which only reports may use"),
                ));
            }
            continue;
        }
        if WASI_PACKAGES.iter().any(|package| import.starts_with(package)) {
            continue;
        }
        let advice = if import.starts_with("wasi:sockets/") || import.starts_with("wasi:http/") {
            "plugins reach the network through portolan:plugin/http alone"
        } else if import.starts_with("wasi:filesystem/") {
            "plugins have no file system; files come through portolan:plugin/files"
        } else {
            "only portolan:plugin and wasi:cli, wasi:io, wasi:clocks, wasi:random are offered"
        };
        return Err(refuse("forbidden_import", format!("it imports {shown}: {advice}")));
    }
    Ok(())
}

/// A component that is not accepted.
pub fn refuse(code: &str, detail: String) -> Fault {
    Fault::Other {
        other_code: code.to_owned(),
        retryable: false,
        // Parsers and compilers quote what they found, over several lines.
        detail: Scrubber::default().clean(&format!("the plugin is refused: {detail}"), MAX_REFUSAL_CHARS),
    }
}

#[cfg(test)]
mod tests;
