//! The image of the steps: is it in the registry, and which one is it.

use iam_policy::generate::Repository;

use super::Seen;
use crate::aws::ecr;
use crate::error::Failure;
use crate::names;
use crate::site::Site;

/// The name of an image in ECR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// Where it is.
    pub repository: Repository,
    /// The same as it is written: `111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container`.
    pub place: &'a str,
    /// Its tag, or its digest, `sha256:...`.
    pub reference: &'a str,
}

impl<'a> Named<'a> {
    /// Reads `REPOSITORY:TAG`, `REPOSITORY@sha256:...` or both.
    ///
    /// # Errors
    /// With exit code 2, when it is the name of no image in ECR.
    pub fn read(image: &'a str) -> Result<Self, Failure> {
        let repository = Repository::of_image(image).ok_or_else(|| {
            Failure::usage(format!("{image} is no image in a repository of Amazon ECR"))
                .hint("STSMM_IMAGE is like 111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:TAG")
        })?;
        let (named, digest) = match image.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (image, None),
        };
        // The host has no port.
        let (place, tag) = named.split_once(':').unwrap_or((named, "latest"));
        Ok(Self { repository, place, reference: digest.unwrap_or(tag) })
    }

    /// The name under which it is always the same image.
    #[must_use]
    pub fn pinned(&self, digest: &str) -> String {
        format!("{}@{digest}", self.place)
    }
}

/// Whether the image is in the region of the site.
///
/// # Errors
/// With exit code 2, when it is not.
pub fn of_region(named: &Named<'_>, site: &Site) -> Result<(), Failure> {
    let (there, here) = (&named.repository.region, &site.region);
    match there == here {
        true => Ok(()),
        false => Err(Failure::usage(format!("the image {} is in {there}, not in {here}", named.place))
            .hint("SageMaker pulls from its own region only: name an image of it with STSMM_IMAGE, or none")),
    }
}

/// Looks for the image as the role: who may not read its manifest may not pull it.
///
/// # Errors
/// When the image is in another region, or the call is refused.
pub async fn image(ecr: &ecr::Client, site: &Site, named: &Named<'_>) -> Result<Option<ecr::Image>, Failure> {
    of_region(named, site)?;
    let Repository { account, name, .. } = &named.repository;
    ecr.image(account, name, named.reference).await
}

/// A repository for the image, and whether we made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRepository {
    /// Its settings.
    pub settings: ecr::Repository,
    /// Whether it carries our tag.
    pub made_by_us: bool,
}

/// Looks at the repository of the image, if that is the account's; nothing for an image of anybody else.
///
/// # Errors
/// When a call is refused for another reason than a missing permission.
pub async fn own_repository(
    ecr: &ecr::Client,
    site: &Site,
) -> Result<Option<(String, Seen<ImageRepository>)>, Failure> {
    let own = Repository::of_image(&site.image).filter(|it| (&it.account, &it.region) == (&site.account, &site.region));
    let Some(Repository { name, .. }) = own else { return Ok(None) };
    let seen = match repository(ecr, &site.account, &name).await {
        Err(failure) if failure.aws_code() == Some("AccessDeniedException") => Seen::Unknown(failure.to_string()),
        seen => seen?,
    };
    Ok(Some((name, seen)))
}

/// Looks at a repository of the account.
///
/// # Errors
/// When a call is refused.
pub async fn repository(ecr: &ecr::Client, account: &str, name: &str) -> Result<Seen<ImageRepository>, Failure> {
    let Some(settings) = ecr.repository(account, name).await? else { return Ok(Seen::Absent) };
    let Some(tags) = ecr.tags(&settings.arn).await? else { return Ok(Seen::Absent) };
    let (key, value) = names::MANAGED_BY;
    let made_by_us = tags.get(key).is_some_and(|maker| maker == value);
    Ok(Seen::Present(ImageRepository { settings, made_by_us }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_repository_and_a_tag_or_a_digest() {
        const PLACE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/sts";
        for (suffix, reference) in
            [(":one", "one"), ("", "latest"), ("@sha256:ab", "sha256:ab"), (":one@sha256:ab", "sha256:ab")]
        {
            let image = format!("{PLACE}{suffix}");
            let named = Named::read(&image).unwrap();
            assert_eq!((named.place, named.reference), (PLACE, reference), "{image}");
            assert_eq!(
                (named.repository.account.as_str(), named.repository.name.as_str()),
                ("111122223333", "team/sts")
            );
            assert_eq!(named.pinned("sha256:cd"), format!("{PLACE}@sha256:cd"));
        }
        assert!(Named::read("registry.example.com:5000/sts:one").is_err());
    }
}
