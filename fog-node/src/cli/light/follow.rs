//! Following a node's chain over its API: pages are fetched while the page before is verified, and the
//! signatures of a page are verified on all cores.

use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use fog_api::{LightPage, LightQuery};
use ledger_core::light::{Bisection, Step};
use ledger_core::{Height, LightClient, LightError};

use super::block_of;
use crate::cli::client::{Api, Question};
use crate::clock::unix_millis;
use crate::light::follow;

/// Pages that may wait to be verified.
const PAGES_AHEAD: usize = 2;

/// Why following ends before the tip.
pub(super) enum Stop {
    /// What a node gave was refused.
    Refused {
        error: LightError,
        /// Its address.
        node: String,
    },
    /// A node could not be asked.
    Other(anyhow::Error),
}

impl Stop {
    /// What this node gave was refused.
    pub(super) fn by(api: &Api, error: LightError) -> Self {
        Self::Refused {
            error,
            node: api.base().to_owned(),
        }
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// How far following came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) headers: u64,
    pub(super) validator_changes: u64,
    spent: Duration,
}

impl Progress {
    /// Headers a second, fetching included.
    pub(super) fn per_second(&self) -> f64 {
        let seconds = self.spent.as_secs_f64();
        if seconds > 0.0 {
            self.headers as f64 / seconds
        } else {
            0.0
        }
    }

    fn count(&mut self, step: Step) {
        self.headers += 1;
        self.validator_changes += u64::from(step.validators_changed);
    }
}

/// Follows every block up to `to`, or up to the node's tip.
pub(super) fn each(
    api: &Api,
    client: &mut LightClient,
    progress: &mut Progress,
    to: Option<u64>,
) -> Result<(), Stop> {
    let since = Instant::now();
    let from = client.height().0.saturating_add(1);
    let done = std::thread::scope(|scope| {
        let (sender, pages) = sync_channel(PAGES_AHEAD);
        scope.spawn(move || {
            let mut from = from;
            while to.is_none_or(|to| from <= to) {
                let page = page_of(api, from, to);
                let last = page.as_ref().ok().and_then(|page| page.blocks.last());
                let next = last.map(|block| block.height.saturating_add(1));
                let tip = page.as_ref().map_or(0, |page| page.tip);
                // Nobody listens any more where an earlier page was refused.
                let is_heard = sender.send(page).is_ok();
                match next {
                    Some(next) if is_heard && next > from && next <= tip => from = next,
                    _ => break,
                }
            }
        });
        pages
            .into_iter()
            .try_for_each(|page| verify(api, &page?, client, progress, to))
    });
    progress.spent += since.elapsed();
    done?;
    match to {
        Some(to) if client.height().0 < to => {
            let height = Height(client.height().0.saturating_add(1));
            Err(Stop::by(api, LightError::MissingBlock { height }))
        }
        _ => Ok(()),
    }
}

/// Verifies a page that must begin right after the trusted block and be without a hole.
fn verify(
    api: &Api,
    page: &LightPage,
    client: &mut LightClient,
    progress: &mut Progress,
    to: Option<u64>,
) -> Result<(), Stop> {
    let refuse = |error| Stop::by(api, error);
    let blocks = page.decode().map_err(refuse)?;
    let wanted = client.height().0.saturating_add(1);
    let is_due = wanted <= to.unwrap_or(u64::MAX).min(page.tip);
    if blocks.is_empty() && is_due {
        let height = Height(wanted);
        return Err(refuse(LightError::MissingBlock { height }));
    }
    follow(blocks, client, unix_millis(), |step| progress.count(step)).map_err(refuse)
}

/// Goes to the node's tip by as few blocks as lead there.
pub(super) fn skip(
    api: &Api,
    client: &mut LightClient,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let since = Instant::now();
    let mut way = Bisection::to(tip_of(api)?);
    while let Some(height) = way.next_wanted(client) {
        let block = block_of(api, height)?
            .ok_or_else(|| Stop::by(api, LightError::MissingBlock { height }))?;
        let steps = way.offer(client, block, unix_millis());
        for step in steps.map_err(|error| Stop::by(api, error))? {
            progress.count(step);
        }
    }
    progress.spent += since.elapsed();
    Ok(())
}

/// The height of the node's newest block, as it says.
pub(super) fn tip_of(api: &Api) -> Result<Height, Stop> {
    // Beyond any tip: no block is asked for, since the first may not be held.
    let page: LightPage = api.ask(&question(u64::MAX, None, 1))?;
    Ok(Height(page.tip))
}

fn page_of(api: &Api, from: u64, to: Option<u64>) -> Result<LightPage, Stop> {
    let limit = fog_api::light::MAX_LIGHT_BLOCKS;
    Ok(api.ask(&question(from, to, limit))?)
}

fn question(from: u64, to: Option<u64>, limit: u32) -> Question {
    let query = LightQuery {
        from: Some(from),
        to,
        limit: Some(limit),
    };
    Question::path("/api/light/blocks")
        .with("from", query.from)
        .with("to", query.to)
        .with("limit", query.limit)
}
