//! Names of what asks for data and decides about it.

/// Menu: Requests.
pub const NAV_REQUESTS: &str = "nav-requests";
/// A request in the list; carries `data-handle`.
pub const REQUEST_ROW: &str = "request-row";
/// Opens a request.
pub const REQUEST_OPEN: &str = "request-open";
/// Grants what waits.
pub const REQUEST_APPROVE: &str = "request-approve";
/// Refuses what waits.
pub const REQUEST_DENY: &str = "request-deny";
/// Ends a request, or gives it back.
pub const REQUEST_END: &str = "request-end";
/// There was reason to break the glass.
pub const REQUEST_JUSTIFIED: &str = "request-justified";
/// There was none.
pub const REQUEST_UNJUSTIFIED: &str = "request-unjustified";
/// Closes a request.
pub const REQUEST_CLOSE: &str = "request-close";
/// Reads what was granted.
pub const REQUEST_READ: &str = "request-read";
/// A receipt that was promised and did not come, in an open request; carries `data-transaction`.
pub const REQUEST_UNTOLD: &str = "request-untold";
/// What was read; carries `data-readings`.
pub const REQUEST_SHOWN: &str = "request-shown";
/// Follows what was granted.
pub const REQUEST_FOLLOW: &str = "request-follow";
/// What is followed; carries `data-handle` and `data-readings`.
pub const REQUEST_LIVE: &str = "request-live";
/// Follows it no more.
pub const REQUEST_STOP: &str = "request-stop";
/// Why nothing follows.
pub const REQUEST_CUT: &str = "request-cut";
/// Handle of the subject who is asked about.
pub const ASK_SUBJECT: &str = "ask-subject";
/// The organisation that holds the data (a `select` of ids).
pub const ASK_HOLDER: &str = "ask-holder";
/// A metric that is asked for; carries `data-key`.
pub const ASK_METRIC: &str = "ask-metric";
/// LOINC codes of further metrics.
pub const ASK_OTHER: &str = "ask-other";
/// Period that is asked for.
pub const ASK_PERIOD: &str = "ask-period";
/// How finely.
pub const ASK_RESOLUTION: &str = "ask-resolution";
/// What for.
pub const ASK_PURPOSE: &str = "ask-purpose";
/// For how long.
pub const ASK_LASTS: &str = "ask-lasts";
/// Says that the caller treats the patient.
pub const ASK_TREATING: &str = "ask-treating";
/// Says that the data are the asker's own.
pub const ASK_ONESELF: &str = "ask-oneself";
/// Breaks the glass.
pub const ASK_EMERGENCY: &str = "ask-emergency";
/// Why.
pub const ASK_REASON: &str = "ask-reason";
/// Sends the request.
pub const ASK_SEND: &str = "ask-send";
/// To whom access is given: a login or a handle.
pub const GIVE_PERSON: &str = "give-person";
/// Whose data she is given.
pub const GIVE_SUBJECT: &str = "give-subject";
/// A metric that is given; carries `data-key`.
pub const GIVE_METRIC: &str = "give-metric";
/// LOINC codes of further metrics.
pub const GIVE_OTHER: &str = "give-other";
/// Period that is given.
pub const GIVE_PERIOD: &str = "give-period";
/// How finely.
pub const GIVE_RESOLUTION: &str = "give-resolution";
/// What for.
pub const GIVE_PURPOSE: &str = "give-purpose";
/// For how long.
pub const GIVE_LASTS: &str = "give-lasts";
/// Gives it.
pub const GIVE_SEND: &str = "give-send";
/// Why the person cannot give any.
pub const GIVE_MAY_NOT: &str = "give-may-not";
