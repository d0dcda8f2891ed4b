//! The node as a whole.

use fog_api::{Status, Storage};

use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::node::{Node, REPLICA_FILE};
use crate::vault::VAULT_FILE;

impl Node {
    /// The node's state at a glance.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub fn status(&self) -> Result<Status, Failure> {
        let snapshot = self.replica.read()?;
        let tip = snapshot
            .tip()
            .ok_or_else(|| Failure::internal("a replica without block 0"))?;
        let height = tip.height();
        let signed = snapshot
            .certificate(height)?
            .map_or(0, |certificate| certificate.signatures.len());
        let validators = snapshot.validators_at(snapshot.next_height())?;
        let validators = validators.map_or(0, |set| set.as_slice().len());
        let devices = self.devices();
        let gap = self.live.gap();
        let finality_limit = self.finality_limit_millis();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").into(),
            node_name: self.name.clone(),
            node_id: self.node_key.to_string(),
            chain_id: self.chain.to_string(),
            consortium: self.genesis.name.clone(),
            height: height.0,
            tip_hash: tip.hash.to_string(),
            tip_time: tip.header.time_millis,
            validators: validators as u32,
            signed: signed as u32,
            present: self.consortium.status().quorum.present as u32,
            quorum: (validators * 2 / 3 + 1) as u32,
            trouble: self.live.trouble(),
            untold: self.requests.untold(),
            finality: self.log().finality(finality_limit),
            devices: devices.len() as u32,
            simulated: devices.iter().filter(|device| device.simulated).count() as u32,
            gap,
            backlog: self.live.backlog(),
            readings_per_second: self.rate.per_second(),
            disk: self.storage(),
            started: u64::try_from(self.started).unwrap_or_default(),
            now: unix_millis(),
        })
    }

    fn storage(&self) -> Storage {
        let size = |name: &str| -> u64 {
            ["", "-wal"]
                .iter()
                .filter_map(|suffix| {
                    std::fs::metadata(self.data_dir.join(format!("{name}{suffix}"))).ok()
                })
                .map(|file| file.len())
                .sum()
        };
        Storage {
            vault_bytes: size(VAULT_FILE),
            replica_bytes: size(REPLICA_FILE),
            free_bytes: fs4::available_space(&self.data_dir).unwrap_or(0),
        }
    }
}
