//! What a job or a pipeline does as its role: reading and writing S3, pulling its image, writing its log.

use std::fs::File;
use std::path::Path;

use iam_policy::document::PrincipalPattern;
use iam_policy::generate::Repository;
use iam_policy::{Attached, Kind, Policy, Statement};

use super::asker::{Asker, Refused};
use super::{assumable_by_sagemaker, s3 as asked};
use crate::ecr::{self, NoImage};
use crate::s3::{self, Object};
use crate::{ApiError, Fake, iam};

/// SageMaker at work as a role. Where IAM is not enforced, it may do everything.
pub struct Work<'a> {
    fake: &'a Fake,
    role: Option<Asker>,
    region: &'a str,
}

/// Why SageMaker cannot work as a role: it does not exist, or does not let SageMaker in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAssumed;

impl<'a> Work<'a> {
    /// Assumes a role for a resource of this ARN.
    ///
    /// # Errors
    /// [`NotAssumed`]; an internal failure when the store cannot be read.
    pub fn start(
        fake: &'a Fake,
        region: &'a str,
        role_arn: &str,
        for_arn: &str,
    ) -> Result<Result<Self, NotAssumed>, ApiError> {
        if !fake.enforces_iam() {
            return Ok(Ok(Self { fake, role: None, region }));
        }
        let role = fake.store.read(|view| iam::role_by_arn(view, role_arn))?;
        let Some(role) = role.filter(|role| assumable_by_sagemaker(fake, role, for_arn)) else {
            return Ok(Err(NotAssumed));
        };
        Ok(Ok(Self { fake, role: Some(Asker::of_role(fake, &role, region)?), region }))
    }

    /// See [`s3::list`].
    ///
    /// # Errors
    /// `AccessDenied`, `NoSuchBucket`.
    pub fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Object>, ApiError> {
        self.ask_s3("ListBucket", bucket, None)?;
        s3::list(self.fake, bucket, prefix)
    }

    /// See [`s3::open`].
    ///
    /// # Errors
    /// `AccessDenied`, `NoSuchBucket`, `NoSuchKey`.
    pub fn open(&self, bucket: &str, key: &str) -> Result<(Object, File), ApiError> {
        self.ask_s3("GetObject", bucket, Some(key))?;
        s3::open(self.fake, bucket, key)
    }

    /// See [`s3::get`].
    ///
    /// # Errors
    /// `AccessDenied`, `NoSuchBucket`.
    pub fn get(&self, bucket: &str, key: &str) -> Result<Option<Object>, ApiError> {
        self.ask_s3("GetObject", bucket, Some(key))?;
        s3::get(self.fake, bucket, key)
    }

    /// See [`s3::put_file`].
    ///
    /// # Errors
    /// `AccessDenied`, `NoSuchBucket`.
    pub fn put_file(&self, bucket: &str, key: &str, source: &Path) -> Result<Object, ApiError> {
        self.may_put(bucket, key)?;
        s3::put_file(self.fake, bucket, key, source)
    }

    /// Asks whether it may put an object, before there is one.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub fn may_put(&self, bucket: &str, key: &str) -> Result<(), ApiError> {
        self.ask_s3("PutObject", bucket, Some(key))
    }

    fn ask_s3(&self, action: &str, bucket: &str, key: Option<&str>) -> Result<(), ApiError> {
        let Some(role) = &self.role else { return Ok(()) };
        asked::ask(self.fake, role, action, bucket, key).map_err(Refused::in_xml)
    }

    /// Pulls an image, if it is in ECR. Images elsewhere are nothing that IAM is asked about.
    ///
    /// # Errors
    /// That it may not, or that the image is not there.
    pub fn pull(&self, image: &str) -> Result<(), NoImage> {
        let Some(repository) = Repository::of_image(image) else { return Ok(()) };
        let Repository { account, region, name } = &repository;
        let arn = format!("arn:aws:ecr:{region}:{account}:repository/{name}");
        let may = |action, resource| self.role.as_ref().is_none_or(|role| role.may(action, resource, &[]).is_ok());
        let may_pull = may("ecr:GetAuthorizationToken", "*")
            && ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
                .iter()
                .all(|action| may(action, &arn));
        if !may_pull {
            return Err(NoImage::NotAllowed(repository));
        }
        ecr::look_up(self.fake, image).map(drop)
    }

    /// Whether it may publish metrics in this namespace.
    pub fn may_publish(&self, namespace: &str) -> bool {
        let Some(role) = &self.role else { return true };
        role.ask(role.request("cloudwatch:PutMetricData", "*").with("cloudwatch:namespace", namespace)).is_ok()
    }

    /// Whether it may write a log: make the group, if that is not there, and the stream, and put events into it.
    pub fn may_log(&self, group: &str, group_exists: bool, stream: &str) -> bool {
        let Some(role) = &self.role else { return true };
        let group = format!("arn:aws:logs:{}:{}:log-group:{group}", self.region, self.fake.account());
        let stream = format!("{group}:log-stream:{stream}");
        let ask = |action: &str, resource: &str| role.ask(role.request(action, resource)).is_ok();
        (group_exists || ask("logs:CreateLogGroup", &group))
            && ask("logs:CreateLogStream", &stream)
            && ask("logs:PutLogEvents", &stream)
    }
}

/// The policy of other accounts' image repositories: AWS's own are open to everyone who may pull.
pub(super) fn open_repository(fake: &Fake, arn: &str) -> Option<Attached> {
    let [_, _, "ecr", _, account, _] = arn.splitn(6, ':').collect::<Vec<_>>()[..] else { return None };
    let everyone = || Statement::allow(["ecr:*"]).to([PrincipalPattern::Everyone]).on([arn]);
    (account != fake.account()).then(|| Attached::new(arn, Policy::of(Kind::Resource, vec![everyone()])))
}
