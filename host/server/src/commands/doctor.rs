//! `portolan doctor`: can everything that is kept be read?

use anyhow::{Result, bail};
use portolan_app::plugins::ops::load_installed;
use portolan_app::system::doctor::{Finding, examine};

use super::print_line;
use super::user::sentence;
use crate::cli::Place;
use crate::wire::Portolan;

pub async fn run(place: &Place) -> Result<()> {
    let portolan = Portolan::open(place).await?;
    load_installed(&portolan.app).await.map_err(sentence)?;
    let findings = examine(&portolan.app).await.map_err(sentence)?;
    let mut broken = 0;
    for Finding { what, count, detail, problem } in findings {
        let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
        match problem {
            None => print_line(&format!("ok      {what}: {count}{detail}"))?,
            Some(problem) => {
                broken += 1;
                print_line(&format!("BROKEN  {what}: {problem}"))?;
            }
        }
    }
    if broken > 0 {
        bail!("{broken} things cannot be read; each line says what to do");
    }
    Ok(())
}
