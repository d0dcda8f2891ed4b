//! What a person is shown of roaming: who could serve each wireless device, how well, and what will be.

use std::sync::Arc;

use fog_api::{Device, RoamingDevice, RoamingNode, RoamingOffer, RoamingView};

use super::choice::{Host, Reach, choose};
use super::{is_placed, needs_of, reach};
use crate::failure::Failure;
use crate::node::Node;

impl Node {
    /// Who could serve the wireless devices of this node.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub async fn roaming(self: &Arc<Self>) -> Result<RoamingView, Failure> {
        let (own, heard) = (self.hearing(), self.bluetooth.heard());
        let colleagues = self.colleagues()?;
        let fresh = self.roaming.fresh();
        let named = fresh.iter().filter_map(|(key, hearing)| {
            let member = colleagues.iter().find(|one| one.key == *key)?;
            Some((member.name.clone(), hearing))
        });
        let named: Vec<_> = named.collect();
        let mut devices = Vec::new();
        for device in self.devices().into_iter().filter(is_placed) {
            let reach = reach(&device, device.signal_dbm, &heard);
            let reaches: Vec<_> = named
                .iter()
                .map(|(_, hearing)| (hearing.host, hearing.reach(&device)))
                .collect();
            let better = choose(
                (own.host, reach),
                reaches.iter().copied(),
                needs_of(&device),
            );
            let here = (self.name.clone(), own.host, reach);
            let others = named.iter().zip(&reaches);
            let others = others.map(|((name, _), (host, reach))| (name.clone(), *host, *reach));
            let offers = std::iter::once(here).chain(others);
            devices.push(RoamingDevice {
                offers: offers.map(|offer| offer_row(offer, &device)).collect(),
                better: better
                    .and_then(|at| named.get(at))
                    .map(|(name, _)| name.clone()),
                is_bonded: self.is_bonded(&device).await,
                id: device.id,
                name: device.name,
            });
        }
        let here = host_row(self.name.clone(), own.host);
        let others = named
            .into_iter()
            .map(|(name, hearing)| host_row(name, hearing.host));
        Ok(RoamingView {
            is_on: self.roaming.places.is_some(),
            hosts: std::iter::once(here).chain(others).collect(),
            devices,
        })
    }
}

fn host_row(node: String, host: Host) -> RoamingNode {
    RoamingNode {
        node,
        served: host.served,
        places: host.places,
        on_battery_percent: host.on_battery,
        takes_more: host.takes_more(),
    }
}

fn offer_row((node, host, reach): (String, Host, Reach), device: &Device) -> RoamingOffer {
    RoamingOffer {
        node,
        signal_dbm: match reach {
            Reach::Signal(dbm) => Some(dbm),
            Reach::NoRadio | Reach::None => None,
        },
        merit_db: host.merit(reach, needs_of(device)),
    }
}
