//! `ground-truth`: the labels of what was captured, in the layout that the monitor reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Cursor;

use comfy_table::{ContentArrangement, Table, presets};
use model_monitor::layout;
use model_monitor::records::{Capture, GroundTruth, Records};
use serde::Serialize;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::{bootstrap, served};
use crate::aws::Session;
use crate::cli;
use crate::error::Failure;
use crate::names;
use crate::observe::objects;
use crate::output::{Output, many};
use crate::plan::{Action, Content, Operation, Plan, Verdict};
use crate::test_set;

/// Labels what was captured; with `--dry`, says only how well it fits together.
///
/// # Errors
/// When nothing is served or captured, or a call is refused.
pub async fn run(session: &Session, output: &Output, arguments: &cli::GroundTruth) -> Result<(), Failure> {
    let package = served(session).await?;
    let rows = test_set::read(session, &package).await?;
    let hours = captured(session).await?;
    if hours.is_empty() {
        return Err(Failure::operation("nothing has been captured yet")
            .hint("send some: cargo xtask traffic. SageMaker writes a file about a minute after its first record"));
    }
    let mut report = Report { hours: Vec::new(), dry: arguments.dry.dry };
    let mut plan = Plan::default();
    for (hour, captures) in hours {
        let (labelled, action) = label(session, &rows, &hour, &captures, arguments).await?;
        report.hours.push(labelled);
        plan.actions.extend(action);
    }
    // How well it fits together is known before anything is sent.
    output.print(&report, &report)?;
    if !arguments.dry.dry {
        bootstrap::execute(session, output, &plan).await?;
    }
    Ok(())
}

/// The hour of a folder: `2026/11/26/13`.
type Folder = String;

/// What was captured, by the hour, as the keys tell it.
async fn captured(session: &Session) -> Result<BTreeMap<Folder, Vec<Capture>>, Failure> {
    let (s3, site) = (&session.clients.s3, &session.site);
    let prefix = names::captured(&site.prefix);
    let mut hours: BTreeMap<Folder, Vec<Capture>> = BTreeMap::new();
    for object in objects::list(s3, &site.bucket, &prefix, &site.account).await? {
        let folder = object.key.strip_prefix(&prefix).and_then(|rest| rest.rsplit_once('/')).map(|(folder, _)| folder);
        let Some(folder) = folder.filter(|folder| begin(folder).is_some()) else { continue };
        let content = objects::read(s3, &site.bucket, &object.key, &site.account).await?.unwrap_or_default();
        for record in Records::<_, Capture>::new(Cursor::new(content)) {
            let record = record.map_err(|error| {
                Failure::operation(format!("s3://{}/{} is no file of captured traffic", site.bucket, object.key))
                    .because(error)
            })?;
            hours.entry(folder.to_owned()).or_default().push(record);
        }
    }
    Ok(hours)
}

/// When the hour of a folder begins.
fn begin(folder: &str) -> Option<OffsetDateTime> {
    let text = format!("{folder}:00");
    let time = PrimitiveDateTime::parse(&text, format_description!("[year]/[month]/[day]/[hour]:[minute]")).ok()?;
    Some(time.assume_utc())
}

/// The labels of one hour.
async fn label(
    session: &Session,
    rows: &sts_model::rows::Dataset,
    folder: &str,
    captures: &[Capture],
    arguments: &cli::GroundTruth,
) -> Result<(Hour, Option<Action>), Failure> {
    let site = &session.site;
    let (mut content, mut done, mut flipped, mut unmatched) = (Vec::new(), BTreeSet::new(), 0, 0);
    for capture in captures {
        let Some(row) = test_set::row_of(capture.id(), rows.len()) else {
            unmatched += 1;
            continue;
        };
        // One label does for all requests of an id.
        if !done.insert(capture.id()) {
            continue;
        }
        // By the id and not by the order, so that labelling again tells the same.
        let seed = arguments.seed.wrapping_add(row as u64);
        let wrong = arguments.noise > 0.0 && fastrand::Rng::with_seed(seed).f64() < arguments.noise;
        flipped += usize::from(wrong);
        let label = if rows.labels()[row] != wrong { "1" } else { "0" };
        GroundTruth::new(capture.id(), label).write(&mut content);
    }
    let begin = begin(folder).ok_or_else(|| Failure::operation(format!("`{folder}` is no hour")))?;
    let into = layout::hour(begin + time::Duration::hours(i64::from(arguments.lag)));
    // Labelled again, an hour has one file of labels still.
    let key = format!("{}{into}/{}.jsonl", names::ground_truth(&site.prefix), folder.replace('/', "-"));
    let matched = captures.len() - unmatched;
    let late = if arguments.lag > 0 { matched } else { 0 };
    let hour = Hour { captured: folder.to_owned(), records: captures.len(), matched, unmatched, late, flipped, into };
    if done.is_empty() {
        return Ok((hour, None));
    }
    let name = format!("s3://{}/{key}", site.bucket);
    let because = format!("{} of the hour {folder}", many(done.len(), "label"));
    if objects::read(&session.clients.s3, &site.bucket, &key, &site.account).await?.as_ref() == Some(&content) {
        return Ok((hour, Some(Action::keep("labels", name, because))));
    }
    let put = Operation::PutObject {
        bucket: site.bucket.clone(),
        key: key.clone(),
        bytes: content.len(),
        content: Content(content),
    };
    Ok((hour, Some(Action::new(Verdict::Create, "labels", name, because, vec![put]))))
}

/// How captured traffic and labels fit together.
#[derive(Debug, Serialize)]
struct Report {
    hours: Vec<Hour>,
    dry: bool,
}

#[derive(Debug, Serialize)]
struct Hour {
    /// The hour of the traffic.
    captured: String,
    records: usize,
    /// Records whose id is that of a row of the test part.
    matched: usize,
    /// The others: they get no label.
    unmatched: usize,
    /// Matched, and labelled after their hour, where the monitor does not look for them.
    late: usize,
    /// Labels that are wrong on purpose.
    flipped: usize,
    /// The hour that the labels are filed under.
    into: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["hour (UTC)", "captured", "matched", "unmatched", "late", "wrong", "labels go to"]);
        for Hour { captured, records, matched, unmatched, late, flipped, into } in &self.hours {
            let numbers = [records, matched, unmatched, late, flipped].map(ToString::to_string);
            table.add_row(std::iter::once(captured.clone()).chain(numbers).chain([into.clone()]));
        }
        for line in table.lines() {
            writeln!(f, "{}", line.strip_prefix(' ').unwrap_or(&line).trim_end())?;
        }
        let (unmatched, late) =
            self.hours.iter().fold((0, 0), |(unmatched, late), hour| (unmatched + hour.unmatched, late + hour.late));
        if unmatched > 0 {
            writeln!(f, "unmatched: their ids are none of `cargo xtask traffic`, so that their labels are not known")?;
        }
        if late > 0 {
            writeln!(
                f,
                "late: the monitor looks for labels in the folder of the hour that it looks at, and will not find them"
            )?;
        }
        if self.dry { write!(f, "nothing was sent") } else { Ok(()) }
    }
}
