//! Bench `idle`: what nodes cost that have nothing to do.

use std::path::Path;
use std::time::{Duration, Instant};

use super::town::{Measured, Town};

/// For what follows a start to end.
const SETTLE: Duration = Duration::from_secs(10);
/// How long is measured: two heartbeats of a new consortium.
const TIME: Duration = Duration::from_secs(60);

pub(super) fn measure(folder: &Path, validators: u16) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let mut town = Town::found(folder, validators, validators, 0)?;
    town.start_all()?;
    std::thread::sleep(SETTLE);
    let before = all(&mut town)?;
    let since = Instant::now();
    std::thread::sleep(TIME);
    let after = all(&mut town)?;
    let seconds = since.elapsed().as_secs_f64();
    town.stop()?;
    let used = after.iter().zip(&before);
    let percent = used.map(|(now, then)| (now.cpu_seconds - then.cpu_seconds) / seconds * 1e2);
    Ok(vec![
        ("cpu_percent_of_a_core", percent.fold(0.0, f64::max)),
        (
            "rss_bytes",
            after.iter().map(|one| one.rss_bytes).fold(0.0, f64::max),
        ),
        ("blocks", after[0].height as f64 - before[0].height as f64),
    ])
}

fn all(town: &mut Town) -> anyhow::Result<Vec<Measured>> {
    (0..town.len()).map(|number| town.measure(number)).collect()
}
