//! A busy hour of an endpoint: captures merged with their labels, and the merged records analysed, each by the program as
//! a monitoring schedule starts it.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::ensure;
use xshell::Shell;

use super::{Row, container, duration, peak_memory};

/// An endpoint begins a file about every minute.
const FILES: u64 = 60;

/// As many features as the toolkit's own model has.
const FEATURES: u32 = 30;

const MERGE: [(&str, &str); 3] = [
    ("dataset_source", "/opt/ml/processing/captured"),
    ("ground_truth_source", "/opt/ml/processing/labels"),
    ("output_path", "/opt/ml/processing/merged"),
];

const ANALYZE: [(&str, &str); 7] = [
    ("analysis_type", "MODEL_QUALITY"),
    ("dataset_format", r#"{"sagemakerMergeJson":{"captureIndexNames":["endpointOutput"]}}"#),
    ("dataset_source", "/opt/ml/processing/merged"),
    ("inference_attribute", "0"),
    ("output_path", "/opt/ml/processing/output"),
    ("probability_attribute", "1"),
    ("problem_type", "BinaryClassification"),
];

/// Both jobs, of some records and of ten times as many.
pub(super) fn run(sh: &Shell, program: &Path) -> anyhow::Result<Vec<Row>> {
    let few = Hour::measure(sh, program, 100_000)?;
    let many = Hour::measure(sh, program, 1_000_000)?;
    let is_met = many.time <= Duration::from_secs(5) && many.of_each() <= few.of_each() * 1.25;
    let what = |records: &str| format!("merge and analysis of {records}");
    Ok(vec![
        Row::plain(what("100,000"), few.figure()),
        Row::judged(what("1,000,000"), many.figure(), "at most 5 s, linear", is_met),
    ])
}

/// What an hour of so many records took.
struct Hour {
    records: u64,
    time: Duration,
    /// Of the larger of the two jobs, in KB.
    memory: u64,
}

impl Hour {
    fn measure(sh: &Shell, program: &Path, records: u64) -> anyhow::Result<Self> {
        let folder = sh.create_temp_dir()?;
        write(&folder.path().join("processing"), records)?;
        let mut hour = Self { records, time: Duration::ZERO, memory: 0 };
        for environment in [&MERGE[..], &ANALYZE] {
            let start = Instant::now();
            let mut command = container(program, folder.path());
            let mut child = command.arg("monitor").envs(environment.iter().copied()).stdout(Stdio::null()).spawn()?;
            hour.memory = hour.memory.max(peak_memory(&mut child)?);
            ensure!(child.wait()?.success(), "monitor failed");
            hour.time += start.elapsed();
        }
        Ok(hour)
    }

    /// In nanoseconds.
    fn of_each(&self) -> f64 {
        self.time.as_secs_f64() * 1e9 / self.records as f64
    }

    fn figure(&self) -> String {
        let Self { time, memory, .. } = self;
        format!("{:.1} s, {} each, {} MB", time.as_secs_f64(), duration(self.of_each()), memory / 1024)
    }
}

/// Captures of that many requests, and their labels, below a folder.
fn write(folder: &Path, records: u64) -> anyhow::Result<()> {
    let create = |path: &Path| -> anyhow::Result<_> {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        Ok(BufWriter::new(File::create(path)?))
    };
    let mut labels = create(&folder.join("labels/2021/05/18/01/0100.jsonl"))?;
    let numbers: Vec<u64> = (0..records).collect();
    for (minute, numbers) in numbers.chunks(records.div_ceil(FILES) as usize).enumerate() {
        let mut captured =
            create(&folder.join(format!("captured/endpoint/AllTraffic/2021/05/18/00/{minute:02}-04-146.jsonl")))?;
        for n in numbers {
            // Every probability another, in no order: the worst for sorting.
            let probability = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1_u64 << 53) as f64;
            let features: Vec<String> =
                (0..FEATURES).map(|feature| format!("{:.4}", probability * f64::from(feature))).collect();
            let side = |side: &str, mode: &str, data: &str| {
                format!(
                    r#""{side}":{{"observedContentType":"text/csv","mode":"{mode}","data":"{data}","encoding":"CSV"}}"#
                )
            };
            let input = side("endpointInput", "INPUT", &features.join(","));
            let output = side("endpointOutput", "OUTPUT", &format!("{},{probability}\\n", u8::from(probability > 0.5)));
            let ids = format!(
                r#"{{"eventId":"{n:08x}-6cd4-4d3a-9b9e-{n:012x}","inferenceId":"sts_{n}","inferenceTime":"2021-05-18T00:29:02Z"}}"#
            );
            writeln!(captured, r#"{{"captureData":{{{input},{output}}},"eventMetadata":{ids},"eventVersion":"0"}}"#)?;
            let label = format!(r#"{{"data":"{}","encoding":"CSV"}}"#, n % 2);
            writeln!(
                labels,
                r#"{{"groundTruthData":{label},"eventMetadata":{{"eventId":"sts_{n}"}},"eventVersion":"0"}}"#
            )?;
        }
        captured.flush()?;
    }
    labels.flush()?;
    Ok(())
}
