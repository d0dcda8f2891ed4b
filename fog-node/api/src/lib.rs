//! What the node says and is asked, as plain data: requests, answers and events.
//!
//! One definition for the HTTP API, the desktop window, the console and the command line. No logic
//! beyond conversions to words and numbers for display. Times are Unix milliseconds, hashes and keys
//! lowercase hex, units UCUM, codes LOINC.
//!
//! | Method and path | Request | Answer |
//! |---|---|---|
//! | `GET /api/status` | | [`Status`] |
//! | `GET /api/devices` | | `[`[`Device`]`]` |
//! | `POST /api/devices` | [`AddDevice`] | [`Device`] |
//! | `GET /api/devices/{id}` | | [`Device`] |
//! | `DELETE /api/devices/{id}` | | nothing; its readings stay |
//! | `POST /api/devices/{id}/changes` | [`ChangeDevice`] | [`Device`], once the change is final |
//! | `POST /api/devices/{id}/place` | [`PlaceDevice`] | [`Device`], once it is durable |
//! | `GET /api/devices/{id}/history?metric=&from=&to=&points=` | [`HistoryQuery`] | [`History`] |
//! | `POST /api/devices/{id}/handover` | [`HandOver`] | [`Device`], once it is final |
//! | `GET /api/handovers` | | `[`[`LedgerDevice`]`]` that wait to be taken here |
//! | `GET /api/roaming` | | [`RoamingView`] |
//! | `POST /api/handovers/{handle}` | [`TakeDevice`] | [`Device`], read from now on |
//! | `GET /api/ledger/devices` | | `[`[`LedgerDevice`]`]`, those of other nodes too |
//! | `POST /api/ledger/devices` | [`RegisterSigner`] | [`LedgerDevice`] that signs for itself, once it is final |
//! | `GET /api/interactions` | | `[`[`Interaction`]`]`, what changed last first |
//! | `POST /api/interactions` | [`AskInteraction`] | [`Interaction`], once it is on the ledger |
//! | `POST /api/interactions/{id}/decision` | [`DecideInteraction`] | [`Interaction`], once it is final |
//! | `POST /api/transactions` | a signed transaction, `application/octet-stream` | [`Pushed`], once it is final |
//! | `GET /api/readings?device=&metric=&before=&limit=` | [`ReadingsQuery`] | `[`[`ReadingRow`]`]`, newest first |
//! | `GET /api/readings/{id}` | | [`ReadingRow`] |
//! | `GET /api/profiles` | | `[`[`ProfileInfo`]`]` |
//! | `POST /api/codes/check` | [`CheckCode`] | [`CheckCode`], as it is printed |
//! | `GET /api/ports` | | `[`[`Port`]`]` |
//! | `GET /api/bluetooth` | | [`BluetoothView`]; the node scans while this is asked for |
//! | `POST /api/bluetooth/pairings` | [`StartBluetoothPairing`] | [`BluetoothPairing`], at once |
//! | `GET /api/bluetooth/pairings/{id}`, `DELETE …` | | [`BluetoothPairing`]; nothing, it is cancelled |
//! | `POST /api/bluetooth/pairings/{id}/answer` | [`AnswerPairing`] | [`BluetoothPairing`] |
//! | `POST /api/selftests` | [`StartSelfTest`] | [`SelfTest`], at once; one at a time |
//! | `GET /api/selftests/{id}`, `DELETE …` | | [`SelfTest`]; nothing, it is cancelled |
//! | `GET /api/commissionings?device=&adapter=` | [`CommissioningQuery`] | `[`[`CommissioningRecord`]`]`, newest first |
//! | `POST /api/identify` | [`Identify`] | [`Identified`], once it has ended |
//! | `POST /api/previews` | [`StartPreview`] | [`Preview`]; nothing is recorded |
//! | `GET /api/previews/{id}`, `DELETE …` | | [`Preview`] |
//! | `GET /api/blocks?from=&limit=` | [`BlocksQuery`] | `[`[`BlockRow`]`]`, newest first |
//! | `GET /api/blocks/{height}` | | [`BlockDetail`] |
//! | `GET /api/transactions/{id}` | | [`TransactionDetail`] |
//! | `GET /api/finality?minutes=` | | [`FinalitySeries`] |
//! | `GET /api/light/blocks?from=&to=&limit=` | [`LightQuery`] | [`LightPage`], oldest first |
//! | `GET /api/light/blocks/{height}` | | [`LightPage`] of one |
//! | `GET /api/light/state?key=&height=` | [`StateQuery`] | [`StateAnswer`] |
//! | `GET /api/proofs/{reading}` | | proof file, `application/octet-stream` |
//! | `GET /api/genesis` | | genesis file, `application/octet-stream` |
//! | `POST /api/demo` | [`StartDemo`] | `[`[`Device`]`]` |
//! | `DELETE /api/demo` | | nothing |
//! | `GET /api/consortium` | | [`ConsortiumView`] |
//! | `GET /api/consortium/series?minutes=` | | [`ConsortiumSeries`] |
//! | `POST /api/consortium/proposals` | [`ProposeChange`] | [`ProposalRow`], once it is final |
//! | `POST /api/consortium/proposals/{number}/vote` | [`CastVote`] | [`ProposalRow`], once it is final |
//! | `POST /api/consortium/preflight` | [`consortium::Change`] | `[`[`PreflightFinding`]`]` |
//! | `POST /api/consortium/invitations` | [`MakeInvitation`] | [`InvitationMade`] |
//! | `DELETE /api/consortium/invitations/{id}` | | nothing; it cannot be used any more |
//! | `POST /api/consortium/join/invitation` | [`ReadInvitation`] | [`InvitationView`]; nothing is done |
//! | `POST /api/consortium/join` | [`JoinConsortium`] | [`JoinProgress`], at once; it goes on by itself |
//! | `GET /api/consortium/join` | | [`JoinProgress`] |
//! | `GET /api/session` | | [`SessionView`]: who calls, and what they may do |
//! | `POST /api/session` | [`SignIn`] | [`SignedIn`] |
//! | `DELETE /api/session` | | nothing; the session has ended |
//! | `POST /api/session/lock` | | [`SessionView`] |
//! | `POST /api/session/unlock` | [`Unlock`] | [`SessionView`] |
//! | `POST /api/session/active` | | nothing; somebody is there, so it is not locked yet |
//! | `POST /api/session/step-up` | [`StepUp`] | [`SessionView`] |
//! | `POST /api/session/switch` | [`SwitchSession`] | [`SessionView`] |
//! | `POST /api/session/enrolment` | | [`Enrolment`] of oneself |
//! | `POST /api/session/passphrase` | [`ChangePassphrase`] | [`Person`] |
//! | `GET /api/people` | | `[`[`Person`]`]`, in the order of their logins |
//! | `POST /api/people` | [`AddPerson`] | [`Enrolment`], once it is durable |
//! | `POST /api/people/{id}/roles` | [`GiveRoles`] | [`Person`] |
//! | `POST /api/people/{id}/revoke` | | [`Person`], whose sessions have ended |
//! | `POST /api/people/{id}/enrolment` | [`Enrol`] | [`Enrolment`]; the person's sessions have ended |
//! | `GET /api/patients?search=&wearing=&limit=` | [`PatientsQuery`] | [`PatientsView`], in the order of their names |
//! | `POST /api/patients` | [`DescribePatient`] | [`Patient`], once it is durable |
//! | `GET /api/patients/{id}` | | [`PatientView`] |
//! | `POST /api/patients/{id}` | [`DescribePatient`] | [`Patient`], once it is durable |
//! | `GET /api/patients/{id}/consents` | | `[`[`ConsentRow`]`]`: what she agreed to, the last one first |
//! | `POST /api/patients/{id}/consents` | [`GiveConsent`] | [`ConsentRow`], once it is durable and told |
//! | `POST /api/patients/{id}/consents/{consent}/withdraw` | | [`ConsentRow`], once it is durable and told |
//! | `GET /api/patients/{id}/readings?metric=&from=&to=&before=&limit=` | [`PatientReadingsQuery`] | `[`[`ReadingRow`]`]`, taken last first |
//! | `GET /api/patients/{id}/history?metric=&from=&to=&points=` | [`HistoryQuery`] | [`History`], by when it was taken |
//! | `POST /api/patients/{id}/person` | [`LinkPerson`] | [`PatientView`], once it is durable |
//! | `POST /api/patients/{id}/team` | [`RelatePerson`] | [`PatientView`], once it is durable |
//! | `POST /api/patients/{id}/team/end` | [`EndRelation`] | [`PatientView`], once it is durable and told |
//! | `GET /api/me` | | [`PatientView`] of the caller, who is a patient |
//! | `GET /api/me/readings?metric=&from=&to=&before=&limit=` | [`PatientReadingsQuery`] | `[`[`ReadingRow`]`]` of hers, taken last first |
//! | `GET /api/me/history?metric=&from=&to=&points=` | [`HistoryQuery`] | [`History`] of hers |
//! | `GET /api/me/consents` | | `[`[`ConsentRow`]`]` of hers, the last one first |
//! | `POST /api/me/consents` | [`GiveOwnConsent`] | [`ConsentRow`], signed with the caller's key, once it is durable and told |
//! | `POST /api/me/consents/{consent}/withdraw` | | [`ConsentRow`], once it is durable and told |
//! | `GET /api/me/audit?from=&…` | [`AuditQuery`] | [`AuditPage`] about her, once it is final that she reads it |
//! | `POST /api/patients/{id}/erase` | [`Erase`] | [`ErasureView`], once it is durable |
//! | `POST /api/devices/{id}/erase` | [`Erase`] | [`ErasureView`], once it is durable |
//! | `GET /api/erasures` | | `[`[`ErasureView`]`]`, the newest first |
//! | `GET /api/policies` | | [`PoliciesView`], this organisation's first |
//! | `POST /api/policies` | [`PutPolicy`] | [`PolicyRow`], once it is in force |
//! | `DELETE /api/policies/{name}` | | nothing, once it is out of force |
//! | `GET /api/retracted-policies` | | [`RetractedPolicies`] of this organisation, the last one first |
//! | `GET /api/policies/{name}/history` | | [`PolicyHistory`]: its versions, the newest first |
//! | `GET /api/policies/{name}/decisions` | | [`PolicyDecisions`], once it is final that the caller reads them |
//! | `POST /api/policies/check` | [`CheckPolicy`] | [`PolicyChecked`]; nothing is done |
//! | `POST /api/policies/simulate` | [`SimulatePolicies`] | [`PolicySimulation`]; nothing is done |
//! | `GET /api/access` | | `[`[`AccessRow`]`]`: the caller's, and those she has a say in; what waits for her first |
//! | `POST /api/access` | [`AskAccess`] | [`AccessRow`], once it is decided or waits for a person |
//! | `POST /api/access/break-glass` | [`BreakGlass`] | [`AccessRow`], once it is decided |
//! | `POST /api/access/grant` | [`GrantAccess`] | [`AccessRow`], once it is final |
//! | `GET /api/access/{handle}` | | [`AccessRow`] |
//! | `POST /api/access/{handle}/decision` | [`DecideAccess`] | [`AccessRow`], once it is final |
//! | `POST /api/access/{handle}/end` | | [`AccessRow`], ended or given back |
//! | `POST /api/access/{handle}/read` | [`ReadAccess`] | [`Disclosure`], once its receipt is durable |
//! | `GET /api/access/{handle}/live?metrics=&from=` | [`FollowQuery`] | a stream of [`LiveAccess`], until it ends |
//! | `GET /api/access/{handle}/reads/{read}/proofs/{reading}` | | proof file of a reading that it has shown |
//! | `POST /api/access/{handle}/review` | [`ReviewAccess`] | [`AccessRow`], once it is final |
//! | `GET /api/audit?patient=&person=&device=&from=&until=&purpose=&outcome=&emergency=&before=&limit=` | [`AuditQuery`] | [`AuditPage`], once it is final that the caller reads it |
//! | `GET /api/audit/bundle?patient=&…` | [`AuditQuery`] | audit bundle, `application/x-ndjson` |
//! | `POST /api/audit/promises/{transaction}/settle` | [`SettlePromise`] | [`PromisedReceipt`] |
//! | `GET /api/patients/{id}/audit?from=&…` | [`AuditQuery`] | [`AuditPage`] about her |
//! | `POST /api/backup` | [`MakeBackup`] | sealed backup of the node, `application/octet-stream` |
//! | `GET /api/events?waves=DEVICE` | | server-sent [`Event`]s, one JSON object each |
//! | `GET /api/openapi.json` | | OpenAPI 3.1 |
//!
//! A refusal is an [`ApiError`] with a status of 400, 401, 403, 404, 405, 409, 413, 429, 500 or 503.

pub mod access;
pub mod audit;
pub mod backup;
pub mod bluetooth;
pub mod chain;
pub mod commissioning;
pub mod consent;
pub mod consortium;
pub mod device;
pub mod erasure;
pub mod error;
pub mod event;
pub mod following;
pub mod joining;
pub mod ledger_device;
pub mod light;
pub mod patient;
pub mod people;
pub mod place;
pub mod policy;
pub mod reading;
pub mod roaming;
pub mod series;
pub mod status;

pub use access::{
    AccessPerson, AccessReview, AccessRow, AccessState, AskAccess, BreakGlass, BrokenGlass,
    DecideAccess, DisclosedReading, DisclosedSpan, DisclosedStream, Disclosure, DisclosureReceipt,
    GrantAccess, NotRead, PromisedReceipt, ReadAccess, ReceiptStanding, ReviewAccess,
    SettlePromise, Settlement,
};
pub use audit::{AuditOutcome, AuditPage, AuditQuery, AuditRow};
pub use backup::MakeBackup;
pub use bluetooth::{
    AnswerPairing, BluetoothAdapter, BluetoothPairing, BluetoothView, FoundDevice, PairingStage,
    StartBluetoothPairing,
};
pub use chain::{
    BlockDetail, BlockRow, BlocksQuery, FinalityPoint, FinalitySeries, PrunedBlock, PruningRun,
    TransactionDetail, TransactionRow,
};
pub use commissioning::{
    CommissioningFigure, CommissioningFile, CommissioningQuery, CommissioningRecord, FigureVerdict,
    Identified, Identify, SelfTest, SelfTestStage, StartSelfTest, TestOutcome,
};
pub use consent::{ConsentRow, ConsentSignature, ConsentStanding, GiveConsent, GiveOwnConsent};
pub use consortium::{
    CastVote, ConsortiumView, EvidenceRow, InvitationMade, InvitationRow, MakeInvitation, Me,
    NewNode, NodeRole, NodeRow, OrganisationRow, ParametersView, PreflightFinding, ProposalRow,
    ProposeChange, SeatRow, ThresholdsView,
};
pub use device::{
    AddDevice, ChangeDevice, CheckCode, Device, DeviceAbout, DeviceAuthentication, DeviceClass,
    DeviceSource, DeviceStanding, DeviceState, Gap, Port, Preview, ProfileInfo, Provisioning,
    ProvisioningStage, RejectedCount, StartDemo, StartPreview, Vital,
};
pub use erasure::{Erase, ErasedPart, ErasureFile, ErasureOf, ErasureView};
pub use error::ApiError;
pub use event::{DeviceLive, Event, Wave};
pub use following::{FollowQuery, LiveAccess, LiveEnd};
pub use joining::{
    CatchUp, CatchUpWay, FoundNode, InvitationView, InvitedPeer, JoinConsortium, JoinProgress,
    JoinStage, OwnChain, ReadInvitation,
};
pub use ledger_device::{
    AskInteraction, DecideInteraction, HandOver, Interaction, InteractionState, LedgerDevice,
    Pushed, RegisterSigner, Relay, RelayState, Signer, TakeDevice,
};
pub use light::{LightPage, LightQuery, LightRow, StateAnswer, StateQuery};
pub use patient::{
    DescribePatient, EndRelation, LinkPerson, LinkedPerson, Patient, PatientReadingsQuery,
    PatientView, PatientsQuery, PatientsView, RecordedMetric, RelatePerson, RelatedPerson,
    SubjectHandle, WornDevice,
};
pub use people::{
    AddPerson, Capability, ChangePassphrase, Enrol, Enrolment, GiveRoles, LedgerStanding,
    OtherSession, Person, PersonOnLedger, PersonStanding, Role, SessionState, SessionView, SignIn,
    SignedIn, StepUp, SwitchSession, Unlock,
};
pub use place::{Place, PlaceDevice};
pub use policy::{
    CheckPolicy, LineStanding, PoliciesView, PolicyBlock, PolicyChange, PolicyChecked,
    PolicyDecision, PolicyDecisions, PolicyDraft, PolicyEffect, PolicyFault, PolicyHistory,
    PolicyLine, PolicyOutcome, PolicyRow, PolicySimulation, PolicyVersion, PutPolicy,
    RetractedPolicies, RetractedPolicy, SimulatePolicies, SimulatedAccess, SimulatedDecision,
};
pub use reading::{History, HistoryPoint, HistoryQuery, ReadingRow, ReadingsQuery, SampleSegment};
pub use roaming::{RoamingDevice, RoamingNode, RoamingOffer, RoamingView};
pub use series::{ConsortiumSeries, NodeSeries};
pub use status::{Finality, Status, Storage};
