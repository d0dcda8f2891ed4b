//! `fogward device roaming`: which node of the organisation serves which wireless device best.

use fog_api::{RoamingDevice, RoamingNode, RoamingView};

use super::Outcome;
use super::client::{Api, Question};
use super::output::{print, print_json};
use super::table::{cell, numbers, table, words};

/// `fogward device roaming`
#[derive(Debug, clap::Args)]
pub(super) struct Roaming {
    #[command(flatten)]
    api: Api,
}

impl Roaming {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let view: RoamingView = self.api.ask(&Question::path("/api/roaming"))?;
        if self.api.json {
            print_json(&view)?;
            return Ok(Outcome::Yes);
        }
        let hosts: Vec<_> = view.hosts.iter().map(host_cells).collect();
        let heads = [
            words("node"),
            numbers("serves"),
            numbers("places"),
            words("power"),
        ];
        let devices: Vec<_> = view.devices.iter().flat_map(device_cells).collect();
        let device_heads = [
            words("device"),
            words("node"),
            numbers("signal dBm"),
            numbers("merit dB"),
            words(""),
        ];
        let switch = if view.is_on {
            "Devices go to the node that serves them best."
        } else {
            "Roaming is off: start the node with --roam to let devices go where they are served best."
        };
        let (hosts, devices) = (table(heads, &hosts), table(device_heads, &devices));
        print(&format!("{switch}\n\n{hosts}\n{devices}"))?;
        Ok(Outcome::Yes)
    }
}

fn host_cells(host: &RoamingNode) -> [String; 4] {
    [
        host.node.clone(),
        host.served.to_string(),
        host.places.to_string(),
        host.on_battery_percent.map_or_else(
            || "mains".to_owned(),
            |percent| format!("battery, {percent} %"),
        ),
    ]
}

/// A row for each node that could serve it.
fn device_cells(device: &RoamingDevice) -> Vec<[String; 5]> {
    let rows = device.offers.iter().enumerate().map(|(at, offer)| {
        let is_better = device.better.as_ref() == Some(&offer.node);
        let note = match (at, is_better, device.is_bonded) {
            (0, _, true) => "bonded with this machine",
            (0, _, false) => "serves it",
            (_, true, _) => "better",
            _ => "",
        };
        [
            device.name.clone(),
            offer.node.clone(),
            cell(offer.signal_dbm),
            cell(offer.merit_db),
            note.to_owned(),
        ]
    });
    rows.collect()
}
