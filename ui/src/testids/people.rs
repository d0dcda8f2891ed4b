//! Names of what signs people in and shows them.

/// Heading of the page before the console.
pub const DOOR_HEADING: &str = "door-heading";
/// Asks again whether somebody is registered.
pub const DOOR_AGAIN: &str = "door-again";
/// Login name.
pub const DOOR_LOGIN: &str = "door-login";
/// Passphrase, to sign in or to open a locked session.
pub const DOOR_PASSPHRASE: &str = "door-passphrase";
/// Code of the app, or a recovery code.
pub const DOOR_CODE: &str = "door-code";
/// Signs in.
pub const DOOR_SIGN_IN: &str = "door-sign-in";
/// Opens a locked session.
pub const DOOR_UNLOCK: &str = "door-unlock";
/// Goes over to another person who is signed in at this window.
pub const DOOR_OTHER: &str = "door-other";
/// Lets somebody else sign in beside a locked session, or goes back to it.
pub const DOOR_SOMEBODY_ELSE: &str = "door-somebody-else";
/// Ends a locked session.
pub const DOOR_SIGN_OUT: &str = "door-sign-out";
/// Who is signed in.
pub const WHO: &str = "who";
/// Closes the question.
pub const WHO_STAY: &str = "who-stay";
/// Locks the session.
pub const LOCK: &str = "lock";
/// Ends the session.
pub const SIGN_OUT: &str = "sign-out";
/// A code of the app, where a fresh one is needed.
pub const STEP_UP_CODE: &str = "step-up-code";
/// Shows it.
pub const STEP_UP_CONFIRM: &str = "step-up-confirm";
/// Login name of who is registered.
pub const PERSON_LOGIN: &str = "person-login";
/// Name of who is registered.
pub const PERSON_NAME: &str = "person-name";
/// A role of who is registered; carries `data-key`.
pub const PERSON_ROLE: &str = "person-role";
/// Passphrase of who is registered.
pub const PERSON_PASSPHRASE: &str = "person-passphrase";
/// The same once more.
pub const PERSON_AGAIN: &str = "person-again";
/// Registers.
pub const PERSON_REGISTER: &str = "person-register";
/// The app's secret as a QR code.
pub const ENROLMENT_QR: &str = "enrolment-qr";
/// The same as an address.
pub const ENROLMENT_ADDRESS: &str = "enrolment-address";
/// One recovery code.
pub const RECOVERY_CODE: &str = "recovery-code";
/// Saves the recovery codes.
pub const RECOVERY_SAVE: &str = "recovery-save";
/// Says that both are kept.
pub const ENROLMENT_DONE: &str = "enrolment-done";
/// A person in the list; carries `data-login`.
pub const PERSON_ROW: &str = "person-row";
/// Opens what can be changed of a person.
pub const PERSON_CHANGE: &str = "person-change";
/// A role of that person; carries `data-key`.
pub const PERSON_GIVE: &str = "person-give";
/// Gives the roles.
pub const PERSON_ROLES_CONFIRM: &str = "person-roles-confirm";
/// Enrols the person anew.
pub const PERSON_ENROL: &str = "person-enrol";
/// Asks whether to revoke.
pub const PERSON_REVOKE: &str = "person-revoke";
/// Revokes.
pub const PERSON_REVOKE_CONFIRM: &str = "person-revoke-confirm";
/// Does not revoke.
pub const PERSON_KEEP: &str = "person-keep";
/// Stands in the place of a page that is not open to the person.
pub const NOT_FOR_YOU: &str = "not-for-you";
