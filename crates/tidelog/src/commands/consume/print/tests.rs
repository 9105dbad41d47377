use record::{BatchBuilder, BatchView, Records};

use super::*;

fn text(print: impl FnOnce(&mut Format)) -> Format {
    let mut format = Format {
        output: Output::Text,
        print_timestamp: false,
        print_partition: false,
        print_offset: false,
        print_headers: false,
        print_key: false,
        separator: "\t".to_owned(),
    };
    print(&mut format);
    format
}

/// Three records: one with everything, one with nothing but a value, and one whose key is no text and whose value is null.
fn printed(format: &Format, count: Option<u64>, end: Option<i64>) -> String {
    let mut batch = BatchBuilder::new().base_offset(7);
    let headers = [Header { key: b"a", value: Some(b"1") }, Header { key: b"a", value: None }];
    batch.push(1_700_000_000_000, Some(b"key"), Some(b"va\"lue"), &headers);
    batch.push(1_700_000_000_001, None, Some(b"two"), &[]);
    batch.push(1_700_000_000_002, Some(&[0xff, 0]), None, &[]);
    let batch = batch.build().unwrap();
    let mut printer = Printer { out: Vec::new(), topic: "t", format, left: count };
    for record in &Records::of(&BatchView::new(&batch).unwrap(), u64::MAX).unwrap() {
        match printer.print(3, &record.unwrap(), end) {
            Ok(()) | Err(Halt::Done) => {}
            Err(why) => panic!("{why:?}"),
        }
    }
    String::from_utf8_lossy(&printer.out).into_owned()
}

#[test]
fn text_is_the_value_in_a_line() {
    assert_eq!(printed(&text(|_| {}), None, None), "va\"lue\ntwo\nnull\n");
}

#[test]
fn text_has_what_was_asked_for_in_front() {
    let all = text(|format| {
        format.print_timestamp = true;
        format.print_partition = true;
        format.print_offset = true;
        format.print_headers = true;
        format.print_key = true;
        format.separator = "|".to_owned();
    });
    let first = printed(&all, Some(1), None);
    assert_eq!(first, "2023-11-14T22:13:20.000Z|3|7|a=1,a=null|key|va\"lue\n");
}

#[test]
fn json_has_all_of_a_record_and_loses_nothing() {
    let json = text(|format| format.output = Output::Json);
    let lines = [
        r#"{"topic":"t","partition":3,"offset":7,"timestamp":1700000000000,"key":"key","value":"va\"lue","headers":[{"key":"a","value":"1"},{"key":"a","value":null}]}"#,
        r#"{"topic":"t","partition":3,"offset":8,"timestamp":1700000000001,"key":null,"value":"two","headers":[]}"#,
        r#"{"topic":"t","partition":3,"offset":9,"timestamp":1700000000002,"key":{"base64":"/wA="},"value":null,"headers":[]}"#,
        "",
    ];
    assert_eq!(printed(&json, None, None), lines.join("\n"));
}

#[test]
fn printing_ends_after_the_count_and_at_the_end() {
    assert_eq!(printed(&text(|_| {}), Some(2), None), "va\"lue\ntwo\n");
    assert_eq!(printed(&text(|_| {}), None, Some(8)), "va\"lue\n");
    assert_eq!(printed(&text(|_| {}), Some(0), None), "");
}
