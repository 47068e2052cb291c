//! What compiling a component would cost, judged before it is tried.
//!
//! Compiling happens in this process and cannot be interrupted. A few hundred kilobytes of valid code can
//! ask for gigabytes: each local that is read inside N nested loops may become N values. So shapes that no
//! compiler of a language leaves behind are refused; honest interpreters (Python's, JavaScript's) stay far below.

use portolan_connector::Fault;
use wasmparser::{FunctionBody, Operator, Parser, Payload};

use super::refuse;

const MAX_FUNCTIONS: u64 = 200_000;
/// Types, imports, exports, globals, segments and the like, of all modules together.
const MAX_ENTRIES: u64 = 200_000;
const MAX_BODY_BYTES: usize = 1 << 20;
const MAX_LOCALS: u64 = 10_000;
const MAX_NESTING: u64 = 20_000;
/// Loops around an average operator of a large function.
const MAX_MEAN_LOOPS: u64 = 16;
const LARGE_FUNCTION_OPERATORS: u64 = 10_000;
/// Components and modules inside each other; toolchains leave two or three.
const MAX_DEPTH: u32 = 10;

/// Errors: [`Fault::Other`] that names the shape and the limit.
pub fn check(component: &[u8]) -> Result<(), Fault> {
    let (mut functions, mut entries) = (0_u64, 0_u64);
    for payload in Parser::new(0).parse_all(component) {
        // What can't be parsed is refused by the compiler, in its own words.
        let Ok(payload) = payload else { return Ok(()) };
        if let Payload::CodeSectionEntry(body) = payload {
            functions += 1;
            at_most("functions", functions, MAX_FUNCTIONS)?;
            check_body(&body)?;
        } else {
            entries = entries.saturating_add(entries_of(&payload));
            at_most("types, imports, exports and segments", entries, MAX_ENTRIES)?;
        }
    }
    Ok(())
}

/// Refuses a component inside a component inside a component …, which compilers read recursively.
pub fn check_depth(depth: u32) -> Result<(), Fault> {
    at_most("components inside each other", depth.into(), MAX_DEPTH.into())
}

fn entries_of(payload: &Payload<'_>) -> u64 {
    let count = match payload {
        Payload::TypeSection(section) => section.count(),
        Payload::ImportSection(section) => section.count(),
        Payload::FunctionSection(section) => section.count(),
        Payload::TableSection(section) => section.count(),
        Payload::MemorySection(section) => section.count(),
        Payload::GlobalSection(section) => section.count(),
        Payload::ExportSection(section) => section.count(),
        Payload::ElementSection(section) => section.count(),
        Payload::DataSection(section) => section.count(),
        Payload::InstanceSection(section) => section.count(),
        Payload::CoreTypeSection(section) => section.count(),
        Payload::ComponentInstanceSection(section) => section.count(),
        Payload::ComponentAliasSection(section) => section.count(),
        Payload::ComponentTypeSection(section) => section.count(),
        Payload::ComponentCanonicalSection(section) => section.count(),
        Payload::ComponentImportSection(section) => section.count(),
        Payload::ComponentExportSection(section) => section.count(),
        _ => 0,
    };
    count.into()
}

fn check_body(body: &FunctionBody<'_>) -> Result<(), Fault> {
    at_most("bytes in one function", body.range().len() as u64, MAX_BODY_BYTES as u64)?;
    let Ok(locals) = body.get_locals_reader() else { return Ok(()) };
    let mut local_count = 0_u64;
    for local in locals {
        let Ok((count, _)) = local else { return Ok(()) };
        local_count += u64::from(count);
        at_most("locals in one function", local_count, MAX_LOCALS)?;
    }
    let Ok(operators) = body.get_operators_reader() else { return Ok(()) };
    // Of the blocks that are open: whether each is a loop.
    let mut open: Vec<bool> = Vec::new();
    let (mut loops, mut count, mut weight) = (0_u64, 0_u64, 0_u64);
    for operator in operators {
        match operator {
            Ok(Operator::Loop { .. }) => {
                open.push(true);
                loops += 1;
            }
            Ok(Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. }) => open.push(false),
            Ok(Operator::End) => loops -= u64::from(open.pop().unwrap_or_default()),
            Ok(_) => {}
            Err(_) => return Ok(()),
        }
        at_most("blocks inside each other", open.len() as u64, MAX_NESTING)?;
        count += 1;
        weight += loops;
    }
    let mean_loops = if count < LARGE_FUNCTION_OPERATORS { 0 } else { weight / count };
    at_most("loops around the average operator of a function", mean_loops, MAX_MEAN_LOOPS)
}

fn at_most(what: &str, found: u64, limit: u64) -> Result<(), Fault> {
    if found <= limit {
        return Ok(());
    }
    Err(refuse(
        "too_complex",
        format!(
            "compiling it could take all of this machine ({found} {what}, at most {limit} are accepted): build it with optimisation, or split what was generated"
        ),
    ))
}
