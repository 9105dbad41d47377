//! Each check must catch the history that breaks its promise, and only that.

use super::{Check, Partition, Recorder, check};

fn at() -> Partition {
    Partition::new("orders", 0)
}

/// Values 0, 1, 2 sent by `producer`, acknowledged at offsets 0, 1, 2.
fn three_sends() -> Recorder {
    let recorder = Recorder::default();
    for value in 0..3 {
        recorder.send("producer", &at(), value);
        recorder.acknowledged(value, i64::try_from(value).unwrap());
    }
    recorder
}

fn poll(recorder: &Recorder, process: &str, records: &[(i64, u64)]) {
    for (offset, value) in records {
        recorder.polled(process, &at(), *offset, *value);
    }
}

#[track_caller]
fn assert_found(recorder: &Recorder, expected: &[(Check, &str)]) {
    let found = check(&recorder.history());
    let checks: Vec<Check> = found.iter().map(|finding| finding.check).collect();
    assert_eq!(checks, expected.iter().map(|(check, _)| *check).collect::<Vec<_>>(), "{found:#?}");
    for (finding, (_, words)) in found.iter().zip(expected) {
        assert!(finding.what.contains(words), "{}", finding.what);
    }
}

#[test]
fn a_history_in_which_all_is_read_in_order_has_no_findings() {
    let recorder = three_sends();
    poll(&recorder, "consumer", &[(0, 0), (1, 1), (2, 2)]);
    poll(&recorder, "another", &[(1, 1), (2, 2)]);
    assert_found(&recorder, &[]);
}

#[test]
fn an_unacknowledged_send_may_be_in_the_log_or_not() {
    let recorder = three_sends();
    recorder.send("producer", &at(), 3);
    recorder.send("producer", &at(), 4);
    poll(&recorder, "consumer", &[(0, 0), (1, 1), (2, 2), (3, 4)]);
    assert_found(&recorder, &[]);
}

#[test]
fn offsets_without_a_known_value_may_be_passed_over() {
    let recorder = Recorder::default();
    recorder.send("producer", &at(), 1);
    recorder.acknowledged(1, 0);
    recorder.send("producer", &at(), 2);
    recorder.acknowledged(2, 5);
    poll(&recorder, "consumer", &[(0, 1), (5, 2)]);
    assert_found(&recorder, &[]);
}

#[test]
fn an_offset_polled_with_another_value_than_acknowledged_is_inconsistent() {
    let recorder = three_sends();
    recorder.send("other", &at(), 7);
    poll(&recorder, "consumer", &[(0, 0), (1, 7), (2, 2)]);
    assert_found(
        &recorder,
        &[
            (Check::InconsistentOffsets, "offset 1 of orders-0 was seen with the values {1, 7}"),
            (Check::LostWrite, "value 1"),
        ],
    );
}

#[test]
fn two_consumers_that_see_different_values_at_one_offset_are_inconsistent() {
    let recorder = Recorder::default();
    poll(&recorder, "consumer", &[(0, 8)]);
    poll(&recorder, "another", &[(0, 9)]);
    assert_found(&recorder, &[(Check::InconsistentOffsets, "{8, 9}")]);
}

#[test]
fn two_sends_acknowledged_at_one_offset_are_inconsistent() {
    let recorder = three_sends();
    recorder.send("other", &at(), 7);
    recorder.acknowledged(7, 1);
    poll(&recorder, "consumer", &[(0, 0), (1, 1), (2, 2)]);
    assert_found(&recorder, &[(Check::InconsistentOffsets, "{1, 7}"), (Check::LostWrite, "value 7")]);
}

#[test]
fn a_value_polled_at_two_offsets_is_a_duplicate() {
    let recorder = three_sends();
    poll(&recorder, "consumer", &[(0, 0), (1, 1), (2, 2), (3, 2)]);
    assert_found(&recorder, &[(Check::Duplicate, "value 2 stands at offset 2 of orders-0 and offset 3 of orders-0")]);
}

#[test]
fn a_value_polled_from_another_partition_than_sent_to_is_a_duplicate() {
    let recorder = three_sends();
    poll(&recorder, "consumer", &[(0, 0), (1, 1), (2, 2)]);
    recorder.polled("consumer", &Partition::new("orders", 1), 0, 2);
    assert_found(&recorder, &[(Check::Duplicate, "offset 0 of orders-1")]);
}

#[test]
fn an_acknowledged_value_that_reads_went_past_is_lost() {
    let recorder = three_sends();
    poll(&recorder, "consumer", &[(0, 0)]);
    recorder.repositioned("consumer");
    poll(&recorder, "consumer", &[(2, 2)]);
    assert_found(&recorder, &[(Check::LostWrite, "value 1 was acknowledged at offset 1 of orders-0")]);
}

#[test]
fn an_acknowledged_value_beyond_all_reads_is_unseen() {
    let recorder = three_sends();
    poll(&recorder, "consumer", &[(0, 0), (1, 1)]);
    assert_found(&recorder, &[(Check::Unseen, "value 2 was acknowledged at offset 2 of orders-0")]);
}

#[test]
fn a_partition_that_nobody_read_is_unseen() {
    assert_found(&three_sends(), &[(Check::Unseen, "value 0"), (Check::Unseen, "value 1"), (Check::Unseen, "value 2")]);
}

#[test]
fn what_was_to_be_deleted_need_not_be_there() {
    let recorder = three_sends();
    recorder.removed(&at(), 1);
    poll(&recorder, "consumer", &[(2, 2)]);
    assert_found(&recorder, &[(Check::LostWrite, "value 1")]);
    recorder.removed(&at(), 2);
    assert_found(&recorder, &[]);
    recorder.repositioned("consumer");
    poll(&recorder, "consumer", &[(0, 7)]); // what is still read must be right all the same
    assert_found(&recorder, &[(Check::InconsistentOffsets, "{0, 7}")]);
}

#[test]
fn a_failed_value_that_is_read_is_an_aborted_read() {
    let recorder = three_sends();
    recorder.send("producer", &at(), 3);
    recorder.failed(3);
    poll(&recorder, "consumer", &[(0, 0), (1, 1), (2, 2), (3, 3)]);
    assert_found(&recorder, &[(Check::AbortedRead, "value 3 failed, but was read at offset 3 of orders-0")]);
}

#[test]
fn a_consumer_that_jumps_over_a_known_value_skips() {
    let recorder = three_sends();
    poll(&recorder, "consumer", &[(0, 0), (2, 2)]);
    poll(&recorder, "another", &[(1, 1)]);
    assert_found(&recorder, &[(Check::PollSkip, "consumer went from offset 0 of orders-0 to 2, past {1} at offset 1")]);
}

#[test]
fn a_consumer_that_goes_back_or_repeats_is_nonmonotonic() {
    let recorder = three_sends();
    poll(&recorder, "consumer", &[(0, 0), (1, 1), (2, 2), (1, 1)]);
    poll(&recorder, "another", &[(2, 2), (2, 2)]);
    assert_found(
        &recorder,
        &[
            (Check::NonmonotonicPoll, "consumer polled offset 1 of orders-0 after offset 2"),
            (Check::NonmonotonicPoll, "another polled offset 2 of orders-0 after offset 2"),
        ],
    );
}

#[test]
fn a_rebalance_lets_a_consumer_go_back() {
    let recorder = three_sends();
    poll(&recorder, "consumer", &[(0, 0), (1, 1), (2, 2)]);
    recorder.repositioned("consumer");
    poll(&recorder, "consumer", &[(1, 1), (2, 2)]);
    assert_found(&recorder, &[]);
}

#[test]
fn a_producers_values_in_another_order_than_sent_are_nonmonotonic() {
    let recorder = Recorder::default();
    for value in [1, 2] {
        recorder.send("producer", &at(), value);
    }
    recorder.acknowledged(1, 1);
    poll(&recorder, "consumer", &[(0, 2), (1, 1)]); // 2 was never acknowledged, but seen
    assert_found(
        &recorder,
        &[(Check::NonmonotonicSend, "producer sent value 1 before 2 to orders-0, but they stand at 1 and 0")],
    );
}

#[test]
fn the_order_of_two_producers_is_free() {
    let recorder = Recorder::default();
    recorder.send("one", &at(), 1);
    recorder.send("two", &at(), 2);
    recorder.acknowledged(1, 1);
    recorder.acknowledged(2, 0);
    poll(&recorder, "consumer", &[(0, 2), (1, 1)]);
    assert_found(&recorder, &[]);
}
