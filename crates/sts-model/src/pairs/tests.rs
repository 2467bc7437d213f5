//! The reader against files good, bad and strange.

use proptest::prelude::*;

use super::*;

const HEADER: &str = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n";

/// What is read, each pair as one text, each error as its message; it is the same whatever the chunks.
#[track_caller]
fn check(file: impl AsRef<[u8]>, labels: Labels, expected: &[&str]) {
    for size in [None, Some(1), Some(7), Some(100), Some(MAX_LINE), Some(1 << 20)] {
        assert_eq!(read(file.as_ref(), labels, size), expected, "{size:?}");
    }
}

/// Reads all, as text; by the reader alone, or by chunks of this size.
fn read(file: &[u8], labels: Labels, size: Option<usize>) -> Vec<String> {
    let reader = match Reader::new(file, labels) {
        Err(error) => return vec![format!("! {error}")],
        Ok(reader) => reader,
    };
    let Some(size) = size else { return reader.map(as_text).collect() };
    let mut texts = Vec::new();
    for chunk in reader.chunks(size) {
        match chunk {
            Ok(chunk) => texts.extend(chunk.pairs().map(as_text)),
            Err(error) => texts.push(format!("! {error}")),
        }
        if texts.last().is_some_and(|last| last.contains("longer than")) {
            break;
        }
    }
    texts
}

fn as_text(item: Result<Pair, PairError>) -> String {
    match item {
        Ok(Pair { label, id1, id2, sentence1, sentence2 }) => {
            let label = label.map_or("?", |label| if label { "1" } else { "0" });
            [label, &id1, &id2, &sentence1, &sentence2].join("|")
        }
        Err(error) => format!("! {error}"),
    }
}

#[test]
fn reads_pairs() {
    check(format!("{HEADER}1\ta\tb\tOne.\tTwo.\n0\tc\td\tx\ty\n"), Labels::Required, &["1|a|b|One.|Two.", "0|c|d|x|y"]);
}

#[test]
fn a_quotation_mark_is_text() {
    let file = format!("{HEADER}1\ta\tb\t\"Yes,\" he said.\t\"No\n0\tc\td\te\"\tf\n");
    check(file, Labels::Required, &["1|a|b|\"Yes,\" he said.|\"No", "0|c|d|e\"|f"]);
}

#[test]
fn byte_order_mark_crlf_blank_lines_and_missing_last_line_end_are_fine() {
    let file = format!("\u{feff}{}1\ta\tb\tx\ty\r\n\r\n0\tc\td\t\u{e9}\tz", HEADER.replace('\n', "\r\n"));
    check(file, Labels::Required, &["1|a|b|x|y", "0|c|d|\u{e9}|z"]);
}

#[test]
fn columns_are_found_by_name() {
    let file = "#2 String\tnote\tQuality\t#1 String\t#1 ID\t#2 ID\ny\tn\t1\tx\ta\tb\n";
    check(file, Labels::Required, &["1|a|b|x|y"]);
}

#[test]
fn labels_may_be_optional() {
    check(format!("{HEADER}\ta\tb\tx\ty\n1\ta\tb\tx\ty\n"), Labels::Optional, &["?|a|b|x|y", "1|a|b|x|y"]);
    check("#1 ID\t#2 ID\t#1 String\t#2 String\na\tb\tx\ty\n", Labels::Optional, &["?|a|b|x|y"]);
}

#[test]
fn bad_headers_are_refused() {
    check(
        "",
        Labels::Required,
        &[
            "! the file is empty: expected a header line with the tab-separated columns Quality, #1 ID, #2 ID, #1 String, #2 String",
        ],
    );
    check(HEADER, Labels::Required, &["! the file has a header but no pair"]);
    check(
        "Quality,#1 ID\n1,2\n",
        Labels::Required,
        &[
            "! line 1: the header has no column \"Quality\": expected the tab-separated columns Quality, #1 ID, #2 ID, #1 String, #2 String, found Quality,#1 ID",
        ],
    );
    check("Quality\tQuality\n", Labels::Optional, &["! line 1: the header has the column \"Quality\" twice"]);
    check(
        b"\xff\xfeQ\0u\0",
        Labels::Required,
        &["! line 1, column 1: byte 1 of the line is not UTF-8: save the file as UTF-8"],
    );
}

#[test]
fn bad_rows_are_refused_one_by_one() {
    let mut file = format!("{HEADER}yes\ta\tb\tx\ty\n1\ta\tb\tx\n\n1\ta\tb\tx\ty\tz\n\ta\tb\tx\ty\n").into_bytes();
    file.extend(b"1\ta\tb\tcaf\xe9\ty\n1\ta\tb\tx\ty\n");
    check(
        file,
        Labels::Required,
        &[
            "! line 2, column 1 (Quality): \"yes\" is not a label: expected 0 or 1",
            "! line 3: 4 tab-separated columns, where the header has 5 (a sentence must not contain a tab or a line end)",
            "! line 5: 6 tab-separated columns, where the header has 5 (a sentence must not contain a tab or a line end)",
            "! line 6, column 1 (Quality): \"\" is not a label: expected 0 or 1",
            "! line 7, column 4: byte 10 of the line is not UTF-8: save the file as UTF-8",
            "1|a|b|x|y",
        ],
    );
}

#[test]
fn an_endless_line_ends_the_reading() {
    let longest = "x".repeat(MAX_LINE - "1\ta\tb\t\ty".len());
    check(format!("{HEADER}1\ta\tb\t{longest}\ty\r\n"), Labels::Required, &[&format!("1|a|b|{longest}|y")]);
    check(
        format!("{HEADER}1\ta\tb\t{longest}x\ty\n1\ta\tb\tx\ty\n"),
        Labels::Required,
        &["! line 2: longer than 65536 bytes: is this a text file with one pair per line?"],
    );
    check(
        "x".repeat(10 * MAX_LINE),
        Labels::Required,
        &["! line 1: longer than 65536 bytes: is this a text file with one pair per line?"],
    );
}

#[test]
fn a_failing_source_ends_the_reading() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let input = HEADER.as_bytes().chain(io::BufReader::new(Broken));
    let items: Vec<_> = Reader::new(input, Labels::Required).unwrap().collect();
    assert!(
        matches!(&items[..], [Err(PairError::Read { line: 2, source })] if source.to_string() == "the disk is gone")
    );
    // Chunks give what came before, and not the half of a line.
    let begun = format!("{HEADER}1\ta\tb\tx\ty\n1\ta");
    let input = begun.as_bytes().chain(io::BufReader::new(Broken));
    let items: Vec<_> = Reader::new(input, Labels::Required).unwrap().chunks(1000).collect();
    let [Ok(chunk), Err(PairError::Read { line: 3, .. })] = &items[..] else { panic!("{items:?}") };
    assert_eq!(chunk.pairs().map(as_text).collect::<Vec<_>>(), ["1|a|b|x|y"]);
}

/// A source that says how often it was asked.
struct Counted<'a>(&'a [u8], &'a std::cell::Cell<usize>);

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.set(self.1.get() + 1);
        self.0.read(buffer)
    }
}

/// Work that grew with the square of these would take hours.
#[test]
fn odd_files_are_read_once() {
    let rows = "1\ta\tb\tx\ty\n".repeat(20_000);
    let longest = format!("1\ta\tb\t{}\ty\n", "x".repeat(MAX_LINE - 10));
    for (rows, pairs) in [
        (rows.clone(), 20_000),
        ("\n".repeat(1_000_000) + "1\ta\tb\tx\ty", 1),
        ("\r\n".repeat(300_000) + &rows, 20_000),
        (longest.repeat(40), 40),
        ("\t".repeat(MAX_LINE) + "\n" + &rows, 20_000),
        ("\t\n".repeat(300_000), 0),
    ] {
        let file = HEADER.to_owned() + &rows;
        let items = Reader::new(file.as_bytes(), Labels::Required).unwrap();
        assert_eq!(items.filter(Result::is_ok).count(), pairs);
        for size in [100, 10_000] {
            let asked = std::cell::Cell::new(0);
            let source = io::BufReader::new(Counted(file.as_bytes(), &asked));
            let chunks = Reader::new(source, Labels::Required).unwrap().chunks(size);
            let read: usize = chunks.map(|chunk| chunk.unwrap().pairs().filter(Result::is_ok).count()).sum();
            assert_eq!(read, pairs);
            // Half of the buffer's size at a time, on average.
            assert!(asked.get() <= file.len() / 4096 + 10, "{} of {}", asked.get(), file.len());
        }
    }
    let header = format!("{}\t{}\n1\n", HEADER.trim_end(), "x\t".repeat(30_000));
    assert_eq!(Reader::new(header.as_bytes(), Labels::Required).unwrap().count(), 1);
}

/// A line as files have them, broken in the ways in which files are.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        Just(&b"1"[..]),
        Just(&b"0"[..]),
        Just(&b"\""[..]),
        Just(&b"\r"[..]),
        Just(&b"\xef\xbb\xbf"[..]),
        Just(&b"\xff"[..]),
        Just(&b"caf\xc3\xa9"[..]),
        Just(&b""[..]),
    ];
    proptest::collection::vec(field, 0..7).prop_map(|fields| fields.join(&b'\t'))
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), headed: bool) {
        let mut file = if headed { HEADER.as_bytes().to_vec() } else { Vec::new() };
        file.extend(bytes);
        if let Ok(reader) = Reader::new(file.as_slice(), Labels::Optional) {
            prop_assert!(reader.count() >= 1);
        }
    }

    #[test]
    fn each_line_is_a_pair_or_an_error_in_order(lines in proptest::collection::vec(line(), 0..60), end in "(\n|\r\n|)") {
        let mut file = HEADER.as_bytes().to_vec();
        lines.iter().for_each(|line| file.extend([&line[..], b"\n"].concat()));
        file.extend(end.as_bytes());
        let is_blank = |line: &[u8]| matches!(line, b"" | b"\r");
        let numbers: Vec<usize> = (2..).zip(&lines).filter(|(_, line)| !is_blank(line)).map(|(at, _)| at).collect();
        let items: Vec<_> = Reader::new(file.as_slice(), Labels::Required).unwrap().collect();
        if numbers.is_empty() {
            prop_assert!(matches!(items[..], [Err(PairError::NoPairs)]));
        } else {
            prop_assert_eq!(items.len(), numbers.len());
            for (item, number) in items.iter().zip(numbers) {
                if let Err(error) = item {
                    prop_assert!(error.to_string().starts_with(&format!("line {number}")), "{error}");
                }
            }
        }
    }

    #[test]
    fn chunks_are_as_the_whole(lines in "(1\ta\tb\tx\ty|\t|\r|1|\u{e9})?((\n|\r\n)(0\ta\tb\tx\ty|\t|\r|))*", end in any::<[u8; 2]>(), size in 1_usize..40) {
        let file = [HEADER.as_bytes(), lines.as_bytes(), &end].concat();
        prop_assert_eq!(read(&file, Labels::Optional, Some(size)), read(&file, Labels::Optional, None));
    }

    #[test]
    fn what_is_written_is_read(rows in proptest::collection::vec((any::<bool>(), "[^\t\r\n]{1,20}", "[^\t\r\n]{0,20}"), 1..20)) {
        let mut file = HEADER.to_owned();
        for (label, first, second) in &rows {
            file += &format!("{}\t{first}\t{second}\t{first}\t{second}\n", u8::from(*label));
        }
        let read: Vec<Pair> = Reader::new(file.as_bytes(), Labels::Required).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(read.len(), rows.len());
        for (pair, (label, first, second)) in read.iter().zip(&rows) {
            prop_assert_eq!(pair.label, Some(*label));
            prop_assert_eq!((&pair.id1, &pair.sentence1), (first, first));
            prop_assert_eq!((&pair.id2, &pair.sentence2), (second, second));
        }
    }
}
