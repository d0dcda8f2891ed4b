//! Names by which tests find the console's parts: the `data-testid` attributes.
//!
//! | Where | Names |
//! |---|---|
//! | Shell | [`NAV_OVERVIEW`], [`NAV_DEVICES`], [`NAV_CHAIN`], [`NAV_PROOFS`], [`NAV_CONSORTIUM`], [`PAGE_HEADING`], [`FIND_OPEN`], [`FIND_INPUT`], [`FIND_OPTION`], [`THEME`], [`RAIL_FOLD`], [`NODE_STATE`], [`QUIT`], [`QUIT_CONFIRM`], [`QUIT_KEEP`], [`SIMULATED_BANNER`], [`OFFLINE_BANNER`], [`TROUBLE_BANNER`], [`NOTICE`] (carries `data-about`) |
//! | Overview | [`START_DEMO`], [`STOP_DEMO`], [`START_PAIR`], [`NEEDS_YOU`], [`CUSTODY_EXPECTED`] … [`CUSTODY_FINAL`], [`DEVICE_ROW`], [`FIRST_START`], [`LEDGER_BLOCK`], [`VAULT_SIZE`] |
//! | Devices | [`DEVICE_ROW`] (carries `data-device`), [`DEVICE_FILTER`] (one a segment, carries `data-key`), [`DEVICE_SEARCH`], [`PAIR_OPEN`]; [`INBOX`] with [`INBOX_FOUND`] (carries `data-address`), [`INBOX_PAIR`], [`IDENTIFY`]; [`ADAPTER`] (carries `data-adapter`) with what a device's self-test has |
//! | Pair by Bluetooth | [`BLE_STAGE`] (carries `data-stage`); [`BLE_STANDARD`], [`PAIR_WAY`], [`PAIR_KEY`] with [`PAIR_LISTEN`], [`PAIR_CODE`] with [`PAIR_CODE_NEXT`], [`PAIR_PROGRESS`], [`BLE_LINE`]; [`BLE_DIGIT`] (six), [`BLE_DIGITS`], [`BLE_YES`], [`BLE_NO`], [`BLE_FAILURE`] (carries `data-code`) with [`BLE_AGAIN`], [`BLE_REPAIR`]; [`BLE_SUBJECT`], [`BLE_FINISH`] |
//! | Pair | [`PAIR_PORT`] (carries `data-path`), [`PAIR_PORT_PATH`], [`PAIR_PORT_NEXT`], [`PAIR_PROFILE`] (a `select`), [`PAIR_WAY`], [`PAIR_CODE`], [`PAIR_CODE_NEXT`], [`PAIR_PROGRESS`], [`PAIR_KEY`], [`PAIR_NEXT`], [`PAIR_BACK`], [`PAIR_PREVIEW_STATE`], [`PAIR_PREVIEW_RECEIVED`], [`PAIR_NAME`], [`PAIR_CONFIRM`], [`PAIR_FAILURE`], [`PAIR_CANCEL`]; live values as [`vital`] |
//! | Device | [`vital`] (`vital-59408-5`; carries `data-value`, empty where there is none, and `data-quality`), [`DEVICE_STATE`], [`DEVICE_REASON`], [`gap`] (`gap-received` …), [`READING_ROW`] (carries `data-reading` and `data-code`), [`READING_VALUE`], [`READING_WAY`], [`READING_FINAL`] (only on rows that are final), [`READING_PROOF`] (the link to the proof page), [`UNPAIR`], [`UNPAIR_CONFIRM`], [`UNPAIR_KEEP`], [`PERIOD`]; [`DEVICE_STANDING`] (carries `data-standing`), [`DEVICE_ASSIGNED`], [`DEVICE_ASSIGN`], [`DEVICE_SUBJECT`], [`DEVICE_ASSIGN_CONFIRM`], [`DEVICE_UNASSIGN`], [`DEVICE_SUSPEND`], [`DEVICE_RETIRE`], [`DEVICE_RETIRE_KEEP`], [`DEVICE_RETIRE_CONFIRM`]; [`DEVICE_PLACED`], [`DEVICE_PLACE`], [`DEVICE_WARD`], [`DEVICE_BED`], [`DEVICE_PLACE_CONFIRM`], [`DEVICE_NOWHERE`]; [`DEVICE_TEST`], [`DEVICE_TEST_CANCEL`], [`COMMISSIONING`] (carries `data-outcome`) with [`COMMISSIONING_FIGURE`] (carries `data-check` and `data-verdict`), [`COMMISSIONING_SAVE`], [`SELF_TEST_PROGRESS`], [`COMMISSIONINGS_OPEN`], [`COMMISSIONING_OLDER`] (carries `data-outcome`); [`IDENTIFY`] |
//! | Hand-over | [`HAND_OVER`], [`HAND_OVER_TO`] (a `select`), [`HAND_OVER_CONFIRM`], [`HAND_OVER_KEEP`] on the device's page; [`INCOMING`] with [`INCOMING_DEVICE`] (carries `data-handle`), [`INCOMING_PORT`], [`INCOMING_TAKE`] on *Devices*; [`REGISTRY_OPEN`], [`REGISTRY_ROW`] (carries `data-handle` and `data-node`) |
//! | Who may hear it | [`HEARS_ROW`] (carries `data-interaction` and `data-state`) with [`HEARS_ALLOW`], [`HEARS_DENY`], [`HEARS_END`], [`HEARS_END_CONFIRM`], [`HEARS_END_KEEP`]; [`HEARS_ASK`], [`HEARS_SOURCE`], [`HEARS_SECONDS`] (two `select`s), [`HEARS_ASK_CONFIRM`] |
//! | Wall | [`WALL_OPEN`] (on *Devices*), [`WALL_SAY`] (carries `data-state`), [`WALL_BED`] (carries `data-bed` and `data-state`), [`WALL_FIGURE`] (carries `data-code` and `data-value`), [`WALL_EMPTY`], [`WALL_LEAVE`] |
//! | Consortium | [`NODE_ROW`] (carries `data-node` and, where somebody should look, `data-state`), [`PROPOSAL`] (carries `data-number`) with [`PROPOSAL_STANDS`], [`PREFLIGHT`], [`PREFLIGHT_VERDICT`], [`PREFLIGHT_FINDING`] (carries `data-severity` and `data-code`), [`VOTE_APPROVE`], [`VOTE_REJECT`] (carry `aria-pressed`), [`VOTE_CONFIRM`], [`VOTE_KEEP`]; [`DECIDED_ROW`] (carries `data-number` and `data-outcome`), [`QUEUE`], [`ORGANISATION_ROW`], [`INVITE_WHOM`] (one a segment, carries `data-key`), [`INVITE_VALID`], [`INVITE_MAKE`], [`INVITE_DEAF`], [`INVITATION`] with [`INVITATION_TEXT`], [`INVITATION_QR`], [`INVITATION_COPY`], [`INVITATION_SAVE`]; [`INVITATION_ROW`] (carries `data-invitation`) with [`INVITATION_REVOKE`], [`INVITATION_REVOKE_CONFIRM`], [`INVITATION_KEEP`]; [`CONSORTIUM_HALTED`], [`CONSORTIUM_WAITING`], [`EVIDENCE`] |
//! | Propose | [`PROPOSE_OPEN`], [`PROPOSE_KIND`] (carries `data-key`), [`PROPOSE_CHOICE`] (carries `data-key`, the node's or organisation's id), [`PROPOSE_FIELD`] (carries `data-key`), [`PROPOSE_NEXT`], [`PROPOSE_REASON`], [`PROPOSE_HOURS`], [`PROPOSE_FORCE`], [`PROPOSE_SEND`], [`PROPOSE_CONFIRM`], [`PROPOSE_KEEP`], [`PROPOSE_CANCEL`] |
//! | Door | [`DOOR_HEADING`], [`DOOR_AGAIN`], [`DOOR_LOGIN`], [`DOOR_PASSPHRASE`], [`DOOR_CODE`], [`DOOR_SIGN_IN`], [`DOOR_UNLOCK`], [`DOOR_OTHER`], [`DOOR_SOMEBODY_ELSE`], [`DOOR_SIGN_OUT`]; in the top bar [`WHO`] with [`LOCK`], [`SIGN_OUT`], [`WHO_STAY`]; on any page [`STEP_UP_CODE`], [`STEP_UP_CONFIRM`] |
//! | Patients | [`NAV_PATIENTS`], [`PATIENT_SEARCH`], [`PATIENT_ROW`] (carries `data-patient`) with [`PATIENT_NOW`]; [`PATIENT_NAME`], [`PATIENT_NUMBER`], [`PATIENT_BORN`], [`PATIENT_KEEP`]; on a patient's page [`PATIENT_CHANGE`], [`PATIENT_CHANGE_CONFIRM`], [`PATIENT_ERASE`] with [`PATIENT_ERASE_NAME`], [`PATIENT_ERASE_CONFIRM`], [`PATIENT_ERASED`], [`PATIENT_CERTIFICATE`]; [`PATIENT_DEVICE`] (a `select`), [`PATIENT_ASSIGN`], [`PATIENT_WEARS`] with [`PATIENT_UNASSIGN`], [`PATIENT_WORE`], [`PATIENT_RECORD`] (carries `data-points`), [`PATIENT_HANDLE`]; wherever one is chosen [`PATIENT_OPTION`]; [`PATIENT_ACCOUNT`] (carries `data-login`) with [`PATIENT_UNLINK`], [`PATIENT_UNLINK_CONFIRM`], [`PATIENT_UNLINK_KEEP`], or [`PATIENT_LOGIN`] with [`PATIENT_LINK`] |
//! | My record | [`NAV_ME`]; the parts of a patient's page that staff do nothing on: [`PATIENT_WORE`], [`PATIENT_RECORD`], [`PATIENT_HANDLE`], [`PATIENT_LOOKED`]; on both pages [`CONSENT_ROW`] (carries `data-consent`, `data-standing` and `data-signed`) with [`CONSENT_WITHDRAW`], [`CONSENT_WITHDRAW_CONFIRM`], [`CONSENT_WITHDRAW_KEEP`]; [`CONSENT_NEW`] with [`CONSENT_ROLE`], [`CONSENT_EFFECT`], [`CONSENT_WHAT`], [`CONSENT_METRIC`], [`CONSENT_RESOLUTION`], [`CONSENT_PURPOSE`], [`CONSENT_DAYS`], [`CONSENT_SAID`], [`CONSENT_WORDS`], [`CONSENT_WITNESS`], [`CONSENT_GIVE`] |
//! | People | [`NAV_PEOPLE`], [`PERSON_LOGIN`], [`PERSON_NAME`], [`PERSON_ROLE`] (carries `data-key`), [`PERSON_PASSPHRASE`], [`PERSON_AGAIN`], [`PERSON_REGISTER`]; [`ENROLMENT_QR`], [`ENROLMENT_ADDRESS`], [`RECOVERY_CODE`] (ten), [`RECOVERY_SAVE`], [`ENROLMENT_DONE`]; [`PERSON_ROW`] (carries `data-login`) with [`PERSON_CHANGE`], [`PERSON_GIVE`] (carries `data-key`), [`PERSON_ROLES_CONFIRM`], [`PERSON_ENROL`], [`PERSON_REVOKE`], [`PERSON_REVOKE_CONFIRM`], [`PERSON_KEEP`]; [`NOT_FOR_YOU`] in the place of a page |
//! | Policies | [`NAV_POLICIES`], [`POLICY_NEW`], [`POLICY_ROW`] and [`POLICY_RETRACTED`] (each carries `data-name`), [`POLICY_NONE`], [`POLICY_MAY_NOT`]; [`POLICY_OPEN`], [`POLICY_GONE`], [`POLICY_SIDE`] (one a segment, carries `data-key`), [`POLICY_NAME`], [`POLICY_TEMPLATE`] (carries `data-key`); the fields [`POLICY_ROLE`], [`POLICY_TIE`], [`POLICY_EFFECT`], [`POLICY_WHAT`] with [`POLICY_METRIC`], [`POLICY_RESOLUTION`], [`POLICY_DAYS`], [`POLICY_PURPOSE`], [`POLICY_FROM`], [`POLICY_TO`], [`POLICY_EMERGENCY`], [`POLICY_APPROVAL`], or [`POLICY_NOT_PLAIN`]; [`POLICY_TEXT`] with [`POLICY_MARKS`] and [`POLICY_FAULT`]; [`POLICY_SAID`]; [`POLICY_PUT`], [`POLICY_PUT_CONFIRM`], [`POLICY_PUT_KEEP`], [`POLICY_UNDO`], [`POLICY_RETRACT`], [`POLICY_RETRACT_CONFIRM`], [`POLICY_KEEP`], [`POLICY_WHY_NOT`]; [`POLICY_LEAVE`], [`POLICY_STAY`]; [`POLICY_VERSION`] (carries `data-height`), [`POLICY_DECIDED`], [`POLICY_DECISION`] (carries `data-handle` and `data-receipts`); [`SIMULATE_SIDE`] (one a segment, carries `data-key`), [`SIMULATE_METRIC`], [`SIMULATE_ROLE`], [`SIMULATE_TIE`], [`SIMULATE_DAYS`], [`SIMULATE_HOUR`], [`SIMULATE_FOUND`] with [`SIMULATE_ROW`] (carries `data-outcome` or `data-change`), [`SIMULATE_NOTHING`] |
//! | Requests | [`NAV_REQUESTS`]; [`REQUEST_ROW`] (carries `data-handle` and `data-standing`) with [`REQUEST_OPEN`], [`REQUEST_APPROVE`], [`REQUEST_DENY`], [`REQUEST_END`], [`REQUEST_JUSTIFIED`], [`REQUEST_UNJUSTIFIED`], [`REQUEST_CLOSE`], [`REQUEST_READ`], [`REQUEST_UNTOLD`] (carries `data-transaction`); [`REQUEST_FOLLOW`]; [`REQUEST_SHOWN`] (carries `data-readings`); [`REQUEST_LIVE`] (carries `data-handle` and `data-readings`) with [`REQUEST_STOP`] and [`REQUEST_CUT`]; [`ASK_SUBJECT`], [`ASK_METRIC`] (carries `data-key`), [`ASK_OTHER`], [`ASK_PERIOD`], [`ASK_LASTS`], [`ASK_RESOLUTION`], [`ASK_PURPOSE`] (four `select`s), [`ASK_TREATING`], [`ASK_ONESELF`], [`ASK_EMERGENCY`], [`ASK_REASON`], [`ASK_SEND`]; [`GIVE_PERSON`], [`GIVE_SUBJECT`], [`GIVE_METRIC`] (carries `data-key`), [`GIVE_OTHER`], [`GIVE_PERIOD`], [`GIVE_LASTS`], [`GIVE_RESOLUTION`], [`GIVE_PURPOSE`] (four `select`s), [`GIVE_SEND`], or [`GIVE_MAY_NOT`] |
//! | Audit | [`NAV_AUDIT`]; [`AUDIT_ROW`] (carries `data-number` and `data-outcome`), [`AUDIT_MORE`], [`AUDIT_UNTOLD`] (carries `data-transaction`); [`AUDIT_PATIENT`], [`AUDIT_PERSON`], [`AUDIT_OUTCOME`], [`AUDIT_PURPOSE`], [`AUDIT_PERIOD`] (three `select`s), [`AUDIT_EMERGENCY`], [`AUDIT_LOOK`]; [`AUDIT_EXPORT`], [`AUDIT_SAVED`]; on a patient's page [`PATIENT_LOOKED`] with [`AUDIT_ROW`] |
//! | Chain, proof | see the constants under *Chain and proof*; used by those pages |
//!
//! Steps of a whole journey: open the printed address, [`PAIR_OPEN`], type the path into
//! [`PAIR_PORT_PATH`], [`PAIR_PORT_NEXT`], choose in [`PAIR_PROFILE`], wait for a [`vital`] with a
//! `data-value`, [`PAIR_NEXT`], [`PAIR_CONFIRM`]; on the device page wait for [`READING_FINAL`], follow
//! [`READING_PROOF`] of the same row, [`PROOF_SAVE`].

mod audit;
mod patients;
mod people;
mod policies;
mod requests;

pub use audit::*;
pub use patients::*;
pub use people::*;
pub use policies::*;
pub use requests::*;

/// Menu: Overview.
pub const NAV_OVERVIEW: &str = "nav-overview";
/// Menu: Devices.
pub const NAV_DEVICES: &str = "nav-devices";
/// Menu: Chain.
pub const NAV_CHAIN: &str = "nav-chain";
/// Menu: Proofs.
pub const NAV_PROOFS: &str = "nav-proofs";
/// Menu: Consortium.
pub const NAV_CONSORTIUM: &str = "nav-consortium";
/// Menu: People.
pub const NAV_PEOPLE: &str = "nav-people";
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
/// What somebody must look into; carries `data-about`.
pub const NOTICE: &str = "notice";

/// *Test it*, on a device's page.
pub const DEVICE_TEST: &str = "device-test";
/// Cancels the test.
pub const DEVICE_TEST_CANCEL: &str = "device-test-cancel";
/// What the last self-test came to; carries `data-outcome`.
pub const COMMISSIONING: &str = "commissioning";
/// A figure of it; carries `data-check` and `data-verdict`.
pub const COMMISSIONING_FIGURE: &str = "commissioning-figure";
/// Saves its signed record.
pub const COMMISSIONING_SAVE: &str = "commissioning-save";
/// How far a self-test is.
pub const SELF_TEST_PROGRESS: &str = "self-test-progress";
/// Shows and hides the older records.
pub const COMMISSIONINGS_OPEN: &str = "commissionings-open";
/// A record before the newest; carries `data-outcome`.
pub const COMMISSIONING_OLDER: &str = "commissioning-older";
/// A Bluetooth adapter; carries `data-adapter`.
pub const ADAPTER: &str = "adapter";
/// *Is it mine?*
pub const IDENTIFY: &str = "identify";

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
/// One entry of Needs you; carries `data-device` where it is about one, else `data-about`.
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
/// Code or key; the way stands in `data-key`.
pub const PAIR_WAY: &str = "pair-way";
/// The one-time code's input.
pub const PAIR_CODE: &str = "pair-code";
/// On to the name with a code that is typed right.
pub const PAIR_CODE_NEXT: &str = "pair-code-next";
/// How far the pairing with a code is.
pub const PAIR_PROGRESS: &str = "pair-progress";
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

// Consortium.

/// One node; carries `data-node`, its key.
pub const NODE_ROW: &str = "node-row";
/// The plots of time to finality.
pub const CHAIN_PLOTS: &str = "chain-plots";
/// The plots of how it runs.
pub const CONSORTIUM_PLOTS: &str = "consortium-plots";
/// Says that no block can become final.
pub const CONSORTIUM_HALTED: &str = "consortium-halted";
/// Says that this node waits to be admitted.
pub const CONSORTIUM_WAITING: &str = "consortium-waiting";
/// Says that a validator signed two different things; one a validator.
pub const EVIDENCE: &str = "evidence";
/// Opens the proposal to take its seat, written as far as can be.
pub const EVIDENCE_PROPOSE: &str = "evidence-propose";
/// One open proposal; carries `data-number`.
pub const PROPOSAL: &str = "proposal";
/// What its votes come down to.
pub const PROPOSAL_STANDS: &str = "proposal-stands";
/// What a change would break, as a whole.
pub const PREFLIGHT: &str = "preflight";
/// The same in a few words; empty until the node has answered.
pub const PREFLIGHT_VERDICT: &str = "preflight-verdict";
/// One finding; carries `data-severity` and `data-code`.
pub const PREFLIGHT_FINDING: &str = "preflight-finding";
/// Votes for it; asks first where something breaks. Carries `aria-pressed`.
pub const VOTE_APPROVE: &str = "vote-approve";
/// Votes against it; carries `aria-pressed`.
pub const VOTE_REJECT: &str = "vote-reject";
/// *Approve it* in the question.
pub const VOTE_CONFIRM: &str = "vote-confirm";
/// *Decide later* in the question.
pub const VOTE_KEEP: &str = "vote-keep";
/// One decided proposal; carries `data-number` and `data-outcome`.
pub const DECIDED_ROW: &str = "decided-row";
/// Approved changes that wait for their block.
pub const QUEUE: &str = "queue";
/// One organisation; carries `data-organisation`.
pub const ORGANISATION_ROW: &str = "organisation-row";
/// Says that this node listens nowhere.
pub const INVITE_DEAF: &str = "invite-deaf";
/// For whom an invitation is; carries `data-key` = `other` or `own`.
pub const INVITE_WHOM: &str = "invite-whom";
/// How long it is valid: a `select` of hours.
pub const INVITE_VALID: &str = "invite-valid";
/// Makes an invitation.
pub const INVITE_MAKE: &str = "invite-make";
/// The invitation that was just made.
pub const INVITATION: &str = "invitation";
/// Its text: a `textarea`.
pub const INVITATION_TEXT: &str = "invitation-text";
/// The same as a QR code: an `img`.
pub const INVITATION_QR: &str = "invitation-qr";
/// Copies the text.
pub const INVITATION_COPY: &str = "invitation-copy";
/// Saves it as a file.
pub const INVITATION_SAVE: &str = "invitation-save";
/// An open invitation; carries `data-invitation`.
pub const INVITATION_ROW: &str = "invitation-row";
/// *Revoke*.
pub const INVITATION_REVOKE: &str = "invitation-revoke";
/// *Revoke it* in the question.
pub const INVITATION_REVOKE_CONFIRM: &str = "invitation-revoke-confirm";
/// *Keep it* in the question.
pub const INVITATION_KEEP: &str = "invitation-keep";
/// *Propose a change* in the page's head.
pub const PROPOSE_OPEN: &str = "propose-open";
/// A kind of change; carries `data-key`.
pub const PROPOSE_KIND: &str = "propose-kind";
/// What it is about; carries `data-key`.
pub const PROPOSE_CHOICE: &str = "propose-choice";
/// A field of the rules or voices; carries `data-key`.
pub const PROPOSE_FIELD: &str = "propose-field";
/// On to the reason.
pub const PROPOSE_NEXT: &str = "propose-next";
/// The reason.
pub const PROPOSE_REASON: &str = "propose-reason";
/// How long it is open: a `select` of hours.
pub const PROPOSE_HOURS: &str = "propose-hours";
/// The box to tick where the ledger would halt.
pub const PROPOSE_FORCE: &str = "propose-force";
/// Proposes; asks first where something is removed.
pub const PROPOSE_SEND: &str = "propose-send";
/// *Propose it* in the question.
pub const PROPOSE_CONFIRM: &str = "propose-confirm";
/// *Not now* in the question.
pub const PROPOSE_KEEP: &str = "propose-keep";
/// Leaves without proposing.
pub const PROPOSE_CANCEL: &str = "propose-cancel";

/// How far this node is that is behind; carries `data-percent`.
pub const CATCH_UP: &str = "catch-up";
/// The nodes found nearby.
pub const FOUND_NODES: &str = "found-nodes";
/// Opens the page that takes an invitation.
pub const JOIN_OPEN: &str = "join-open";
/// The invitation's text: a `textarea`.
pub const JOIN_TEXT: &str = "join-text";
/// The file input under it.
pub const JOIN_FILE: &str = "join-file";
/// Has it read.
pub const JOIN_READ: &str = "join-read";
/// What it says.
pub const JOIN_SAYS: &str = "join-says";
/// Why it cannot be taken.
pub const JOIN_OBSTACLE: &str = "join-obstacle";
/// What becomes of the node's own chain.
pub const JOIN_OWN_CHAIN: &str = "join-own-chain";
/// The box to tick for it.
pub const JOIN_LEAVE: &str = "join-leave";
/// The organisation's name.
pub const JOIN_ORGANISATION: &str = "join-organisation";
/// The node's name.
pub const JOIN_NODE: &str = "join-node";
/// Where it listens.
pub const JOIN_LISTEN: &str = "join-listen";
/// Where others reach it.
pub const JOIN_ADDRESS: &str = "join-address";
/// Takes the invitation.
pub const JOIN_SEND: &str = "join-send";
/// How it goes; carries `data-stage`.
pub const JOIN_PROGRESS: &str = "join-progress";
/// Why it did not work; carries `data-code`.
pub const JOIN_FAILED: &str = "join-failed";
/// The passphrase of a backup.
pub const BACKUP_PASSPHRASE: &str = "backup-passphrase";
/// The same once more.
pub const BACKUP_AGAIN: &str = "backup-again";
/// Makes the backup and saves it.
pub const BACKUP_MAKE: &str = "backup-make";
/// What is missing, or where it was saved.
pub const BACKUP_SAYS: &str = "backup-says";
/// What is discovered nearby.
pub const INBOX: &str = "inbox";
/// A Bluetooth device in it; carries `data-address`.
pub const INBOX_FOUND: &str = "inbox-found";
/// Begins to pair with it.
pub const INBOX_PAIR: &str = "inbox-pair";
/// Where a Bluetooth pairing stands; carries `data-stage`.
pub const BLE_STAGE: &str = "ble-stage";
/// The digits to compare or to type on the device.
pub const BLE_DIGITS: &str = "ble-digits";
/// One of the six digits that the device shows.
pub const BLE_DIGIT: &str = "ble-digit";
/// Sends the digits, or agrees.
pub const BLE_YES: &str = "ble-yes";
/// Does not agree.
pub const BLE_NO: &str = "ble-no";
/// Why it did not pair; carries `data-code`.
pub const BLE_FAILURE: &str = "ble-failure";
/// Tries again.
pub const BLE_AGAIN: &str = "ble-again";
/// Pairs a device with a line by its standard profiles.
pub const BLE_STANDARD: &str = "ble-standard";
/// Asks for the key or the code again.
pub const BLE_LINE: &str = "ble-line";
/// Removes the old bond and tries again.
pub const BLE_REPAIR: &str = "ble-repair";
/// Who wears it.
pub const BLE_SUBJECT: &str = "ble-subject";
/// Finishes.
pub const BLE_FINISH: &str = "ble-finish";
/// What the ledger says of a device; carries `data-standing`.
pub const DEVICE_STANDING: &str = "device-standing";
/// Who wears it.
pub const DEVICE_ASSIGNED: &str = "device-assigned";
/// Opens the question who wears it.
pub const DEVICE_ASSIGN: &str = "device-assign";
/// Who is to wear it.
pub const DEVICE_SUBJECT: &str = "device-subject";
/// Assigns the device.
pub const DEVICE_ASSIGN_CONFIRM: &str = "device-assign-confirm";
/// Says that nobody wears it.
pub const DEVICE_UNASSIGN: &str = "device-unassign";
/// Suspends or resumes the device.
pub const DEVICE_SUSPEND: &str = "device-suspend";
/// Asks whether to retire it.
pub const DEVICE_RETIRE: &str = "device-retire";
/// Keeps it.
pub const DEVICE_RETIRE_KEEP: &str = "device-retire-keep";
/// Retires it.
pub const DEVICE_RETIRE_CONFIRM: &str = "device-retire-confirm";
/// The bed it is at.
pub const DEVICE_PLACED: &str = "device-placed";
/// Opens the question at which bed it is.
pub const DEVICE_PLACE: &str = "device-place";
/// The ward.
pub const DEVICE_WARD: &str = "device-ward";
/// The bed.
pub const DEVICE_BED: &str = "device-bed";
/// Says that it is there.
pub const DEVICE_PLACE_CONFIRM: &str = "device-place-confirm";
/// Says that it is at no bed.
pub const DEVICE_NOWHERE: &str = "device-nowhere";
/// Opens the wall.
pub const WALL_OPEN: &str = "wall-open";
/// Which bed needs somebody; carries `data-state`.
pub const WALL_SAY: &str = "wall-say";
/// A bed; carries `data-bed` and `data-state`.
pub const WALL_BED: &str = "wall-bed";
/// A figure of a bed; carries `data-code` and `data-value`.
pub const WALL_FIGURE: &str = "wall-figure";
/// Says that no device is at a bed.
pub const WALL_EMPTY: &str = "wall-empty";
/// The way back to the devices.
pub const WALL_LEAVE: &str = "wall-leave";
/// Opens the registry.
pub const REGISTRY_OPEN: &str = "registry-open";
/// A device on the ledger; carries `data-handle` and `data-node`.
pub const REGISTRY_ROW: &str = "registry-row";
/// What was handed to this node.
pub const INCOMING: &str = "incoming";
/// A device that waits to be taken; carries `data-handle`.
pub const INCOMING_DEVICE: &str = "incoming-device";
/// Its port here.
pub const INCOMING_PORT: &str = "incoming-port";
/// Takes it.
pub const INCOMING_TAKE: &str = "incoming-take";
/// Opens the question to which node it is handed over.
pub const HAND_OVER: &str = "hand-over";
/// The node it is handed to (a `select`).
pub const HAND_OVER_TO: &str = "hand-over-to";
/// Hands it over.
pub const HAND_OVER_CONFIRM: &str = "hand-over-confirm";
/// Keeps it here.
pub const HAND_OVER_KEEP: &str = "hand-over-keep";
/// Which device may hear this one, or wants to; carries `data-interaction` and `data-state`.
pub const HEARS_ROW: &str = "hears-row";
/// Allows it.
pub const HEARS_ALLOW: &str = "hears-allow";
/// Denies it.
pub const HEARS_DENY: &str = "hears-deny";
/// Asks whether to end it.
pub const HEARS_END: &str = "hears-end";
/// Ends it.
pub const HEARS_END_CONFIRM: &str = "hears-end-confirm";
/// Lets it go on.
pub const HEARS_END_KEEP: &str = "hears-end-keep";
/// Opens the question which device this one wants to hear.
pub const HEARS_ASK: &str = "hears-ask";
/// The device it wants to hear (a `select` of handles).
pub const HEARS_SOURCE: &str = "hears-source";
/// For how long (a `select` of seconds).
pub const HEARS_SECONDS: &str = "hears-seconds";
/// Asks.
pub const HEARS_ASK_CONFIRM: &str = "hears-ask-confirm";
/// Says that a block's transactions were pruned.
pub const BLOCK_PRUNED: &str = "block-pruned";

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
