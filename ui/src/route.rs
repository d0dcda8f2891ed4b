//! Where in the console one is: the fragment of the address, such as `#/devices/ab12`.
//!
//! A fragment needs nothing of the server, so a deep link survives a reload both over HTTP and in the
//! desktop window's own protocol.

use fog_api::Capability;

/// A place in the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Does anybody need me, is the record whole?
    Overview,
    /// Every device.
    Devices,
    /// Adding a device; a port that was already chosen.
    Pair(Option<String>),
    /// Adding the Bluetooth device at this address.
    PairBluetooth(String),
    /// One device, by the node's id.
    Device(String),
    /// The devices on the ledger, those of other nodes too.
    Registry,
    /// The beds of a ward, or of all wards, for a screen on a wall.
    Wall(Option<String>),
    /// The newest blocks.
    Chain,
    /// One block, by height.
    Block(u64),
    /// One transaction, by id.
    Transaction(String),
    /// Check a proof file, or pick a reading.
    Proofs,
    /// The proof of one reading, by its id.
    Proof(String),
    /// Who signs, what is voted on.
    Consortium,
    /// Taking an invitation to a consortium.
    Join,
    /// Writing a proposal; to take the seat of the validator whose voting key this is, for what it signed.
    Propose(Option<String>),
    /// Whom the clinic treats.
    Patients,
    /// One patient, by id.
    Patient(String),
    /// The record of who is signed in as a patient.
    Me,
    /// Who may see what, and why.
    Policies,
    /// Who may sign in, and as what.
    People,
    /// Who asks for which data, and what came of it.
    Requests,
    /// Who did what, and who read of it.
    Audit,
    /// An address that leads nowhere.
    Unknown(String),
}

/// The entries of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first page.
    Overview,
    /// Devices and all below.
    Devices,
    /// Patients and their records.
    Patients,
    /// One's own record.
    Me,
    /// Blocks and transactions.
    Chain,
    /// Proofs.
    Proofs,
    /// The consortium and its votes.
    Consortium,
    /// Who may see what.
    Policies,
    /// Who may sign in.
    People,
    /// Requests for data.
    Requests,
    /// The access log.
    Audit,
}

impl Route {
    /// Reads a fragment, with or without its `#`.
    #[must_use]
    pub fn parse(fragment: &str) -> Self {
        let path = fragment.trim_start_matches('#').trim_matches('/');
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut parts = path.trim_end_matches('/').splitn(2, '/');
        let head = parts.next().unwrap_or_default();
        let rest = parts.next().map(unescape).filter(|rest| !rest.is_empty());
        match (head, rest) {
            ("" | "overview", None) => Self::Overview,
            ("devices", None) => Self::Devices,
            ("devices", Some(id)) => Self::Device(id),
            ("pair", None) => Self::Pair(query.strip_prefix("path=").map(unescape)),
            ("pair", Some(address)) => Self::PairBluetooth(address),
            ("registry", None) => Self::Registry,
            ("wall", ward) => Self::Wall(ward),
            ("chain", None) => Self::Chain,
            ("blocks", Some(height)) => height
                .parse()
                .map_or_else(|_| Self::Unknown(fragment.to_owned()), Self::Block),
            ("transactions", Some(id)) => Self::Transaction(id),
            ("proofs", None) => Self::Proofs,
            ("proofs", Some(reading)) => Self::Proof(reading),
            ("consortium", None) => Self::Consortium,
            ("consortium", Some(rest)) if rest == "propose" => {
                Self::Propose(query.strip_prefix("evidence=").map(unescape))
            }
            ("consortium", Some(rest)) if rest == "join" => Self::Join,
            ("patients", None) => Self::Patients,
            ("patients", Some(id)) => Self::Patient(id),
            ("me", None) => Self::Me,
            ("policies", None) => Self::Policies,
            ("people", None) => Self::People,
            ("requests", None) => Self::Requests,
            ("audit", None) => Self::Audit,
            _ => Self::Unknown(fragment.to_owned()),
        }
    }

    /// The address of this place, for an `href`.
    #[must_use]
    pub fn href(&self) -> String {
        match self {
            Self::Overview => "#/".to_owned(),
            Self::Devices => "#/devices".to_owned(),
            Self::Pair(None) => "#/pair".to_owned(),
            Self::Pair(Some(path)) => format!("#/pair?path={}", escape(path)),
            Self::PairBluetooth(address) => format!("#/pair/{}", escape(address)),
            Self::Device(id) => format!("#/devices/{}", escape(id)),
            Self::Registry => "#/registry".to_owned(),
            Self::Wall(None) => "#/wall".to_owned(),
            Self::Wall(Some(ward)) => format!("#/wall/{}", escape(ward)),
            Self::Chain => "#/chain".to_owned(),
            Self::Block(height) => format!("#/blocks/{height}"),
            Self::Transaction(id) => format!("#/transactions/{}", escape(id)),
            Self::Proofs => "#/proofs".to_owned(),
            Self::Proof(reading) => format!("#/proofs/{}", escape(reading)),
            Self::Consortium => "#/consortium".to_owned(),
            Self::Join => "#/consortium/join".to_owned(),
            Self::Propose(None) => "#/consortium/propose".to_owned(),
            Self::Propose(Some(key)) => format!("#/consortium/propose?evidence={}", escape(key)),
            Self::Patients => "#/patients".to_owned(),
            Self::Patient(id) => format!("#/patients/{}", escape(id)),
            Self::Me => "#/me".to_owned(),
            Self::Policies => "#/policies".to_owned(),
            Self::People => "#/people".to_owned(),
            Self::Requests => "#/requests".to_owned(),
            Self::Audit => "#/audit".to_owned(),
            Self::Unknown(fragment) => fragment.clone(),
        }
    }

    /// The entry of the menu under which this place is.
    #[must_use]
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Overview => Some(Place::Overview),
            Self::Devices
            | Self::Pair(_)
            | Self::PairBluetooth(_)
            | Self::Device(_)
            | Self::Registry => Some(Place::Devices),
            Self::Chain | Self::Block(_) | Self::Transaction(_) => Some(Place::Chain),
            Self::Proofs | Self::Proof(_) => Some(Place::Proofs),
            Self::Consortium | Self::Join | Self::Propose(_) => Some(Place::Consortium),
            Self::Patients | Self::Patient(_) => Some(Place::Patients),
            Self::Me => Some(Place::Me),
            Self::Policies => Some(Place::Policies),
            Self::People => Some(Place::People),
            Self::Requests => Some(Place::Requests),
            Self::Audit => Some(Place::Audit),
            Self::Wall(_) | Self::Unknown(_) => None,
        }
    }

    /// What a person must be allowed to, so that the page has something to show.
    #[must_use]
    pub const fn needs(&self) -> Option<Capability> {
        match self {
            Self::Overview | Self::Devices | Self::Device(_) | Self::Registry | Self::Wall(_) => {
                Some(Capability::SeeDevices)
            }
            Self::Pair(_) | Self::PairBluetooth(_) => Some(Capability::ChangeDevices),
            Self::Proof(_) | Self::Patient(_) => Some(Capability::ReadRecords),
            Self::Patients => Some(Capability::Assign),
            Self::Me => Some(Capability::OwnRecord),
            Self::Chain
            | Self::Block(_)
            | Self::Transaction(_)
            | Self::Consortium
            | Self::Policies => Some(Capability::ReadConsortium),
            Self::Join | Self::Propose(_) => Some(Capability::Vote),
            Self::People => Some(Capability::SeePeople),
            Self::Audit => Some(Capability::Audit),
            // Files are checked in this window; anybody may ask for data.
            Self::Proofs | Self::Requests | Self::Unknown(_) => None,
        }
    }
}

/// Percent-encodes all but unreserved characters, for a path segment or a query value.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Undoes [`escape`]; what is not an escape stays as it is.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let pair = text
            .get(at + 1..at + 3)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (byte, pair) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place reads back from its own address.
    #[test]
    fn address_round_trips() {
        let places = [
            Route::Overview,
            Route::Devices,
            Route::Pair(None),
            Route::Pair(Some("/dev/pts/7 é".to_owned())),
            Route::Device("dev-1".to_owned()),
            Route::Registry,
            Route::Wall(None),
            Route::Wall(Some("3A/2 é".to_owned())),
            Route::Chain,
            Route::Block(48_213),
            Route::Transaction("ab12".to_owned()),
            Route::Proofs,
            Route::Proof("91d0.17".to_owned()),
            Route::Consortium,
            Route::Join,
            Route::Propose(None),
            Route::Propose(Some("ab12".to_owned())),
            Route::Patients,
            Route::Patient("ab12".to_owned()),
            Route::Me,
            Route::Policies,
            Route::People,
            Route::Requests,
            Route::Audit,
        ];
        for place in places {
            assert_eq!(Route::parse(&place.href()), place);
        }
    }

    /// What is no address is named, not guessed.
    #[test]
    fn unknown_stays_unknown() {
        assert_eq!(Route::parse(""), Route::Overview);
        assert_eq!(Route::parse("#/devices/"), Route::Devices);
        assert!(matches!(Route::parse("#/blocks/x"), Route::Unknown(_)));
        assert!(matches!(Route::parse("#/walls"), Route::Unknown(_)));
        assert!(matches!(Route::parse("#/consortium/x"), Route::Unknown(_)));
        assert_eq!(
            Route::parse("#/devices/%zz"),
            Route::Device("%zz".to_owned())
        );
    }
}
