//! The six states of the look, and the stages of a reading's way.

/// A state: always a shape, a word, then a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Works as promised; drawn quietly.
    Ok,
    /// Somebody should act, not this minute.
    Attention,
    /// Danger to a patient or to the record.
    Critical,
    /// We cannot tell, and say so.
    Unknown,
    /// Not from a person's body.
    Simulated,
    /// Known to be away.
    Offline,
}

impl State {
    /// Its name in `data-state`, and of its icon.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Attention => "attention",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
            Self::Simulated => "simulated",
            Self::Offline => "offline",
        }
    }

    /// Its name for those who do not see the shape.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "All well",
            Self::Attention => "Attention",
            Self::Critical => "Critical",
            Self::Unknown => "Unknown",
            Self::Simulated => "Simulated",
            Self::Offline => "Offline",
        }
    }

    /// Worse states first, for lists of what needs somebody.
    #[must_use]
    pub const fn urgency(self) -> u8 {
        match self {
            Self::Critical => 0,
            Self::Offline => 1,
            Self::Attention => 2,
            Self::Unknown => 3,
            Self::Simulated => 4,
            Self::Ok => 5,
        }
    }
}

/// How far a reading is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Durable on this node.
    Received,
    /// Sealed in the vault, in a batch.
    Sealed,
    /// Its batch's transaction is submitted.
    Anchored,
    /// Its block is final.
    Final,
}

impl Stage {
    /// The stage of a reading.
    #[must_use]
    pub const fn of(reading: &fog_api::ReadingRow) -> Self {
        if reading.finalized {
            Self::Final
        } else if reading.tx.is_some() {
            Self::Anchored
        } else if reading.batch.is_some() {
            Self::Sealed
        } else {
            Self::Received
        }
    }

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Received => "Received",
            Self::Sealed => "Sealed",
            Self::Anchored => "Anchored",
            Self::Final => "Final",
        }
    }

    /// How many of the four marks are filled.
    #[must_use]
    pub const fn marks(self) -> u8 {
        match self {
            Self::Received => 1,
            Self::Sealed => 2,
            Self::Anchored => 3,
            Self::Final => 4,
        }
    }
}
