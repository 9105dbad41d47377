use record::{BatchBuilder, BatchView, Records};

use super::super::pattern::Pattern;
use super::*;

/// Three records: one with everything, one with nothing but a value, and one whose key is no text and whose value is null.
fn printed(style: Style<'_>) -> String {
    let mut batch = BatchBuilder::new().base_offset(7);
    let headers = [Header { key: b"a", value: Some(b"1") }, Header { key: b"a", value: None }];
    batch.push(1_700_000_000_000, Some(b"key"), Some(b"va\"lue"), &headers);
    batch.push(1_700_000_000_001, None, Some(b"two"), &[]);
    batch.push(1_700_000_000_002, Some(&[0xff, 0]), None, &[]);
    let batch = batch.build().unwrap();
    let mut printer = Printer::to(Vec::new(), style, None);
    for record in &Records::of(&BatchView::new(&batch).unwrap(), u64::MAX).unwrap() {
        printer.record("t", 3, &record.unwrap()).unwrap();
    }
    String::from_utf8_lossy(&printer.out).into_owned()
}

#[test]
fn text_is_the_value_in_a_line() {
    assert_eq!(printed(Style::Text(&Parts::default())), "va\"lue\ntwo\nnull\n");
}

#[test]
fn text_has_what_was_asked_for_in_front() {
    let all = Parts {
        print_topic: true,
        print_timestamp: true,
        print_partition: true,
        print_offset: true,
        print_headers: true,
        print_key: true,
        separator: "|".to_owned(),
    };
    let lines = printed(Style::Text(&all));
    assert_eq!(lines.lines().next(), Some("t|2023-11-14T22:13:20.000Z|3|7|a=1,a=null|key|va\"lue"));
}

#[test]
fn raw_values_have_nothing_between_them() {
    assert_eq!(printed(Style::Raw), "va\"luetwo");
}

#[test]
fn a_pattern_has_each_part_where_it_says() {
    let pattern = Pattern::parse("%t/%p/%o@%T %K:%k %S:%s [%h] 100%%\\n").unwrap();
    let lines = [
        "t/3/7@1700000000000 3:key 6:va\"lue [a=1,a=null] 100%",
        "t/3/8@1700000000001 -1: 3:two [] 100%",
        "t/3/9@1700000000002 2:\u{fffd}\0 -1: [] 100%",
        "",
    ];
    assert_eq!(printed(Style::Pattern(&pattern)), lines.join("\n"));
    let framed = Pattern::parse("%R%s").unwrap();
    assert!(printed(Style::Pattern(&framed)).starts_with("\0\0\0\u{6}va\"lue\0\0\0\u{3}two"));
}

#[test]
fn json_has_all_of_a_record_and_loses_nothing() {
    let lines = [
        r#"{"topic":"t","partition":3,"offset":7,"timestamp":1700000000000,"key":"key","value":"va\"lue","headers":[{"key":"a","value":"1"},{"key":"a","value":null}]}"#,
        r#"{"topic":"t","partition":3,"offset":8,"timestamp":1700000000001,"key":null,"value":"two","headers":[]}"#,
        r#"{"topic":"t","partition":3,"offset":9,"timestamp":1700000000002,"key":{"base64":"/wA="},"value":null,"headers":[]}"#,
        "",
    ];
    assert_eq!(printed(Style::Json), lines.join("\n"));
}
