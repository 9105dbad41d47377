//! The store's part of a checkpoint: what changed since the last one, as entries of a key-value manifest.
//!
//! One entry a record, not one a group: a commit in a group of ten thousand partitions costs one entry. The key is
//! the record's key as Kafka writes it; the value is
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version of this format: 1 |
//! | 8 | offset of the record in `__consumer_offsets`, big-endian; -1 if it does not matter |
//! | rest | the record's value as Kafka writes it |
//!
//! Kinds of keys that come later pass [`GroupStore::restore`] like any other, and Kafka's values can grow by tagged fields.

use bytes::{BufMut, Bytes, BytesMut};

use super::GroupStore;
use crate::schema::{Key, RecordError, encode_group, encode_offset};

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 9;

impl GroupStore {
    /// Entries to put into the manifest, or to take out of it (no value), since the last call. Sorted by key.
    pub fn take_dirty(&mut self) -> Vec<(Bytes, Option<Bytes>)> {
        let dirty = std::mem::take(&mut self.dirty);
        dirty.into_iter().map(|key| (key.clone(), self.snapshot_of(&key))).collect()
    }

    /// Takes back an entry of the manifest at start.
    pub fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), RecordError> {
        const WHAT: &str = "a group's entry in the manifest";
        let (head, record) = value.split_at_checked(HEAD_BYTES).ok_or(RecordError::Truncated(WHAT))?;
        if head[0] != VERSION {
            return Err(RecordError::UnknownVersion { what: WHAT, version: i16::from(head[0]) });
        }
        let record_offset = i64::from_be_bytes(head[1..].try_into().expect("the head has nine bytes"));
        let was_dirty = std::mem::take(&mut self.dirty);
        let restored = self.apply(record_offset, key, Some(record));
        self.dirty = was_dirty;
        restored
    }

    /// Forgets all records: all are to be taken out of the manifest then.
    pub fn clear(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.extend(self.keys());
        *self = GroupStore { dirty, ..GroupStore::default() };
    }

    /// All records, as they stand in a manifest: for another replica to take over.
    pub fn all(&self) -> Vec<(Bytes, Bytes)> {
        self.keys().into_iter().filter_map(|key| self.snapshot_of(&key).map(|value| (key, value))).collect()
    }

    /// Becomes the store whose records these are. All of them are dirty then, and so is what was here before.
    ///
    /// # Errors
    /// A record that is not understood; the store holds those before it.
    pub fn take_over<'a>(
        &mut self,
        records: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), RecordError> {
        self.clear();
        for (key, value) in records {
            self.restore(key, value)?;
        }
        let keys = self.keys();
        self.dirty.extend(keys);
        Ok(())
    }

    fn keys(&self) -> Vec<Bytes> {
        let mut keys = Vec::new();
        for (name, group) in self.groups() {
            keys.extend(group.map(|_| Key::Group(name).encode()));
            let offsets = self.offsets_of(name);
            keys.extend(offsets.map(|(topic, partition, _)| Key::Offset { group: name, topic, partition }.encode()));
        }
        keys
    }

    pub(super) fn mark_dirty(&mut self, raw: &[u8], key: Key<'_>) {
        if !self.dirty.contains(raw) {
            self.dirty.insert(key.encode());
        }
    }

    fn snapshot_of(&self, key: &[u8]) -> Option<Bytes> {
        let (record_offset, record) = match Key::decode(key).expect("only keys that were decoded become dirty") {
            Key::Offset { group, topic, partition } => {
                let offset = self.offset(group, topic, partition)?;
                (offset.record_offset, encode_offset(offset))
            }
            Key::Group(group) => (-1, encode_group(self.group(group)?)),
            Key::Other(_) => return None,
        };
        let mut value = BytesMut::with_capacity(HEAD_BYTES + record.len());
        value.put_u8(VERSION);
        value.put_i64(record_offset);
        value.put_slice(&record);
        Some(value.freeze())
    }
}
