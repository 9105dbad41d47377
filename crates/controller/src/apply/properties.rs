//! What holds for any commands in any order.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::arbitrary::history;
use crate::command::Command;
use crate::image::{ClusterImage, Draft};
use crate::{Outcome, apply};

fn image_after(history: &[Command]) -> ClusterImage {
    let mut draft = Draft::default();
    for (command, index) in history.iter().zip(1..) {
        apply(&mut draft, command.clone(), index).ok();
    }
    draft.image().clone()
}

proptest! {
    #[test]
    fn no_command_breaks_an_invariant(history in history()) {
        let mut draft = Draft::default();
        for (command, index) in history.into_iter().zip(1..) {
            apply(&mut draft, command.clone(), index).ok();
            let violations = draft.image().violations();
            prop_assert!(violations.is_empty(), "{command:?} left {violations:?}");
        }
    }

    #[test]
    fn the_same_entries_make_the_same_image(history in history()) {
        let entries: Vec<_> = history.iter().map(Command::encode).collect();
        let read: Vec<_> = entries.iter().map(|entry| Command::decode(entry).unwrap()).collect();
        prop_assert_eq!(&read, &history);
        prop_assert_eq!(image_after(&read), image_after(&history));
    }

    #[test]
    fn an_image_once_taken_never_changes(history in history(), at in any::<prop::sample::Index>()) {
        let at = at.index(history.len());
        let mut draft = Draft::new(image_after(&history[..at]));
        let taken = draft.image().clone();
        for (command, index) in history[at..].iter().zip(at as u64 + 1..) {
            apply(&mut draft, command.clone(), index).ok();
        }
        prop_assert_eq!(taken, image_after(&history[..at]));
    }

    #[test]
    fn what_changed_is_what_was_noted(history in history()) {
        let mut draft = Draft::default();
        for (command, index) in history.into_iter().zip(1..) {
            let before = draft.image().clone();
            draft.take_changed();
            apply(&mut draft, command.clone(), index).ok();
            let changed = draft.take_changed();
            let missed: BTreeSet<_> = crate::store::differences(&before, draft.image())
                .into_iter()
                .filter(|key| !changed.contains(key))
                .collect();
            prop_assert!(missed.is_empty(), "{command:?} changed {missed:?} unnoticed");
        }
    }

    #[test]
    fn producer_ids_are_distinct(history in history()) {
        let mut draft = Draft::default();
        let mut end = 0;
        for (command, index) in history.into_iter().zip(1..) {
            if let Ok(Outcome::ProducerIds(ids)) = apply(&mut draft, command, index) {
                prop_assert!(ids.start >= end && ids.end > ids.start);
                end = ids.end;
            }
        }
    }
}
