//! A training job: channels of data, hyperparameters as strings, and a folder for the model.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

use serde::Deserialize;

use super::{Instance, OptMl, config};
use crate::error::Error;

/// A training job as its container sees it.
#[derive(Debug)]
pub(crate) struct Training<'a> {
    opt_ml: &'a OptMl,
    channels: BTreeMap<String, Channel>,
    hyperparameters: Hyperparameters,
    pub(crate) instance: Instance,
}

/// What `inputdataconfig.json` says of a channel, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Channel {
    training_input_mode: Option<String>,
}

/// The values of `hyperparameters.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hyperparameters(BTreeMap<String, String>);

impl<'a> Training<'a> {
    /// Reads the job's configuration. A file that is not there says nothing.
    ///
    /// # Errors
    /// A file is damaged.
    pub(crate) fn read(opt_ml: &'a OptMl) -> Result<Self, Error> {
        Ok(Self {
            opt_ml,
            channels: config(&opt_ml.at("input/config/inputdataconfig.json"))?.unwrap_or_default(),
            hyperparameters: config(&opt_ml.at("input/config/hyperparameters.json"))?.unwrap_or_default(),
            instance: Instance::read(&opt_ml.at("input/config/resourceconfig.json"))?,
        })
    }

    pub(crate) fn hyperparameters(&self) -> &Hyperparameters {
        &self.hyperparameters
    }

    /// The folder of a channel.
    ///
    /// # Errors
    /// The job has no such channel, or it is a stream.
    pub(crate) fn channel(&self, name: &'static str) -> Result<PathBuf, Error> {
        let folder = self.opt_ml.at("input/data").join(name);
        let mode = self.channels.get(name).and_then(|channel| channel.training_input_mode.as_deref());
        match mode {
            Some(mode) if !matches!(mode, "File" | "FastFile") => {
                Err(Error::ChannelMode { name, mode: mode.to_owned() })
            }
            _ if !folder.exists() => Err(Error::NoChannel { name, folder }),
            _ => Ok(folder),
        }
    }

    /// The folder of a channel that the job may lack.
    ///
    /// # Errors
    /// The job has the channel, but not its data, or it is a stream.
    pub(crate) fn optional_channel(&self, name: &'static str) -> Result<Option<PathBuf>, Error> {
        match self.channel(name) {
            Err(Error::NoChannel { .. }) if !self.channels.contains_key(name) => Ok(None),
            found => found.map(Some),
        }
    }

    /// The file that becomes the job's `model.tar.gz` together with what else is in its folder.
    pub(crate) fn model_file(&self, name: &str) -> PathBuf {
        self.opt_ml.at("model").join(name)
    }
}

impl Hyperparameters {
    /// Refuses what the program does not know: a value that is not heeded is a mistake that nobody sees.
    ///
    /// # Errors
    /// A name is neither known nor one that SageMaker adds.
    pub(crate) fn check_names(&self, known: &[&str]) -> Result<(), Error> {
        let is_fine =
            |name: &str| known.contains(&name) || name.starts_with("sagemaker_") || name == "_tuning_objective_metric";
        match self.0.keys().find(|name| !is_fine(name)) {
            Some(name) => Err(Error::UnknownHyperparameter { name: name.clone(), known: known.join(", ") }),
            None => Ok(()),
        }
    }

    /// A value, if the job has it. `expected` says what it must be, for the message.
    ///
    /// # Errors
    /// The text does not parse, or the value does not fit.
    pub(crate) fn get<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
        fits: fn(&T) -> bool,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        // The SageMaker Python SDK sends strings as JSON: with quotation marks of their own.
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim();
        match bare.parse().ok().filter(fits) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::Hyperparameter { name, value: text.clone(), expected }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn channels() {
        fn check(config: &str, folder: Option<&str>, expected: Result<bool, &str>) {
            let root = tempfile::tempdir().unwrap();
            let opt_ml = OptMl::new(root.path().into());
            fs::create_dir_all(opt_ml.at("input/config")).unwrap();
            fs::write(opt_ml.at("input/config/inputdataconfig.json"), config).unwrap();
            if let Some(folder) = folder {
                fs::create_dir_all(opt_ml.at("input/data").join(folder)).unwrap();
            }
            let training = Training::read(&opt_ml).unwrap();
            match (training.optional_channel("validation"), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.is_some(), expected, "{config} {folder:?}"),
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
                (found, expected) => panic!("{config} {folder:?}: {found:?}, expected {expected:?}"),
            }
        }
        let mode = |mode: &str| {
            format!(
                r#"{{"validation": {{"ContentType": "text/csv", "TrainingInputMode": "{mode}",
                "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}}}}"#
            )
        };
        check(&mode("File"), Some("validation"), Ok(true));
        check(&mode("FastFile"), Some("validation"), Ok(true));
        check(&mode("Pipe"), Some("validation"), Err("Pipe mode"));
        check(&mode("File"), None, Err("no channel \"validation\""));
        check("{}", None, Ok(false));
        check("{}", Some("validation"), Ok(true));
    }

    #[test]
    fn hyperparameters() {
        fn check(json: &str, expected: Result<Option<f64>, &str>) {
            let values: Hyperparameters = serde_json::from_str(json).unwrap();
            let found = values
                .check_names(&["l2"])
                .and_then(|()| values.get("l2", "a number above 0", |value: &f64| *value > 0.0));
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{json}"),
                (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
                (found, expected) => panic!("{json}: {found:?}, expected {expected:?}"),
            }
        }
        check("{}", Ok(None));
        check(r#"{"l2": "0.5", "sagemaker_region": "eu-west-1", "_tuning_objective_metric": "x"}"#, Ok(Some(0.5)));
        check(r#"{"l2": "\"0.5\""}"#, Ok(Some(0.5)));
        check(r#"{"l2": "much"}"#, Err("hyperparameter l2 is \"much\": it must be a number above 0"));
        check(r#"{"l2": ""}"#, Err("hyperparameter l2 is \"\": it must be a number above 0"));
        check(r#"{"l2": "-1"}"#, Err("hyperparameter l2 is \"-1\": it must be a number above 0"));
        check(r#"{"l2": "NaN"}"#, Err("hyperparameter l2 is \"NaN\": it must be a number above 0"));
        check(r#"{"L2": "1"}"#, Err("unknown hyperparameter \"L2\": known are l2"));
    }
}
