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
