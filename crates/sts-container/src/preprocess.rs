//! `preprocess`: sentence pairs to rows of features.
//!
//! Reads the input twice: first to count words in the train part and to see that the split works out, then to write the
//! rows. Both times it goes through in chunks, by all cores; the rows are in the order of the input all the same. Of
//! several instances each counts over the whole input and writes its own share of the rows, so that together they write
//! exactly the rows that one would.

use std::path::PathBuf;

use sts_model::{
    features::{self, Extractor},
    pairs::{COLUMNS, Chunk, Labels, Pair, Reader},
    rows,
    split::{Part, shard},
    vocabulary::{Counter, Vocabulary},
};

use crate::{
    contract::{Instance, OptMl, Processing},
    error::Error,
    files::{self, Output},
    parallel, say,
};

/// Runs the verb.
///
/// # Errors
/// The job lacks an input or output, a file is not as it should be, or a part has not both classes.
pub(crate) fn run(opt_ml: &OptMl) -> Result<(), Error> {
    let job = Processing::read(opt_ml)?;
    let input = files::list(&job.input("input")?, None)?;
    let vocabulary_folder = job.optional_output("vocabulary")?;
    let mut outputs = Outputs::new(&job)?;

    say(format_args!("counting words in {} file(s)", input.len()));
    let (mut vocabulary, counts) = count(&input)?;
    say(format_args!("{} words of {} sentences", vocabulary.len(), vocabulary.sentences()));
    if vocabulary_folder.is_none() {
        // What cannot travel to the model must not be used: serving would compute other features than training.
        say(format_args!("the job has no output \"vocabulary\": the features use no word counts"));
        vocabulary = Counter::new().finish();
    }

    let mut written = Counts::default();
    let work = |extractor: &mut Extractor, chunk| Rows::of(chunk, job.instance, extractor);
    parallel::in_order(
        chunks(&input),
        || Extractor::new(&vocabulary),
        work,
        |rows| {
            written.merge(&rows.counts);
            outputs.append(&rows)
        },
    )?;
    outputs.finish()?;
    // One is enough: all instances have counted the same.
    if let (0, Some(folder)) = (job.instance.number, vocabulary_folder) {
        files::write(&folder.join("vocabulary.json"), &vocabulary.to_json())?;
    }
    opt_ml.finish(&summary(job.instance, &written, &counts, &vocabulary))
}

/// Pairs of each part by label, `[part][label]`.
#[derive(Debug, Default)]
struct Counts([[u64; 2]; 3]);

impl Counts {
    fn add(&mut self, part: Part, label: bool) {
        self.0[part as usize][usize::from(label)] += 1;
    }

    fn merge(&mut self, other: &Self) {
        self.0.as_flattened_mut().iter_mut().zip(other.0.as_flattened()).for_each(|(count, more)| *count += more);
    }

    fn of(&self, part: Part) -> u64 {
        self.0[part as usize].iter().sum()
    }

    fn all(&self) -> u64 {
        Part::ALL.map(|part| self.of(part)).iter().sum()
    }

    /// How many pairs of which part, and how many of them are paraphrases.
    fn describe(&self, part: Part) -> String {
        let positives = self.0[part as usize][1];
        match self.of(part) {
            0 => format!("{} 0", part.name()),
            all => format!("{} {all} ({:.1}% paraphrases)", part.name(), 100.0 * positives as f64 / all as f64),
        }
    }

    /// # Errors
    /// A part has no pairs, or only such of one label.
    fn check(&self) -> Result<(), Error> {
        for part in Part::ALL {
            let [negatives, positives] = self.0[part as usize];
            let name = part.name();
            match (negatives, positives) {
                (0, 0) => return Err(Error::EmptyPart { part: name, pairs: self.all() }),
                (0, pairs) => return Err(Error::SingleClass { part: name, pairs, label: 1 }),
                (pairs, 0) => return Err(Error::SingleClass { part: name, pairs, label: 0 }),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The first reading.
fn count(input: &[PathBuf]) -> Result<(Vocabulary, Counts), Error> {
    let mut counts = Counts::default();
    let work = |words: &mut Counter, chunk| {
        let mut counts = Counts::default();
        each_pair(chunk, |pair, label| {
            let part = Part::of(pair);
            if part == Part::Train {
                words.add(pair);
            }
            counts.add(part, label);
        })?;
        Ok(counts)
    };
    let counters = parallel::in_order(chunks(input), Counter::new, work, |more| {
        counts.merge(&more);
        Ok(())
    })?;
    counts.check()?;
    let words = counters.into_iter().reduce(|mut words, more| {
        words.merge(more);
        words
    });
    Ok((words.unwrap_or_default().finish(), counts))
}

/// Lines of a file of pairs.
type Lines<'a> = (&'a PathBuf, Chunk);

/// The files in chunks.
fn chunks(input: &[PathBuf]) -> impl Iterator<Item = Result<Lines<'_>, Error>> + Send {
    /// Large enough that handing it over costs nothing, small enough that small files, too, are shared evenly.
    const SIZE: usize = 16 * 1024;
    let cut = |file| Ok(Reader::new(file, Labels::Required)?.chunks(SIZE));
    files::chunks(input, cut, |path, source| Error::Pairs { path, source })
}

fn each_pair((path, chunk): Lines, mut each: impl FnMut(&Pair, bool)) -> Result<(), Error> {
    let (mut pairs, mut pair) = (chunk.pairs(), Pair::default());
    while let Some(read) = pairs.read_into(&mut pair) {
        read.map_err(|source| Error::Pairs { path: path.clone(), source })?;
        // Where labels are required, every pair has one.
        if let Some(label) = pair.label {
            each(&pair, label);
        }
    }
    Ok(())
}

/// What a chunk adds to the files: rows of each part, and the pairs behind the test rows, line by line the same.
#[derive(Debug, Default)]
struct Rows {
    rows: [String; 3],
    pairs: String,
    counts: Counts,
}

impl Rows {
    fn of(chunk: Lines, instance: Instance, extractor: &mut Extractor) -> Result<Self, Error> {
        let mut rows = Self::default();
        each_pair(chunk, |pair, label| {
            if shard(pair, instance.count) == instance.number {
                rows.add(pair, label, extractor);
            }
        })?;
        Ok(rows)
    }

    fn add(&mut self, pair: &Pair, label: bool, extractor: &mut Extractor) {
        let part = Part::of(pair);
        self.counts.add(part, label);
        let features = extractor.extract(&pair.sentence1, &pair.sentence2);
        rows::write_labelled(&mut self.rows[part as usize], label, &features);
        if part == Part::Test {
            let Pair { id1, id2, sentence1, sentence2, .. } = pair;
            self.pairs += &format!("{}\t{id1}\t{id2}\t{sentence1}\t{sentence2}\n", u8::from(label));
        }
    }
}

/// The files of one instance.
#[derive(Debug)]
struct Outputs {
    rows: [Output; 3],
    pairs: Output,
    has_header: bool,
}

impl Outputs {
    fn new(job: &Processing) -> Result<Self, Error> {
        let file = |part: Part, stem: &str, extension: &str| -> Result<Output, Error> {
            let folder = job.output(part.name())?;
            Ok(Output::new(folder.join(file_name(stem, extension, job.instance))))
        };
        let rows = |part: Part| file(part, part.name(), "csv");
        Ok(Self {
            rows: [rows(Part::Train)?, rows(Part::Validation)?, rows(Part::Test)?],
            pairs: file(Part::Test, "pairs", "tsv")?,
            has_header: false,
        })
    }

    fn append(&mut self, more: &Rows) -> Result<(), Error> {
        for (output, rows) in self.rows.iter_mut().zip(&more.rows).filter(|(_, rows)| !rows.is_empty()) {
            output.append(rows)?;
        }
        if !more.pairs.is_empty() {
            if !self.has_header {
                self.pairs.append(&(COLUMNS.join("\t") + "\n"))?;
                self.has_header = true;
            }
            self.pairs.append(&more.pairs)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Error> {
        self.rows.into_iter().try_for_each(Output::finish)?;
        self.pairs.finish()
    }
}

/// `train.csv`, or `train-00001-of-00004.csv` of several instances.
fn file_name(stem: &str, extension: &str, Instance { number, count }: Instance) -> String {
    match count.get() {
        1 => format!("{stem}.{extension}"),
        count => format!("{stem}-{:05}-of-{count:05}.{extension}", number + 1),
    }
}

/// SageMaker puts the messages of all instances one after the other, so each says whose it is.
fn summary(instance: Instance, written: &Counts, all: &Counts, vocabulary: &Vocabulary) -> String {
    let rows = Part::ALL.map(|part| written.describe(part)).join(", ");
    match instance.count.get() {
        1 => {
            let (features, words) = (features::COUNT, vocabulary.len());
            format!("{} pairs: {rows}; {features} features, {words} words in the vocabulary", all.all())
        }
        count => format!("instance {} of {count}: {rows}, of {} in all. ", instance.number + 1, all.all()),
    }
}
