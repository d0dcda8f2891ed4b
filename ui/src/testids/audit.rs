//! Names of what shows the access log.

/// Menu: Audit.
pub const NAV_AUDIT: &str = "nav-audit";
/// An entry; carries `data-number` and `data-outcome`.
pub const AUDIT_ROW: &str = "audit-row";
/// What a node gave and never told; carries `data-transaction` and `data-settled`.
pub const AUDIT_UNTOLD: &str = "audit-untold";
/// Why a promised receipt did not come.
pub const AUDIT_REASON: &str = "audit-reason";
/// Settles it.
pub const AUDIT_SETTLE: &str = "audit-settle";
/// Shows more entries.
pub const AUDIT_MORE: &str = "audit-more";
/// Patient that is asked about.
pub const AUDIT_PATIENT: &str = "audit-patient";
/// Person that is asked about.
pub const AUDIT_PERSON: &str = "audit-person";
/// Outcome that is asked for (a `select`).
pub const AUDIT_OUTCOME: &str = "audit-outcome";
/// Purpose that is asked for (a `select`).
pub const AUDIT_PURPOSE: &str = "audit-purpose";
/// Period that is asked for (a `select`).
pub const AUDIT_PERIOD: &str = "audit-period";
/// Asks only for broken glasses.
pub const AUDIT_EMERGENCY: &str = "audit-emergency";
/// Looks.
pub const AUDIT_LOOK: &str = "audit-look";
/// Exports what is asked for.
pub const AUDIT_EXPORT: &str = "audit-export";
/// Says where the export went.
pub const AUDIT_SAVED: &str = "audit-saved";
/// Looks who looked at a patient.
pub const PATIENT_LOOKED: &str = "patient-looked";
