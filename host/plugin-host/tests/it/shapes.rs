//! Components of hostile shape: what they do when they start, what they make of the compiler, what they
//! say about themselves.

use bytes::Bytes;
use portolan_connector::{Fault, InstalledPlugin, PluginRuntime};
use portolan_core::{Clock, SystemClock};
use portolan_plugin_host::{CacheKey, MANIFEST_SECTION, Options, SandboxRuntime};

use crate::parasite::{
    MODULE_HEADER, custom, hollow, looping_body, module_of, nested, replaced, section, with_module,
    with_parasite,
};
use crate::support::{Sandbox, behaving, component, limit_of, options};

/// Generous: compiling is not optimised in a build for tests.
const LATEST_MS: i64 = 60_000;

async fn install(component: impl Into<Bytes>) -> Result<(SandboxRuntime, InstalledPlugin), Fault> {
    let runtime = SandboxRuntime::new(options()).expect("the sandbox starts");
    let start = SystemClock.monotonic();
    let installed = runtime.install(component.into()).await;
    let took_ms = (SystemClock.monotonic().0 - start.0) / 1_000;
    assert!(took_ms < LATEST_MS, "installing took {took_ms} ms");
    installed.map(|installed| (runtime, installed))
}

async fn refusal(component: impl Into<Bytes>) -> (String, String) {
    match install(component).await {
        Err(Fault::Other { other_code, detail, .. }) => {
            assert!(detail.starts_with("the plugin is refused: ") && detail.len() < 1_000, "{detail}");
            (other_code, detail)
        }
        Err(fault) => panic!("expected a refusal, got {fault:?}"),
        Ok((_, installed)) => panic!("expected a refusal, got {:?}", installed.plugin),
    }
}

/// What starting it ends in.
async fn start(component: Bytes) -> Result<(), Fault> {
    let (runtime, installed) = install(component).await.expect("it installs");
    let answer = runtime.instantiate(&installed.plugin).await;
    let well = Sandbox {
        plugin: runtime.install(crate::support::component()).await.expect("it installs").plugin,
        runtime,
    };
    assert_eq!(well.fetched_text(behaving("echo", "well")).await, "well");
    answer
}

/// A core module that runs this when it starts.
fn starting(fields: &str, code: &str) -> Bytes {
    with_parasite(&format!(
        "(component (core module $m {fields} (func $f {code}) (start $f)) (core instance (instantiate $m)))"
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starting_is_limited_as_calling_is() {
    assert_eq!(limit_of(start(starting("", "(loop (br 0))")).await), "cpu");
    assert_eq!(limit_of(start(starting("", "unreachable")).await), "trap");
    assert_eq!(limit_of(start(starting("", "(call $f)")).await), "trap");
    let hoarding = starting(
        "(memory 0)",
        "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0)))) unreachable",
    );
    assert_eq!(limit_of(start(hoarding).await), "memory");
    assert_eq!(limit_of(start(starting("(memory 65536)", "")).await), "memory");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_instances_and_resources_are_counted() {
    // Grows until it is refused, and crashes if it was not refused in time.
    let growing = starting(
        "(table 1 funcref)",
        "(loop (br_if 0 (i32.ge_s (table.grow (ref.null func) (i32.const 5000)) (i32.const 0))))
         (if (i32.gt_u (table.size) (i32.const 100000)) (then unreachable))",
    );
    assert_eq!(start(growing).await, Ok(()));
    assert_eq!(limit_of(start(starting("(table 9000000 funcref)", "")).await), "trap");
    let instances = "(core instance (instantiate $m))".repeat(150);
    let many = with_parasite(&format!("(component (core module $m (memory 1)) {instances})"));
    assert_eq!(limit_of(start(many).await), "trap");
    let resources = with_parasite(
        r#"(component
            (type $r (resource (rep i32)))
            (core func $new (canon resource.new $r))
            (core module $m
                (import "h" "new" (func $new (param i32) (result i32)))
                (func $f (loop (drop (call $new (i32.const 1))) (br 0)))
                (start $f))
            (core instance (instantiate $m (with "h" (instance (export "new" (func $new)))))))"#,
    );
    let Err(Fault::Stopped { limit, detail }) = start(resources).await else { panic!("it never ends") };
    assert_eq!(limit, "resources");
    assert!(detail.contains("give back"), "{detail}");
}

/// Little to send, much to compile: refused before the compiler sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_cost_the_machine_to_compile_is_refused() {
    let nop = |count: usize| [vec![0_u8], vec![0x01; count], vec![0x0b]].concat();
    for (shape, bytes) in [
        ("nested loops", with_module(&module_of(&[looping_body(2_000, 5_000, 100_000)], 0))),
        ("one huge function", with_module(&module_of(&[nop(1_100_000)], 0))),
        ("a thousand locals a hundred times", with_module(&module_of(&[looping_body(1, 40_000, 1)], 0))),
        ("functions", with_module(&module_of(&vec![nop(0); 250_000], 0))),
        ("exports", with_module(&module_of(&[nop(0)], 1_000_000))),
        ("types", with_module(&million_types())),
        (
            "blocks",
            with_module(&module_of(
                &[[vec![0], [0x02, 0x40].repeat(30_000), vec![0x0b; 30_001]].concat()],
                0,
            )),
        ),
    ] {
        let (code, detail) = refusal(bytes).await;
        assert_eq!(code, "too_complex", "{shape}: {detail}");
        assert!(detail.contains("at most"), "{shape}: {detail}");
    }
    let (code, detail) = refusal(nested(5_000)).await;
    assert_eq!(code, "too_complex", "{detail}");
}

/// The worst that the limits let through ends soon.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_limits_let_through_compiles_soon() {
    let bomb = module_of(&[looping_body(15, 5_000, 20_000)], 1_000);
    let folder = tempfile::tempdir().expect("a folder");
    let fresh = Options::new(folder.path(), CacheKey::new([5; 32]));
    let runtime = SandboxRuntime::new(fresh).expect("the sandbox starts");
    let start = SystemClock.monotonic();
    runtime.install(with_module(&bomb)).await.expect("it installs");
    let took_ms = (SystemClock.monotonic().0 - start.0) / 1_000;
    assert!(took_ms < LATEST_MS, "installing took {took_ms} ms");
}

fn million_types() -> Vec<u8> {
    let mut list = crate::parasite::leb(1_000_000);
    list.extend([0x60, 0, 0].repeat(1_000_000));
    [MODULE_HEADER.to_vec(), section(1, &list)].concat()
}

/// 50 MiB of data are within the size of a component; they cost their size and nobody's patience.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_component_starts_and_a_larger_one_is_refused() {
    let data = |bytes: usize| {
        let segment = [vec![1, 1], crate::parasite::leb(bytes), vec![0; bytes]].concat();
        with_module(&[MODULE_HEADER.to_vec(), section(11, &segment)].concat())
    };
    let folder = tempfile::tempdir().expect("a folder");
    let runtime =
        SandboxRuntime::new(Options::new(folder.path(), CacheKey::new([5; 32]))).expect("it starts");
    let installed = runtime.install(data(50 << 20)).await.expect("it installs");
    assert_eq!(runtime.instantiate(&installed.plugin).await, Ok(()));
    let (code, detail) = refusal(data(65 << 20)).await;
    assert_eq!(code, "component_too_large");
    assert!(detail.contains("64 MiB"), "{detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn features_that_the_sandbox_does_not_offer_are_refused() {
    for text in [
        "(component (core module (memory i64 1)))",
        "(component (core module (memory 1 1 shared)))",
        "(component (core module (memory 1) (memory 1)))",
        "(component (core module (type (struct (field i32)))))",
        "(component (core func (canon task.cancel)))",
    ] {
        let Ok(parasite) = wat::parse_str(text) else { panic!("{text} is not read") };
        let bytes = [component().to_vec(), section(4, &parasite)].concat();
        let (code, detail) = refusal(bytes).await;
        assert_eq!(code, "invalid_component", "{text}: {detail}");
        assert!(detail.contains("build it"), "{text}: {detail}");
    }
}

#[tokio::test]
async fn imports_outside_the_contract_are_refused_by_name() {
    let manifest = include_bytes!("../guests/hostile/plugin.json");
    for (import, code) in [
        (r#"(import "evil:thing/x@1.0.0" (instance))"#, "forbidden_import"),
        (r#"(import "wasi:filesystem/types@0.2.6" (instance))"#, "forbidden_import"),
        (r#"(import "wasi:sockets/tcp@0.2.6" (instance))"#, "forbidden_import"),
        (r#"(import "wasi:http/outgoing-handler@0.2.6" (instance))"#, "forbidden_import"),
        (r#"(import "portolan:plugin/query@0.1.0" (instance))"#, "forbidden_import"),
        (r#"(import "portolan:plugin/http@0.2.0" (instance))"#, "contract_version"),
        (r#"(import "portolan:plugin/http" (instance))"#, "contract_version"),
        (r#"(import "env" (func))"#, "forbidden_import"),
        (r#"(import "env" (core module))"#, "forbidden_import"),
        // Of a package that is offered, but nothing that it has: the linker refuses it.
        (r#"(import "wasi:cli/everything@0.2.6" (instance (export "run" (func))))"#, "invalid_component"),
        // Nothing wrong with its imports; it exports nothing.
        ("", "invalid_component"),
    ] {
        let (found, detail) = refusal(hollow(import, &[manifest])).await;
        assert_eq!(found, code, "{import}: {detail}");
    }
    let many: String =
        (0..300).map(|number| format!(r#"(import "wasi:cli/i{number}@0.2.6" (instance))"#)).collect();
    assert_eq!(refusal(hollow(&many, &[manifest])).await.0, "invalid_component");
}

#[tokio::test]
async fn a_manifest_is_one_and_readable() {
    let manifest: &[u8] = include_bytes!("../guests/hostile/plugin.json");
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let large = [manifest, &b" ".repeat(2 << 20)].concat();
    let foreign = String::from_utf8_lossy(manifest).replace("\"0.1.0\"", "\"0.9.0\"").into_bytes();
    for (bad, says) in [
        (&b""[..], "not readable"),
        (&b"{\"id\":\"\xff\"}"[..], "not readable"),
        (&b"null"[..], "not readable"),
        (&deep[..], "not readable"),
        (&large[..], "larger than 1 MiB"),
        (&foreign[..], "0.1.0"),
    ] {
        let (code, detail) = refusal(hollow("", &[bad])).await;
        assert_eq!(code, "invalid_manifest", "{detail}");
        assert!(detail.contains(says), "{detail}");
    }
    // A second one, wherever it stands: before everything else, at the end, inside.
    let whole = component();
    let first = [&whole[..8], &custom(MANIFEST_SECTION, b"{}"), &whole[8..]].concat();
    let last = [&whole[..], &custom(MANIFEST_SECTION, b"{}")].concat();
    for bytes in [first, last] {
        let (code, detail) = refusal(bytes).await;
        assert_eq!(code, "invalid_manifest");
        assert!(detail.contains("2 different manifests"), "{detail}");
    }
    // The very same twice is what two linked copies of one crate leave.
    let twice = [&whole[..8], &custom(MANIFEST_SECTION, manifest), &whole[8..]].concat();
    install(twice).await.expect("one manifest, given twice");
}

/// What stands behind the end of a component is not quietly taken along.
#[tokio::test]
async fn two_components_in_one_file_are_refused() {
    let whole = component();
    assert_eq!(refusal([&whole[..], &whole[..]].concat()).await.0, "invalid_component");
}

/// An older version never takes the place of a newer one by being installed later.
#[tokio::test]
async fn a_downgrade_does_not_become_the_version_in_use() {
    let (runtime, newest) = install(component()).await.expect("it installs");
    let older = replaced("\"version\": \"0.1.0\"", "\"version\": \"0.0.9\"");
    let installed = runtime.install(older).await.expect("it installs");
    assert_eq!(installed.plugin.version, "0.0.9");
    assert_eq!(runtime.find("hostile").expect("it is there").plugin, newest.plugin);
    for lie in ["\"version\": \"9.9.x\"", "\"version\": \"vvvvv\"", "\"version\": \"0.1..\""] {
        assert_eq!(refusal(replaced("\"version\": \"0.1.0\"", lie)).await.0, "invalid_manifest", "{lie}");
    }
}

/// Strings may come as UTF-16 or Latin-1, if a component says so: what is garbage then ends the call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strings_in_other_encodings_end_in_words() {
    for encoding in [1, 2] {
        let mut sandbox = Sandbox::new().await;
        let bytes = with_encoding(encoding);
        let Ok(installed) = sandbox.runtime.install(bytes).await else { continue };
        sandbox.plugin = installed.plugin;
        for behaviour in ["", "huge-account", "ansi-account", "config"] {
            let answer = sandbox.check(behaving(behaviour, "")).await;
            let text = format!("{answer:?}");
            assert!(text.len() < 40_000 && !text.contains('\u{1b}'), "{text}");
        }
    }
}

/// Every exported function with this string encoding in its options.
fn with_encoding(encoding: u8) -> Bytes {
    use wasmparser::{Parser, Payload};
    let mut bytes = component().to_vec();
    let whole = bytes.clone();
    let mut changed = 0;
    for payload in Parser::new(0).parse_all(&whole) {
        let Ok(Payload::ComponentCanonicalSection(section)) = payload else { continue };
        // Options of a lift or a lowering: `03` memory, `04` realloc, then `00`, which is UTF-8.
        let range = section.range();
        for place in range.start..range.end.saturating_sub(5) {
            if matches!(whole[place..place + 5], [3, _, 4, _, 0]) {
                bytes[place + 4] = encoding;
                changed += 1;
            }
        }
    }
    assert!(changed > 0, "no options were found");
    Bytes::from(bytes)
}
