//! A state with changes on top: how a block is executed, and how what may fail is tried first.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ExecutionError, StateKey, StateReadError, StateView, Writes, decode_entry, read};
use crate::canonical;

/// A state with changes on top, which are kept or dropped as a whole.
pub struct Overlay<'a, V: StateView + ?Sized> {
    view: &'a V,
    writes: Writes,
}

impl<'a, V: StateView + ?Sized> Overlay<'a, V> {
    /// Nothing changed yet.
    pub(crate) const fn new(view: &'a V) -> Self {
        Self {
            view,
            writes: Writes::new(),
        }
    }

    /// The changes.
    pub(crate) fn into_writes(self) -> Writes {
        self.writes
    }

    /// Keeps what was tried on top of this.
    pub(crate) fn keep(&mut self, tried: Writes) {
        self.writes.extend(tried);
    }

    /// Whether nothing was changed.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.writes.is_empty()
    }

    /// Whether an entry was changed.
    pub(crate) fn has_changed(&self, key: &StateKey) -> bool {
        self.writes.contains_key(key)
    }

    pub(crate) fn read<T: Serialize + DeserializeOwned>(
        &self,
        key: &StateKey,
    ) -> Result<Option<T>, StateReadError> {
        match self.writes.get(key) {
            Some(bytes) => decode_entry(bytes).map(Some),
            None => read(self.view, key),
        }
    }

    /// Adds one to a counter.
    pub(crate) fn count_up(&mut self, key: StateKey) -> Result<(), ExecutionError> {
        let count: u64 = self.read(&key)?.unwrap_or(0);
        let next = count.checked_add(1).ok_or(ExecutionError::Overflow)?;
        self.write(key, &next);
        Ok(())
    }

    pub(crate) fn write<T: Serialize>(&mut self, key: StateKey, value: &T) {
        self.writes.insert(key, canonical::encode(value));
    }
}

impl<V: StateView + ?Sized> StateView for Overlay<'_, V> {
    fn get(&self, key: &StateKey) -> Result<Option<Vec<u8>>, StateReadError> {
        match self.writes.get(key) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => self.view.get(key),
        }
    }
}
