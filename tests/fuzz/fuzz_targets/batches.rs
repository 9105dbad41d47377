//! Record batches as producers send them, of every codec. Length, magic and CRC are made right, so that the rest is
//! looked at, too: an enemy can do that.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record::{BatchView, Limits, MAX_DECOMPRESSED_BATCH_BYTES, Records, check};
use tidelog_fuzz::mend_batch;

fuzz_target!(|bytes: &[u8]| {
    let mut batch = bytes.to_vec();
    mend_batch(&mut batch);
    let Ok(info) = check(&batch, &Limits::default()) else { return };
    let view = BatchView::new(&batch).expect("a checked batch is one");
    view.verify_crc().expect("the CRC was checked");
    let records = Records::of(&view, MAX_DECOMPRESSED_BATCH_BYTES).expect("a checked batch can be read");
    let mut count = 0;
    for record in records.iter() {
        let record = record.expect("each record of a checked batch can be read");
        record.headers.iter().for_each(drop);
        count += 1;
    }
    assert_eq!(count, info.count);
});
