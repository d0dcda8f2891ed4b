//! Patients: what the clinic calls them, what they wear, what was measured of them.
//!
//! Who may see devices is told a patient's id, which means nothing elsewhere; names are told to those only who
//! assign devices or read records. `Debug` names nobody.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Somebody whom the clinic treats.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Patient {
    /// Random id, 32 hex digits; on no ledger.
    pub id: String,
    /// What the clinic calls her.
    pub name: String,
    /// The clinic's own number of her; nobody else has it.
    pub number: Option<String>,
    /// Day of birth, `YYYY-MM-DD`.
    pub born: Option<String>,
    /// When she was added.
    pub since: i64,
    /// Ids of the devices that she wears now and this node serves.
    pub devices: Vec<String>,
}

/// Says what a patient is called: a new one's, or another one's from now on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DescribePatient {
    /// 1 to 80 characters.
    pub name: String,
    /// 1 to 32 characters that nobody else has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Day of birth, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<String>,
}

/// Says with which account a patient signs in and sees her own record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkPerson {
    /// Login of somebody who is registered here as a patient; none for no account any more.
    pub login: Option<String>,
}

/// The account with which a patient sees her own record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkedPerson {
    /// What she types to sign in.
    pub login: String,
    /// The name that is shown of her.
    pub name: String,
    /// Whether it opens her record: the account is not revoked, and still a patient's.
    pub is_open: bool,
    /// When it was linked.
    pub since: i64,
    /// Login of who linked it.
    pub by: String,
}

/// Says that somebody treats a patient, or acts for her by law.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RelatePerson {
    /// Her handle on the ledger, 64 hex digits, or the login of one of this node's people.
    pub person: String,
    /// What she is: `treating` or `guardian`.
    pub relation: String,
    /// What she is called here, up to 60 characters; what was given as the person without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Until when it holds; without it, until it is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

/// Says that somebody is that to a patient no more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EndRelation {
    /// Her handle on the ledger.
    pub person: String,
    /// What she was.
    pub relation: String,
}

/// Somebody who treats a patient, or acts for her by law.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelatedPerson {
    /// Her handle on the ledger.
    pub person: String,
    /// Id of her organisation; none if the ledger does not know her any more.
    pub organisation: Option<String>,
    /// What she is called here.
    pub name: String,
    /// What she is: `treating` or `guardian`.
    pub relation: String,
    /// When it was said.
    pub since: i64,
    /// Until when it holds, if it ends.
    pub until: Option<i64>,
    /// Login of who said so.
    pub by: String,
}

/// Which patients.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct PatientsQuery {
    /// Only those of whose name or number this is a part, in capitals or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only those who wear a device now.
    #[serde(default)]
    pub wearing: bool,
    /// How many at most, 1 to 1,000; 100 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Some of the patients.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PatientsView {
    /// In the order of their names.
    pub patients: Vec<Patient>,
    /// How many there are of this kind, those that are not listed among them.
    pub found: u64,
    /// How many there are in all.
    pub all: u64,
}

/// A time in which a patient wore a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WornDevice {
    /// The device's id.
    pub device: String,
    /// What the device is or was called.
    pub name: String,
    /// Whether it is simulated.
    pub simulated: bool,
    /// From this moment on.
    pub since: i64,
    /// Until before this one; none while she wears it.
    pub until: Option<i64>,
}

/// A metric that there may be readings of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedMetric {
    /// LOINC code.
    pub code: String,
    /// The metric's name, for people.
    pub label: String,
    /// UCUM unit.
    pub unit: String,
}

/// Under which name the ledger knows a patient this month, for one purpose.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubjectHandle {
    /// The purpose, as in a policy.
    pub purpose: String,
    /// The handle, as in `Subject::"HANDLE"`.
    pub handle: String,
    /// Until when requests use it.
    pub until: i64,
}

/// A patient and what there is of her at this node.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PatientView {
    /// Who.
    pub patient: Patient,
    /// What she wears and wore, what she wears last first.
    pub worn: Vec<WornDevice>,
    /// The metrics of these devices.
    pub metrics: Vec<RecordedMetric>,
    /// Her handles on the ledger now.
    pub handles: Vec<SubjectHandle>,
    /// The account with which she signs in here, if there is one.
    pub person: Option<LinkedPerson>,
    /// Who treats her, or acts for her by law, besides those who say so themselves.
    pub team: Vec<RelatedPerson>,
}

/// Which of a patient's readings. A reading is hers if it was taken while she wore the device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct PatientReadingsQuery {
    /// LOINC code; all metrics without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Taken at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// Taken before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// Only those after this one in the list: the id of the last one of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// How many at most, 1 to 10,000; 100 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Implements a `Debug` that names nobody.
macro_rules! silent {
    ($($type:ident),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(…)"))
            }
        }
    )*};
}
pub(crate) use silent;

silent!(
    Patient,
    DescribePatient,
    LinkPerson,
    LinkedPerson,
    RelatePerson,
    EndRelation,
    RelatedPerson,
    PatientsQuery,
    PatientsView,
    SubjectHandle,
    PatientView
);
