//! The model artefact: one JSON document that describes itself and holds all that serving needs, inside the
//! `model.tar.gz` in which SageMaker carries models.

mod archive;

use serde::{Deserialize, Serialize};

use crate::{
    features::{self, Feature},
    logistic::{Fit, Model, Params},
    pairs::shortened,
    vocabulary::Vocabulary,
};

pub use self::archive::{ArchiveError, MAX_UNPACKED};

/// What the document says it is.
pub const FORMAT: &str = "stsmodelmonitor/paraphrase-classifier";

/// The version of the document that this program writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// The name of the document in the archive, and in the folder into which SageMaker unpacks it.
pub const FILE_NAME: &str = "model.json";

/// The probability above which a pair counts as a paraphrase, unless wished otherwise.
pub const THRESHOLD: f64 = 0.5;

/// A fitted model with all that it takes to use it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    format: String,
    version: u32,
    features: Vec<FeatureDescription>,
    /// The classifier.
    pub model: Model,
    /// The probability above which a pair counts as a paraphrase.
    pub threshold: f64,
    /// How it was fitted.
    pub hyperparameters: Params,
    /// What came out of it.
    pub training: Training,
    /// The word weights behind some of the features.
    pub vocabulary: Vocabulary,
}

/// How the fit went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// How many pairs the model was fitted to.
    pub rows: u64,
    /// How many of them are paraphrases.
    pub positives: u64,
    /// The steps of the optimiser.
    pub iterations: u32,
    /// The objective at the optimum.
    pub objective: f64,
    /// The length of the gradient there: how exactly it is the optimum.
    pub gradient_norm: f64,
}

/// A feature as the document describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureDescription {
    name: String,
    description: String,
    source: String,
}

impl From<&Feature> for FeatureDescription {
    fn from(feature: &Feature) -> Self {
        Self {
            name: feature.name.to_owned(),
            description: feature.description.to_owned(),
            source: feature.source.to_owned(),
        }
    }
}

/// What the model says of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Whether the two sentences mean the same.
    pub label: bool,
    /// The probability that they do.
    pub probability: f64,
}

/// Why a document is no model that this program can use.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// No JSON, or not of the shape of a model.
    #[error("the model document cannot be read")]
    Json(#[source] serde_json::Error),
    /// Some other document.
    #[error("the document's format is {found:?}, expected {FORMAT:?}")]
    Format {
        /// What it says it is.
        found: String,
    },
    /// A model of another version of this program.
    #[error("the model has version {found}, this program reads version {VERSION}: train it again")]
    Version {
        /// Its version.
        found: u32,
    },
    /// A model over other features than this program computes.
    #[error("the model's feature {place} is {found}, this program computes {expected}: train it again")]
    Features {
        /// The position of the first feature that differs, from 1.
        place: usize,
        /// The model's.
        found: String,
        /// This program's.
        expected: String,
    },
    /// A value that no fit produces.
    #[error("the model's {what} {why}")]
    Value {
        /// The member.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The archive cannot be unpacked.
    #[error("the model archive cannot be read")]
    Archive(#[from] ArchiveError),
}

impl Artifact {
    /// The artefact of a fit to as many rows, of which so many are paraphrases, over the features of this program.
    ///
    /// # Errors
    /// The model is over another number of features.
    pub fn new(
        fit: &Fit,
        params: Params,
        rows: u64,
        positives: u64,
        vocabulary: Vocabulary,
    ) -> Result<Self, ArtifactError> {
        let artifact = Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            features: features::FEATURES.iter().map(FeatureDescription::from).collect(),
            model: fit.model.clone(),
            threshold: THRESHOLD,
            hyperparameters: params,
            training: Training {
                rows,
                positives,
                iterations: fit.iterations,
                objective: fit.objective,
                gradient_norm: fit.gradient_norm,
            },
            vocabulary,
        };
        artifact.check()?;
        Ok(artifact)
    }

    /// What the model says of a row of features, which must be [`features::COUNT`].
    pub fn predict(&self, features: &[f64]) -> Prediction {
        let probability = self.model.probability(features);
        Prediction { label: probability > self.threshold, probability }
    }

    /// What the model says of two sentences.
    pub fn predict_pair(&self, sentence1: &str, sentence2: &str) -> Prediction {
        self.predict(&features::extract(sentence1, sentence2, &self.vocabulary))
    }

    /// The document. The same model always gives the same bytes.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and finite numbers always serialise") + "\n"
    }

    /// Reads what [`Artifact::to_json`] wrote.
    ///
    /// # Errors
    /// The document is something else, of another version, over other features, or damaged.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ArtifactError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(ArtifactError::Json)?;
        if head.format != FORMAT {
            return Err(ArtifactError::Format { found: shortened(&head.format) });
        }
        if head.version != VERSION {
            return Err(ArtifactError::Version { found: head.version });
        }
        let artifact: Self = serde_json::from_slice(bytes).map_err(ArtifactError::Json)?;
        artifact.check()?;
        Ok(artifact)
    }

    /// The `model.tar.gz` with the document in it. The same model always gives the same bytes.
    pub fn to_tar_gz(&self) -> Vec<u8> {
        archive::pack(FILE_NAME, self.to_json().as_bytes())
    }

    /// Reads what [`Artifact::to_tar_gz`] wrote, and what SageMaker packed from a folder with the document.
    ///
    /// # Errors
    /// The archive is damaged, truncated, larger than a model can be or without the document; or as
    /// [`Artifact::from_json`].
    pub fn from_tar_gz(bytes: &[u8]) -> Result<Self, ArtifactError> {
        Self::from_json(&archive::unpack(FILE_NAME, bytes)?)
    }

    fn check(&self) -> Result<(), ArtifactError> {
        let named = |name: Option<&str>| name.map_or("none".to_owned(), |name| format!("{:?}", shortened(name)));
        for place in 0..self.features.len().max(features::COUNT) {
            let found = self.features.get(place).map(|feature| feature.name.as_str());
            let expected = features::FEATURES.get(place).map(|feature| feature.name);
            if found != expected {
                return Err(ArtifactError::Features {
                    place: place + 1,
                    found: named(found),
                    expected: named(expected),
                });
            }
        }
        let model = &self.model;
        let lists = [("means", &model.means), ("deviations", &model.deviations), ("coefficients", &model.coefficients)];
        for (what, list) in lists {
            if list.len() != features::COUNT {
                let why = format!("are {} numbers, expected {}", list.len(), features::COUNT);
                return Err(ArtifactError::Value { what, why });
            }
        }
        if let Some(deviation) = model.deviations.iter().find(|deviation| **deviation <= 0.0) {
            return Err(ArtifactError::Value { what: "deviations", why: format!("contain {deviation}") });
        }
        if !(0.0..1.0).contains(&self.threshold) {
            let why = format!("is {}, expected a number from 0 to below 1", self.threshold);
            return Err(ArtifactError::Value { what: "threshold", why });
        }
        Ok(())
    }
}
