//! Names by which tests find the console's parts: the `data-testid` attributes.
//!
//! | Where | Names |
//! |---|---|
//! | Shell | [`NAV_OVERVIEW`], [`NAV_DEVICES`], [`NAV_CHAIN`], [`NAV_PROOFS`], [`PAGE_HEADING`], [`FIND_OPEN`], [`FIND_INPUT`], [`FIND_OPTION`], [`THEME`], [`RAIL_FOLD`], [`NODE_STATE`], [`QUIT`], [`QUIT_CONFIRM`], [`QUIT_KEEP`], [`SIMULATED_BANNER`], [`OFFLINE_BANNER`], [`TROUBLE_BANNER`] |
//! | Overview | [`START_DEMO`], [`STOP_DEMO`], [`START_PAIR`], [`NEEDS_YOU`], [`CUSTODY_EXPECTED`] … [`CUSTODY_FINAL`], [`DEVICE_ROW`], [`FIRST_START`], [`LEDGER_BLOCK`], [`VAULT_SIZE`] |
//! | Devices | [`DEVICE_ROW`] (carries `data-device`), [`DEVICE_FILTER`] (one a segment, carries `data-key`), [`DEVICE_SEARCH`], [`PAIR_OPEN`] |
//! | Pair | [`PAIR_PORT`] (carries `data-path`), [`PAIR_PORT_PATH`], [`PAIR_PORT_NEXT`], [`PAIR_PROFILE`] (a `select`), [`PAIR_KEY`], [`PAIR_NEXT`], [`PAIR_BACK`], [`PAIR_PREVIEW_STATE`], [`PAIR_PREVIEW_RECEIVED`], [`PAIR_NAME`], [`PAIR_CONFIRM`], [`PAIR_FAILURE`], [`PAIR_CANCEL`]; live values as [`vital`] |
//! | Device | [`vital`] (`vital-59408-5`; carries `data-value`, empty where there is none, and `data-quality`), [`DEVICE_STATE`], [`DEVICE_REASON`], [`gap`] (`gap-received` …), [`READING_ROW`] (carries `data-reading` and `data-code`), [`READING_VALUE`], [`READING_WAY`], [`READING_FINAL`] (only on rows that are final), [`READING_PROOF`] (the link to the proof page), [`UNPAIR`], [`UNPAIR_CONFIRM`], [`UNPAIR_KEEP`], [`PERIOD`] |
//! | Chain, proof | see the constants under *Chain and proof*; used by those pages |
//!
//! Steps of a whole journey: open the printed address, [`PAIR_OPEN`], type the path into
//! [`PAIR_PORT_PATH`], [`PAIR_PORT_NEXT`], choose in [`PAIR_PROFILE`], wait for a [`vital`] with a
//! `data-value`, [`PAIR_NEXT`], [`PAIR_CONFIRM`]; on the device page wait for [`READING_FINAL`], follow
//! [`READING_PROOF`] of the same row, [`PROOF_SAVE`].

/// Menu: Overview.
pub const NAV_OVERVIEW: &str = "nav-overview";
/// Menu: Devices.
pub const NAV_DEVICES: &str = "nav-devices";
/// Menu: Chain.
pub const NAV_CHAIN: &str = "nav-chain";
/// Menu: Proofs.
pub const NAV_PROOFS: &str = "nav-proofs";
/// The page's heading: the sentence that answers.
pub const PAGE_HEADING: &str = "page-heading";
/// Opens the finder (also Ctrl K).
pub const FIND_OPEN: &str = "find-open";
/// The finder's input.
pub const FIND_INPUT: &str = "find-input";
/// A found entry.
pub const FIND_OPTION: &str = "find-option";
/// Theme button; carries `data-theme-choice`.
pub const THEME: &str = "theme";
/// Asks whether to quit; only in the desktop window.
pub const QUIT: &str = "quit";
/// Quits.
pub const QUIT_CONFIRM: &str = "quit-confirm";
/// Does not quit.
pub const QUIT_KEEP: &str = "quit-keep";
/// Folds the menu.
pub const RAIL_FOLD: &str = "rail-fold";
/// The node's state in the menu's foot.
pub const NODE_STATE: &str = "node-state";
/// Banner that says what is simulated.
pub const SIMULATED_BANNER: &str = "simulated-banner";
/// Banner that says that the node is away.
pub const OFFLINE_BANNER: &str = "offline-banner";
/// Banner that says why the node does not seal or anchor.
pub const TROUBLE_BANNER: &str = "trouble-banner";

/// First start as a whole.
pub const FIRST_START: &str = "first-start";
/// *Explore with a simulated ward*.
pub const START_DEMO: &str = "start-demo";
/// *End the simulation*.
pub const STOP_DEMO: &str = "stop-demo";
/// *Keep it* in the question about the simulation's end.
pub const STOP_DEMO_KEEP: &str = "stop-demo-keep";
/// *End the simulation* in the question.
pub const STOP_DEMO_CONFIRM: &str = "stop-demo-confirm";
/// *Pair a device* on the first start.
pub const START_PAIR: &str = "start-pair";
/// One entry of Needs you; carries `data-device` where it is about one.
pub const NEEDS_YOU: &str = "needs-you";
/// Readings expected, of all devices.
pub const CUSTODY_EXPECTED: &str = "custody-expected";
/// Readings received.
pub const CUSTODY_RECEIVED: &str = "custody-received";
/// Readings sealed.
pub const CUSTODY_SEALED: &str = "custody-sealed";
/// Readings anchored.
pub const CUSTODY_ANCHORED: &str = "custody-anchored";
/// Readings final.
pub const CUSTODY_FINAL: &str = "custody-final";
/// The newest block's height on the Overview.
pub const LEDGER_BLOCK: &str = "ledger-block";
/// The vault's size.
pub const VAULT_SIZE: &str = "vault-size";

/// One device in a table; carries `data-device` and `data-state`.
pub const DEVICE_ROW: &str = "device-row";
/// One segment of the filter; carries `data-key`.
pub const DEVICE_FILTER: &str = "device-filter";
/// Filter by words.
pub const DEVICE_SEARCH: &str = "device-search";
/// *Pair a device* in a page's head.
pub const PAIR_OPEN: &str = "pair-open";

/// A listed port; carries `data-path`.
pub const PAIR_PORT: &str = "pair-port";
/// The typed path.
pub const PAIR_PORT_PATH: &str = "pair-port-path";
/// On to the profile.
pub const PAIR_PORT_NEXT: &str = "pair-port-next";
/// The profile's `select`.
pub const PAIR_PROFILE: &str = "pair-profile";
/// The pairing key's input.
pub const PAIR_KEY: &str = "pair-key";
/// Starts the preview with the key.
pub const PAIR_LISTEN: &str = "pair-listen";
/// On to the name.
pub const PAIR_NEXT: &str = "pair-next";
/// On to the name although nothing was heard.
pub const PAIR_SKIP: &str = "pair-skip";
/// Back to the port.
pub const PAIR_BACK: &str = "pair-back";
/// The preview's link state; carries `data-state`.
pub const PAIR_PREVIEW_STATE: &str = "pair-preview-state";
/// Good readings the preview saw.
pub const PAIR_PREVIEW_RECEIVED: &str = "pair-preview-received";
/// The device's name.
pub const PAIR_NAME: &str = "pair-name";
/// Pairs.
pub const PAIR_CONFIRM: &str = "pair-confirm";
/// A failure in place; carries `data-code`.
pub const PAIR_FAILURE: &str = "pair-failure";
/// Leaves without pairing.
pub const PAIR_CANCEL: &str = "pair-cancel";

/// The device page's head; carries `data-link`, the link's state as in the API.
pub const DEVICE_LINK: &str = "device-link";
/// One segment of the readings' filter; carries `data-key`.
pub const READING_FILTER: &str = "reading-filter";
/// The device's state; carries `data-state`.
pub const DEVICE_STATE: &str = "device-state";
/// Why it is so and what to do.
pub const DEVICE_REASON: &str = "device-reason";
/// One reading; carries `data-reading` and `data-code`.
pub const READING_ROW: &str = "reading-row";
/// Its value.
pub const READING_VALUE: &str = "reading-value";
/// Its way.
pub const READING_WAY: &str = "reading-way";
/// The mark that it is final.
pub const READING_FINAL: &str = "reading-final";
/// The link to its proof.
pub const READING_PROOF: &str = "reading-proof";
/// *Unpair*.
pub const UNPAIR: &str = "unpair";
/// *Unpair* in the question.
pub const UNPAIR_CONFIRM: &str = "unpair-confirm";
/// *Keep it* in the question.
pub const UNPAIR_KEEP: &str = "unpair-keep";
/// One segment of the period; carries `data-key`.
pub const PERIOD: &str = "period";

// Plots.

/// A view's plots; the canvas is inside.
pub const PLOTS: &str = "plots";
/// The same data as a table.
pub const PLOTS_TABLE: &str = "plots-table";

// Chain and proof.

/// One block in a list; carries `data-height`.
pub const BLOCK_ROW: &str = "block-row";
/// One transaction in a list; carries `data-tx`.
pub const TRANSACTION_ROW: &str = "transaction-row";
/// Saves the proof file.
pub const PROOF_SAVE: &str = "proof-save";
/// Where a proof file is dropped or chosen.
pub const PROOF_DROP: &str = "proof-drop";
/// The file input under it.
pub const PROOF_FILE: &str = "proof-file";
/// The verdict; carries `data-verdict` = `valid` or `invalid`.
pub const PROOF_VERDICT: &str = "proof-verdict";
/// One step of the check; carries `data-step` (1 to 6), `data-state` and `data-holds` (`true`, `false`).
pub const PROOF_STEP: &str = "proof-step";
/// Says where the saved proof went.
pub const PROOF_SAVED: &str = "proof-saved";
/// Why a file cannot be checked, or a proof cannot be had; carries `data-code`.
pub const PROOF_FAILURE: &str = "proof-failure";
/// Says which genesis proofs are checked against; carries `data-trust`.
pub const PROOF_TRUST: &str = "proof-trust";
/// The device's `select` where a reading is picked.
pub const PROOF_DEVICE: &str = "proof-device";
/// The metric's `select`.
pub const PROOF_METRIC: &str = "proof-metric";

/// A live value, by LOINC code.
#[must_use]
pub fn vital(code: &str) -> String {
    format!("vital-{code}")
}

/// A figure of the gap ledger: `expected`, `received`, `rejected`, `sealed`, `anchored`, `final`.
#[must_use]
pub fn gap(stage: &str) -> String {
    format!("gap-{stage}")
}
