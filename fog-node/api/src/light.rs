//! What light clients ask for: light blocks and state proofs. Unlike all else here it is not to be
//! believed but to be verified, with [`ledger_core::light`]; `docs/light-client.md` says how.

use ledger_core::canonical;
use ledger_core::light::LightBlock;
use ledger_core::state::MAX_STATE_VALUE_BYTES;
use ledger_core::{Certificate, Header, LightError, ValidatorSet};
use serde::{Deserialize, Serialize};

/// Most light blocks in an answer, and how many come without a limit.
pub const MAX_LIGHT_BLOCKS: u32 = 1000;
/// Longest certificate in bytes: 1,024 validators with room to spare.
const MAX_CERTIFICATE_BYTES: usize = 128 * 1024;

/// Which light blocks: those from `from` to `to`, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct LightQuery {
    /// Lowest height, at least 1; 1 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Highest height; the tip without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// How many at most, 1 to 1,000; 1,000 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Light blocks in order, without a hole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LightPage {
    /// Height of the newest block.
    pub tip: u64,
    /// The node's clock.
    pub time: i64,
    /// Canonical bytes of the validator sets that the blocks name by their place here, as hex; each
    /// once.
    pub validator_sets: Vec<String>,
    /// The blocks.
    pub blocks: Vec<LightRow>,
}

/// One light block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LightRow {
    /// Its height.
    pub height: u64,
    /// Canonical bytes of the header, as hex.
    pub header: String,
    /// Canonical bytes of the certificate, as hex.
    pub certificate: String,
    /// Place of its validators in `validator_sets`.
    pub validators: u32,
    /// Place of the next height's validators in `validator_sets`.
    pub next_validators: u32,
}

/// Which state entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct StateQuery {
    /// The bytes of its key, as hex.
    pub key: String,
    /// After which block; the newest without it, and only the newest is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
}

/// A proof of what the state holds under a key, or that it holds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateAnswer {
    /// Height of the block after which the state is so.
    pub height: u64,
    /// Canonical bytes of the proof, as hex.
    pub proof: String,
}

impl LightPage {
    /// Light blocks as they are sent.
    #[must_use]
    pub fn of(blocks: &[LightBlock], tip: u64, time: i64) -> Self {
        let mut sets: Vec<&ValidatorSet> = Vec::new();
        // Sets change seldom, so the last ones are the likely ones.
        let mut place = |set| {
            let known = sets.iter().rposition(|known| *known == set);
            known.unwrap_or_else(|| {
                sets.push(set);
                sets.len() - 1
            }) as u32
        };
        let row = |block: &'_ LightBlock| LightRow {
            height: block.header.height.0,
            header: hex::encode(block.header.encode()),
            certificate: hex::encode(canonical::encode(&block.certificate)),
            validators: 0,
            next_validators: 0,
        };
        let rows = blocks.iter().map(|block| LightRow {
            validators: place(&block.validators),
            next_validators: place(block.next()),
            ..row(block)
        });
        let blocks = rows.collect();
        Self {
            tip,
            time,
            validator_sets: sets
                .into_iter()
                .map(|set| hex::encode(canonical::encode(set)))
                .collect(),
            blocks,
        }
    }

    /// Reads the light blocks; nothing is verified yet.
    ///
    /// # Errors
    /// [`LightError::Malformed`] if there are too many, or one cannot be read.
    pub fn decode(&self) -> Result<Vec<LightBlock>, LightError> {
        let most = MAX_LIGHT_BLOCKS as usize;
        if self.blocks.len() > most || self.validator_sets.len() > 2 * most {
            return Err(LightError::Malformed);
        }
        let sets = self.validator_sets.iter().map(|set| {
            canonical::decode(&bytes(set)?, MAX_STATE_VALUE_BYTES)
                .map_err(|_| LightError::Malformed)
        });
        let sets = sets.collect::<Result<Vec<ValidatorSet>, _>>()?;
        let set = |place: u32| {
            let set = sets.get(place as usize).ok_or(LightError::Malformed)?;
            Ok::<_, LightError>(set.clone())
        };
        let block = |row: &LightRow| {
            let header = Header::decode(&bytes(&row.header)?).map_err(|_| LightError::Malformed)?;
            let certificate: Certificate =
                canonical::decode(&bytes(&row.certificate)?, MAX_CERTIFICATE_BYTES)
                    .map_err(|_| LightError::Malformed)?;
            if header.height.0 != row.height {
                return Err(LightError::Malformed);
            }
            let (validators, next) = (set(row.validators)?, set(row.next_validators)?);
            Ok(LightBlock::new(header, certificate, validators, next))
        };
        self.blocks.iter().map(block).collect()
    }
}

fn bytes(hex: &str) -> Result<Vec<u8>, LightError> {
    hex::decode(hex).map_err(|_| LightError::Malformed)
}
