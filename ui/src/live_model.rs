//! What arrived since the last painted frame, folded together.
//!
//! Events may come faster than the screen paints. [`Pending`] keeps only the newest of each thing, so
//! that one frame costs one update per device however many events there were. Bounded: a list that
//! would overflow asks for a refetch instead.

use std::collections::BTreeMap;

use fog_api::{
    BlockRow, BrokenGlass, DeviceLive, Event, Port, Preview, Provisioning, Status, Wave,
};

/// Blocks and wave segments kept for one frame at most.
const MOST: usize = 512;

/// The fold of some events.
#[derive(Debug, Default)]
pub struct Pending {
    /// Newest status.
    pub status: Option<Box<Status>>,
    /// Newest of each device.
    pub live: BTreeMap<String, DeviceLive>,
    /// New blocks, oldest first.
    pub blocks: Vec<BlockRow>,
    /// Waves, in order.
    pub waves: Vec<Wave>,
    /// Newest list of ports.
    pub ports: Option<Vec<Port>>,
    /// Newest preview.
    pub preview: Option<Box<Preview>>,
    /// How far the pairing by a one-time code is.
    pub provisioning: Option<Provisioning>,
    /// Broken glasses that wait for this person's review.
    pub broken_glass: Option<Vec<BrokenGlass>>,
    /// The list of devices changed.
    pub devices_changed: bool,
    /// Something was missed: everything must be asked for again.
    pub missed: bool,
}

impl Pending {
    /// Folds one event in.
    pub fn absorb(&mut self, event: Event) {
        match event {
            Event::Status(status) => self.status = Some(status),
            Event::Live(devices) => {
                for device in devices {
                    self.live.insert(device.id.clone(), device);
                }
            }
            Event::Blocks(blocks) => {
                self.blocks.extend(blocks);
                if self.blocks.len() > MOST {
                    self.blocks.clear();
                    self.missed = true;
                }
            }
            Event::Wave(wave) => {
                self.waves.push(wave);
                if self.waves.len() > MOST {
                    let surplus = self.waves.len() - MOST;
                    self.waves.drain(..surplus);
                }
            }
            Event::DevicesChanged => self.devices_changed = true,
            Event::PortsChanged(ports) => self.ports = Some(ports),
            Event::Preview(preview) => self.preview = Some(preview),
            Event::Provisioning(stage) => self.provisioning = Some(stage),
            Event::Missed => self.missed = true,
            Event::BrokenGlass(waiting) => self.broken_glass = Some(waiting),
        }
    }

    /// Whether nothing is waiting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.status.is_none()
            && self.live.is_empty()
            && self.blocks.is_empty()
            && self.waves.is_empty()
            && self.ports.is_none()
            && self.preview.is_none()
            && self.provisioning.is_none()
            && self.broken_glass.is_none()
            && !self.devices_changed
            && !self.missed
    }
}

/// Joins new blocks (any order) to a list (newest first), without doubles, at most `keep`.
pub fn join_blocks(list: &mut Vec<BlockRow>, new: Vec<BlockRow>, keep: usize) {
    for block in new {
        match list.binary_search_by(|known| block.height.cmp(&known.height)) {
            Ok(at) => {
                if let Some(known) = list.get_mut(at) {
                    *known = block;
                }
            }
            Err(at) => list.insert(at, block),
        }
    }
    list.truncate(keep);
}

#[cfg(test)]
mod tests {
    use super::*;
    use fog_api::{DeviceState, Gap};

    fn live(id: &str, received: u64) -> DeviceLive {
        DeviceLive {
            id: id.to_owned(),
            state: DeviceState::Streaming,
            reason: None,
            next_step: None,
            reason_code: None,
            last_heard: None,
            vitals: Vec::new(),
            gap: Gap {
                received,
                ..Gap::default()
            },
        }
    }

    fn block(height: u64) -> BlockRow {
        BlockRow {
            height,
            hash: format!("{height:x}"),
            time: height,
            proposer: String::new(),
            transactions: 1,
            readings: 1,
            signed: 1,
            validators: 1,
            finality_ms: None,
        }
    }

    /// A hundred devices at four a second cost one update each, with the newest figures.
    #[test]
    fn the_newest_of_each_device_is_kept() {
        let mut pending = Pending::default();
        assert!(pending.is_empty());
        for round in 0..4 {
            pending.absorb(Event::Live(
                (0..100).map(|id| live(&format!("d{id}"), round)).collect(),
            ));
        }
        assert_eq!(pending.live.len(), 100);
        assert!(pending.live.values().all(|device| device.gap.received == 3));
        assert!(!pending.is_empty());
    }

    /// A flood of blocks becomes a refetch, never an endless list.
    #[test]
    fn floods_are_bounded() {
        let mut pending = Pending::default();
        pending.absorb(Event::Blocks((0..600).map(block).collect()));
        assert!(pending.missed && pending.blocks.is_empty());
        for second in 0..600 {
            let wave = Wave {
                device: String::new(),
                code: String::new(),
                time: second,
                period_micros: 1,
                samples: vec![],
            };
            pending.absorb(Event::Wave(wave));
        }
        assert_eq!(pending.waves.len(), MOST);
        assert_eq!(pending.waves.last().map(|wave| wave.time), Some(599));
    }

    /// Doubles and out-of-order blocks leave one row a height, newest first.
    #[test]
    fn blocks_join_in_order() {
        let mut list = vec![block(9), block(8)];
        join_blocks(&mut list, vec![block(8), block(11), block(10)], 3);
        assert_eq!(
            list.iter().map(|block| block.height).collect::<Vec<_>>(),
            [11, 10, 9]
        );
    }
}
