//! Names of what shows patients and says what they wear.

/// Menu: Patients.
pub const NAV_PATIENTS: &str = "nav-patients";
/// Looks for a patient.
pub const PATIENT_SEARCH: &str = "patient-search";
/// A patient in the list; carries `data-patient`.
pub const PATIENT_ROW: &str = "patient-row";
/// The live values of that patient.
pub const PATIENT_NOW: &str = "patient-now";
/// What a patient is called.
pub const PATIENT_NAME: &str = "patient-name";
/// The clinic's number of her.
pub const PATIENT_NUMBER: &str = "patient-number";
/// Day of birth.
pub const PATIENT_BORN: &str = "patient-born";
/// Writes it down.
pub const PATIENT_KEEP: &str = "patient-keep";
/// Opens what a patient is called.
pub const PATIENT_CHANGE: &str = "patient-change";
/// Changes it.
pub const PATIENT_CHANGE_CONFIRM: &str = "patient-change-confirm";
/// Asks whether a patient is to be erased for good.
pub const PATIENT_ERASE: &str = "patient-erase";
/// The field for her name, once more.
pub const PATIENT_ERASE_NAME: &str = "patient-erase-name";
/// Erases her.
pub const PATIENT_ERASE_CONFIRM: &str = "patient-erase-confirm";
/// What is shown once she is erased.
pub const PATIENT_ERASED: &str = "patient-erased";
/// Saves the certificate of the erasure.
pub const PATIENT_CERTIFICATE: &str = "patient-certificate";
/// The devices that nobody wears (a `select` of ids).
pub const PATIENT_DEVICE: &str = "patient-device";
/// Assigns the chosen one.
pub const PATIENT_ASSIGN: &str = "patient-assign";
/// A device that she wears now; carries `data-device`.
pub const PATIENT_WEARS: &str = "patient-wears";
/// Takes it off.
pub const PATIENT_UNASSIGN: &str = "patient-unassign";
/// A time in which she wore a device; carries `data-device` and `data-until`, empty while it lasts.
pub const PATIENT_WORE: &str = "patient-wore";
/// The plots of her record; carries `data-points`, how many are drawn.
pub const PATIENT_RECORD: &str = "patient-record";
/// A handle on the ledger; carries `data-purpose`.
pub const PATIENT_HANDLE: &str = "patient-handle";
/// A patient to choose; carries `data-patient`, or none for a new one.
pub const PATIENT_OPTION: &str = "patient-option";
/// Menu: My record.
pub const NAV_ME: &str = "nav-me";
/// Login of the account that a patient signs in with.
pub const PATIENT_LOGIN: &str = "patient-login";
/// Links it.
pub const PATIENT_LINK: &str = "patient-link";
/// The account that is linked; carries `data-login`.
pub const PATIENT_ACCOUNT: &str = "patient-account";
/// Asks whether it is to be unlinked.
pub const PATIENT_UNLINK: &str = "patient-unlink";
/// Unlinks it.
pub const PATIENT_UNLINK_CONFIRM: &str = "patient-unlink-confirm";
/// Leaves it linked.
pub const PATIENT_UNLINK_KEEP: &str = "patient-unlink-keep";
/// Somebody in a patient's team; carries `data-person` and `data-relation`.
pub const TEAM_MEMBER: &str = "team-member";
/// Whom to enter, by handle or login.
pub const TEAM_PERSON: &str = "team-person";
/// What she is called.
pub const TEAM_NAME: &str = "team-name";
/// What she is to the patient (a `select`).
pub const TEAM_RELATION: &str = "team-relation";
/// Enters her.
pub const TEAM_ENTER: &str = "team-enter";
/// Asks whether she is to be taken out.
pub const TEAM_END: &str = "team-end";
/// Takes her out.
pub const TEAM_END_CONFIRM: &str = "team-end-confirm";
/// Leaves her in.
pub const TEAM_END_KEEP: &str = "team-end-keep";
/// A consent; carries `data-consent`, `data-standing` and `data-signed`: `valid`, `invalid`, or `witness`.
pub const CONSENT_ROW: &str = "consent-row";
/// Opens a new consent.
pub const CONSENT_NEW: &str = "consent-new";
/// Who may or may not see (boxes; carry `data-key`).
pub const CONSENT_ROLE: &str = "consent-role";
/// Whether they may (a `select`).
pub const CONSENT_EFFECT: &str = "consent-effect";
/// Opens the metrics.
pub const CONSENT_WHAT: &str = "consent-what";
/// A metric (boxes; carry `data-key`).
pub const CONSENT_METRIC: &str = "consent-metric";
/// How finely (a `select`).
pub const CONSENT_RESOLUTION: &str = "consent-resolution";
/// What for (boxes; carry `data-key`).
pub const CONSENT_PURPOSE: &str = "consent-purpose";
/// For how many days.
pub const CONSENT_DAYS: &str = "consent-days";
/// What it means, in a sentence.
pub const CONSENT_SAID: &str = "consent-said";
/// What is agreed to, in the patient's words.
pub const CONSENT_WORDS: &str = "consent-words";
/// Who was there.
pub const CONSENT_WITNESS: &str = "consent-witness";
/// Gives it.
pub const CONSENT_GIVE: &str = "consent-give";
/// Asks whether a consent is to be withdrawn.
pub const CONSENT_WITHDRAW: &str = "consent-withdraw";
/// Withdraws it.
pub const CONSENT_WITHDRAW_CONFIRM: &str = "consent-withdraw-confirm";
/// Lets it hold.
pub const CONSENT_WITHDRAW_KEEP: &str = "consent-withdraw-keep";
