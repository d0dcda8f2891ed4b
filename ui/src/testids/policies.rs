//! Names of what shows, writes and tries policies.

/// Menu: Policies.
pub const NAV_POLICIES: &str = "nav-policies";
/// Begins a policy.
pub const POLICY_NEW: &str = "policy-new";
/// A policy in the list; carries `data-name`.
pub const POLICY_ROW: &str = "policy-row";
/// A policy that is not in force any more; carries `data-name`.
pub const POLICY_RETRACTED: &str = "policy-retracted";
/// Says that what is open is not in force any more.
pub const POLICY_GONE: &str = "policy-gone";
/// Stands where no policy is in force.
pub const POLICY_NONE: &str = "policy-none";
/// Why the person may not put policies in force.
pub const POLICY_MAY_NOT: &str = "policy-may-not";
/// The name of what is open.
pub const POLICY_OPEN: &str = "policy-open";
/// Words or Cedar; carries `data-key`.
pub const POLICY_SIDE: &str = "policy-side";
/// Name of a new policy.
pub const POLICY_NAME: &str = "policy-name";
/// What a new policy can begin with; carries `data-key`.
pub const POLICY_TEMPLATE: &str = "policy-template";
/// A role; carries `data-key`.
pub const POLICY_ROLE: &str = "policy-role";
/// The tie to the patient.
pub const POLICY_TIE: &str = "policy-tie";
/// Whether it permits or forbids.
pub const POLICY_EFFECT: &str = "policy-effect";
/// Opens the metrics.
pub const POLICY_WHAT: &str = "policy-what";
/// A metric; `data-key` is its LOINC code.
pub const POLICY_METRIC: &str = "policy-metric";
/// Raw or aggregate.
pub const POLICY_RESOLUTION: &str = "policy-resolution";
/// How many days back.
pub const POLICY_DAYS: &str = "policy-days";
/// A purpose; carries `data-key`.
pub const POLICY_PURPOSE: &str = "policy-purpose";
/// First hour of the day.
pub const POLICY_FROM: &str = "policy-from";
/// Hour of the day before which it ends.
pub const POLICY_TO: &str = "policy-to";
/// Only in an emergency.
pub const POLICY_EMERGENCY: &str = "policy-emergency";
/// Only if a person agrees.
pub const POLICY_APPROVAL: &str = "policy-approval";
/// Says that the fields cannot say the text.
pub const POLICY_NOT_PLAIN: &str = "policy-not-plain";
/// What the text means, as the node says.
pub const POLICY_SAID: &str = "policy-said";
/// The text in Cedar: a `textarea`.
pub const POLICY_TEXT: &str = "policy-text";
/// The copy of the text with a `mark` at each fault.
pub const POLICY_MARKS: &str = "policy-marks";
/// A fault that leads to its words.
pub const POLICY_FAULT: &str = "policy-fault";
/// Asks whether to put the policy in force.
pub const POLICY_PUT: &str = "policy-put";
/// Puts it in force.
pub const POLICY_PUT_CONFIRM: &str = "policy-put-confirm";
/// Does not put it.
pub const POLICY_PUT_KEEP: &str = "policy-put-keep";
/// Puts the text in force in the place of what is written.
pub const POLICY_UNDO: &str = "policy-undo";
/// Asks whether to put the policy out of force.
pub const POLICY_RETRACT: &str = "policy-retract";
/// Puts it out of force.
pub const POLICY_RETRACT_CONFIRM: &str = "policy-retract-confirm";
/// Does not put it out of force.
pub const POLICY_KEEP: &str = "policy-keep";
/// Why the draft cannot be put in force.
pub const POLICY_WHY_NOT: &str = "policy-why-not";
/// Leaves what is written.
pub const POLICY_LEAVE: &str = "policy-leave";
/// Does not leave it.
pub const POLICY_STAY: &str = "policy-stay";
/// What the simulation is about; carries `data-key`.
pub const SIMULATE_SIDE: &str = "simulate-side";
/// The metric that is asked for.
pub const SIMULATE_METRIC: &str = "simulate-metric";
/// The role that is asked for.
pub const SIMULATE_ROLE: &str = "simulate-role";
/// The tie to the patient that is asked for.
pub const SIMULATE_TIE: &str = "simulate-tie";
/// How many days ago the data begin.
pub const SIMULATE_DAYS: &str = "simulate-days";
/// The hour at which it is asked.
pub const SIMULATE_HOUR: &str = "simulate-hour";
/// What the node answered.
pub const SIMULATE_FOUND: &str = "simulate-found";
/// A line of the answer; carries `data-outcome`, or `data-change`.
pub const SIMULATE_ROW: &str = "simulate-row";
/// Says that nothing would change.
pub const SIMULATE_NOTHING: &str = "simulate-nothing";
/// A version in the history; carries `data-height`.
pub const POLICY_VERSION: &str = "policy-version";
/// Asks what the policy decided.
pub const POLICY_DECIDED: &str = "policy-decided";
/// A request that it decided; carries `data-handle` and `data-receipts`.
pub const POLICY_DECISION: &str = "policy-decision";
