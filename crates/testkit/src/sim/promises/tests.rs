//! Each promise must catch the answers that break it, and only those.

use super::{Bounds, Commits, Epochs, Finding, Generations, Rule, Teller};
use crate::history::Partition;

const GROUP: &str = "group";
const ONE: Teller = (1, 1);
const ANOTHER: Teller = (2, 1);

fn at() -> Partition {
    Partition::new("orders", 0)
}

#[track_caller]
fn assert_breaks(finding: Option<Finding>, rule: Rule, words: &str) {
    let finding = finding.expect("a promise is broken");
    assert_eq!(finding.rule, rule, "{finding}");
    assert!(finding.what.contains(words), "{finding}");
}

#[test]
fn a_log_that_grows_and_is_deleted_from_as_asked_keeps_its_promises() {
    let mut bounds = Bounds::default();
    let before = bounds.asked(&at());
    assert_eq!(bounds.told_end(&at(), before, 10), None);
    bounds.deleting(&at(), 4);
    assert_eq!(bounds.told_start(&at(), before, 4), None);
    assert_eq!(bounds.refused(&at(), 3), None);
    // These were asked before the others were answered, so that they may be older.
    assert_eq!(bounds.told_end(&at(), before, 7), None);
    assert_eq!(bounds.told_start(&at(), before, 0), None);
}

#[test]
fn an_end_behind_what_was_known_when_asked_has_gone_back() {
    let mut bounds = Bounds::default();
    bounds.told_end(&at(), bounds.asked(&at()), 10);
    let asked = bounds.asked(&at());
    assert_breaks(bounds.told_end(&at(), asked, 9), Rule::EndWentBack, "ended at 9");
    assert_breaks(bounds.refused(&at(), 9), Rule::EndWentBack, "offset 9 of orders-0 is out of range");
}

#[test]
fn a_start_that_goes_back_or_ahead_of_what_was_asked_has_moved() {
    let mut bounds = Bounds::default();
    bounds.deleting(&at(), 4);
    assert_breaks(bounds.told_start(&at(), bounds.asked(&at()), 5), Rule::StartMoved, "nothing beyond 4");
    let asked = bounds.asked(&at());
    assert_breaks(bounds.told_start(&at(), asked, 3), Rule::StartMoved, "started at 3");
}

#[test]
fn a_commit_is_shown_until_a_later_one_is() {
    let mut commits = Commits::default();
    let since = commits.looking();
    assert_eq!(commits.shown(GROUP, &at(), since, None), None);
    commits.asked(GROUP, &at(), 1, 10);
    // Asked and not answered: it may be there or not.
    let since = commits.looking();
    assert_eq!(commits.shown(GROUP, &at(), since, None), None);
    assert_eq!(commits.shown(GROUP, &at(), since, Some((1, 10))), None);
    commits.answered(GROUP, &at(), 1, true);
    commits.asked(GROUP, &at(), 2, 20);
    let since = commits.looking();
    commits.answered(GROUP, &at(), 2, true);
    assert_eq!(commits.shown(GROUP, &at(), since, Some((1, 10))), None, "this look began before the answer");
    assert_eq!(commits.shown(GROUP, &at(), since, Some((2, 20))), None);
}

#[test]
fn a_commit_that_was_answered_and_is_not_shown_is_lost() {
    let mut commits = Commits::default();
    commits.asked(GROUP, &at(), 1, 10);
    commits.answered(GROUP, &at(), 1, true);
    let since = commits.looking();
    assert_breaks(commits.shown(GROUP, &at(), since, None), Rule::CommitLost, "commit 1 of offset 10");
    commits.asked(GROUP, &at(), 2, 20);
    commits.answered(GROUP, &at(), 2, true);
    let since = commits.looking();
    assert_breaks(commits.shown(GROUP, &at(), since, Some((1, 10))), Rule::CommitLost, "commit 2 of offset 20");
}

#[test]
fn a_commit_that_was_shown_once_stays() {
    let mut commits = Commits::default();
    commits.asked(GROUP, &at(), 1, 10);
    let since = commits.looking();
    assert_eq!(commits.shown(GROUP, &at(), since, Some((1, 10))), None);
    let since = commits.looking();
    assert_breaks(commits.shown(GROUP, &at(), since, None), Rule::CommitLost, "commit 1");
}

#[test]
fn what_is_shown_must_have_been_committed() {
    let mut commits = Commits::default();
    commits.asked(GROUP, &at(), 1, 10);
    commits.answered(GROUP, &at(), 1, false);
    let since = commits.looking();
    assert_breaks(commits.shown(GROUP, &at(), since, Some((1, 10))), Rule::CommitLost, "refused");
    assert_breaks(commits.shown(GROUP, &at(), since, Some((7, 10))), Rule::CommitLost, "nobody made");
    commits.asked(GROUP, &at(), 2, 20);
    assert_breaks(commits.shown(GROUP, &at(), since, Some((2, 21))), Rule::CommitLost, "shows offset 21");
}

#[test]
fn a_generation_that_was_settled_does_not_come_again() {
    let mut generations = Generations::default();
    let asked = generations.asked(GROUP);
    assert_eq!(generations.joined(GROUP, asked, 1), None);
    generations.settled(GROUP, 1);
    assert_eq!(generations.joined(GROUP, asked, 1), None, "it asked before");
    let asked = generations.asked(GROUP);
    assert_eq!(generations.joined(GROUP, asked, 2), None);
    assert_eq!(generations.joined(GROUP, asked, 1), None, "a static member that comes back finds its generation");
    generations.settled(GROUP, 3);
    let asked = generations.asked(GROUP);
    assert_breaks(generations.joined(GROUP, asked, 2), Rule::GenerationReused, "generation 2");
}

#[test]
fn epochs_grow_over_time_and_along_the_log() {
    let mut epochs = Epochs::default();
    assert_eq!(epochs.told(&at(), ONE, epochs.asked(&at(), ONE), 1, 3), None);
    let asked = epochs.asked(&at(), ONE);
    assert_breaks(epochs.told(&at(), ONE, asked, 1, 2), Rule::EpochWentBack, "epoch 2 after epoch 3, says broker 1");
    assert_eq!(epochs.read(&at(), 10, 3), None);
    assert_eq!(epochs.read(&at(), 0, 1), None);
    assert_eq!(epochs.read(&at(), 10, 3), None);
    assert_breaks(epochs.read(&at(), 5, 4), Rule::EpochWentBack, "offset 5 is of epoch 4");
    assert_breaks(epochs.read(&at(), 0, 2), Rule::EpochWentBack, "was of epoch 1");
}

#[test]
fn an_epoch_has_one_leader_whoever_tells() {
    let mut epochs = Epochs::default();
    assert_eq!(epochs.told(&at(), ONE, -1, 1, 3), None);
    assert_eq!(epochs.told(&at(), ANOTHER, epochs.asked(&at(), ANOTHER), 2, 2), None, "it has not heard of epoch 3");
    assert_eq!(epochs.told(&at(), ANOTHER, 2, -1, 4), None, "nobody leads yet");
    assert_eq!(epochs.told(&at(), ANOTHER, 4, 2, 4), None);
    assert_breaks(epochs.told(&at(), ANOTHER, 2, 2, 3), Rule::TwoLeaders, "led by 2 in epoch 3, which 1 leads");
}
