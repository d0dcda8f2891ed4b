//! What the machine runs on.

use starship_battery::units::ratio::percent;
use starship_battery::{Manager, State};

/// Charge in percent of the battery that the machine runs on; `None` on mains, where there is no battery, and
/// where the system does not tell.
pub(super) fn on_battery() -> Option<u8> {
    let batteries = Manager::new().ok()?.batteries().ok()?;
    let discharging = batteries
        .filter_map(Result::ok)
        .filter(|one| one.state() == State::Discharging);
    let charges = discharging.map(|one| one.state_of_charge().get::<percent>());
    // Of several the fullest: the machine goes on as long as that one lasts.
    let fullest = charges.reduce(f32::max)?;
    Some(fullest.clamp(0.0, 100.0) as u8)
}
