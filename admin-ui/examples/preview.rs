//! Writes every sample page into a folder, for `preview.mjs`: what pages look like without a server.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::args().nth(1).unwrap_or_else(|| "target/preview".to_owned()));
    fs::create_dir_all(&out)?;
    for (name, page) in portolan_admin_ui::pages::samples() {
        fs::write(out.join(format!("{name}.html")), page.map_err(io::Error::other)?)?;
    }
    for (name, body) in portolan_admin_ui::pages::body_samples() {
        fs::write(out.join(format!("{name}.body.html")), body.map_err(io::Error::other)?)?;
    }
    Ok(())
}
