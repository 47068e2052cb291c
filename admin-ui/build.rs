//! Embeds what `build.mjs` bundled: writes a table of `dist/`'s files for `src/assets.rs`.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let dist = root.join("dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed={}", root.join("templates").display());
    let Ok(manifest) = fs::read_to_string(dist.join("manifest.json")) else {
        println!("cargo::error=the page assets are not bundled: run `cargo xtask assets`");
        std::process::exit(1);
    };
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("assets_table.rs"), table(&dist, &manifest)).expect("OUT_DIR is writable");
}

fn table(dist: &Path, manifest: &str) -> String {
    let mut files = String::new();
    let mut urls = String::new();
    for (logical, file) in entries(manifest) {
        let path = dist.join(&file);
        if !path.is_file() {
            println!(
                "cargo::error={file} is named in dist/manifest.json but missing: run `cargo xtask assets`"
            );
            std::process::exit(1);
        }
        files += &format!(
            "    Asset {{ file: {file:?}, content_type: {:?}, bytes: include_bytes!({:?}) }},\n",
            content_type(&file),
            path.display().to_string(),
        );
        urls += &format!("    ({logical:?}, \"/assets/{file}\"),\n");
    }
    format!("static FILES: &[Asset] = &[\n{files}];\nstatic URLS: &[(&str, &str)] = &[\n{urls}];\n")
}

/// The manifest is one flat JSON object of strings, written by `build.mjs`, one pair a line.
fn entries(manifest: &str) -> Vec<(String, String)> {
    manifest
        .lines()
        .filter_map(|line| {
            let mut quoted = line.split('"').skip(1).step_by(2);
            Some((quoted.next()?.to_owned(), quoted.next()?.to_owned()))
        })
        .collect()
}

fn content_type(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
