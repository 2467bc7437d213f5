//! How often the monitor warns of an hour in which nothing is wrong, and of one that has drifted: what the README says.

use std::num::NonZeroUsize;
use std::thread;

use model_monitor::analysis::{Analysis, Observation, Settings};
use model_monitor::constraints::Constraints;
use model_monitor::problem::Problem;
use model_monitor::statistics::Statistics;
use model_monitor::tolerance::Deviations;
use model_monitor::violations::Violations;
use sts_model::artifact::Artifact;
use sts_model::features::{self, Extractor};
use sts_model::logistic::Params;
use sts_model::pairs::Pair;
use sts_model::rows::Dataset;
use sts_model::sample;
use sts_model::split::Part;
use sts_model::validation;
use toolkit::drift::Drift;

const WORLDS: usize = 50;
const PAIRS: usize = 1500;

fn settings() -> Settings {
    Settings { problem: Problem::BinaryClassification, threshold: None, positive_label: None }
}

/// What the endpoint would be asked: features with labels.
fn rows(model: &Artifact, pairs: &[&Pair]) -> Dataset {
    let mut extractor = Extractor::new(&model.vocabulary);
    let mut rows = Dataset::new(features::COUNT);
    for pair in pairs {
        rows.push(pair.label.unwrap(), &extractor.extract(&pair.sentence1, &pair.sentence2)).unwrap();
    }
    rows
}

fn observations(model: &Artifact, rows: &Dataset, drift: f64) -> Vec<Observation<'static>> {
    let shift = Drift::of(rows);
    let row = |(label, features): (&bool, &[f64])| {
        let prediction = model.predict(&shift.applied(features, drift));
        let text = |label: bool| if label { "1" } else { "0" };
        Observation {
            ground_truth: text(*label).into(),
            inference: Some(text(prediction.label).into()),
            probability: Some(prediction.probability.to_string().into()),
        }
    };
    rows.labels().iter().zip(rows.features()).map(row).collect()
}

fn statistics(rows: &[Observation<'_>]) -> Statistics {
    let mut analysis = Analysis::new(&settings());
    rows.iter().for_each(|row| analysis.add(row).unwrap());
    analysis.finish().unwrap()
}

/// Whether an hour of one world is warned of: a healthy one as AWS suggests, a healthy one by default, a drifted one.
fn warned(world: &[Pair]) -> [bool; 3] {
    let part = |wanted| world.iter().filter(move |pair| Part::of(pair) == wanted).collect::<Vec<_>>();
    let train: Vec<Pair> = part(Part::Train).into_iter().cloned().collect();
    let model = validation::fit(train.iter(), Params::default().check().unwrap()).unwrap();
    let baseline = observations(&model, &rows(&model, &part(Part::Validation)), 0.0);
    let suggested = Constraints::suggest(&statistics(&baseline));
    let deviations = Deviations::of(&baseline, &settings(), &suggested);
    let loosened = suggested.loosened(&deviations, toolkit::cli::TOLERANCE);
    let test = rows(&model, &part(Part::Test));
    let violates = |constraints: &Constraints, drift| {
        let hour = statistics(&observations(&model, &test, drift));
        !Violations::find(&hour, constraints).violations.is_empty()
    };
    [violates(&suggested, 0.0), violates(&loosened, 0.0), violates(&loosened, 1.0)]
}

#[test]
fn a_healthy_hour_is_rarely_warned_of_and_a_drifted_one_always() {
    let pairs = sample::pairs(WORLDS * PAIRS);
    let worlds: Vec<&[Pair]> = pairs.chunks(PAIRS).collect();
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let warned: Vec<[bool; 3]> = thread::scope(|scope| {
        let share = |worlds: &[&[Pair]]| worlds.iter().map(|world| warned(world)).collect::<Vec<_>>();
        let shares = worlds.chunks(WORLDS.div_ceil(threads)).map(|worlds| scope.spawn(move || share(worlds)));
        let shares: Vec<_> = shares.collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    let count = |which: usize| warned.iter().filter(|world| world[which]).count();
    let [suggested, healthy, drifted] = [0, 1, 2].map(count);
    let sentence = format!(
        "In {WORLDS} made-up worlds, a healthy hour is flagged in {suggested} with AWS's own suggestion, in {healthy} with the \
         default tolerance, and an hour that has drifted by one standard deviation in {drifted}."
    );
    let readme = include_str!("../../../../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(readme.contains(&sentence), "the README should say: {sentence}");
}
