//! The test part of a package's data: what traffic is made of, and what its labels are.

use std::io::Cursor;

use sts_model::rows::Dataset;

use crate::aws::Session;
use crate::error::Failure;
use crate::observe::input::split_uri;
use crate::observe::objects;
use crate::observe::serving::Package;

/// Reads the test part of a package, all files of it in the order of their names.
///
/// # Errors
/// When the package does not say where it is, it cannot be read, or is no test part.
pub async fn read(session: &Session, package: &Package) -> Result<Dataset, Failure> {
    const KEY: &str = "TestSet";
    let (s3, account) = (&session.clients.s3, &session.site.account);
    let place = package.metadata.get(KEY).and_then(|uri| split_uri(uri).map(|(bucket, key)| (uri, bucket, key)));
    let Some((uri, bucket, prefix)) = place else {
        return Err(Failure::operation(format!("{} does not say where its test set is ({KEY})", package.arn))
            .hint("packages that `cargo xtask run` registers do"));
    };
    let mut dataset: Option<Dataset> = None;
    // The pairs themselves are beside their features.
    let is_rows = |object: &objects::Object| object.key.ends_with(".csv");
    for object in objects::list(s3, bucket, prefix, account).await?.into_iter().filter(is_rows) {
        let content = objects::read(s3, bucket, &object.key, account).await?.unwrap_or_default();
        let columns = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let columns = columns.iter().filter(|byte| **byte == b',').count();
        let read = Dataset::read(Cursor::new(content), columns);
        let read = read.map_err(|error| {
            Failure::operation(format!("s3://{bucket}/{} is no test set", object.key)).because(error)
        })?;
        let whole = dataset.get_or_insert_with(|| Dataset::new(columns));
        for (label, features) in read.labels().iter().zip(read.features()) {
            whole.push(*label, features).map_err(|error| {
                Failure::operation(format!("s3://{bucket}/{} has other columns than those before it", object.key))
                    .because(error)
            })?;
        }
    }
    dataset.filter(|dataset| !dataset.is_empty()).ok_or_else(|| {
        Failure::operation(format!("there is no test set at {uri}"))
            .hint("it was removed, or the execution that made it was cleaned up: run the pipeline again")
    })
}

/// The id of a request about a row, from 0: what is captured finds its label by it.
#[must_use]
pub fn inference_id(at: usize) -> String {
    format!("sts_{}", at + 1)
}

/// The row that an id is about: the rows are gone through again and again.
#[must_use]
pub fn row_of(inference_id: &str, rows: usize) -> Option<usize> {
    let number: usize = inference_id.strip_prefix("sts_")?.parse().ok()?;
    Some(number.checked_sub(1)? % rows.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_finds_its_row_again() {
        for at in [0, 1, 9, 10, 25] {
            assert_eq!(row_of(&inference_id(at), 10), Some(at % 10));
        }
        for other in ["", "sts_", "sts_0", "sts_x", "x_1", "sts_-1"] {
            assert_eq!(row_of(other, 10), None, "{other}");
        }
    }
}
