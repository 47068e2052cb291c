//! Developer commands. `cargo xtask` alone lists them; the two that everything else serves are
//! `cargo xtask demo` and `cargo xtask test`.
//!
//! They may measure real time and print: they are the one part of the repository that talks to a terminal.

#![allow(clippy::disallowed_methods, reason = "developer commands measure real time")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "developer commands talk to the terminal")]

mod arguments;
mod assets;
mod asvs;
mod bench;
mod browser;
mod demo;
mod plugins;
mod postgres;
mod process;
mod server;
mod setup;
mod supply;
mod test;
mod tidy;
mod workspace;

use anyhow::{Result, bail};

use crate::arguments::Arguments;
use crate::setup::Need;
use crate::workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask <command>

  demo [--port N] [--reset]              build everything and run Portolan with a demo company
       [--size tiny|s|m|l]               of 240, 20,000 (s, unless said), 1,000,000 or 5,000,000 orders
  test [--only PHASE] [--skip PHASE]     the whole check, exactly as the build server runs it;
       [--images]                        the pictures of the pages go to docs/images
  bench [NAME] [--json FILE]             measure, and write docs/benchmarks.md;
        [--profile NAME]                 instead of the release profile, which takes long to build
        [--full]                         scale: up to a hundred million events (a quarter of an hour, 5 GB)
  tidy                                   rules of the house that no compiler checks
  asvs                                   answers to OWASP ASVS in docs/asvs.csv: that each can be looked up
  supply                                 known weaknesses, licences, sources and versions of what comes from outside
  sbom [FILE]                            write what a release is made of, as CycloneDX
  assets                                 bundle the scripts and styles of the pages
  plugins                                build the plugins and the test guests to WebAssembly
  setup                                  install what the other commands need

Build output goes to $CARGO_TARGET_DIR, or to ~/.cache/portolan/target when it is not set.";

fn main() {
    if let Err(error) = dispatch() {
        eprintln!("\nerror: {error:#}");
        std::process::exit(1);
    }
}

fn dispatch() -> Result<()> {
    let mut arguments = Arguments::of_this_process();
    let Some(command) = arguments.next_word() else {
        println!("{USAGE}");
        return Ok(());
    };
    process::stop_on_signals()?;
    let workspace = Workspace::find()?;
    match command.as_str() {
        "setup" => {
            arguments.finish()?;
            setup::run(&workspace, &[Need::Build, Need::Pages, Need::Tests])
        }
        "assets" => {
            arguments.finish()?;
            setup::run(&workspace, &[Need::Pages])?;
            assets::build(&workspace)
        }
        "plugins" => {
            arguments.finish()?;
            setup::run(&workspace, &[Need::Build])?;
            plugins::build(&workspace).map(drop)
        }
        "tidy" => {
            arguments.finish()?;
            tidy::run(&workspace)
        }
        "asvs" => {
            arguments.finish()?;
            let report = asvs::run(&workspace)?;
            println!("{}", report.summary);
            if let Some(skipped) = report.skipped {
                println!("skipped: {skipped}");
            }
            Ok(())
        }
        "supply" => {
            arguments.finish()?;
            if let Some(skipped) = supply::run(&workspace)? {
                println!("skipped: {skipped}");
            }
            Ok(())
        }
        "sbom" => {
            let file = arguments.next_word();
            arguments.finish()?;
            supply::write_sbom(&workspace, file)
        }
        "test" => test::run(&workspace, arguments),
        "demo" => demo::run(&workspace, arguments),
        "bench" => bench::run(&workspace, arguments),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("no command is called {other}\n\n{USAGE}"),
    }
}
