//! The bucket: whose it is, where it is, who can see into it; and, if asked for, whether objects come and go.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use iam_policy::generate::{self, Area, Feature};

use super::finding::{Finding, Repair, Target};
use super::role::{Session, unnamed};
use super::{Examined, Selection};
use crate::aws::errors::describe;
use crate::error::Failure;
use crate::execute::Executor;
use crate::names;
use crate::observe::Bucket;
use crate::observe::bucket::{Standing, is_blocked, look as stand};
use crate::plan::{Action, Content, Operation, Plan, Verdict};

/// Looks at the bucket, and at what the selection asks for beyond.
pub(super) async fn look(examined: &Examined<'_>, session: &Session, selection: &Selection) -> Vec<Finding> {
    const ID: &str = "bucket";
    const WHY: &str = "inputs, outputs, models and captured traffic are there";
    let site = &examined.site;
    let (name, account, region) = (&site.bucket, &site.account, &site.region);
    let s3 = &session.clients.s3;
    let standing = stand(s3, name, account, region).await;
    let (finding, ours) = match standing {
        Standing::Ours(bucket) => (Finding::pass(ID, format!("{name}, in {}", bucket.region)), Some(bucket)),
        Standing::Absent => (Finding::pass(ID, format!("{name} is not there yet: bootstrap will make it")), None),
        Standing::Elsewhere(actual) => {
            let finding = Finding::fail(ID, format!("{name} is in {actual}, not in {region}"))
                .why("SageMaker reads from and writes to buckets of its own region only");
            (another(examined, finding), None)
        }
        Standing::Foreign => {
            let finding = Finding::fail(ID, format!("{name} belongs to another account than {account}"))
                .why("whoever owns it would get your sentences, your models and your traffic; nothing is sent to it");
            (another(examined, finding), None)
        }
        Standing::Forbidden => {
            let lacks = Some("s3:ListBucket");
            let found = "403: it is another account's, or s3:ListBucket on it is missing";
            (Finding { lacks, ..Finding::unknown(ID, found) }, None)
        }
        Standing::Unanswered(failure) => (Finding::of_failure(ID, &failure).why(WHY), None),
    };
    let mut findings = vec![finding.asked(&["s3:HeadBucket"], &session.arn)];
    if selection.asks("bucket-settings") {
        findings.push(match &ours {
            Some(bucket) => settings(examined, s3, bucket).await.asked(&["s3:GetPublicAccessBlock"], &session.arn),
            None => Finding::skip("bucket-settings", ID),
        });
    }
    if selection.asks("probe") {
        findings.push(match &ours {
            Some(_) => probe(examined, session).await,
            None => Finding::skip("probe", ID),
        });
    }
    findings
}

/// Another bucket, and what the role must be allowed to do with it.
fn another(examined: &Examined<'_>, finding: Finding) -> Finding {
    let site = &examined.site;
    let bucket = format!("{}-{}-{}", site.prefix, site.region, site.account);
    let finding = finding.repaired_by(Repair::Set { variable: "STSMM_BUCKET", value: bucket.clone() });
    let Ok(settings) = site.policy_settings(&examined.caller.arn) else { return finding };
    let settings = generate::Settings { bucket, ..settings };
    let needs: Vec<_> = settings.needs(&Feature::ALL).into_iter().filter(|need| need.area == Area::S3).collect();
    let statements = settings.allowing(&needs).into_iter().map(unnamed).collect();
    finding.repaired_by(Repair::Add { to: Target::Identity(settings.role_arn()), statements })
}

/// Whether the bucket keeps its content private. That of somebody else's making is told of, and left alone.
async fn settings(examined: &Examined<'_>, s3: &Client, bucket: &Bucket) -> Finding {
    const ID: &str = "bucket-settings";
    let (name, account) = (&examined.site.bucket, &examined.site.account);
    if let Some(ours) = bucket.made_by_us {
        let lacking = [
            (ours.public_access_blocked, "public access is not blocked"),
            (ours.encrypted, "no encryption is set"),
            (ours.has_policy, "no policy refuses what does not come by TLS"),
        ];
        let lacking: Vec<_> = lacking.into_iter().filter(|(done, _)| !done).map(|(_, what)| what).collect();
        return match lacking.is_empty() {
            true => Finding::pass(ID, "public access is blocked, encryption is on, TLS is required"),
            false => Finding::warn(ID, format!("made by this toolkit, and {}", lacking.join(", ")))
                .repaired_by(Repair::Run(format!("cargo xtask bootstrap{}", examined.flags))),
        };
    }
    let block = s3.get_public_access_block().bucket(name).expected_bucket_owner(account).send().await;
    match block {
        Ok(block) if is_blocked(&block) => {
            Finding::pass(ID, "public access is blocked; made by others, and left as it is")
        }
        Ok(_) => exposed(name),
        Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => exposed(name),
        Err(error) => {
            Finding::of_refusal(ID, "s3:GetBucketPublicAccessBlock", &describe("GetPublicAccessBlock", error))
        }
    }
}

fn exposed(name: &str) -> Finding {
    Finding::warn("bucket-settings", "public access is not blocked; made by others, and left as it is")
        .why("a policy or an ACL could make its content public")
        .repaired_by(Repair::Run(format!(
            "aws s3api put-public-access-block --bucket {name} --public-access-block-configuration \
             BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
        )))
}

/// Writes an object, reads it and removes it.
async fn probe(examined: &Examined<'_>, session: &Session) -> Finding {
    const ID: &str = "probe";
    let site = &examined.site;
    let (bucket, key) = (site.bucket.clone(), names::probe_key(&site.prefix));
    let action = |verdict, because: &str, operation| Plan {
        actions: vec![Action::new(verdict, "object", format!("s3://{bucket}/{key}"), because, vec![operation])],
    };
    let content = Content(b"written and removed by the doctor\n".to_vec());
    let put = Operation::PutObject { bucket: bucket.clone(), key: key.clone(), bytes: content.0.len(), content };
    let delete = Operation::DeleteObject { bucket: bucket.clone(), key: key.clone() };
    let (write, remove) = (action(Verdict::Create, "a probe", put), action(Verdict::Delete, "only a probe", delete));
    let s3 = &session.clients.s3;
    let executor = Executor { clients: &session.clients, account: &site.account, registry: None };
    let tried = async {
        executor.execute(&write, |_| {}).await.map_err(|failure| ("s3:PutObject", failure))?;
        let read = s3.get_object().bucket(&bucket).key(&key).expected_bucket_owner(&site.account).send().await;
        // It is removed whether it could be read or not.
        executor.execute(&remove, |_| {}).await.map_err(|failure| ("s3:DeleteObject", failure))?;
        read.map_err(|error| ("s3:GetObject", describe("GetObject", error)))?;
        Ok::<_, (&'static str, Failure)>(())
    };
    let finding = match tried.await {
        Ok(()) => Finding::pass(ID, format!("s3://{bucket}/{key} was written, read and removed")),
        Err((action, failure)) => Finding::of_refusal(ID, action, &failure),
    };
    finding.asked(&["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], &session.arn)
}
