//! The fenced blocks of a page.

/// What stands between two fences.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    /// What the opening fence says.
    pub(crate) language: &'a str,
    /// Of the opening fence, from 1.
    pub(crate) line: usize,
    /// With the end of its last line.
    pub(crate) text: &'a str,
}

/// All blocks of a page, in order.
pub(crate) fn blocks(page: &str) -> Vec<Block<'_>> {
    let (mut blocks, mut open, mut at) = (Vec::new(), None, 0);
    for (number, line) in page.split_inclusive('\n').enumerate() {
        at += line.len();
        match (line.trim_end().strip_prefix("```"), open.take()) {
            (Some(language), None) => open = Some((language, number + 1, at)),
            (Some(_), Some((language, line_number, from))) => {
                blocks.push(Block { language, line: line_number, text: &page[from..at - line.len()] });
            }
            (None, still_open) => open = still_open,
        }
    }
    assert_eq!(open, None, "a fence that is never closed");
    blocks
}

#[test]
fn a_page_falls_into_its_blocks() {
    let page = "words\n```sh\none\ntwo\n```\n\n```text\n```\n";
    let expected =
        [Block { language: "sh", line: 2, text: "one\ntwo\n" }, Block { language: "text", line: 7, text: "" }];
    assert_eq!(blocks(page), expected);
}
