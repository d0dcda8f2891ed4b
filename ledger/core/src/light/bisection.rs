//! Going to a far height by few blocks: `VerifyToTarget` [LCV-FUNC-MAIN.2] as a state machine without
//! I/O.
//!
//! ```text
//! trusted ────────────────────────────▶ target   enough known validators signed: done
//!    │               ▲ not enough           │
//!    └──▶ middle ────┘◀── halves, until the step is small enough; adjacent always is
//! ```
//!
//! Schedule [LCV-FUNC-SCHEDULE.1]: the target first; where it is too far, the middle between the trusted
//! height and the nearest block that was given, which is kept and tried again from there. Each block is
//! asked for once, and at most 64 wait.

use super::block::{CertifiedBlock, LightBlock};
use super::error::LightError;
use super::{LightClient, Step};
use crate::ids::Height;

/// A way to one height.
#[derive(Clone, Debug)]
pub struct Bisection {
    target: Height,
    /// Blocks that were too far, the nearest last.
    waiting: Vec<CertifiedBlock>,
}

impl Bisection {
    /// A way to `target`.
    #[must_use]
    pub const fn to(target: Height) -> Self {
        Self {
            target,
            waiting: Vec::new(),
        }
    }

    /// The height to ask for next; `None` once the client is there.
    #[must_use]
    pub fn next_wanted(&self, client: &LightClient) -> Option<Height> {
        let from = client.height().0;
        if from >= self.target.0 {
            return None;
        }
        let Some(nearest) = self.waiting.last() else {
            return Some(self.target);
        };
        let to = nearest.light().header.height.0;
        Some(Height(from + to.saturating_sub(from) / 2))
    }

    /// Takes the block that was asked for and goes as far as it leads.
    ///
    /// # Errors
    /// [`LightError`]; [`LightError::MissingBlock`] if it is not the block that was asked for. The
    /// client stays where it is and the same height is wanted again, so that another node can be asked.
    pub fn offer(
        &mut self,
        client: &mut LightClient,
        block: LightBlock,
        now_millis: u64,
    ) -> Result<Vec<Step>, LightError> {
        let Some(wanted) = self.next_wanted(client) else {
            return Ok(Vec::new());
        };
        if block.header.height != wanted {
            return Err(LightError::MissingBlock { height: wanted });
        }
        let block = block.certify(client.chain())?;
        match client.judge(&block, now_millis) {
            Ok(_) | Err(LightError::NotEnoughTrust { .. }) => self.waiting.push(block),
            Err(error) => return Err(error),
        }
        let mut steps = Vec::new();
        while let Some(nearest) = self.waiting.pop() {
            match client.judge(&nearest, now_millis) {
                Ok(_) => steps.push(client.accept(nearest, now_millis)?),
                Err(LightError::NotEnoughTrust { .. }) => {
                    self.waiting.push(nearest);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(steps)
    }
}
