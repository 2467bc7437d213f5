//! `image push`: the image of the steps, from an archive into a registry.

use std::fmt;
use std::path::Path;

use container_image::Image;
use serde::Serialize;
use serde_json::Value;

use super::bootstrap::verified;
use crate::aws::{Clients, Mode, Session};
use crate::cli;
use crate::error::Failure;
use crate::execute::Executor;
use crate::observe::Seen;
use crate::observe::image::{self as observe, Named};
use crate::output::{Output, megabytes};
use crate::plan::{Action, Operation, Plan, Tag, Verdict};
use crate::plans::image::{self as plans, Tagged, There, Wanted};
use crate::registry::{Registry, credentials};
use crate::site::Site;

/// Pushes the image of an archive to the account's ECR; with `--dry`, says what that would do.
///
/// # Errors
/// When there is no such archive, another image has the tag, or a call is refused. What was pushed before that is there:
/// the next push goes on from it.
pub async fn push(session: &Session, output: &Output, arguments: &cli::ImagePush, mode: Mode) -> Result<(), Failure> {
    let archive = Archive::read(&arguments.archive)?;
    let site = &session.site;
    let named = Named::read(&site.image)?;
    observe::of_region(&named, site)?;
    if named.repository.account != site.account {
        let owner = &named.repository.account;
        return Err(Failure::usage(format!(
            "the image {} is the account {owner}'s, not {}'s",
            named.place, site.account
        ))
        .hint("push it as that account, or to this one: unset STSMM_IMAGE"));
    }
    if named.reference != archive.tag {
        let (wanted, tag) = (named.reference, &archive.tag);
        output.warn(format_args!("this image has the tag {tag}, and `run` looks for {wanted}"));
    }
    let name = &named.repository.name;
    let seen = observe::repository(&session.clients.ecr, &site.account, name).await?;
    let is_there = matches!(seen, Seen::Present(_));
    // A repository that is not there yet has nothing, and in a dry run it stays so.
    let registry = match is_there || mode == Mode::Live {
        true => Some(Registry::of_account(session, name, mode).await?),
        false => None,
    };
    let of_image = there(registry.as_ref().filter(|_| is_there), &archive).await?;
    let there = There { repository: Some((name.clone(), seen)), ..of_image };
    let executor = Executor { registry: registry.as_ref(), ..Executor::of(session) };
    act(&executor, named.place, &archive, &there, &site.tags, output, mode).await
}

/// Pushes it to another registry, of which AWS knows nothing.
///
/// # Errors
/// As [`push`].
pub async fn push_elsewhere(
    registry: &str,
    output: &Output,
    arguments: &cli::ImagePush,
    mode: Mode,
) -> Result<(), Failure> {
    let archive = Archive::read(&arguments.archive)?;
    let (host, namespace) = registry.split_once('/').unwrap_or((registry, ""));
    let parts = namespace.split('/').filter(|part| !part.is_empty()).chain([archive.repository.as_str()]);
    let repository = parts.collect::<Vec<_>>().join("/");
    let registry = Registry::anywhere(host, &repository, credentials::of(host)?, mode).await?;
    let there = there(Some(&registry), &archive).await?;
    let clients = Clients::of_nobody(mode);
    let executor = Executor { clients: &clients, account: "", registry: Some(&registry) };
    act(&executor, &format!("{host}/{repository}"), &archive, &there, &[], output, mode).await
}

/// What the steps run.
pub struct Pinned {
    /// The site, with the image by its digest if it is in ECR.
    pub site: Site,
    /// What a plan says of it; nothing where it need not be there, and is not.
    pub action: Option<Action>,
}

/// Looks for the image of the steps, and pins it.
///
/// # Errors
/// When it has to be in ECR and cannot be, or the call is refused.
pub async fn pin(session: &Session, output: &Output) -> Result<Pinned, Failure> {
    let (site, needed) = (&session.site, session.needs_image);
    let named = match Named::read(&site.image) {
        Ok(named) => named,
        // The fake runs images of any name.
        Err(_) if !needed => return Ok(Pinned { site: site.clone(), action: None }),
        Err(failure) => return Err(failure),
    };
    let found = observe::image(&session.clients.ecr, site, &named).await?;
    let (image, action) = plans::pin(&site.image, &named, found.as_ref(), needed);
    if action.is_none() {
        output.detail(format_args!("image: {image} is not in the registry; what stands for it here runs in its place"));
    }
    Ok(Pinned { site: Site { image, ..site.clone() }, action })
}

/// The image is there, if it has to be.
///
/// # Errors
/// When it is not.
pub fn there_if_needed(session: &Session, plan: &Plan) -> Result<(), Failure> {
    let Some(action) = plan.actions.iter().find(|action| action.verdict == Verdict::Missing) else { return Ok(()) };
    let flags = &session.flags;
    Err(Failure::operation(format!("{} {}: {}", action.kind, action.name, action.because)).hint(format!(
        "`cargo xtask image push{flags}` builds it and brings it there; STSMM_IMAGE names another one; to try \
         all the same: --no-preflight"
    )))
}

/// An image, and the name under which it is in its archive.
struct Archive {
    image: Image,
    repository: String,
    tag: String,
}

impl Archive {
    fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let hint = "`cargo xtask image build` makes one; `cargo xtask image push` makes and pushes it";
        let bytes = std::fs::read(path)
            .map_err(|error| Failure::usage(format!("cannot read {shown}")).because(error).hint(hint))?;
        let (image, name) = Image::from_archive(&bytes)
            .map_err(|error| Failure::usage(format!("{shown} cannot be pushed")).because(error).hint(hint))?;
        match name.rsplit_once(':').filter(|(repository, tag)| !repository.is_empty() && !tag.is_empty()) {
            // What an archive was named after is not where it goes.
            Some((named, tag)) => {
                let repository = named.rsplit('/').next().unwrap_or(named).to_owned();
                Ok(Self { image, repository, tag: tag.to_owned() })
            }
            None => Err(Failure::usage(format!("the image in {shown} has no name like sts-container:TAG")).hint(hint)),
        }
    }
}

/// What the registry has of the image; nothing without one.
async fn there(registry: Option<&Registry>, archive: &Archive) -> Result<There, Failure> {
    let mut there = There { repository: None, tagged: Tagged::None, blobs: Vec::new() };
    let Some(registry) = registry else { return Ok(there) };
    let image = &archive.image;
    if let Some((manifest, digest)) = registry.manifest(&archive.tag).await? {
        there.tagged = match digest == image.digest().as_str() {
            true => Tagged::This,
            false => compare(registry, image, digest, &manifest).await?,
        };
        return Ok(there);
    }
    for blob in image.layers().iter().map(container_image::Layer::blob).chain([image.config()]) {
        if registry.has(blob.digest().as_str()).await? {
            there.blobs.push(blob.digest().as_str().to_owned());
        }
    }
    Ok(there)
}

/// Whether an image runs the same as ours.
async fn compare(registry: &Registry, image: &Image, digest: String, manifest: &[u8]) -> Result<Tagged, Failure> {
    let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
    let config = match manifest["config"]["digest"].as_str() {
        Some(config) => serde_json::from_slice(&registry.blob(config).await?).unwrap_or_default(),
        None => Value::Null,
    };
    Ok(Tagged::compare(image, digest, &manifest, &config))
}

async fn act(
    executor: &Executor<'_>,
    place: &str,
    archive: &Archive,
    there: &There,
    tags: &[Tag],
    output: &Output,
    mode: Mode,
) -> Result<(), Failure> {
    let wanted = Wanted { image: &archive.image, place, tag: &archive.tag };
    let plan = Plan { actions: plans::push(&wanted, there, tags)? };
    let digest = match &there.tagged {
        Tagged::Same(digest) => digest,
        _ => archive.image.digest().as_str(),
    };
    let report = Report {
        image: format!("{place}:{}", archive.tag),
        pinned: format!("{place}@{digest}"),
        bytes: archive.image.size(),
        pushed_bytes: plan.operations().map(pushed).sum(),
        plan,
        dry: mode == Mode::Dry,
    };
    verified(&report.plan)?;
    if mode == Mode::Live {
        let say = |action: &Action| {
            let bytes: usize = action.operations.iter().map(pushed).sum();
            let bytes = if bytes == 0 { String::new() } else { format!(", {}", megabytes(bytes)) };
            output.note(format_args!("{} {} {}{bytes}", action.verdict.word(), action.kind, action.name));
        };
        executor.execute(&report.plan, say).await?;
    }
    output.print(&report, &report)
}

/// The bytes of a blob or a manifest that a call sends.
fn pushed(operation: &Operation) -> usize {
    match operation {
        Operation::PushBlob { content, .. } | Operation::PutManifest { content, .. } => content.0.len(),
        _ => 0,
    }
}

#[derive(Debug, Serialize)]
struct Report {
    /// By its tag.
    image: String,
    /// By its digest.
    pinned: String,
    bytes: usize,
    pushed_bytes: usize,
    #[serde(flatten)]
    plan: Plan,
    dry: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dry {
            return write!(f, "{}", self.plan);
        }
        writeln!(f, "image   {}", self.image)?;
        writeln!(f, "pinned  {}", self.pinned)?;
        match self.pushed_bytes {
            0 => write!(f, "pushed  nothing: it was there already"),
            pushed => write!(f, "pushed  {} of {}", megabytes(pushed), megabytes(self.bytes)),
        }
    }
}
