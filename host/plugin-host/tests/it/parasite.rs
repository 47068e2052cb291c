//! Components as no toolchain leaves them: the hostile plugin with something else inside, or pieces put
//! together by hand.

use bytes::Bytes;
use portolan_plugin_host::MANIFEST_SECTION;
use wasmparser::{Parser, Payload};

use crate::support::component;

const CUSTOM: u8 = 0;
const MODULE: u8 = 1;
const COMPONENT: u8 = 4;
const INSTANCE: u8 = 5;
const COMPONENT_HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
pub const MODULE_HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// The hostile plugin with a component inside that is instantiated with it: whatever that one does when it
/// starts, it does when the plugin starts.
pub fn with_parasite(text: &str) -> Bytes {
    with_parasite_of(&wat::parse_str(text).expect("the text is a component"))
}

/// The same with a core module alone.
pub fn with_module(module: &[u8]) -> Bytes {
    // `(component (core module …) (core instance (instantiate 0)))`
    let mut inner = COMPONENT_HEADER.to_vec();
    inner.extend(section(MODULE, module));
    inner.extend(section(2, &[1, 0, 0, 0]));
    with_parasite_of(&inner)
}

fn with_parasite_of(parasite: &[u8]) -> Bytes {
    let mut bytes = component().to_vec();
    let index = components_in(&bytes);
    bytes.extend(section(COMPONENT, parasite));
    let mut instance = vec![1, 0];
    instance.extend(leb(index));
    instance.push(0);
    bytes.extend(section(INSTANCE, &instance));
    Bytes::from(bytes)
}

/// How many components stand inside, not counting those inside them.
fn components_in(component: &[u8]) -> usize {
    let (mut depth, mut count) = (0, 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("a component") {
            Payload::ComponentSection { .. } => {
                count += usize::from(depth == 0);
                depth += 1;
            }
            Payload::ModuleSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    count
}

/// So many components inside each other.
pub fn nested(levels: usize) -> Vec<u8> {
    let mut inner = COMPONENT_HEADER.to_vec();
    for _ in 0..levels {
        let mut outer = COMPONENT_HEADER.to_vec();
        outer.extend(section(COMPONENT, &inner));
        inner = outer;
    }
    inner
}

/// A component with these manifests and these imports, and nothing else.
pub fn hollow(imports: &str, manifests: &[&[u8]]) -> Vec<u8> {
    let mut bytes = wat::parse_str(format!("(component {imports})")).expect("the text is a component");
    for manifest in manifests {
        bytes.extend(custom(MANIFEST_SECTION, manifest));
    }
    bytes
}

/// A custom section.
pub fn custom(name: &str, data: &[u8]) -> Vec<u8> {
    let mut content = leb(name.len());
    content.extend(name.as_bytes());
    content.extend(data);
    section(CUSTOM, &content)
}

pub fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![id];
    bytes.extend(leb(content.len()));
    bytes.extend(content);
    bytes
}

pub fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// The hostile plugin with this text in place of that, of the same length, wherever it stands.
pub fn replaced(from: &str, to: &str) -> Bytes {
    assert_eq!(from.len(), to.len());
    let mut bytes = component().to_vec();
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, from).collect();
    assert!(!places.is_empty(), "{from} is not in the component");
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
    }
    Bytes::from(bytes)
}

/// A module of one type `() -> ()` and functions of it with these bodies (locals first, `end` last).
pub fn module_of(bodies: &[Vec<u8>], exports: usize) -> Vec<u8> {
    let mut module = MODULE_HEADER.to_vec();
    module.extend(section(1, &[1, 0x60, 0, 0]));
    let mut functions = leb(bodies.len());
    functions.extend(std::iter::repeat_n(0, bodies.len()));
    module.extend(section(3, &functions));
    if exports > 0 {
        let mut list = leb(exports);
        for number in 0..exports {
            let name = format!("{number:x}");
            list.extend(leb(name.len()));
            list.extend(name.as_bytes());
            list.extend([0, 0]);
        }
        module.extend(section(7, &list));
    }
    let mut code = leb(bodies.len());
    for body in bodies {
        code.extend(leb(body.len()));
        code.extend(body);
    }
    module.extend(section(10, &code));
    module
}

/// Loops inside each other around reads of every local: little to write, much to compile.
pub fn looping_body(loops: usize, locals: usize, reads: usize) -> Vec<u8> {
    let mut body = vec![1];
    body.extend(leb(locals));
    body.push(0x7f);
    body.extend([0x03, 0x40].repeat(loops));
    for number in 0..reads {
        body.push(0x20);
        body.extend(leb(number % locals));
        body.push(0x1a);
    }
    body.extend(std::iter::repeat_n(0x0b, loops + 1));
    body
}
