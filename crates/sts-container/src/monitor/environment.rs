//! A monitoring job's settings: variables in lower case.

use std::{env, path::PathBuf, str::FromStr};

use crate::{contract::OptMl, error::Error};

/// The variables of this process. One that is blank counts as missing.
#[derive(Debug)]
pub(super) struct Environment<'a> {
    opt_ml: &'a OptMl,
}

impl<'a> Environment<'a> {
    pub(super) fn new(opt_ml: &'a OptMl) -> Self {
        Self { opt_ml }
    }

    pub(super) fn get(&self, name: &'static str) -> Option<String> {
        env::var(name).ok().filter(|value| !value.trim().is_empty())
    }

    /// # Errors
    /// There is none.
    pub(super) fn required(&self, name: &'static str) -> Result<String, Error> {
        self.get(name).ok_or(Error::NoVariable { name })
    }

    /// A value that must be of a kind.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
        fits: fn(&T) -> bool,
    ) -> Result<Option<T>, Error> {
        let parse =
            |value: String| value.trim().parse().ok().filter(fits).ok_or(Error::Variable { name, value, expected });
        self.get(name).map(parse).transpose()
    }

    /// Whether metrics are to be published.
    ///
    /// # Errors
    /// `publish_cloudwatch_metrics` is neither `Enabled` nor `Disabled`.
    pub(super) fn publishes(&self) -> Result<bool, Error> {
        let publishes = self.parsed("publish_cloudwatch_metrics", "Enabled or Disabled", |value: &String| {
            matches!(value.as_str(), "Enabled" | "Disabled")
        })?;
        Ok(publishes.as_deref() == Some("Enabled"))
    }

    /// # Errors
    /// The job has scripts of its own.
    pub(super) fn has_no_scripts(&self) -> Result<(), Error> {
        let scripts = ["record_preprocessor_script", "post_analytics_processor_script"];
        scripts.into_iter().find(|name| self.get(name).is_some()).map_or(Ok(()), |name| Err(Error::Script { name }))
    }

    /// A folder or file of the job, if it names one.
    ///
    /// # Errors
    /// It is nowhere below `/opt/ml`.
    pub(super) fn optional_folder(&self, name: &'static str) -> Result<Option<PathBuf>, Error> {
        if self.get(name).is_some() { self.folder(name).map(Some) } else { Ok(None) }
    }

    /// A folder or file of the job.
    ///
    /// # Errors
    /// There is none, or it is nowhere below `/opt/ml`.
    pub(super) fn folder(&self, name: &'static str) -> Result<PathBuf, Error> {
        let value = self.required(name)?;
        let relative = value.strip_prefix("/opt/ml/").filter(|path| path.split('/').all(|part| part != ".."));
        match relative {
            Some(relative) => Ok(self.opt_ml.at(relative.trim_end_matches('/'))),
            None => Err(Error::Variable { name, value, expected: "a path below /opt/ml/" }),
        }
    }
}
