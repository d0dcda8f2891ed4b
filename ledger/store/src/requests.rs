//! Requests for access in the state: there may be many, so they are handed out one by one.

use ledger_core::access::Access;
use ledger_core::canonical;
use ledger_core::state::MAX_STATE_VALUE_BYTES;

use crate::error::{StoreError, damaged};
use crate::snapshot::Snapshot;
use crate::table;

impl Snapshot<'_> {
    /// Hands every request for access, open or not, to `visit`, in the order of their handles.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn for_each_access(&self, mut visit: impl FnMut(Access)) -> Result<(), StoreError> {
        table::state::for_each_under(self.connection()?, b"access/", |value| {
            let access = canonical::decode(&value, MAX_STATE_VALUE_BYTES);
            visit(access.map_err(|error| damaged(format!("a request for access: {error}")))?);
            Ok(())
        })
    }
}
